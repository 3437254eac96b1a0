"""The di-muon resonance search: windows by brute force, closed forms, models by hand, and what is refused."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from kaongen.analysis import dimuon
from kaongen.analysis.dimuon_figures import curves, figures
from kaongen.analysis.dimuon_limits import scan_masses
from kaongen.analysis.dimuon_samples import MODELS, continua, signals
from kaongen.analysis.dimuon_windows import (
    between,
    in_windows,
    lead_share,
    mass_error,
    momentum_error,
    resolution,
    to_nearest,
)
from kaongen.analysis.registry import analyse, check, selection_of
from kaongen.configuration import load
from kaongen.decays.sampling import CHUNK
from kaongen.errors import CardError, EventFileError
from kaongen.events.layout import SampleInfo, Tally
from kaongen.events.reader import EventSet, open_events
from kaongen.papers import three_muons as paper
from kaongen.particles import BR_K_MUNU, M_K, M_MU
from kaongen.production.card import Card, read_card
from kaongen.production.engine import produce
from kaongen.production.memory import simulate_card
from kaongen.searches.dimuon import Dimuon
from kaongen.statistics.counting import counting_limit

NA62 = (0.003, 5e-5)
SCALAR = "K+ -> mu+ nu_mu (phi -> mu+ mu-)"
MASSES = [0.216, 0.25, 0.3, 0.34, 0.376]


def a_card(*more, analysis=None, without=(), configuration="na62-2016-2018-3mu"):
    background = {"process": "munumumu", "role": "background", "candidates": 3 * CHUNK}
    samples = [
        background,
        background | {"name": "no-contact", "parameters": {"contact": 0, "structure": 0}},
        {"name": "V", "process": "munuV-mumu", "role": "signal", "candidates": CHUNK, "scan": {"m_X": MASSES}},
        {"name": "phi", "process": SCALAR, "role": "signal", "candidates": CHUNK, "scan": {"m_X": MASSES}},
        *more,
    ]
    return Card.model_validate(
        {
            "run": {"name": "small", "seed": 4},
            "detector": {"configuration": configuration},
            "sample": [s for s in samples if s.get("name", s["process"]) not in without],
            "analysis": {"name": "dimuon", "mass_first": 0.216, "mass_last": 0.376, "mass_step": 0.01}
            | (analysis or {}),
        }
    )


@pytest.fixture(scope="module")
def card():
    return a_card()


@pytest.fixture(scope="module")
def events(card):
    return simulate_card(card, selection_of(card), threads=2)


@pytest.fixture(scope="module")
def result(card, events):
    return analyse(events, card.roles(), card.analysis, "small")


def column(scan, name):
    return np.array(next(c.values for c in scan.columns if c.name == name), dtype=float)


@dataclass
class Made:
    """A sample of made-up pairs."""

    data: dict
    generated: int = 1000
    info: SampleInfo = field(
        default_factory=lambda: SampleInfo(name="made", process="munuV-mumu", decay="", parameters={"m_X": 0.3})
    )

    @property
    def tally(self):
        w = self.data["weight"]
        return Tally(
            candidates=self.generated, generated=self.generated, sum_weights=float(w.sum()),
            sum_weights_squared=float((w * w).sum()),
        )  # fmt: skip

    def batches(self, *names, rows=7):
        for start in range(0, len(self.data["weight"]), rows):
            yield {name: self.data[name][start : start + rows] for name in names}


# Windows


def test_the_resolution_of_the_letter():
    """(C.4) with its percent sign, and (C.3), by hand."""
    assert momentum_error(20.0, NA62) == pytest.approx(math.sqrt(0.003**2 + 0.001**2), rel=1e-12)
    assert mass_error(0.3, 20.0, 20.0, NA62) == pytest.approx(0.3 * 0.5 * math.sqrt(2) * 0.0031622776602, rel=1e-9)
    assert mass_error(1.0, 20.0, 20.0, NA62) == pytest.approx(0.0022, abs=0.0001)
    assert mass_error(0.3, 10.0, 40.0, NA62) == pytest.approx(
        0.15 * math.sqrt(2 * 0.003**2 + 0.0005**2 + 0.002**2), rel=1e-12
    )
    # as it is printed
    assert momentum_error(20.0, (0.003, 0.005)) == pytest.approx(0.1, rel=1e-3)


def test_the_nearest_pair_by_brute_force():
    rng = np.random.default_rng(3)
    n, generated = 400, 5000
    lead, other = rng.uniform(0.21, 0.39, n), rng.uniform(0.21, 0.39, n)
    weight = rng.uniform(0.0, 2.0, n)
    sample = Made({"m_mumu_lead": lead, "m_mumu_other": other, "weight": weight}, generated)
    masses, halves = [0.22, 0.25, 0.3, 0.301, 0.37], [0.001, 0.01, 0.03, 0.004, 0.02]
    found = in_windows(sample, masses, halves)
    for i, (mass, half) in enumerate(zip(masses, halves, strict=True)):
        total = square = 0.0
        for a, b, w in zip(lead, other, weight, strict=True):
            chosen = b if abs(b - mass) < abs(a - mass) else a
            if mass - half <= chosen <= mass + half:
                total, square = total + w, square + w * w
        assert found.probability[i] == pytest.approx(total / generated, rel=1e-12)
        variance = (square / generated - (total / generated) ** 2) / generated
        assert found.variance[i] == pytest.approx(variance, rel=1e-9)
        assert found.value(i).error == pytest.approx(math.sqrt(variance), rel=1e-9)
    assert found.probability[2] > found.probability[1] > 0.0
    assert to_nearest(np.array([0.3, 0.21]), np.array([0.21, 0.3]), 0.29) == pytest.approx([0.01, 0.01])


def test_an_event_counts_where_either_pair_is():
    """Taking the nearer pair is counting both, and those events once of which both are inside."""
    rng = np.random.default_rng(5)
    lead, other = rng.uniform(0.21, 0.39, (2, 20_000))
    sample = Made({"m_mumu_lead": lead, "m_mumu_other": other, "weight": np.ones(20_000)}, 20_000)
    probability = in_windows(sample, [0.3], [0.009]).probability[0]
    a, b = np.abs(lead - 0.3) <= 0.009, np.abs(other - 0.3) <= 0.009
    assert probability == pytest.approx((a.sum() + b.sum() - (a & b).sum()) / 20_000, rel=1e-12)
    assert probability == pytest.approx(2 * 0.1 - 0.1**2, abs=0.015)


def test_resolution_and_share_of_made_up_pairs():
    rng = np.random.default_rng(6)
    n, mass, sigma, share = 50_000, 0.3, 7e-4, 0.7
    is_lead = rng.uniform(size=n) < share
    apart = rng.uniform(0.22, 0.28, n)
    true = {"m_mumu_lead_true": np.where(is_lead, mass, apart), "m_mumu_other_true": np.where(is_lead, apart, mass)}
    measured = {name.removesuffix("_true"): values + rng.normal(0.0, sigma, n) for name, values in true.items()}
    sample = Made(true | measured | {"weight": rng.uniform(0.5, 1.0, n)}, n)
    sample.batches = lambda *names: iter([{name: sample.data[name] for name in names}])
    assert resolution(sample, mass) == pytest.approx(sigma, rel=0.02)
    assert lead_share(sample, mass) == pytest.approx(share, abs=0.01)


def test_between_simulated_masses():
    x = [0.22, 0.25, 0.3, 0.38]
    assert between(x, [1.0, 4.0, 9.0, 9.5], x) == pytest.approx([1.0, 4.0, 9.0, 9.5], rel=1e-12)
    inside = between(x, [1.0, 4.0, 9.0, 9.5], np.linspace(0.22, 0.38, 50))
    assert np.all(np.diff(inside) > 0.0)
    for beyond in (0.2199, 0.381):
        with pytest.raises(EventFileError, match=rf"220 to 380 MeV.*{1e3 * beyond:g} MeV.*nothing is extrapolated"):
            between(x, [1.0, 4.0, 9.0, 9.5], [0.3, beyond])
    with pytest.raises(EventFileError, match="one mass"):
        between([0.3], [1.0], [0.3])


def test_masses_that_are_tested():
    chosen = scan_masses(Dimuon(name="dimuon"))
    assert chosen[0] == 0.212
    assert chosen[-1] == 0.384
    assert np.diff(chosen) == pytest.approx(0.004, rel=1e-9)


@pytest.mark.parametrize("mass", [0.216, 0.3, 0.376])
def test_the_simulated_resolution_follows_from_that_of_the_tracks(events, mass):
    """Event by event: dm^2 = 2 (E2 p1/E1 - p2 cos) dp1 + 1<->2 + 2 p1 p2 theta dtheta, with errors of the STRAW."""
    data = events[f"V-{1e3 * mass:g}"].columns()
    lead = np.abs(data["m_mumu_lead_true"] - mass) < 1e-6
    p = np.array([[np.where(lead, data[f"muon1_p{x}"], data[f"muon2_p{x}"]) for x in "xyz"],
                  [data[f"muon3_p{x}"] for x in "xyz"]], dtype=float)  # fmt: skip
    size = np.sqrt((p**2).sum(1))
    e = np.sqrt(size**2 + M_MU**2)
    cosine = (p[0] * p[1]).sum(0) / size.prod(0)
    theta = np.arccos(cosine)
    straw = load("na62-2016-2018-3mu").number
    dp = size * np.hypot(straw("straw.momentum_constant"), straw("straw.momentum_linear") * size)
    angle = np.hypot(straw("straw.angle_constant"), straw("straw.angle_scattering") / size)
    by_p = [2 * (e[1 - i] * size[i] / e[i] - size[1 - i] * cosine) * dp[i] for i in (0, 1)]
    by_angle = 2 * size[0] * size[1] * np.sin(theta) * np.hypot(*angle)
    sigma = np.sqrt(by_p[0] ** 2 + by_p[1] ** 2 + by_angle**2) / (2 * mass)
    # width of a mixture of Gaussian distributions
    rng = np.random.default_rng(2)
    chosen = rng.choice(sigma, 200_000, p=data["weight"] / data["weight"].sum())
    expected = np.quantile(np.abs(chosen * rng.normal(size=200_000)), 0.683)
    found = resolution(events[f"V-{1e3 * mass:g}"], mass)
    assert found == pytest.approx(expected, rel=0.05)
    # of the letter's formula, without angles and masses: near threshold a third, at high masses a little more
    ratio = found / mass_error(mass, 20.0, 20.0, NA62)
    assert (0.25 < ratio < 0.5) if mass == 0.216 else (1.0 < ratio < 1.4)


# Samples


def test_rates_by_hand():
    """BR(V -> mu mu) from equation (2), BR(phi -> mu mu) almost one, and the rate of K+ -> mu+ nu phi by quadrature."""
    vector, scalar = MODELS
    from kaongen.decays.catalogue import find

    for mass in (0.22, 0.3, 0.37):
        r = (M_MU / mass) ** 2
        muons = (1 + 2 * r) * math.sqrt(1 - 4 * r) / 3
        process = find("munuV")
        produced = process.branching_fraction(process.values({"m_X": mass, "g": 1e-3})).value
        assert vector.rate(mass) == pytest.approx(1e6 * produced * muons / (muons + 2 / 6), rel=1e-4)
    mass = 0.3
    n = 400
    total = 0.0
    k2, mu2, x2 = M_K**2, M_MU**2, mass**2
    s23_low, s23_high = (M_MU + mass) ** 2, k2
    for i in range(n):
        s23 = s23_low + (s23_high - s23_low) * (i + 0.5) / n
        # s12 = (p_X + p_nu)^2 between its limits at this s23 = (p_X + p_mu)^2
        e_x, e_nu = (s23 + x2 - mu2) / (2 * math.sqrt(s23)), (k2 - s23) / (2 * math.sqrt(s23))
        p_x = math.sqrt(max(e_x**2 - x2, 0.0))
        low, high = x2 + 2 * e_nu * (e_x - p_x), x2 + 2 * e_nu * (e_x + p_x)
        middle = 0.5 * (low + high)
        off = s23 - mu2
        # linear in s12: the middle is the mean
        numerator = k2 * (s23 + mu2) ** 2 - s23 * ((s23 + mu2) ** 2 + middle * off) + x2 * (s23**2 - mu2 * k2)
        total += numerator / (mu2 * off * off) * mu2 * (high - low) * (s23_high - s23_low) / n
    two_body = (k2 - mu2) * (1 - mu2 / k2) / (16 * math.pi * M_K)
    expected = BR_K_MUNU.value * total / (256 * math.pi**3 * M_K**3) / two_body / mu2
    assert scalar.rate(mass) == pytest.approx(expected, rel=0.01)


def info_of(name, process="munumumu", **parameters):
    defaults = {"contact": 1.0, "structure": 1.0} if process == "munumumu" else {}
    return SampleInfo(name=name, process=process, decay="", parameters=defaults | parameters, branching_fraction=1e-8)


def test_the_continuum_by_its_terms():
    infos = [info_of("c", contact=0.0, structure=0.0), info_of("a"), info_of("b", structure=0.0)]
    roles = dict.fromkeys("abc", "background")
    assert [(c.name, c.sample) for c in continua(infos, roles)] == [
        ("", "a"), ("ib", "b"), ("no-contact", "c"), ("quoted", "c"),
    ]  # fmt: skip
    assert continua(infos, roles)[-1].branching_fraction == paper.BRANCHING_FRACTION
    with pytest.raises(EventFileError, match="'a' and 'd' are the same continuum"):
        continua([*infos, info_of("d")], roles | {"d": "background"})
    with pytest.raises(EventFileError, match="neither the full one"):
        continua([info_of("a"), info_of("half", contact=0.0)], {"a": "background", "half": "background"})
    with pytest.raises(EventFileError, match="munumumu with all terms"):
        continua([info_of("b", structure=0.0)], roles)


def test_signals_by_mass():
    infos = [info_of("b", "munuV-mumu", m_X=0.3), info_of("a", "munuV-mumu", m_X=0.25), info_of("s", SCALAR, m_X=0.3)]
    roles = dict.fromkeys("abs", "signal")
    assert signals(infos, roles) == {"vector": {0.25: "a", 0.3: "b"}, "scalar": {0.3: "s"}}
    with pytest.raises(EventFileError, match="'b' and 'd' are the same signal of 300 MeV"):
        signals([*infos, info_of("d", "munuV-mumu", m_X=0.3)], roles | {"d": "signal"})
    with pytest.raises(EventFileError, match=r"'x'.*'muN'.*none of"):
        signals([info_of("x", "muN", m_X=0.3)], {"x": "signal"})


# Limits


def test_scans_have_the_closed_forms(result):
    settings = Dimuon.model_validate(result.settings)
    for suffix in ("", "-no-contact", "-quoted", "-simulated", "-simulated-resolution"):
        for model in MODELS:
            branching, coupling = (result.scan(f"{model.name}-{what}{suffix}") for what in ("branching", "coupling"))
            b, a = column(branching, "background"), column(branching, "acceptance")
            assert column(branching, "sensitivity") == pytest.approx(2 * np.sqrt(b) / (settings.n_kaons * a), rel=1e-12)
            for i in (0, 8, -1):
                events = counting_limit(None, b[i], column(branching, "background_error")[i], 0.9)
                scale = settings.n_kaons * a[i]
                assert branching.expected[i] == pytest.approx(events.expected / scale, rel=1e-9)
                assert branching.bands["+2"][i] == pytest.approx(events.plus_two_sigma / scale, rel=1e-9)
                rate = model.rate(coupling.points[i])
                assert coupling.expected[i] ** 2 * rate == pytest.approx(branching.expected[i], rel=1e-9)
            assert branching.observed is None
            # never better than without background and events
            assert np.all(np.array(branching.expected) * settings.n_kaons * a >= 2.302)


def test_backgrounds_are_shares_of_the_continuum(card, events, result):
    """Against a loop over the events of the file, with the nearer pair chosen for each."""
    data = events["munumumu"].columns()
    generated, fraction = events["munumumu"].tally.generated, events["munumumu"].info.branching_fraction
    scan = result.scan("vector-branching-simulated")
    for i in (1, 5, 9):
        m, half = scan.points[i], column(scan, "half_width")[i]
        assert half == pytest.approx(2 * 0.0022360679775 * m, rel=1e-9)
        inside = sum(
            w for a, b, w in zip(*(data[x].tolist() for x in ("m_mumu_lead", "m_mumu_other", "weight")), strict=True)
            if abs((b if abs(b - m) < abs(a - m) else a) - m) <= half
        )  # fmt: skip
        assert column(scan, "background")[i] == pytest.approx(1e13 * fraction * inside / generated, rel=1e-9)
        assumed = column(result.scan("vector-branching"), "background")[i]
        assert assumed == pytest.approx(1e13 * fraction * 0.05 * inside / data["weight"].sum(), rel=1e-9)


def test_normalisations_scale_the_background(result):
    full, wrong, quoted = (result.scan(f"vector-branching{s}") for s in ("", "-no-contact", "-quoted"))
    ratio = column(wrong, "background") / np.maximum(column(quoted, "background"), 1e-300)
    assert ratio[column(quoted, "background") > 0] == pytest.approx(6.12e-8 / 1.3e-8, rel=0.01)
    enough = column(full, "background") > 20
    reach = column(wrong, "sensitivity")[enough] / column(full, "sensitivity")[enough]
    # the normalisation, with shapes and the simulation's statistics on top
    assert np.median(reach) == pytest.approx(math.sqrt(6.12 / 1.35), rel=0.1)


def test_the_leading_muon_makes_heavy_pairs(result):
    """The letter: the leading one above some 300 MeV, the other below some 260 MeV (figure 6)."""
    scan = result.scan("vector-branching")
    share = dict(zip(scan.points, column(scan, "lead_share"), strict=True))
    assert share[0.216] < 0.2
    assert share[0.256] < 0.5
    assert share[0.306] > 0.8
    assert share[0.376] > 0.999


def test_numbers(result):
    found = {n.name: n for n in result.numbers}
    assert found["BR(K+ -> mu+ nu mu+ mu-), order p^4"].value == pytest.approx(1.35e-8, rel=0.01)
    expected = found["K+ -> mu+ nu mu+ mu- in 1e+11 kaon decays, assumed acceptance"].value
    assert expected == pytest.approx(1e11 * 1.35e-8 * 0.05, rel=0.01)
    assert found["kaon decays times acceptance of E787, without an event"].value == pytest.approx(
        2.3026 / 4.1e-7, rel=1e-3
    )
    # s events on a background of s/10, known to half of it
    s, b = expected, 0.1 * expected
    v = (0.5 * b) ** 2
    z2 = 2 * (
        (s + b) * math.log((s + b) * (b + v) / (b * b + (s + b) * v)) - b * b / v * math.log1p(v * s / (b * (b + v)))
    )
    z = next(
        n.value for name, n in found.items() if name.startswith("significance") and name.endswith("assumed acceptance")
    )
    assert z == pytest.approx(math.sqrt(z2), rel=1e-9)
    accepted = found["acceptance of K+ -> mu+ nu mu+ mu-, simulated"]
    assert accepted.value == pytest.approx(0.099, abs=0.002)
    assert accepted.published == 0.05


def test_samples_and_spectra(result):
    summary = next(s for s in result.samples if s.sample == "munumumu")
    (expected,) = summary.yields.values()
    assert expected.value == pytest.approx(1e11 * summary.branching_fraction * summary.acceptance.value, rel=1e-12)
    for name in ("m-mumu-lead", "m-mumu-other"):
        spectrum = result.spectrum(name)
        assert sum(spectrum.expected["munumumu"]) == pytest.approx(expected.value, rel=1e-9)
        assert set(spectrum.expected) == {"munumumu", "V-216", "V-376", "phi-216", "phi-376"}


def test_figures(result):
    made = {figure.name: figure for figure in figures(result)}
    drawn = {d.label: np.array(d.values) for d in made["dimuon-pairs"].densities}
    edges = np.array(made["dimuon-pairs"].densities[0].x_edges)
    for values in drawn.values():
        assert values.sum() == pytest.approx(1.0, rel=1e-9)
    at = np.searchsorted(edges, 0.376) - 1
    # columns are the leading pair
    assert drawn["V-376"][:, at - 1 : at + 2].sum() > 0.95
    at = np.searchsorted(edges, 0.216) - 1
    assert drawn["V-216"][at - 1 : at + 2].sum() > 0.8
    assert len(made["dimuon-vector-normalisations"].curves) == 3
    line = curves(result, "scalar", "alpha", "-simulated")[2]
    scan = result.scan("scalar-coupling-simulated")
    assert line.y == pytest.approx([y * y / (4 * math.pi) for y in scan.expected], rel=1e-12)
    gaps = [y is None for y in curves(result, "vector", "branching", bands=False)[1].y]
    assert gaps == [b < 1.0 for b in column(result.scan("vector-branching"), "background")]


# Refusals, and the same from files


def test_files_give_the_same_result(card, result, tmp_path):
    produce(card, selection_of(card), tmp_path / "run", threads=2)
    again = analyse(open_events(tmp_path / "run"), card.roles(), card.analysis, "small")
    assert again.model_dump() == result.model_dump()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"without": ["munumumu"]}, "needs a sample.*munumumu with all terms"),
        (
            {"analysis": {"mass_last": 0.3865}},
            "216 to 386 MeV .*the vector signal is simulated at 216, 250, 300, 340, 376 MeV",
        ),
        ({"more": {"name": "heavy", "process": "munuV-mumu", "parameters": {"m_X": 0.5}}}, "sample 'heavy'.*m_X"),
        (
            {"more": {"name": "strange", "process": "muN", "parameters": {"m_N": 0.3}}},
            "'strange' is 'muN', which is none",
        ),
        ({"configuration": "na62-2016-2018"}, "dimuon looks for three muons.*'na62-2016-2018'"),
    ],
)
def test_cards_that_do_not_fit(changes, text):
    more = [part | {"role": "signal", "candidates": CHUNK} for part in [changes.get("more")] if part]
    with pytest.raises(CardError, match=text):
        check(a_card(*more, **{k: v for k, v in changes.items() if k != "more"}))


def test_defaults_are_the_letters_choices():
    settings = Dimuon(name="dimuon")
    assert (settings.n_kaons, settings.n_kaons_recorded) == (paper.N_KAONS, paper.N_KAONS_RECORDED)
    assert (settings.assumed_acceptance, settings.window) == (paper.ACCEPTANCE, paper.WINDOW)
    assert (settings.muon_momentum, settings.momentum_resolution) == (paper.MUON_MOMENTUM, paper.MOMENTUM_RESOLUTION)
    assert (settings.significance, settings.figure_masses) == (paper.SIGNIFICANCE, paper.FIGURE_6_MASSES)


def test_settings_in_order():
    for wrong in ({"mass_first": 0.3, "mass_last": 0.29}, {"momentum_min": 80.0}, {"vertex_first": 190.0}):
        with pytest.raises(ValueError, match="is not below"):
            Dimuon(name="dimuon", **wrong)


def test_events_that_do_not_fit(card, events):
    other = replace(events, provenance=events.provenance.model_copy(update={"detector": "na62-2017-pinunu"}))
    with pytest.raises(EventFileError, match="looks for three muons, and the detector 'na62-2017-pinunu'"):
        analyse(other, card.roles(), card.analysis, "x")
    short = EventSet(events.provenance, tuple(m for m in events.members if m.info.name != "munumumu"))
    with pytest.raises(EventFileError, match="munumumu with all terms"):
        analyse(short, card.roles(), card.analysis, "x")
    member = events["munumumu"]
    poor = replace(member, data={k: v for k, v in member.data.items() if k != "m_mumu_lead"})
    with pytest.raises(EventFileError, match="'munumumu' has no column 'm_mumu_lead'"):
        analyse(EventSet(events.provenance, (poor,)), card.roles(), card.analysis, "x")
    empty = replace(member, data={k: v[:0] for k, v in member.data.items()}, tally=Tally(generated=10, candidates=10))
    rest = tuple(m for m in events.members if m is not member)
    with pytest.raises(EventFileError, match="no event of the sample 'munumumu' was selected"):
        analyse(EventSet(events.provenance, (empty, *rest)), card.roles(), card.analysis, "x")


def test_a_run_without_signals_counts_the_continuum(card, events):
    only = EventSet(events.provenance, (events["munumumu"],))
    alone = dimuon.analyse(only, card.roles(), card.analysis, "x")
    assert alone.scans == []
    assert len(alone.densities) == 1
    assert any(n.name.startswith("significance") for n in alone.numbers)


def test_the_shipped_card_is_accepted():
    check(read_card("letter-dimuon"))
