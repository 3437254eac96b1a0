"""Names and units of the rows of an event, for people, and what a step changed in them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import kaongen.event_block as event_block
from kaongen.replay.history import Quantity


def _plane(name: str) -> dict[str, tuple[str, str]]:
    return {f"T_{name.upper()}_{axis}": (f"{name} {axis.lower()}", "m") for axis in "XY"}


_ROWS: dict[str, tuple[str, str]] = {
    "T_CHARGE": ("charge", ""),
    "T_P": ("p", "GeV"),
    "T_PX": ("px", "GeV"),
    "T_PY": ("py", "GeV"),
    "T_PZ": ("pz", "GeV"),
    "T_X": ("x", "m"),
    "T_Y": ("y", "m"),
    "T_Z": ("z", "m"),
    "T_MUON_Z": ("muon from z", "m"),
    "T_ELECTRON_Z": ("electron from z", "m"),
    "T_KINK_Z": ("kink z", "m"),
    "T_QX": ("px behind the kink", "GeV"),
    "T_QY": ("py behind the kink", "GeV"),
    "T_QZ": ("pz behind the kink", "GeV"),
    "T_END_P": ("p at the RICH", "GeV"),
    **{f"T_{axis}{k}": (f"STRAW {k} {axis.lower()}", "m") for k in range(1, 5) for axis in "XY"},
    **_plane("RICH"),
    **_plane("tile"),
    **_plane("slab"),
    **_plane("LKr"),
    **_plane("MUV3"),
    "T_LKR_ENERGY": ("LKr energy", "GeV"),
    "R_KPX": ("kaon px", "GeV"),
    "R_KPY": ("kaon py", "GeV"),
    "R_KPZ": ("kaon pz", "GeV"),
    "R_KX": ("kaon x", "m"),
    "R_KY": ("kaon y", "m"),
    "R_PX": ("px", "GeV"),
    "R_PY": ("py", "GeV"),
    "R_PZ": ("pz", "GeV"),
    "R_X": ("x", "m"),
    "R_Y": ("y", "m"),
    "R_VX": ("vertex x", "m"),
    "R_VY": ("vertex y", "m"),
    "R_VZ": ("vertex z", "m"),
    "R_CDA": ("closest approach", "m"),
    "R_M2": ("m2_miss", "GeV²"),
    "R_EOP": ("E/p", ""),
    "R_COS": ("cosine", ""),
    "M2_TRUE": ("m2_miss true", "GeV²"),
    "R_TRACK": ("GTK track", ""),
    "R_DT": ("time from KTAG", "ns"),
    "R_M2_BEAM": ("m2_miss beam", "GeV²"),
    "R_M2_RICH": ("m2_miss RICH", "GeV²"),
    "K_PX": ("true kaon px", "GeV"),
    "K_PY": ("true kaon py", "GeV"),
    "K_PZ": ("true kaon pz", "GeV"),
    "K_E": ("true kaon energy", "GeV"),
    "K_X": ("true vertex x", "m"),
    "K_Y": ("true vertex y", "m"),
    "K_Z": ("true vertex z", "m"),
    "K_DX": ("kaon deflected in x", "rad"),
    "K_DY": ("kaon deflected in y", "rad"),
}
"""What people call the rows of track, reconstruction and beam, and their units."""


def names_of(prefixes: tuple[str, ...], rows: int) -> list[tuple[str, str]]:
    """Name and unit of each row; one that is new here keeps the name of its constant."""
    result = [("", "")] * rows
    for constant, number in vars(event_block).items():
        if constant.startswith(prefixes) and isinstance(number, int):
            result[number] = _ROWS.get(constant, (constant, ""))
    return result


TRACK = names_of(("T_",), event_block.TRACK_ROWS)
RECO = names_of(("R_", "M2_"), event_block.RECO_ROWS)
BEAM = names_of(("K_",), event_block.BEAM_ROWS)


def changed(
    names: list[tuple[str, str]], before: NDArray[np.float64], after: NDArray[np.float64]
) -> Iterator[Quantity]:
    for (name, unit), old, new in zip(names, before, after, strict=True):
        if old.tobytes() != new.tobytes():
            yield Quantity(name, float(new), unit)
