"""Counter-based random streams: an event's random numbers depend on its index and on nothing else.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC'11, "Parallel random numbers: as easy as 1, 2, 3") maps a
64-bit key and a 128-bit counter to four 32-bit words. The key stands for (seed, sample); the counter for
(candidate index, stream, draw). Therefore no result depends on threads, blocks, shards or restarts.
"""

from __future__ import annotations

import hashlib

import numpy as np

from kaongen.elementary import log, sincos_turns
from kaongen.jit import scalar_kernel

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_INV32 = 2.0**-32

STREAMS = (
    "proposal",  # the point in phase space and its acceptance
    "orientation",  # the frame of a three-body decay in the kaon's rest frame
    "secondary",  # decays of the daughters
    "beam",  # momentum, direction, position of the kaon
    "vertex",  # where it decays
    "flight",  # decay in flight of a charged pion
    "gtk",  # beam spectrometer
    "pileup",  # another beam track in its place
    "straw",  # magnetic spectrometer
    "calorimeter",  # energy deposits
    "decision",  # one number per event that turns a probability into yes or no
    "choice",  # which of the decays of a mixture
    "scattering",  # in the material of the beam spectrometer and of the chambers
    "halo",  # beam particles that decay or scatter upstream
)
"""Purposes of random numbers, in the order of their stream numbers: append, never reorder."""

PROPOSAL, ORIENTATION, SECONDARY, BEAM, VERTEX, FLIGHT, GTK, PILEUP, STRAW, CALORIMETER, DECISION, CHOICE = (
    np.uint64(number) for number in range(12)
)
SCATTERING, HALO = (np.uint64(number) for number in range(12, len(STREAMS)))


def stream_key(seed: int, sample: str) -> np.uint64:
    """Key of a sample's random numbers.

    Parameters
    ----------
    seed
        Any non-negative integer.
    sample
        Name of the sample; two samples of one run are independent.

    Returns
    -------
    numpy.uint64
        The 64-bit Philox key.
    """
    if seed < 0:
        raise ValueError(f"seed {seed} is negative: it must be 0 or larger")
    digest = hashlib.blake2b(f"{seed}/{sample}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


@scalar_kernel
def philox4x32(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Ten rounds of Philox on four counter words and two key words, each a uint64 below 2^32."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@scalar_kernel
def draw(key, index, stream, number):  # type: ignore[no-untyped-def]
    """Four random 32-bit words: draw ``number`` of ``stream`` for candidate ``index`` (all uint64)."""
    return philox4x32(index & _LOW, index >> _HALF, stream, number, key & _LOW, key >> _HALF)


@scalar_kernel
def uniform(word):  # type: ignore[no-untyped-def]
    """A float64 in the open interval (0, 1) from a 32-bit word."""
    # through int64, for which processors have a vector conversion
    return (np.float64(np.int64(word)) + 0.5) * _INV32


@scalar_kernel
def normal_pair(word_a, word_b):  # type: ignore[no-untyped-def]
    """Two independent standard normal float64 (Box and Muller); none exceeds 6.8 in size."""
    radius = np.sqrt(-2.0 * log(uniform(word_a)))
    sine, cosine = sincos_turns(uniform(word_b))
    return radius * cosine, radius * sine
