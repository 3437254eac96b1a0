"""Mixtures of processes: kaons that decay one way or another, as nature does or as a decay table says.

Which way number i decays depends on its own random number alone, so a mixture is as independent of threads, and as
extensible, as a sample of one process.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaongen.decays import dec
from kaongen.decays.amplitude import flat
from kaongen.decays.catalogue import find, processes
from kaongen.decays.descriptor import Descriptor, parse
from kaongen.decays.final_state import final_state
from kaongen.decays.process import ManyBody, MuonSpectrum, Process, Rate, TwoBody, Values
from kaongen.decays.rates import measured
from kaongen.decays.samplers import sampler
from kaongen.decays.sampling import CHUNK, Decays, kaon_boost, weights_above
from kaongen.errors import ProcessError
from kaongen.jit import block_kernel
from kaongen.particles import Measured
from kaongen.random import CHOICE, draw, stream_key

_CHUNK = 4 * CHUNK
"""Decays that one thread takes at a time: more than of one process, because the rare ones come in small groups."""

LARGEST = 255
"""Components of a mixture, which one byte tells apart."""


@dataclass(frozen=True, slots=True)
class Component:
    """One way to decay.

    fraction : branching fraction and its error, of this part of the decays alone.
    """

    process: Process
    values: Values
    fraction: Rate


def alone(process: Process, values: Values) -> Component:
    """A decay as the only one of a sample.

    Raises
    ------
    ProcessError
        If parameters are missing or out of range.
    """
    checked = process.values(values)
    return Component(process, checked, process.branching_fraction(checked))


@dataclass(frozen=True)
class Mixture:
    """Processes and how often each happens; the fractions are divided by their sum."""

    name: str
    components: tuple[Component, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.components) <= LARGEST:
            raise ProcessError(f"{self.name}: {len(self.components)} components: there must be 1 to {LARGEST}")
        for c in self.components:
            if c.process.descriptor.names != c.process.descriptor.daughters:
                raise ProcessError(f"{self.name}: {c.process.decay}: a mixture is of the kaon's own decays alone")
            if not (math.isfinite(c.fraction.value) and c.fraction.value >= 0.0):
                raise ProcessError(f"{self.name}: {c.process.name} has the branching fraction {c.fraction.value:g}")
        if not self.total > 0.0:
            raise ProcessError(f"{self.name}: no component has a branching fraction above 0")

    @property
    def total(self) -> float:
        """Sum of the fractions."""
        return float(sum(c.fraction.value for c in self.components))

    @property
    def total_error(self) -> float:
        """Error of the sum, from independent errors of the fractions."""
        return float(np.sqrt(sum(c.fraction.error**2 for c in self.components)))

    def sample(self, n: int, *, seed: int = 1, momentum: float = 0.0, threads: int | None = None) -> MixedDecays:
        """Sample n decays.

        Parameters
        ----------
        n
            How many decays.
        seed
            Same seed, same decays, whatever the number of threads; more decays begin with the fewer.
        momentum
            Of the kaon along z, in GeV; 0 for decays at rest.
        threads
            Number of threads; all processors by default.

        Raises
        ------
        ProcessError
            If n or the momentum is not a possible one.
        """
        if n < 0:
            raise ProcessError(f"{self.name}: n = {n} decays: it must be 0 or more")
        boost = kaon_boost(momentum, self.name)
        key = stream_key(seed, self.name)
        limits = thresholds([c.fraction.value for c in self.components])
        chosen = np.empty(n, dtype=np.uint8)
        firsts = range(0, n, _CHUNK)
        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            counts = list(pool.map(lambda first: choose(key, first, limits, chosen[first : first + _CHUNK]), firsts))
            # where each chunk's decays of each component begin among all of that component
            starts = np.cumsum(np.array([np.zeros(len(limits), dtype=np.int64), *counts]), axis=0)
            parts = [_Part(c, key, int(total)) for c, total in zip(self.components, starts[-1], strict=True)]

            def write(chunk: int) -> None:
                first = firsts[chunk]
                some = chosen[first : first + _CHUNK]
                numbers, offset = sorted_numbers(first, some, counts[chunk]), 0
                for part, start, count in zip(parts, starts[chunk], counts[chunk], strict=True):
                    if count:
                        part.write(numbers[offset : offset + count], int(start), boost)
                        offset += count

            list(pool.map(write, range(len(firsts))))
        return MixedDecays(self, chosen, tuple(part.decays(seed) for part in parts))


def thresholds(shares: Sequence[float]) -> NDArray[np.uint64]:
    """(shares,) uint64: a random number below the k-th limit, and not below the one before, falls to share k."""
    reached = np.cumsum(shares)
    limits = np.array([min(int(x * 2.0**64), 2**64 - 1) for x in reached / reached[-1]], dtype=np.uint64)
    # rounding must not leave numbers to nobody, nor to a last share that is zero
    limits[int(np.flatnonzero(shares)[-1]) :] = np.uint64(2**64 - 1)
    return limits


class _Part:
    """The decays of one component, while they are made. What happens never is not prepared either."""

    def __init__(self, component: Component, key: np.uint64, n: int) -> None:
        self._process = component.process
        self._values = component.process.values(component.values)
        self._key = key
        self._sampler = sampler(self._process, self._values) if n else None
        # a muon and what recoils against it as a whole
        unresolved = isinstance(self._process.dynamics, MuonSpectrum)
        particles = 2 if unresolved else len(self._process.daughters)
        self._columns = np.empty((3 * particles, n), dtype=np.float32)
        self._index = np.empty(n, dtype=np.uint64)
        self._made: list[tuple[int, int]] = []

    def write(self, index: NDArray[np.uint64], start: int, boost: tuple[float, float]) -> None:
        assert self._sampler is not None
        self._index[start : start + len(index)] = index
        self._made.append(self._sampler.write(self._key, index, self._columns, start, boost))

    def decays(self, seed: int) -> Decays:
        weights: dict[int, float] = {}
        if self._sampler is not None and any(above for _, above in self._made):
            final = final_state(self._process, self._values, at_once=False)
            weights = weights_above(self._sampler, final, self._key, self._index)
        attempts = sum(tried for tried, _ in self._made)
        return Decays(
            process=self._process,
            names=self._process.daughters,
            masses=self._process.masses(self._values),
            seed=seed,
            efficiency=len(self._index) / attempts if attempts else 1.0,
            above_bound=weights,
            columns=self._columns,
            index=self._index,
        )


@dataclass(frozen=True)
class MixedDecays:
    """Decays of a mixture.

    component : (n,) uint8, position in the mixture of what each number decays to.
    parts : the decays of each component; their `index` holds the numbers, in increasing order.
    """

    mixture: Mixture
    component: NDArray[np.uint8]
    parts: tuple[Decays, ...]

    def __len__(self) -> int:
        return len(self.component)

    def __getitem__(self, process: str) -> Decays:
        """The decays of a process, by its name.

        Raises
        ------
        ProcessError
            If the mixture does not have it.
        """
        for part in self.parts:
            if part.process.name == process:
                return part
        known = ", ".join(part.process.name for part in self.parts)
        raise ProcessError(f"{self.mixture.name} has no process {process!r} (it has: {known})")


@block_kernel
def choose(key, first, limits, chosen):  # type: ignore[no-untyped-def]
    """Which share of the numbers first, first + 1, ... fall to, below 256 of them; returns how many fell to each."""
    counts = np.zeros(limits.size, dtype=np.int64)
    for j in range(chosen.size):
        word_0, word_1, _, _ = draw(key, np.uint64(first + j), CHOICE, np.uint64(0))
        number = (word_0 << np.uint64(32)) | word_1
        passed = np.uint8(0)
        for k in range(limits.size - 1):
            passed += np.uint8(number >= limits[k])
        chosen[j] = passed
        counts[passed] += 1
    return counts


@block_kernel
def sorted_numbers(first, chosen, counts):  # type: ignore[no-untyped-def]
    """Numbers first, first + 1, ..., those of the first share first."""
    place = np.zeros(counts.size, dtype=np.int64)
    for k in range(1, counts.size):
        place[k] = place[k - 1] + counts[k - 1]
    numbers = np.empty(chosen.size, dtype=np.uint64)
    for j in range(chosen.size):
        k = chosen[j]
        numbers[place[k]] = np.uint64(first + j)
        place[k] += 1
    return numbers


_NATURAL: tuple[tuple[str, str], ...] = (
    ("munu", ""),
    ("pipi0", ""),
    ("pipipi", ""),
    ("pi0enu", ""),
    ("pi0munu", ""),
    ("pipi0pi0", ""),
    ("munug", "munu"),
    ("pi0enug", "pi0enu"),
    ("pipi0g", "pipi0"),
    ("pi0munug", "pi0munu"),
    ("pipienu", ""),
    ("pi0pi0enu", ""),
    ("enug", ""),
    ("enu", ""),
    ("pigg", ""),
    ("piee", ""),
    ("pimumu", ""),
    ("munuee", ""),
    ("enuee", ""),
    ("munumumu", ""),
    ("enumumu", ""),
    ("pinunu", ""),
    ("pieeee", ""),
)
"""Processes of the Standard Model, and the mode whose measured branching fraction counts them in: of what radiates, the
part above the photon's lowest energy."""


