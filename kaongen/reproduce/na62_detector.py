"""What NA62 published of its own performance, beside what the detector model gives.

Every number says whether it is an input of the model, was used to tune it, or is a prediction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import REGION_1, REGION_2, PionSelection
from kaongen.analysis.result import Kind, Number, Value
from kaongen.configuration import Configuration, load
from kaongen.detector import data_taking, systematics
from kaongen.papers import na62_2015, na62_mu, na62_pix
from kaongen.particles import Measured
from kaongen.production.selection import Selection
from kaongen.reproduce.simulate import Sample, combine, simulate

HNL_MASSES = (0.2, 0.25, 0.3, 0.35, 0.38)
X_MASSES = (0.0, 0.05, 0.1, 0.16, 0.2, 0.24, 0.26)
"""GeV: where figures of the papers are looked at."""


@dataclass
class Reproduction:
    """Collects the numbers.

    scale : factor on the numbers of decays; threads : all processors by default; announce : called with what comes next.
    """

    scale: float = 1.0
    threads: int | None = None
    announce: Callable[[str], None] = lambda text: None
    numbers: list[Number] = field(default_factory=list)

    def simulate(
        self, name: str, configuration: Configuration, selection: Selection, decays: float, **options: object
    ) -> Sample:
        self.announce(f"{name}, {configuration.name}")
        n = max(int(decays * self.scale), 1)
        return simulate(name, configuration, selection, n, threads=self.threads, **options)  # type: ignore[arg-type]

    def add(self, name: str, value: Value | float, published: Measured | float | None, kind: Kind, source: str) -> None:
        obtained = value if isinstance(value, Value) else Value(value=value)
        known = published if isinstance(published, Measured) else None
        self.numbers.append(
            Number(
                name=name,
                value=obtained.value,
                error=obtained.error,
                published=known.value if known else published,  # type: ignore[arg-type]
                published_error=known.error if known else None,
                kind=kind,
                reference=known.source if known else source,
            )
        )


def reproduce(
    *, scale: float = 1.0, threads: int | None = None, announce: Callable[[str], None] = lambda text: None
) -> list[Number]:
    """All numbers.

    Parameters
    ----------
    scale
        Factor on the numbers of decays that are simulated.
    threads
        All processors by default.
    announce
        Called with what is simulated next.
    """
    todo = Reproduction(scale, threads, announce)
    _inputs(todo)
    _muon(todo)
    _heavy_neutrino(todo)
    _low_intensity(todo)
    _pion(todo)
    _three_muons(todo)
    return todo.numbers


def _inputs(todo: Reproduction) -> None:
    """Published numbers that the model takes over."""
    c, pion = load("na62-2016-2018"), load("na62-2017-pinunu")
    mu, pix = na62_mu.REFERENCE, na62_pix.REFERENCE
    for name, value, published, ref in (
        ("beam momentum, GeV", c.number("beam.momentum"), 75.0, mu),
        ("beam momentum spread, GeV", c.number("beam.momentum_spread"), 0.75, mu),
        ("beam divergence, rad", c.number("beam.divergence"), 0.11e-3, mu),
        ("GTK momentum resolution, GeV", c.number("gtk.momentum_resolution"), 0.15, pix),
        ("GTK angle resolution, rad", c.number("gtk.angle_resolution"), 16e-6, pix),
        ("magnet's kick, GeV", c.number("straw.kick"), 0.27, mu),
        ("LAV inefficiency, 0.3-3 GeV", c.number("photon_inefficiency.lav_plateau"), na62_mu.LAV_INEFFICIENCY, mu),
        (
            "pion identification by RICH, 15-35 GeV",
            pion.number("rich.pion_efficiency"),
            na62_pix.PION_EFFICIENCY_RICH,
            pix,
        ),
        ("K+ decays in the data set", na62_mu.N_KAONS.value, na62_mu.N_KAONS, mu),
    ):
        todo.add(name, value, published, "input", ref)


def _muon(todo: Reproduction) -> None:
    """Acceptances, backgrounds and tails of the muon selection in 2016-2018."""
    paper = na62_mu
    c, selection, ref = load("na62-2016-2018"), MuonSelection(), na62_mu.REFERENCE
    window, cut = paper.NORMALISATION_WINDOW, paper.SIGNAL_REGION
    munu = todo.simulate("munu", c, selection, 6e6)
    peak = munu.acceptance(-window, window)
    todo.add("acceptance of K+ -> mu+ nu", peak, paper.ACCEPTANCE_MUNU, "tuned", ref)
    width = munu.core_width(munu.m2_miss)
    todo.add("resolution of m2_miss at the K+ -> mu+ nu peak, GeV^2", width, paper.RESOLUTION_M2_MISS, "tuned", ref)
    signal = todo.simulate("mununubarnu", c, selection, 1e6)
    every, above = paper.ACCEPTANCE_MUNUNUNU, paper.ACCEPTANCE_MUNUNUNU_SIGNAL_REGION
    todo.add("acceptance of mu+ nu nu nubar", signal.acceptance(), every, "prediction", ref)
    todo.add("acceptance of mu+ nu nu nubar, m2_miss > 0.1 GeV^2", signal.acceptance(cut), above, "prediction", ref)
    kaons = data_taking.effective_kaons(c)
    todo.add("K+ decays from spills, rates and losses", kaons, paper.N_KAONS, "prediction", ref)
    share = combine([munu.acceptance(high=-cut)], 1.0 / peak.value)
    derived = f"{ref}: 780 events that the simulation lacks, if they are 40% of the data there as below -0.05 GeV^2"
    data = paper.TAIL_DATA / paper.N_NORMALISATION
    todo.add("tail below -0.1 GeV^2 over the K+ -> mu+ nu peak", share, data, "prediction", derived)
    share = combine([munu.acceptance(high=-0.05)], 1.0 / peak.value)
    todo.add("tail below -0.05 GeV^2 over the K+ -> mu+ nu peak", share, None, "prediction", ref)
    _backgrounds(todo, c, selection, munu)


def _backgrounds(todo: Reproduction, c: Configuration, selection: Selection, munu: Sample) -> None:
    """Table 1, and its systematic errors from the photon vetoes."""
    paper, cut, ref = na62_mu, na62_mu.SIGNAL_REGION, na62_mu.REFERENCE
    kaons = paper.N_KAONS.value
    varied = systematics.variations(c)
    for name, decays in (("munug", 12e6), ("pi0munu", 12e6)):
        expected = todo.simulate(name, varied[systematics.NOMINAL], selection, decays).expected(kaons, cut)
        # what scatters or is confused in the peak is in the same line of the table
        parts = [expected, munu.expected(kaons, cut)] if name == "munug" else [expected]
        total = combine(parts)
        todo.add(f"background {name}, m2_miss > 0.1 GeV^2", total, paper.BACKGROUND[name], "prediction", ref)
        other = todo.simulate(name, varied[systematics.ALTERNATIVE], selection, decays).expected(kaons, cut)
        text, known = f"background {name}, change with other photon vetoes", paper.BACKGROUND_PHOTON_VETO[name]
        todo.add(text, other.value - expected.value, known, "prediction", ref)
    parts = []
    for zone in ("volume", "entrance", "upstream"):
        sample = todo.simulate("pipipi", c, selection, 8e6, zone=zone)
        parts.append(sample.expected(kaons, cut))
    todo.add("background pipipi, m2_miss > 0.1 GeV^2", combine(parts), paper.BACKGROUND["pipipi"], "prediction", ref)


def _heavy_neutrino(todo: Reproduction) -> None:
    """Acceptance and mass resolution of K+ -> mu+ N, with the beam spectrometer and without."""
    c, selection, ref = load("na62-2016-2018"), MuonSelection(), f"{na62_mu.REFERENCE}, figure 3"
    gains = []
    for mass in HNL_MASSES:
        sample = todo.simulate("muN", c, selection, 3e5, values={"m_N": mass})
        measured, average = (_mass_resolution(sample, name, mass) for name in ("m2_miss", "m2_miss_beam"))
        todo.add(f"acceptance of mu+ N, {1e3 * mass:.0f} MeV", sample.acceptance(), None, "prediction", ref)
        todo.add(f"mass resolution of mu+ N, {1e3 * mass:.0f} MeV, GeV", measured, None, "prediction", ref)
        gains.append(average / measured)
    known = na62_2015.RESOLUTION_OVER_2016_2018
    todo.add("gain in mass resolution by the GTK", float(np.mean(gains)), known, "prediction", na62_mu.REFERENCE)


def _mass_resolution(sample: Sample, column: str, mass: float) -> float:
    """Of the missing mass in GeV, from that of its square."""
    return sample.core_width(sample.columns[column].astype(np.float64)) / (2.0 * mass)


def _low_intensity(todo: Reproduction) -> None:
    """The single-muon events of 2015, taken without the beam spectrometer."""
    c, paper = load("na62-2015"), na62_2015
    selection = MuonSelection(cda_max=paper.CDA_MAX.value)
    kaons, ref = paper.N_KAONS_LETTER, paper.LETTER
    samples = [
        todo.simulate(name, c, selection, decays, zone=zone)
        for name, decays, zone in (
            ("munu", 2e6, "volume"),
            ("munug", 4e6, "volume"),
            ("pi0munu", 4e6, "volume"),
            ("pipi0", 4e6, "volume"),
            ("pipipi", 4e6, "volume"),
            ("pipipi", 4e6, "entrance"),
            (BEAM_PIONS, 4e6, "volume"),
            (BEAM_PIONS, 4e6, "upstream"),
        )
    ]
    window = paper.NORMALISATION_WINDOW.value
    peak = samples[0].acceptance(-window, window)
    todo.add("2015: acceptance of K+ -> mu+ nu", peak, paper.ACCEPTANCE_MUNU, "prediction", ref)
    width = samples[0].core_width(samples[0].m2_miss)
    todo.add("2015: resolution of m2_miss at the peak, GeV^2", width, paper.RESOLUTION_M2_MISS, "prediction", ref)
    for low, known in paper.EVENTS_ABOVE.items():
        events = combine([sample.expected(kaons, low) for sample in samples])
        todo.add(f"2015: events per 1e8 kaons, m2_miss > {low:g} GeV^2", events, known, "prediction", ref)


def _pion(todo: Reproduction) -> None:
    """The pion selection of 2017: rejection of pi0, resolution, acceptance, sensitivity."""
    c, paper, ref = load("na62-2017-pinunu"), na62_pix, na62_pix.REFERENCE
    everywhere, regions = PionSelection(), PionSelection(regions=(*REGION_1, *REGION_2))
    blind = todo.simulate("pipi0", systematics.blind(c), everywhere, 5e5)
    pipi0 = todo.simulate("pipi0", c, everywhere, 8e6)
    passed = combine([pipi0.acceptance()], 1.0 / blind.acceptance().value)
    todo.add("inefficiency for pi0 -> gamma gamma, 15-35 GeV", passed, paper.PI0_INEFFICIENCY, "tuned", ref)
    width = blind.core_width(blind.m2_miss)
    todo.add("resolution of m2_miss, pi+ pi0, GeV^2", width, paper.RESOLUTION_PIPI0, "prediction", ref)
    losses = paper.RANDOM_VETO["2017"].value * paper.TRIGGER["2017"].value
    n_kaons = paper.N_KAONS_2017.value
    for mass in X_MASSES:
        sample = todo.simulate("piX", c, regions, 3e5, values={"m_X": mass})
        free = todo.simulate("piX", c, everywhere, 3e5, values={"m_X": mass})
        text = f"pi+ X, {1e3 * mass:.0f} MeV"
        resolution = free.core_width(free.m2_miss)
        todo.add(f"{text}: resolution of m2_miss, GeV^2", resolution, None, "prediction", f"{ref}, figure 2")
        todo.add(f"{text}: acceptance", sample.acceptance(), None, "prediction", f"{ref}, figure 2")
        sensitivity = 1.0 / (n_kaons * losses * max(sample.acceptance().value, 1e-30))
        todo.add(f"{text}: single-event sensitivity", sensitivity, None, "prediction", f"{ref}, figure 2")
