"""What NA62 published of its own performance, beside what the detector model gives.

Every number says whether it is an input of the model, was used to tune it, or is a prediction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.analysis.pi_selection import REGION_1, REGION_2, PionSelection
from kaongen.analysis.result import Kind, Number, Value
from kaongen.configuration import Configuration, load
from kaongen.decays.sampling import CHUNK
from kaongen.detector import data_taking, systematics
from kaongen.papers import na62_2015, na62_mu, na62_pix
from kaongen.particles import Measured
from kaongen.production.engine import Progress
from kaongen.production.selection import Selection
from kaongen.production.source import BEAM_PIONS
from kaongen.reproduce.simulate import Columns, Sample, combine, inverse, ratio, simulate
from kaongen.reproduce.three_tracks import acceptance_of_all

HNL_MASSES = (0.2, 0.25, 0.3, 0.35, 0.38)
X_MASSES = (0.03, 0.06, 0.09, 0.17, 0.2, 0.23, 0.24)
"""GeV: where figures of the papers are looked at."""
EDGES = ((0.0, 0.06), (0.010, 0.06), (0.026, 0.21), (0.068, 0.21))
"""Limits of the signal regions (GeV^2), and a mass (GeV) well inside the region."""
DECAYS = 206e6
"""That are simulated at scale 1."""
REF_2017 = f"{na62_pix.REFERENCE_2017}, recalled"


@dataclass
class Reproduction:
    """Collects the numbers.

    scale : factor on the numbers of decays; threads : all processors by default; progress : called as decays are done.
    """

    scale: float = 1.0
    threads: int | None = None
    progress: Progress | None = None
    numbers: list[Number] = field(default_factory=list)

    def simulate(
        self, name: str, configuration: Configuration, selection: Selection, decays: float, **options: object
    ) -> Sample:
        n = self.decays(decays)
        return simulate(
            name,
            configuration,
            selection,
            n,
            threads=self.threads,
            progress=self.progress,
            **options,  # type: ignore[arg-type]
        )

    def decays(self, number: float) -> int:
        """So many, scaled, in whole chunks."""
        return CHUNK * math.ceil(number * self.scale / CHUNK)

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
                reference=known.reference if known else source,
            )
        )


def reproduce(*, scale: float = 1.0, threads: int | None = None, progress: Progress | None = None) -> list[Number]:
    """All numbers.

    Parameters
    ----------
    scale
        Factor on the numbers of decays that are simulated.
    threads
        All processors by default.
    progress
        Called as decays are done: about `DECAYS` times the scale in the end.
    """
    todo = Reproduction(scale, threads, progress)
    for section in _SECTIONS:
        section(todo)
    return todo.numbers


def _inputs(todo: Reproduction) -> None:
    """Published numbers that the model takes over."""
    c, pion = load("na62-2016-2018"), load("na62-2017-pinunu")
    mu, pix = na62_mu.REFERENCE, na62_pix.REFERENCE
    for name, source, number, published, ref in (
        ("beam momentum, GeV", c, "beam.momentum", 75.0, mu),
        ("beam momentum spread, GeV", c, "beam.momentum_spread", 0.75, mu),
        ("beam divergence, rad", c, "beam.divergence", 0.11e-3, mu),
        ("GTK momentum resolution, GeV", c, "gtk.momentum_resolution", 0.15, pix),
        ("GTK angle resolution, rad", c, "gtk.angle_resolution", 16e-6, pix),
        ("kick of the spectrometer's magnet, GeV", c, "straw.kick", 0.27, mu),
        ("random veto loss", c, "data_taking.random_veto", na62_mu.RANDOM_VETO_LOSS, mu),
        ("pion identification by the RICH, 15-35 GeV", pion, "rich.pion_efficiency", 0.82, pix),
        ("muons as pions in the RICH, 15-35 GeV", pion, "rich.muon_as_pion", 2.3e-3, pix),
        ("pion identification by calorimeters, 15-35 GeV", pion, "calorimeters.pion_efficiency", 0.78, pix),
        ("muons as pions in the calorimeters, 15-35 GeV", pion, "calorimeters.muon_as_pion", 6.3e-6, pix),
    ):
        todo.add(name, source.number(number), published, "input", ref)
    lav = c.array("photon_inefficiency.lav")
    at_1_gev = float(np.interp(1.0, lav[:, 0], lav[:, 1]))
    todo.add("LAV inefficiency, 0.3-3 GeV", at_1_gev, na62_mu.LAV_INEFFICIENCY, "input", mu)


def _muon(todo: Reproduction) -> None:
    """Acceptances, backgrounds and tails of the muon selection in 2016-2018."""
    paper = na62_mu
    c, selection, ref = load("na62-2016-2018"), MuonSelection(), na62_mu.REFERENCE
    window, cut = paper.NORMALISATION_WINDOW, paper.SIGNAL_REGION
    munu = todo.simulate("munu", c, selection, 6e6)
    peak = munu.acceptance(-window, window)
    todo.add("acceptance of K+ -> mu+ nu", peak, paper.ACCEPTANCE_MUNU, "tuned", ref)
    text = "resolution of m2_miss at the K+ -> mu+ nu peak, GeV^2"
    todo.add(f"{text}: rms within 0.01", munu.rms(window), paper.RESOLUTION_M2_MISS, "prediction", ref)
    width = munu.core_width(munu.m2_miss)
    todo.add(f"{text}: half of the central 68%", width, paper.RESOLUTION_M2_MISS, "prediction", ref)
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
    """Table 1, with decays upstream of the volume, and its systematic errors from the photon vetoes."""
    paper, cut, ref = na62_mu, na62_mu.SIGNAL_REGION, na62_mu.REFERENCE
    kaons = paper.N_KAONS.value
    varied = systematics.variations(c)
    upstream = {
        name: todo.simulate(name, c, selection, decays, zone="upstream").expected(kaons, cut)
        for name, decays in (("munu", 32e6), ("munug", 4e6), ("pi0munu", 16e6), ("pipipi", 16e6))
    }
    for name, decays in (("munug", 12e6), ("pi0munu", 12e6)):
        expected = todo.simulate(name, varied[systematics.NOMINAL], selection, decays).expected(kaons, cut)
        parts = [expected, upstream[name]]
        if name == "munug":
            # what is not radiative is in the same line of the table
            parts += [munu.expected(kaons, cut), upstream["munu"]]
        text = f"background {name}, m2_miss > 0.1 GeV^2"
        todo.add(text, combine(parts), paper.BACKGROUND[name], "prediction", ref)
        todo.add(f"{text}: decays in the volume", expected, None, "prediction", ref)
        other = todo.simulate(name, varied[systematics.ALTERNATIVE], selection, decays).expected(kaons, cut)
        shift, known = other.value - expected.value, paper.BACKGROUND_PHOTON_VETO[name]
        todo.add(f"{text}: change with the alternative photon vetoes", shift, known, "prediction", ref)
    expected = todo.simulate("pipipi", c, selection, 12e6).expected(kaons, cut)
    total = combine([expected, upstream["pipipi"]])
    todo.add("background pipipi, m2_miss > 0.1 GeV^2", total, paper.BACKGROUND["pipipi"], "prediction", ref)


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
            ("munu", 3e6, "volume"),
            ("munug", 4e6, "volume"),
            ("pi0munu", 2e6, "volume"),
            ("pipipi", 2e6, "volume"),
            ("munu", 8e6, "upstream"),
            ("pi0munu", 4e6, "upstream"),
            ("pipipi", 4e6, "upstream"),
            (BEAM_PIONS, 1e6, "upstream"),
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
    blind = todo.simulate("pipi0", systematics.blind(c), everywhere, 1e6)
    pipi0 = todo.simulate("pipi0", c, everywhere, 24e6)
    passed = combine([pipi0.acceptance()], 1.0 / blind.acceptance().value)
    todo.add("inefficiency for pi0 -> gamma gamma, 15-35 GeV", passed, paper.PI0_INEFFICIENCY, "tuned", ref)
    width = blind.core_width(blind.m2_miss)
    todo.add("resolution of m2_miss, pi+ pi0, GeV^2", width, paper.RESOLUTION_NOMINAL, "prediction", ref)
    _association(todo, c)
    recorded = paper.N_KAONS_2017.value * paper.RANDOM_VETO["2017"].value * paper.TRIGGER["2017"].value
    signal = [todo.simulate("pinunu", c, PionSelection(regions=r), 1e6).acceptance() for r in (REGION_1, REGION_2)]
    total = combine(signal)
    known = Measured(paper.ACCEPTANCE_PINUNU["2017"].value, paper.ACCEPTANCE_PINUNU["2017"].error, REF_2017)
    todo.add("acceptance of pi+ nu nubar in both regions", total, known, "prediction", ref)
    todo.add("region 2 over region 1, pi+ nu nubar", ratio(signal[1], signal[0]), paper.REGION_RATIO, "prediction", ref)
    todo.add("single-event sensitivity, pi+ nu nubar", inverse(total, recorded), paper.SES, "prediction", ref)
    for mass in X_MASSES:
        text, figure = f"pi+ X, {1e3 * mass:.0f} MeV", f"{ref}, figure 2"
        free = todo.simulate("piX", c, everywhere, 4e5, values={"m_X": mass})
        inside = todo.simulate("piX", c, regions, 4e5, values={"m_X": mass}).acceptance()
        todo.add(f"{text}: resolution of m2_miss, GeV^2", free.core_width(free.m2_miss), None, "prediction", figure)
        todo.add(f"{text}: acceptance", inside, None, "prediction", figure)
        low, high = paper.BEST_LIMIT_MASSES
        # what the strongest limit says if no event was seen there
        least = paper.BEST_LIMIT / -math.log(0.1) if low < mass < high else None
        todo.add(f"{text}: single-event sensitivity", inverse(inside, recorded), least, "prediction", f"{ref}, derived")
    for edge, middle in EDGES:
        mass = math.sqrt(edge)
        part = todo.simulate("piX", c, regions, 4e5, values={"m_X": mass}).acceptance()
        text = f"pi+ X at the edge m2_miss = {edge:g} GeV^2, share of the acceptance inside"
        inside = todo.simulate("piX", c, regions, 4e5, values={"m_X": middle}).acceptance()
        todo.add(text, ratio(part, inside), paper.ACCEPTANCE_AT_BOUNDARY, "prediction", figure)


def _association(todo: Reproduction, c: Configuration) -> None:
    """How often the kaon's own track is taken, and how often another one."""
    paper, ref = na62_pix, na62_pix.REFERENCE
    found, rate = c.number("gtk.efficiency"), c.number("beam.rate")
    alone = c.with_values({"gtk.efficiency": 1.0, "gtk.discriminant_cut": 1e9, "beam.rate": 1e-9})
    never_missing = c.with_values({"gtk.efficiency": 1.0, "beam.rate": rate * found})
    every = todo.simulate("pipi0", systematics.blind(alone), PionSelection(cda_max=math.inf), 1e6).acceptance()
    nominal = todo.simulate("pipi0", systematics.blind(c), PionSelection(), 1e6)
    own, other = (ratio(nominal.where(which).acceptance(), every) for which in (_is_own, _is_other))
    with_own = ratio(
        todo.simulate("pipi0", systematics.blind(never_missing), PionSelection(), 1e6).where(_is_other).acceptance(),
        every,
    )
    # other = found with_own + (1 - found) without_own
    without_own = combine([other, combine([with_own], -found)], 1.0 / (1.0 - found))
    todo.add("kaon's own GTK track is taken", own, paper.MATCHING_EFFICIENCY, "tuned", ref)
    text = "another GTK track is taken where the kaon's own is"
    todo.add(f"{text} there", with_own, paper.WRONG_MATCH_WITH_KAON, "prediction", ref)
    todo.add(f"{text} missing", without_own, paper.WRONG_MATCH_WITHOUT_KAON, "tuned", ref)


def _is_own(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray(columns["gtk_track"] == 0)


def _is_other(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray(columns["gtk_track"] > 0)


def _three_muons(todo: Reproduction) -> None:
    """K+ -> mu+ nu mu+ mu-, of which the letter assumes 5%."""
    accepted = acceptance_of_all("munumumu", load("na62-2016-2018"), 5.0, todo.decays(2e6))
    name, ref = "acceptance of all three muons of mu+ nu mu+ mu-", f"{na62_2015.LETTER}: assumed"
    todo.add(name, accepted, 0.05, "prediction", ref)


_SECTIONS = (_inputs, _muon, _heavy_neutrino, _low_intensity, _pion, _three_muons)
