"""Samples that are no kaon decays in the volume, and configurations other than that of the muon search."""

import json
import math
import sys

import h5py
import numpy as np
import pytest
from small_runs import card, sample

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import PionSelection
from kaongen.cli import main
from kaongen.configuration import load
from kaongen.decays.sampling import CHUNK
from kaongen.errors import CardError
from kaongen.events.inspection import validate_events
from kaongen.events.manifest import read_manifest
from kaongen.events.reader import open_events
from kaongen.production.card import SamplePart
from kaongen.production.directory import CARD_FILE
from kaongen.production.engine import Worker, plan, produce, run_in_threads
from kaongen.production.selection import TABLES
from kaongen.production.source import chain
from kaongen.random import stream_key
from kaongen.replay.event import replay
from kaongen.replay.target import find_event

EVERYWHERE = MuonSelection(momentum=(0.0, 1e3), volume=(0.0, 1e3), vertex_distance=(0.0, 0.0), cda_max=1e3, eop_max=1e3)
KAON, PION = (0.493677, 3.711), (0.13957039, 7.8045)
"""Mass (GeV) and c tau (m); Particle Data Group."""

SAMPLES = (
    sample("munu", name="volume"),
    sample("munu", name="entrance", zone="entrance"),
    sample("munu", 2 * CHUNK, name="upstream", zone="upstream"),
    sample("beam-pions", 4 * CHUNK, name="pions", zone="upstream"),
)


def per_kaon(start, end, particle=KAON, p=75.0):
    """Decays between two z (m) for each of a kaon in the volume, 105 to 180 m; the beam is known at 105 m."""
    mean, kaon = (c_tau * p / mass for mass, c_tau in (particle, KAON))
    here = math.exp((105.0 - start) / mean) - math.exp((105.0 - end) / mean)
    return here / (1.0 - math.exp(-75.0 / kaon))


WEIGHTS = {
    "volume": 1.0,
    # from the last station of GTK, or the end of KTAG's radiator before it
    "entrance": per_kaon(102.4, 105.0),
    "upstream": per_kaon(72.0, 102.4),
    # 70% of the beam are pions and 6% kaons; their muons come from behind the last quadrupole
    "pions": 0.70 / 0.06 * per_kaon(60.0, 102.4, PION),
}


def made_in(directory, **settings):
    """A run with its card, of all that is seen in the detectors."""
    wanted = card(*SAMPLES, **settings)
    produce(wanted, EVERYWHERE, directory, threads=2)
    (directory / CARD_FILE).write_text(wanted.model_dump_json())
    return directory


@pytest.fixture(scope="module")
def accepted(tmp_path_factory):
    return made_in(tmp_path_factory.mktemp("zones") / "accepted", vetoes="accept")


@pytest.fixture(scope="module")
def weighted(tmp_path_factory):
    return made_in(tmp_path_factory.mktemp("zones") / "weighted")


def seen(directory, name):
    """Mean of the weight over all that was generated, and its error."""
    weights, n = open_events(directory)[name].columns("weight")["weight"], read_tally(directory, name)
    mean = weights.sum() / n
    return mean, math.sqrt((weights @ weights / n - mean * mean) / n)


def read_tally(directory, name):
    return sum(s.tally.generated for s in read_manifest(directory).shards if s.sample == name)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_per_kaon_decay_in_the_volume(accepted, name):
    """Yes or no: a weight is then the probability of the decay alone, at a momentum of 75 GeV within four times 1%."""
    weight = open_events(accepted)[name].columns("weight")["weight"]
    assert len(weight) > 100
    assert weight.mean() == pytest.approx(WEIGHTS[name], rel=2e-3)
    # a pion's depends on the momentum by the kaon's lifetime
    np.testing.assert_allclose(weight, WEIGHTS[name], rtol=0.06)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_and_decisions_agree(accepted, weighted, name):
    (one, error), (other, other_error) = seen(accepted, name), seen(weighted, name)
    assert abs(one - other) < 4.0 * math.hypot(error, other_error)
    assert one > 5.0 * error


