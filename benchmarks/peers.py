"""What a user would take instead, each written as its documentation suggests and at its most favourable batch size.

All make the same thing as kaongen's `sample`: unweighted K+ -> mu+ nu phi at rest with m_phi = 0.1 GeV, in float32
columns of newly allocated memory, against the same |M|^2; Pythia makes K+ -> pi0 mu+ nu with its own matrix element.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from catalogue import X_MASS
from measure import Case, Threads
from numpy.typing import NDArray
from samplers import SAMPLE, SAMPLE_PI0MUNU

from kaongen.amplitudes import munu_x
from kaongen.particles import M_K, M_MU

GROUP = "alternatives"
Floats = NDArray[np.float64]

CHUNK = 16384
_MARGIN = 1.05
_S_LOW, _S_HIGH = X_MASS**2, (M_K - M_MU) ** 2

# the catalogue's |M|^2 as a plain function, which takes numpy arrays as well
squared: Callable[[Any, Any, float], Any] = munu_x.scalar.py_func


def cases(threads: Threads, quick: bool, tell: Callable[[str], None]) -> list[Case]:
    """The alternatives that are installed."""
    result = [
        Case(
            GROUP, "numpy, vectorised", numpy_run(threads, 200_000 if quick else 1_000_000), threads.number,
            baseline=SAMPLE, note=f"{CHUNK} candidates at a time, in threads",
        )
    ]  # fmt: skip
    for make in (phasespace_case, root_case, pythia_case):
        try:
            result.append(make(threads, quick))
        except ImportError as error:
            tell(f"not installed, left out: {error.name or error}")
    return result


# numpy


def dalitz_weight(s: Floats, cosine: Floats) -> tuple[Floats, Floats, Floats]:
    """|M|^2 times the phase-space density in s = (p_nu + p_phi)^2 and the phi's angle; and both break-up momenta.

    The angle is between phi and the direction opposite to the muon, in the rest frame of nu and phi.
    """
    p = np.sqrt(np.maximum((M_K**2 - s - M_MU**2) ** 2 - 4.0 * s * M_MU**2, 0.0)) / (2.0 * M_K)
    root = np.sqrt(s)
    q = (s - X_MASS**2) / (2.0 * root)
    e_phi = np.sqrt(q * q + X_MASS**2)
    e_pair = np.sqrt(p * p + s)
    # the muon's energy and momentum in the frame of the pair
    e_mu = (M_K * e_pair - s) / root
    s23 = X_MASS**2 + M_MU**2 + 2.0 * (e_mu * e_phi + (M_K * p / root) * q * cosine)
    return p * q / root * squared(s, s23, X_MASS), p, q


def numpy_chunk(rng: np.random.Generator, largest: float) -> NDArray[np.float32]:
    """Accepted decays of one chunk of candidates: rows px, py, pz of mu, nu, phi."""
    s = rng.uniform(_S_LOW, _S_HIGH, CHUNK)
    cosine = rng.uniform(-1.0, 1.0, CHUNK)
    weight, p, q = dalitz_weight(s, cosine)
    keep = np.flatnonzero(weight > largest * rng.random(CHUNK))
    s, cosine, p, q = s[keep], cosine[keep], p[keep], q[keep]
    n = len(keep)
    # phi along and across the pair's flight, boosted to the kaon's frame
    root = np.sqrt(s)
    e_pair = np.sqrt(p * p + s)
    along = (e_pair * q * cosine + p * np.sqrt(q * q + X_MASS**2)) / root
    across = q * np.sqrt(1.0 - cosine * cosine)
    turn, azimuth = 2.0 * np.pi * rng.random(n), 2.0 * np.pi * rng.random(n)
    c = rng.uniform(-1.0, 1.0, n)
    d = np.sqrt(1.0 - c * c)
    cos_a, sin_a = np.cos(azimuth), np.sin(azimuth)
    x, y = across * np.cos(turn), across * np.sin(turn)
    swing = c * x + d * along
    result = np.empty((9, n), dtype=np.float32)
    phi_x, phi_y, phi_z = swing * cos_a - y * sin_a, swing * sin_a + y * cos_a, c * along - d * x
    pair_x, pair_y, pair_z = p * d * cos_a, p * d * sin_a, p * c
    result[0], result[1], result[2] = -pair_x, -pair_y, -pair_z
    result[3], result[4], result[5] = pair_x - phi_x, pair_y - phi_y, pair_z - phi_z
    result[6], result[7], result[8] = phi_x, phi_y, phi_z
    return result


def largest_weight() -> float:
    """Upper bound of the weights, from a grid."""
    s, cosine = np.meshgrid(np.linspace(_S_LOW, _S_HIGH, 1001)[1:], np.linspace(-1.0, 1.0, 201))
    return _MARGIN * float(dalitz_weight(s, cosine)[0].max())


def numpy_run(threads: Threads, events: int) -> Callable[[], int]:
    largest = largest_weight()
    share = events // threads.number

    def run() -> int:
        columns = np.empty((9, share * threads.number), dtype=np.float32)

        def fill(thread: int) -> int:
            rng = np.random.Generator(np.random.SFC64(thread))
            done = 0
            while done < share:
                chunk = numpy_chunk(rng, largest)[:, : share - done]
                start = thread * share + done
                columns[:, start : start + chunk.shape[1]] = chunk
                done += chunk.shape[1]
            return done

        return threads.each(fill)

    return run


# phasespace (on TensorFlow)


class PhaseSpace:
    """Weighted decays from `phasespace`, unweighted by accepting each in proportion to weight times |M|^2."""

    def __init__(self, batch: int) -> None:
        phasespace = importlib.import_module("phasespace")
        self.decay = phasespace.nbody_decay(M_K, [M_MU, 0.0, X_MASS], names=["mu", "nu", "phi"])
        self.batch = batch
        self.rng = np.random.default_rng(1)
        weight, _ = self._weighted()
        self.largest = 0.0
        for _ in range(max(1, 200_000 // batch)):
            weight, _ = self._weighted()
            self.largest = max(self.largest, _MARGIN * float(weight.max()))

    def _weighted(self) -> tuple[Floats, list[Floats]]:
        weight, momenta = self.decay.generate(n_events=self.batch)
        mu, nu, phi = (np.asarray(momenta[name]) for name in ("mu", "nu", "phi"))
        return np.asarray(weight) * squared(_mass_squared(nu + phi), _mass_squared(phi + mu), X_MASS), [mu, nu, phi]

    def fill(self, columns: NDArray[np.float32]) -> int:
        done = 0
        while done < columns.shape[1]:
            weight, momenta = self._weighted()
            keep = np.flatnonzero(weight > self.largest * self.rng.random(self.batch))[: columns.shape[1] - done]
            for number, p in enumerate(momenta):
                columns[3 * number : 3 * number + 3, done : done + len(keep)] = p[keep, :3].T
            done += len(keep)
        return done


def _mass_squared(p: Floats) -> Floats:
    return p[:, 3] ** 2 - p[:, 0] ** 2 - p[:, 1] ** 2 - p[:, 2] ** 2


def phasespace_case(threads: Threads, quick: bool) -> Case:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    importlib.import_module("phasespace")
    _limit_tensorflow(threads.number)
    events = 50_000 if quick else 300_000

    def run(source: PhaseSpace) -> int:
        return source.fill(np.empty((9, events), dtype=np.float32))

    timed = []
    for batch in (10_000, 100_000) if quick else (10_000, 30_000, 100_000, 300_000):
        source = PhaseSpace(batch)
        run(source)
        begin = time.perf_counter()
        run(source)
        timed.append((time.perf_counter() - begin, batch, source))
    _, batch, best = min(timed, key=lambda entry: entry[:2])
    note = f"{batch} candidates at a time, the best of {len(timed)} sizes"
    return Case(GROUP, "phasespace (TensorFlow)", lambda: run(best), threads.number, baseline=SAMPLE, note=note)


def _limit_tensorflow(threads: int) -> None:
    try:
        threading = importlib.import_module("tensorflow").config.threading
        threading.set_intra_op_parallelism_threads(threads)
        threading.set_inter_op_parallelism_threads(threads)
    except (ImportError, RuntimeError):
        # RuntimeError: TensorFlow has begun to work already, with as many threads as it likes
        return


# ROOT

_ROOT_SOURCE = """
#include "TGenPhaseSpace.h"
#include "TLorentzVector.h"
#include "TRandom3.h"
double kaongen_benchmark_squared(TGenPhaseSpace& g) {
  TLorentzVector &mu = *g.GetDecay(0), &nu = *g.GetDecay(1), &x = *g.GetDecay(2);
  const double K2 = M_K * M_K, MU2 = M_MU * M_MU, s12 = (nu + x).M2(), s23 = (x + mu).M2();
  const double off = s23 - MU2, sum = s23 + MU2;
  return (K2 * sum * sum - s23 * (sum * sum + s12 * off) + M_X * M_X * (s23 * s23 - MU2 * K2)) / (MU2 * off * off);
}
long kaongen_benchmark(long events, double largest, float* out) {
  static TRandom3 random(1);
  TLorentzVector kaon(0, 0, 0, M_K);
  double masses[3] = {M_MU, 0, M_X};
  TGenPhaseSpace generator;
  generator.SetDecay(kaon, 3, masses);
  double found = 0;
  for (long i = 0; i < events;) {
    const double weight = generator.Generate() * kaongen_benchmark_squared(generator);
    if (largest > 0 && random.Rndm() * largest > weight) continue;
    if (weight > found) found = weight;
    for (int k = 0; k < 3; ++k) {
      TLorentzVector* p = generator.GetDecay(k);
      float* place = out + 3 * k * events + i;
      place[0] = p->Px();
      place[events] = p->Py();
      place[2 * events] = p->Pz();
    }
    ++i;
  }
  return long(1e6 * found);
}
"""


def root_case(threads: Threads, quick: bool) -> Case:
    root: Any = importlib.import_module("ROOT")
    root.gInterpreter.ProcessLine(".O 3")
    constants = {"M_K": M_K, "M_MU": M_MU, "M_X": X_MASS}
    source = _ROOT_SOURCE
    for name, value in constants.items():
        source = source.replace(name, repr(value))
    root.gInterpreter.Declare(source)
    events = 50_000 if quick else 300_000
    pilot = np.empty((9, 100_000), dtype=np.float32)
    largest = 1e-6 * _MARGIN * root.kaongen_benchmark(pilot.shape[1], 0.0, pilot.ravel())

    def run() -> int:
        root.kaongen_benchmark(events, largest, np.empty(9 * events, dtype=np.float32))
        return events

    return Case(GROUP, "ROOT TGenPhaseSpace", run, 1, baseline=SAMPLE, note="compiled C++ loop; one thread")


# Pythia


def pythia_case(threads: Threads, quick: bool) -> Case:
    pythia8: Any = importlib.import_module("pythia8mc")
    pythia = pythia8.Pythia("", False)
    for setting in (
        "Print:quiet = on", "ProcessLevel:all = off", "Next:numberCount = 0", "Check:event = off",
        "Random:setSeed = on", "Random:seed = 1", "321:mayDecay = on", "13:mayDecay = off", "111:mayDecay = off",
        "321:onMode = off", "321:oneChannel = 1 1.0 22 111 -13 14",
    ):  # fmt: skip
        pythia.readString(setting)
    pythia.init()
    events = 2_000 if quick else 10_000

    def run() -> int:
        columns = np.empty((events, 9), dtype=np.float32)
        record = pythia.event
        for number in range(events):
            record.reset()
            record.append(321, 1, 0, 0, 0.0, 0.0, 0.0, M_K, M_K)
            pythia.next()
            columns[number] = [c for k in (2, 3, 4) for c in (record[k].px(), record[k].py(), record[k].pz())]
        return events

    note = "K -> pi0 mu nu, V-A matrix element; Python loop, one thread"
    return Case(GROUP, "Pythia 8", run, 1, baseline=SAMPLE_PI0MUNU, note=note)
