"""Large deflections in thin material: the tails of the missing mass that no resolution describes.

Gaussian multiple scattering is part of the published resolutions: the 16 urad of the GTK and the angles of the STRAW
contain it. What is left are single collisions far outside it: of the kaon in the last station of the GTK, which has
measured its direction before, and of the candidate in the first chamber of the STRAW, whose deflection looks like a
direction from the vertex. A deflection in a later chamber spoils the fit of the track and is left out.

Everything is a function of t = q^2, the momentum transfer squared, of which the deflection is q/p:

* Coulomb scattering on nuclei with a Gaussian form factor, and on their protons where the nucleus breaks up;
* elastic hadron scattering on nuclei, and on single nucleons in them, with the cross sections of Glauber's model for a
  Gaussian nucleus (Glauber, Lectures in Theoretical Physics 1 (1959) 315).

Collisions with atomic electrons are left out: those that deflect enough send an electron of GeV into the detector.
Neither spin, nor the interference of Coulomb and hadronic scattering, nor two large deflections of one particle.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kaongen.configuration import Configuration
from kaongen.elementary import exp, sincos_turns
from kaongen.event_block import (
    EFFICIENCY,
    K_DX,
    K_DY,
    K_PX,
    K_PY,
    K_PZ,
    K_X,
    K_Y,
    K_Z,
    T_ELECTRON_Z,
    T_KINK_Z,
    T_MUON_Z,
    T_P,
    T_PX,
    T_PY,
    T_PZ,
    T_QX,
    T_QY,
    T_QZ,
    T_X,
    T_Y,
    T_Z,
)
from kaongen.jit import BLOCK, block_kernel, full_width, row, scalar_kernel
from kaongen.random import SCATTERING, draw, uniform

_KAON, _CANDIDATE = np.uint64(0), np.uint64(1)

# layout of a material: z (m); smallest t (GeV^2) and the logarithm of the largest over it; the largest of
# t times density times that logarithm; the probability of any collision; then for each element seven numbers
Z, LOWEST, LOG_RANGE, BOUND, TOTAL, ELEMENTS = range(6)
# coefficients (GeV^2) of the Coulomb scattering on nucleus and protons, slope of the form factor squared (1/GeV^2),
# probability and slope of elastic and of quasi-elastic hadron scattering
COULOMB, PROTONS, FORM, ELASTIC, ELASTIC_SLOPE, QUASI, QUASI_SLOPE = range(7)
_PER_ELEMENT = 7

FORCED_SCATTERS = 0.05
"""Share of events that are made to scatter at each of the two places; weights undo the bias."""

_FROM_WIDTHS, _THIN = 5.0, 1e-6
_PER_TURN = 0.5 / math.pi
_LARGEST_Q = 0.5
_FM = 1.0 / 0.1973269804  # 1/GeV
_CM2 = 1.0 / 0.3893793721e-27  # 1/GeV^2
_MB = 1e-27
_ALPHA = 1.0 / 137.035999
_AVOGADRO = 6.02214076e23
_DIPOLE = 0.71


def highland(p: float, thickness: float) -> float:
    """Width (rad) of the Gaussian projected angle behind `thickness` radiation lengths, for momentum p (GeV)."""
    return 13.6e-3 / p * math.sqrt(thickness) * (1.0 + 0.038 * math.log(thickness))


def charge_radius(a: float) -> float:
    """Root mean square radius (1/GeV) of a nucleus of mass number a."""
    return (0.84 if a < 1.5 else 0.82 * a ** (1.0 / 3.0) + 0.58) * _FM


def glauber(a: float, total: float, elastic: float, slope: float) -> tuple[float, float, float]:
    """Scattering of a hadron on a nucleus of mass number a: elastic and quasi-elastic cross section (mb), and the slope
    of the elastic one (1/GeV^2).

    total, elastic : cross sections on a nucleon in mb; slope : of the elastic one, in 1/GeV^2. The nucleus is a
    Gaussian; its profile function is 1 - exp(-x/2 exp(-b^2/w^2)).
    """
    if a < 1.5:
        return elastic, 0.0, slope
    # of the centres of the nucleons
    radius2 = charge_radius(a) ** 2 - charge_radius(1.0) ** 2
    w2 = 2.0 * radius2 / 3.0 + 2.0 * slope
    area = math.pi * w2
    x, lost = a * total * _MB * _CM2 / area, a * (total - elastic) * _MB * _CM2 / area
    whole, absorbed = 2.0 * area * _ein(0.5 * x), area * _ein(x)
    quasi = area * (_ein(x) - _ein(lost))
    # mean b^2 of the profile function in units of w^2
    spread = _ein(0.5 * x, 2) / _ein(0.5 * x)
    return (whole - absorbed) / (_MB * _CM2), quasi / (_MB * _CM2), 0.5 * w2 * spread


def _ein(x: float, power: int = 1) -> float:
    """Sum of -(-x)^n / (n! n^power): the integral of 1 - exp(-x u) over du/u, once or twice."""
    term, result = 1.0, 0.0
    for n in range(1, 120):
        term *= -x / n
        result -= term / n**power
    return result


def material(
    z: float, thickness: float, elements: NDArray[np.float64], hadron: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """A material in the layout above.

    Parameters
    ----------
    z
        Where it is (m).
    thickness
        In radiation lengths: collisions begin at five times the Gaussian width of that. Where there is none, nothing
        scatters.
    elements
        Charge number, mass number and g/cm^2 of each.
    hadron
        Total and elastic cross section on nucleons (mb) and slope of the latter (1/GeV^2); none for leptons.
    """
    if thickness <= 0.0:
        thickness, elements = _THIN, np.zeros((0, 3))
    lowest = (_FROM_WIDTHS * highland(1.0, thickness)) ** 2
    result = [z, lowest, math.log(_LARGEST_Q**2 / lowest), 0.0, 0.0]
    for charge, mass, surface in elements:
        nuclei = surface / mass * _AVOGADRO
        rutherford = 4.0 * math.pi * _ALPHA * _ALPHA * nuclei / _CM2
        form = charge_radius(mass) ** 2 / 3.0
        elastic, quasi, slope = glauber(mass, *hadron) if hadron is not None else (0.0, 0.0, 1.0)
        nucleon_slope = hadron[2] if hadron is not None else 1.0
        result += [rutherford * charge * charge, rutherford * charge if mass > 1.5 else 0.0, form]
        result += [elastic * _MB * nuclei, slope, quasi * _MB * nuclei, nucleon_slope]
    filled = np.array(result)
    step = np.linspace(0.0, filled[LOG_RANGE], 1001)
    t = lowest * np.exp(step)
    values = np.array([t_density(at, filled) for at in t])
    filled[TOTAL] = (values.sum() - 0.5 * (values[0] + values[-1])) * step[1]
    # between two points of the grid the density cannot exceed both by more than this
    filled[BOUND] = 1.01 * values.max() * filled[LOG_RANGE]
    return filled


def in_gtk(configuration: Configuration) -> NDArray[np.float64]:
    """The last station of the GTK for kaons."""
    number, array = configuration.number, configuration.array
    return material(
        number("gtk.z"), number("gtk.thickness"), array("gtk.elements"), array("scattering.kaon_on_nucleon")
    )


def in_first_chamber(configuration: Configuration) -> NDArray[np.float64]:
    """The first chamber of the STRAW: (2, size), for leptons and for pions."""
    number, array = configuration.number, configuration.array
    z, thickness, elements = float(array("straw.z")[0]), number("straw.thickness"), array("straw.elements")
    return np.array(
        [
            material(z, thickness, elements, None),
            material(z, thickness, elements, array("scattering.pion_on_nucleon")),
        ]
    )


@scalar_kernel
def t_density(t, material):
    """Probability of a collision for each unit of log t, at t (GeV^2)."""
    nucleon = 1.0 + t / _DIPOLE
    nucleon = 1.0 / (nucleon * nucleon * nucleon * nucleon)
    result = 0.0
    for first in range(ELEMENTS, material.size, _PER_ELEMENT):
        coherent = exp(-min(material[first + FORM] * t, 600.0))
        result += material[first + COULOMB] * coherent / t
        result += material[first + PROTONS] * (1.0 - coherent) * nucleon / t
        if material[first + ELASTIC] > 0.0:
            slope = material[first + ELASTIC_SLOPE]
            result += material[first + ELASTIC] * slope * t * exp(-min(slope * t, 600.0))
            slope = material[first + QUASI_SLOPE]
            result += material[first + QUASI] * slope * t * exp(-min(slope * t, 600.0))
    return result


@scalar_kernel
def collide(word_0, word_1, forced, material):
    """Momentum transfer (GeV), 0 for none, and the factor of the weight.

    t is proposed flat in its logarithm. As in nature: a proposal is taken with the probability of the collision.
    """
    u = uniform(word_0)
    if forced:
        if u >= FORCED_SCATTERS:
            return 0.0, (1.0 - material[TOTAL]) / (1.0 - FORCED_SCATTERS)
    elif u >= material[BOUND]:
        return 0.0, 1.0
    t = material[LOWEST] * exp(material[LOG_RANGE] * uniform(word_1))
    chance = t_density(t, material) * material[LOG_RANGE]
    if forced:
        return math.sqrt(t), chance / FORCED_SCATTERS
    return (math.sqrt(t) if u < chance else 0.0), 1.0


@scalar_kernel
def turned(px, py, pz, angle, turns):
    """The vector turned by an angle, towards an azimuth in turns around itself; its size stays."""
    p = math.sqrt(px * px + py * py + pz * pz)
    across = math.sqrt(px * px + pz * pz)
    s, c = sincos_turns(angle * _PER_TURN)
    sine, cosine = sincos_turns(turns)
    # e1 is horizontal, e2 = n x e1
    u, v = p * s * cosine, s * sine
    e1x, e1z = pz / across, -px / across
    return (
        c * px + u * e1x + v * py * e1z,
        c * py + v * (pz * e1x - px * e1z),
        c * pz + u * e1z - v * py * e1x,
    )


@block_kernel
def kaon(n, key, material, forced, index, beam, weight):
    """Deflect kaons in the last station of the GTK, before they decay.

    Momentum and vertex move, the point in the station stays, and the change of the slopes is kept for the GTK, which
    measured without it. With `forced`, a fixed share scatters and `weight` (a row) carries the probability; without,
    as in nature.
    """
    words = np.empty(BLOCK, dtype=np.uint64)
    limit = FORCED_SCATTERS if forced else material[BOUND]
    factor = (1.0 - material[TOTAL]) / (1.0 - FORCED_SCATTERS) if forced else 1.0
    _begin_kaon(n, key, material[Z], factor, index, beam, weight, words)
    px, py, pz = row(beam, K_PX), row(beam, K_PY), row(beam, K_PZ)
    x, y, z = row(beam, K_X), row(beam, K_Y), row(beam, K_Z)
    dx, dy = row(beam, K_DX), row(beam, K_DY)
    for j in range(n):
        if uniform(words[j]) >= limit:
            continue
        if z[j] <= material[Z]:
            continue
        _, word_1, word_2, _ = draw(key, index[j], SCATTERING, _KAON)
        q, likely = collide(words[j], word_1, forced, material)
        # the factor of those that pass is in the weight already
        weight[j] *= likely / factor
        if q > 0.0:
            p = math.sqrt(px[j] * px[j] + py[j] * py[j] + pz[j] * pz[j])
            nx, ny, nz = turned(px[j], py[j], pz[j], q / p, uniform(word_2))
            dx[j], dy[j] = nx / nz - px[j] / pz[j], ny / nz - py[j] / pz[j]
            px[j], py[j], pz[j] = nx, ny, nz
            x[j] += dx[j] * (z[j] - material[Z])
            y[j] += dy[j] * (z[j] - material[Z])


@block_kernel
def _begin_kaon(n, key, station, factor, index, beam, weight, words):
    full_width()
    z, dx, dy = row(beam, K_Z), row(beam, K_DX), row(beam, K_DY)
    for j in range(n):
        words[j], _, _, _ = draw(key, index[j], SCATTERING, _KAON)
        dx[j], dy[j] = 0.0, 0.0
        weight[j] *= factor if z[j] > station else 1.0


@block_kernel
def candidate(n, key, material, forced, index, track, fate):
    """Deflect the candidate in the first chamber, which the STRAW takes for its direction.

    Its line still crosses the chamber where it did; a decay behind the chamber turns with it. material : (2, size) for
    leptons and pions. With `forced`, a fixed share scatters and the efficiency carries the probability; without, as
    in nature.
    """
    words = np.empty(BLOCK, dtype=np.uint64)
    lepton, pion = material[0], material[1]
    plane = lepton[Z]
    limit = FORCED_SCATTERS if forced else max(lepton[BOUND], pion[BOUND])
    lepton_factor = (1.0 - lepton[TOTAL]) / (1.0 - FORCED_SCATTERS) if forced else 1.0
    pion_factor = (1.0 - pion[TOTAL]) / (1.0 - FORCED_SCATTERS) if forced else 1.0
    _begin_candidate(n, key, plane, lepton_factor, pion_factor, index, track, fate, words)
    p, px, py, pz = row(track, T_P), row(track, T_PX), row(track, T_PY), row(track, T_PZ)
    x, y, z = row(track, T_X), row(track, T_Y), row(track, T_Z)
    qx, qy, qz, kink_z = row(track, T_QX), row(track, T_QY), row(track, T_QZ), row(track, T_KINK_Z)
    muon_z, electron_z = row(track, T_MUON_Z), row(track, T_ELECTRON_Z)
    efficiency = row(fate, EFFICIENCY)
    for j in range(n):
        if uniform(words[j]) >= limit:
            continue
        if z[j] >= plane or pz[j] <= 0.0:
            continue
        is_pion = min(muon_z[j], electron_z[j]) > plane
        here = pion if is_pion else lepton
        _, word_1, word_2, _ = draw(key, index[j], SCATTERING, _CANDIDATE)
        transfer, likely = collide(words[j], word_1, forced, here)
        efficiency[j] *= likely / (pion_factor if is_pion else lepton_factor)
        if transfer > 0.0:
            nx, ny, nz = turned(px[j], py[j], pz[j], min(transfer / p[j], 1.0), uniform(word_2))
            dx, dy = nx / nz - px[j] / pz[j], ny / nz - py[j] / pz[j]
            px[j], py[j], pz[j] = nx, ny, nz
            x[j] -= dx * (plane - z[j])
            y[j] -= dy * (plane - z[j])
            if plane < kink_z[j] < np.inf:
                # the daughter keeps its size and its angles to the parent, to first order in both
                size = math.sqrt(qx[j] * qx[j] + qy[j] * qy[j] + qz[j] * qz[j])
                sx, sy = qx[j] / qz[j] + dx, qy[j] / qz[j] + dy
                qz[j] = size / math.sqrt(1.0 + sx * sx + sy * sy)
                qx[j], qy[j] = sx * qz[j], sy * qz[j]


@block_kernel
def _begin_candidate(n, key, plane, lepton_factor, pion_factor, index, track, fate, words):
    full_width()
    z, pz, efficiency = row(track, T_Z), row(track, T_PZ), row(fate, EFFICIENCY)
    muon_z, electron_z = row(track, T_MUON_Z), row(track, T_ELECTRON_Z)
    for j in range(n):
        words[j], _, _, _ = draw(key, index[j], SCATTERING, _CANDIDATE)
        is_pion = (muon_z[j] > plane) & (electron_z[j] > plane)
        factor = pion_factor if is_pion else lepton_factor
        efficiency[j] *= factor if (z[j] < plane) & (pz[j] > 0.0) else 1.0
