"""Signals of the projection: the true distribution of m2_miss by quadrature, and the files' events."""

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import chi2

from kaongen.amplitudes import munu_x
from kaongen.analysis.mu_projection_signal import read_signals, recoil_spectrum
from kaongen.decays.catalogue import find
from kaongen.decays.sampling import sample
from kaongen.errors import EventFileError, ProcessError
from kaongen.events.layout import SampleInfo, Tally
from kaongen.particles import M_K, M_MU
from kaongen.production.memory import MemorySample

EDGES = np.round(np.concatenate([[0.0, 1e-8, 1e-6, 1e-4, 1e-3, 0.01], np.arange(0.023, 0.1511, 0.004)]), 9)


@pytest.mark.parametrize("process", ["munuV", "munuphi"])
@pytest.mark.parametrize("mass", [0.001, 0.01, 0.1, 0.3, 0.37])
def test_all_shares_add_up_to_one(process, mass):
    """The width is another integration: cells of the Dalitz plot."""
    assert recoil_spectrum(find(process), {"m_X": mass}, EDGES).sum() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("process", "function"), [("munuV", munu_x.vector), ("munuphi", munu_x.scalar)])
@pytest.mark.parametrize("mass", [0.005, 0.15])
def test_bins_have_the_ratio_of_plain_integrals(process, function, mass):
    """By scipy, over the Dalitz plot in its own variables with the limits of (A.5)."""
    shares = recoil_spectrum(find(process), {"m_X": mass}, [0.031, 0.035, 0.099, 0.103])

    def limits(s12):
        root = np.sqrt(s12)
        e2, e3 = (s12 + mass**2) / (2 * root), (M_K**2 - s12 - M_MU**2) / (2 * root)
        p2, p3 = np.sqrt(e2**2 - mass**2), np.sqrt(e3**2 - M_MU**2)
        return (e2 + e3) ** 2 - (p2 + p3) ** 2, (e2 + e3) ** 2 - (p2 - p3) ** 2

    def plain(low, high):
        return integrate.dblquad(
            lambda s23, s12: function(s12, s23, mass), low, high, lambda s: limits(s)[0], lambda s: limits(s)[1],
            epsrel=1e-8,
        )[0]  # fmt: skip

    assert shares[0] / shares[2] == pytest.approx(plain(0.031, 0.035) / plain(0.099, 0.103), rel=1e-6)


@pytest.mark.parametrize("process", ["munuV", "munuphi"])
def test_sampled_decays_follow_the_distribution(process):
    mass, n = 0.03, 400_000
    decays = sample(find(process), n, values={"m_X": mass}, seed=11)
    energy = np.asarray(decays.momentum("mu+").E)
    m2 = M_K**2 + M_MU**2 - 2.0 * M_K * energy
    edges = np.linspace(0.0, 0.152, 39)
    counts = np.histogram(m2, edges)[0]
    expected = n * recoil_spectrum(find(process), {"m_X": mass}, edges)
    used = expected > 20.0
    value = ((counts - expected)[used] ** 2 / expected[used]).sum()
    assert value < chi2.isf(1e-6, used.sum())
    assert counts[~used].sum() == pytest.approx(expected[~used].sum(), abs=30.0)


def test_other_decays_are_refused():
    with pytest.raises(ProcessError, match="muN is not a three-body decay"):
        recoil_spectrum(find("muN"), {"m_N": 0.3}, [0.0, 0.1])
    with pytest.raises(ProcessError, match="has the muon third"):
        recoil_spectrum(find("pipipi"), {}, [0.0, 0.1])


def events(process="munuV", mass=0.1, rate=1e-8, name="s", **parameters):
    info = SampleInfo(
        name=name,
        process=process,
        decay="K+ -> mu+ nu_mu X",
        parameters={"m_X": mass, "g" if process == "munuV" else "y": 1e-3, **parameters},
        branching_fraction=rate,
    )
    data = {"m2_miss": np.array([0.03, 0.06, 0.1, 0.2]), "weight": np.full(4, 0.5)}
    return MemorySample(info, Tally(candidates=8, generated=8, selected=4), data)


def test_signals_are_sorted_and_know_their_rates():
    """Below two muon masses V cannot decay to muons; far above, to both as often as to its two neutrinos."""
    found = read_signals([events(mass=0.3, name="b"), events("munuphi", name="c"), events()], EDGES, 0.35)
    assert [(s.boson, s.mass) for s in found] == [("scalar", 0.1), ("vector", 0.1), ("vector", 0.3)]
    assert [s.unit_branching for s in found] == pytest.approx([1e-2] * 3)
    assert found[0].invisible == 1.0
    assert found[1].invisible == pytest.approx(1.0, abs=1e-4)
    # (2) against a sixth for each of two flavours
    r = (M_MU / 0.3) ** 2
    to_muons = (1.0 + 2.0 * r) * np.sqrt(1.0 - 4.0 * r) / 3.0
    assert found[2].invisible == pytest.approx((1.0 / 3.0) / (1.0 / 3.0 + to_muons), rel=1e-4)
    assert found[0].simulated.total.value == pytest.approx(3 * 0.5 / 8)
    assert found[0].assumed.total.value == pytest.approx(0.35, rel=1e-4)


def test_signals_that_cannot_be_used_are_refused():
    with pytest.raises(EventFileError, match="two samples have a vector of 100 MeV"):
        read_signals([events(), events(name="t")], EDGES, 0.35)
    with pytest.raises(EventFileError, match="g must be above 0"):
        read_signals([events(g=0.0)], EDGES, 0.35)
