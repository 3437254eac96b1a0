"""Bulk sampling: the same decays whatever the threads, the blocks and the number asked for; boosts; four-momenta."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import vector
from phase_space import P_MIN, assert_attempts, numbered, sampled
from scipy import stats

from kaongen.decays.catalogue import find
from kaongen.decays.process import ManyBody
from kaongen.decays.samplers import Draws
from kaongen.decays.sampling import blocks, sample
from kaongen.decays.workspace import DecayBlock, vertex_rows
from kaongen.errors import ProcessError
from kaongen.jit import BLOCK
from kaongen.particles import M_K
from kaongen.random import ORIENTATION, PROPOSAL, SECONDARY

CASES = {
    "munu": {},
    "munuV": {"m_X": 0.1},
    "mununubarnu": {},
    "pi0munug": {},
    "munumumu": {},
    "munuV-mumu": {"m_X": 0.25},
}
"""Two bodies, three, a spectrum, and four: with a cut, with particles to be exchanged, with a system on its mass
shell."""

every_case = pytest.mark.parametrize(("name", "values"), CASES.items(), ids=list(CASES))


def decays(name, n, **options):
    return sample(find(name), n, values=CASES[name], **options)


@every_case
def test_the_number_of_threads_does_not_matter(name, values):
    columns = [decays(name, 300_000, threads=threads).columns for threads in (1, 2, 4)]
    assert columns[0].dtype == np.float32
    assert all(np.array_equal(columns[0], other) for other in columns[1:])


@every_case
def test_a_larger_sample_starts_with_the_smaller(name, values):
    larger = decays(name, 200_000).columns
    for n in (0, 1, 2, 1023, 1024, 65_536, 65_537, 150_000):
        smaller = decays(name, n)
        assert len(smaller) == n
        assert smaller.columns.shape == (larger.shape[0], n)
        assert np.array_equal(smaller.columns, larger[:, :n])


@every_case
def test_seeds_give_different_decays(name, values):
    one, same, other = (decays(name, 1000, seed=seed).columns for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.isin(one, other).all(axis=1).any()


def test_processes_of_one_seed_are_different():
    """Otherwise a heavy neutrino without mass would fly where the neutrino of K -> mu nu does."""
    assert not np.array_equal(decays("munu", 1000).columns, sample(find("muN"), 1000, values={"m_N": 0.0}).columns)


@every_case
def test_bulk_and_blocks_are_the_same_decays(name, values):
    """Two ways through the code, and float32 in the end."""
    bulk = decays(name, 50_000, seed=3)
    fine = sampled(find(name), values, 60_000, seed=3).momenta[:, :3, :50_000]
    assert np.array_equal(bulk.columns, fine.reshape(-1, 50_000).astype(np.float32))


@every_case
def test_a_moving_kaon_boosts_its_daughters(name, values):
    """Against the vector package; single precision keeps 6e-8 of the larger components."""
    at_rest = sampled(find(name), values, 40_000).momenta[:, :, :20_000]
    moving = decays(name, 20_000, momentum=75.0).columns
    kaon = vector.obj(px=0.0, py=0.0, pz=75.0, mass=M_K)
    for particle, (px, py, pz, e) in enumerate(at_rest):
        expected = vector.array({"px": px, "py": py, "pz": pz, "E": e}).boost_p4(kaon)
        got = moving[3 * particle : 3 * particle + 3]
        assert np.array_equal(got[:2], np.array([px, py], dtype=np.float32))
        assert np.abs(got[2] - expected.pz).max() < 1e-7 * 75


@pytest.mark.parametrize("momentum", [0.0, 75.0])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("munu", {}),
        ("muN", {"m_N": 0.2}),
        ("munuV", {"m_X": 0.1}),
        ("pipipi", {}),
        ("pipienu", {}),
        ("munuV-mumu", {"m_X": 0.25}),
    ],
    ids=lambda v: str(v),
)
def test_the_daughters_add_up_to_a_kaon(name, values, momentum):
    process = find(name)
    sample_ = sample(process, 5000, values=values, momentum=momentum)
    parts = [sample_.momentum(k) for k in range(len(process.daughters))]
    total = sum(parts[1:], parts[0])
    energy = np.hypot(momentum, M_K)
    # single precision, and the square root of a difference of large squares
    assert np.abs(total.E - energy).max() < 2e-7 * energy
    assert np.abs(total.pz - momentum).max() < 2e-7 * energy
    assert np.abs(total.mass2 - M_K**2).max() < 1e-6 * energy**2
    for part, mass in zip(parts, sample_.masses, strict=True):
        assert part.mass == pytest.approx(np.full(5000, mass), abs=1e-5)


def test_a_daughter_may_be_named():
    found = decays("munuV", 100)
    for number, name in enumerate(("mu+", "nu_mu", "V")):
        assert np.array_equal(found.momentum(name).px, found.columns[3 * number])
        assert found.momentum(name).mass == pytest.approx(np.full(100, found.masses[number]), abs=1e-7)


def test_what_is_not_resolved_has_no_four_momentum():
    """In K -> mu nu nu nubar only the muon is known: no neutrino has the momentum of all three, without their mass."""
    found = decays("mununubarnu", 100)
    assert found.momentum("mu+").mass == pytest.approx(np.full(100, found.masses[0]), abs=1e-7)
    for daughter in ("nu", "anti-nu", 1):
        with pytest.raises(ProcessError):
            found.momentum(daughter)


@every_case
def test_decays_per_attempt_are_the_efficiency(name, values):
    """Those of the blocks and those of the chunks."""
    n = 300_000
    found, fine = decays(name, n), sampled(find(name), values, n)
    assert found.efficiency == n / fine.attempts
    assert list(found.above_bound) == np.flatnonzero(fine.weight > 1).tolist()
    assert found.weight.tobytes() == fine.weight.tobytes()
    process = find(name)
    known = 0.0
    if isinstance(process.dynamics, ManyBody):
        table = process.cell_table(process.values(values))
        known = table.integral_error / table.integral
    assert_attempts(fine.attempts, n, fine.efficiency, known)


@every_case
def test_a_decay_does_not_know_its_neighbours(name, values):
    """Numbers in any order, repeated, far apart and in blocks of any size: each has its own momenta."""
    straight = sampled(find(name), values, 30_000)
    numbers = np.random.default_rng(4).integers(0, 30_000, 10_000)
    for size in (BLOCK, 1000, 37):
        found = numbered(find(name), values, numbers.astype(np.uint64), size=size)
        assert found.momenta.tobytes() == np.ascontiguousarray(straight.momenta[:, :, numbers]).tobytes()
        assert found.weight.tobytes() == straight.weight[numbers].tobytes()
    halves = [numbered(find(name), values, np.arange(k, 30_000, 2, dtype=np.uint64)) for k in (0, 1)]
    assert sum(half.attempts for half in halves) == straight.attempts
    assert sum(half.above for half in halves) == straight.above


@every_case
def test_all_64_bits_of_a_number_count(name, values):
    numbers = np.arange(1000, dtype=np.uint64)
    found = [numbered(find(name), values, numbers + np.uint64(more)).momenta for more in (0, 2**32, 2**63)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not (found[one][:, :3] == found[other][:, :3]).all(axis=(0, 1)).any()


OTHER_DRAWS = {
    "another stream": Draws(SECONDARY, np.uint64(0), SECONDARY, np.uint64(1 << 19)),
    "later draws": Draws(PROPOSAL, np.uint64(1 << 20), ORIENTATION, np.uint64(1)),
}


@every_case
@pytest.mark.parametrize("draws", OTHER_DRAWS.values(), ids=list(OTHER_DRAWS))
def test_other_draws_give_other_decays_of_the_same_kind(name, values, draws):
    """What daughters with decays of their own rely on: no event is the same, and all energies are distributed alike."""
    numbers = np.arange(30_000, dtype=np.uint64)
    one, other = numbered(find(name), values, numbers), numbered(find(name), values, numbers, draws=draws)
    assert not (one.momenta[:, :3] == other.momenta[:, :3]).all(axis=(0, 1)).any()
    for first, second in zip(one.momenta, other.momenta, strict=True):
        spread = np.ptp(first[3])
        if spread > 1e-9:  # otherwise there is one energy only
            assert stats.ks_2samp(first[3], second[3]).pvalue > P_MIN
            assert abs(np.corrcoef(first[3], second[3])[0, 1]) < 5 / np.sqrt(30_000)
        assert stats.ks_2samp(first[2], second[2]).pvalue > P_MIN
        assert abs(np.corrcoef(first[2], second[2])[0, 1]) < 5 / np.sqrt(30_000)


def test_a_block_numbers_its_decays():
    block = DecayBlock(2)
    block.number(2**40 + 5, 100)
    assert np.array_equal(block.index[:100], np.arange(2**40 + 5, 2**40 + 105, dtype=np.uint64))
    assert (block.index[100:] == 0).all()
    block.origins[1] = vertex_rows()
    block.number(7, BLOCK)
    assert np.array_equal(block.index, np.arange(7, BLOCK + 7, dtype=np.uint64))
    assert all(origin is block.vertex for origin in block.origins)
    block.origins[0] = vertex_rows()
    block.take(np.array([5, 2**63, 5], dtype=np.uint64))
    assert block.index[:4].tolist() == [5, 2**63, 5, 10]
    assert all(origin is block.vertex for origin in block.origins)


def test_no_decays_and_one_decay():
    assert decays("munuV", 0).columns.shape == (9, 0)
    assert decays("munuV", 1).columns.shape == (9, 1)
    assert len(decays("munu", 0)) == 0


@pytest.mark.parametrize("n", [-1, -100_000])
def test_a_negative_number_of_decays_is_refused(n):
    with pytest.raises((ValueError, ProcessError), match=str(n)):
        decays("munu", n)


def test_bad_values_are_refused_before_anything_is_sampled():
    with pytest.raises(ProcessError, match="m_X"):
        sample(find("munuV"), 10)
    with pytest.raises(ValueError, match="seed"):
        sample(find("munu"), 10, seed=-1)


@pytest.mark.parametrize(("n", "first"), [(0, 0), (1, 5), (BLOCK, 0), (BLOCK + 1, 7), (10 * BLOCK - 1, 3)])
def test_blocks_cover_all_candidates_once(n, first):
    pieces = list(blocks(n, first))
    assert [k for start, length in pieces for k in range(start, start + length)] == list(range(first, first + n))
    assert all(0 < length <= BLOCK for _, length in pieces)


def digests():
    """Of decays made in both ways: whole chunks of a moving kaon, and block by block."""
    result = {}
    for name, values in CASES.items():
        bulk, fine = decays(name, 100_000, momentum=75.0), sampled(find(name), values, 30_000)
        for label, array in (("bulk", bulk.columns), ("momenta", fine.momenta), ("index", fine.index)):
            result[f"{name} {label}"] = hashlib.sha256(array.tobytes()).hexdigest()
    return result


@pytest.mark.slow
def test_the_block_size_does_not_matter():
    """This process has one size, another process the other; both digest all bytes."""
    other = 1024 if BLOCK != 1024 else 256
    code = (
        f"import json, sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); import test_sampling as t;"
        "print(json.dumps([t.BLOCK, t.digests()]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KAONGEN_BLOCK": str(other)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert json.loads(run.stdout) == [other, digests()]