@pytest.mark.parametrize("name", WEIGHTS)
def test_file_and_manifest_say_the_zone(weighted, name):
    zone = {"pions": "upstream"}.get(name, name)
    planned = {p.info.name: p.info for p in read_manifest(weighted).samples}[name]
    assert planned.zone == zone
    shards = [s for s in read_manifest(weighted).shards if s.sample == name]
    for shard in shards:
        with h5py.File(weighted / shard.file) as file:
            header = json.loads(file.attrs["header"])
        assert header["sample"]["zone"] == zone
        assert header["sample"]["process"] == ("beam-pions" if name == "pions" else "munu")
    assert open_events(weighted)[name].info.zone == zone
    assert validate_events(weighted) == []


def test_pions_of_the_beam_say_what_they_are(weighted):
    info = open_events(weighted)["pions"].info
    assert (info.decay, info.parameters) == ("pi+ -> mu+ nu_mu", {})
    assert (info.branching_fraction, info.branching_fraction_error) == (1.0, 0.0)
    assert set(open_events(weighted)["pions"].columns("component")["component"].tolist()) == {0}


@pytest.mark.parametrize("name", WEIGHTS)
def test_events_are_made_again(weighted, accepted, name):
    """To the last bit; and what decays, and where, is as the zone says."""
    limits = {"volume": (105.0, 180.0), "entrance": (102.4, 105.0), "upstream": (72.0, 102.4), "pions": (60.0, 102.4)}
    for directory in (weighted, accepted):
        table = open_events(directory)[name].columns()
        for row in np.linspace(0, len(table["index"]) - 1, 5).astype(int):
            history = replay(find_event(f"{directory}/{name}:{table['index'][row]}"), EVERYWHERE)
            assert history.stored == "identical"
            assert history.kaon.name == ("pi+" if name == "pions" else "K+")
            assert history.generated == pytest.approx(WEIGHTS[name], rel=0.06)
            product = history.generated * math.prod(step.weight for step in history.steps)
            assert table["weight"][row] == history.weight == pytest.approx(product, rel=1e-12)
            assert limits[name][0] <= history.kaon.path[-1].z <= limits[name][1]
            stages = [step.name for step in history.steps if step.subject != "decision"]
            assert stages[0] == "scattering in GTK3"
            assert ("CHANTI" in stages) == (name != "volume")
            # what decays in front of the station does not come there
            if name in ("upstream", "pions"):
                assert history.steps[0].weight == 1.0
                assert history.candidate.begins.z >= 102.4


def test_upstream_of_the_station_the_kaon_has_no_track(weighted):
    tracks = {name: open_events(weighted)[name].columns("gtk_track")["gtk_track"] for name in WEIGHTS}
    for name in ("upstream", "pions"):
        assert (tracks[name] > 0).all()
    for name in ("volume", "entrance"):
        assert (tracks[name] == 0).mean() > 0.5


@pytest.fixture
def complaint(tmp_path, monkeypatch, capsys):
    """What the command says of a card that it refuses."""

    def ask(command, *, process="munu", zone="upstream", more="", configuration="na62-2016-2018"):
        path = written(tmp_path / "small.toml", configuration, process, zone, more)
        options = ["-o", str(tmp_path / "run"), "--quiet"] if command == "run" else []
        monkeypatch.setattr(sys, "argv", ["kaongen", command, str(path), *options])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        assert caught.value.code == 2
        assert said.out == ""
        assert not (tmp_path / "run").exists()
        return " ".join(said.err.split())

    return ask


def written(path, configuration, process, zone, more):
    path.write_text(f"""
[run]
name = "small"
[detector]
configuration = "{configuration}"
[[sample]]
process = "munu"
role = "normalisation"
candidates = 1000
[[sample]]
name = "early"
process = "{process}"
zone = "{zone}"
role = "background"
candidates = 1000
{more}
""")
    return path


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_zone_that_is_nowhere_is_refused(complaint, command):
    said = complaint(command, zone="nowhere")
    for fragment in ("sample[1].zone", "nowhere", "volume", "entrance", "upstream"):
        assert fragment in said