def natural() -> Mixture:
    """Kaon decays as nature does them: all processes of the Standard Model above 1e-11.

    The measured fractions of modes without a photon include those with one; what is listed with a photon of its own
    is taken off. Photons below the lowest energy of the radiative modes are not generated.
    """
    chosen = {name: find(name) for name, _ in _NATURAL}
    values = {name: process.values({}) for name, process in chosen.items()}
    rates = {name: process.branching_fraction(values[name]) for name, process in chosen.items()}
    components = []
    for name, process in chosen.items():
        rate = rates[name]
        inside = [rates[other].value for other, mode in _NATURAL if mode == name]
        components.append(Component(process, values[name], Rate(rate.value - sum(inside), rate.error, rate.source)))
    return Mixture("natural", tuple(components))


def from_dec(path: str | Path) -> Mixture:
    """The decays of the K+ in a decay table in DEC format (needs the package decaylanguage).

    A mode with the daughters of a process of the catalogue is that process; any other is isotropic or flat in phase
    space. The file's models are not looked at.

    Raises
    ------
    ProcessError
        If the file cannot be used, has particles that kaongen does not know, or modes that nature forbids.
    """
    modes = dec.read(path)
    known = {process.descriptor.key: process for process in reversed(processes())}
    fractions: dict[str, float] = {}
    chosen: dict[str, Process] = {}
    for mode in modes:
        try:
            decay = parse(str(Descriptor("K+", mode.daughters)))
        except ProcessError as problem:
            raise ProcessError(f"{path}: {problem}") from None
        process = known.get(decay.key)
        if process is None or any(p.default is None for p in process.parameters):
            process = _phase_space(decay, mode.branching_fraction, str(path))
        try:
            process.masses(process.values({}))
        except ProcessError as problem:
            raise ProcessError(f"{path}: {problem}") from None
        # lines with the same daughters are parts of one
        fractions[process.name] = fractions.get(process.name, 0.0) + mode.branching_fraction
        chosen.setdefault(process.name, process)
    components = (
        Component(process, process.values({}), Rate(fractions[name], 0.0, str(path)))
        for name, process in chosen.items()
    )
    return Mixture(Path(path).stem, tuple(components))


def _phase_space(decay: Descriptor, fraction: float, source: str) -> Process:
    """A process without dynamics."""
    return Process(
        name="-".join(decay.names),
        decay=str(decay),
        dynamics=TwoBody() if len(decay.names) == 2 else ManyBody(flat),
        rate=measured(Measured(fraction, 0.0, source)),
        reference=f"flat in phase space: {source}",
    )


def dec_text(mixture: Mixture) -> str:
    """A mixture as a decay table in DEC format, normalised to 1, largest fraction first."""
    ordered: Sequence[Component] = sorted(mixture.components, key=lambda c: -c.fraction.value)
    modes = [
        dec.Mode(
            c.fraction.value / mixture.total,
            c.process.daughters,
            "SLN" if len(c.process.daughters) == 2 and c.process.daughters[1].startswith("nu") else "PHSP",
        )
        for c in ordered
    ]
    return dec.text(modes)