@pytest.mark.parametrize("command", ["run", "validate"])
def test_pions_of_the_beam_have_no_parameters(complaint, command):
    said = complaint(command, process="beam-pions", more="parameters = { m_X = 0.1 }")
    assert "beam pions have no parameters" in said
    assert "m_X" in said
    with pytest.raises(CardError, match="'beam-pions': beam pions have no parameters"):
        plan(card(sample("beam-pions", parameters={"m_X": 0.1})))


@pytest.mark.parametrize("command", ["run", "validate"])
def test_the_muon_search_is_refused_with_a_detector_for_pions(complaint, command):
    said = complaint(command, configuration="na62-2017-pinunu")
    assert "mu_invisible looks for a single muon" in said
    assert "na62-2017-pinunu" in said


def chunks(process, configuration, selection, vetoes="weight", number=1, seed=5):
    """Some chunks of a sample as they come from the engine's worker."""
    part = SamplePart.model_validate(sample(process))
    made, key = chain(part, load(configuration), vetoes), stream_key(seed, process)
    pieces = [(made, key, k * CHUNK, CHUNK, process) for k in range(number)]
    return run_in_threads(Worker(selection, None), pieces, 2)


def test_in_2015_the_kaon_is_the_average_of_the_beam():
    """75 GeV at 1.2 mrad, on the axis, for every event; nothing is a track of GTK that could be another's."""
    names = TABLES["muon"].names[3:]
    (chunk,) = chunks("munu", "na62-2015", MuonSelection(cda_max=0.04))
    measured = dict(zip(names, chunk.measured, strict=True))
    assert len(chunk.index) > 10_000
    kaon = [np.unique(measured[f"kaon_p{axis}"]) for axis in "xyz"]
    assert [len(values) for values in kaon] == [1, 1, 1]
    px, py, pz = (float(values[0]) for values in kaon)
    assert math.hypot(px, py, pz) == pytest.approx(75.0, rel=1e-6)
    assert (px / pz, py) == pytest.approx((1.2e-3, 0.0), rel=1e-5)
    assert set(measured["gtk_track"].tolist()) == {0.0}
    # its missing mass is then that with the beam's average
    np.testing.assert_allclose(measured["m2_miss"], measured["m2_miss_beam"], atol=2e-6)
    (other,) = chunks("munu", "na62-2016-2018", MuonSelection())
    assert len(np.unique(other.measured[names.index("kaon_pz")])) > 10_000


@pytest.mark.parametrize(("process", "number"), [("pinunu", 3), ("pipi0", 3)])
def test_pions_are_weighted_and_decided_alike(process, number):
    """The pion selection of 2017: as many pass, one by one, as the weights say, after each of its cuts."""
    weigh, decide = (
        chunks(process, "na62-2017-pinunu", PionSelection(), vetoes, number, seed)
        for vetoes, seed in (("weight", 5), ("accept", 6))
    )
    n = number * CHUNK
    one, other = (np.concatenate([chunk.weight for chunk in made]) for made in (weigh, decide))
    assert set(other.tolist()) <= {1.0}
    assert len(one) > len(other)
    # a few events of large weight say little of their own error
    errors = [math.sqrt(max(w @ w, w.sum(), 1.0)) / n for w in (one, other)]
    assert abs(one.sum() - other.sum()) / n < 4.0 * math.hypot(*errors)
    sums, counts = sum(chunk.sums for chunk in weigh), sum(chunk.counts for chunk in decide)
    for expected, found in zip(sums[1:], counts[1:], strict=True):
        assert abs(expected - found) < 4.0 * math.sqrt(2.0 * max(expected, found, 1.0)), process
    if process == "pinunu":
        assert 0.05 < one.sum() / n < 0.08
        names = TABLES["pion"].names[3:]
        p = [np.concatenate([chunk.measured[names.index(f"pion_p{axis}")] for chunk in weigh]) for axis in "xyz"]
        momentum = np.sqrt(p[0] ** 2 + p[1] ** 2 + p[2] ** 2)
        assert momentum.min() >= 15.0 - 1e-4
        assert momentum.max() <= 35.0 + 1e-4
