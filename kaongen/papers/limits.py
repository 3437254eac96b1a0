"""Earlier limits, digitised: the curves that figures of searches are compared with.

Each table in `data/` says in its header from which publication, collection, commit and licence it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kaongen.errors import KaongenError

GEV_PER_MEV = 1e-3


@dataclass(frozen=True, eq=False)
class PublishedCurve:
    """One curve of a publication.

    name : of the experiment; x, y : of shape (n,), not to be written to, in the order of the outline, which may close
    upon itself; x_unit, y_unit : empty for a pure number; reference : the publication; source : who digitised it.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_unit: str
    y_unit: str
    reference: str
    source: str

    def is_function(self) -> bool:
        """Whether x never falls along the curve: one that does is the outline of a region."""
        return bool(np.all(np.diff(self.x) >= 0.0))

    def at(self, x: float) -> float | None:
        """Value at x, between the points linear in x and in the logarithm of y; None outside the curve.

        Raises
        ------
        KaongenError
            If the curve is the outline of a region, which has more than one value for an x.
        """
        if not self.is_function():
            raise KaongenError(f"the curve {self.name!r} is the outline of a region: it has no single value at {x:g}")
        if not self.x[0] <= x <= self.x[-1]:
            return None
        return float(np.exp(np.interp(x, self.x, np.log(self.y))))


@cache
def heavy_neutrino() -> Mapping[str, PublishedCurve]:
    """Upper limits at 90% CL on |U_mu4|^2 against the mass of a heavy neutrino in GeV, from peaks in K+ -> mu+ N.

    The keys are "E949", "KEK 1982" and "NA62 2015".
    """
    tables = {"E949": "E949_Umu4.csv", "KEK 1982": "KEK1982_Umu4.csv", "NA62 2015": "NA62_2018_1712.00297_Umu4.csv"}
    return MappingProxyType({name: _curve(name, file, GEV_PER_MEV) for name, file in tables.items()})


@cache
def dark_scalar() -> Mapping[str, PublishedCurve]:
    """What is excluded of sin(theta), not squared, against the mass of a dark scalar in GeV, all decays visible.

    The keys are "E949" and "CHARM"; both are outlines of regions.
    """
    tables = {"E949": "BC4_E949_sintheta.csv", "CHARM": "BC4_CHARM_sintheta.csv"}
    return MappingProxyType({name: _curve(name, file, 1.0) for name, file in tables.items()})


@cache
def e949_pix() -> Mapping[float, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """E787 and E949, Phys. Rev. D 79 (2009) 092004: by lifetime in ns, masses of X in GeV and limits on the rate.

    Upper limits at 90% CL on BR(K+ -> pi+ X), X decaying visibly; arrays of shape (n,), not to be written to.
    """
    columns, _ = _table("E949_KpiX_mass_lifetime.csv")
    mass, lifetime, limit = columns
    curves = {}
    for value in np.unique(lifetime):
        here = lifetime == value
        curves[float(value)] = (_fixed(mass[here] * GEV_PER_MEV), _fixed(limit[here]))
    return MappingProxyType(curves)


def e949_pix_curves() -> tuple[PublishedCurve, ...]:
    """The curves of `e949_pix` one by one, the longest lifetime first."""
    _, header = _table("E949_KpiX_mass_lifetime.csv")
    return tuple(
        PublishedCurve(f"E787/E949, {lifetime:g} ns", mass, limit, "GeV", "", header["paper"], _source(header))
        for lifetime, (mass, limit) in sorted(e949_pix().items(), reverse=True)
    )


def _curve(name: str, file: str, to_gev: float) -> PublishedCurve:
    (x, y), header = _table(file)
    return PublishedCurve(name, _fixed(x * to_gev), _fixed(y), "GeV", "", header["paper"], _source(header))


def _source(header: Mapping[str, str]) -> str:
    return f"{header['source']}, {PurePosixPath(header['path']).name}"


def _table(file: str) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Columns of a table, of shape (columns, rows), and its header `# key: value`."""
    lines = files("kaongen.papers").joinpath("data", file).read_text(encoding="utf-8").splitlines()
    comments = [line[1:] for line in lines if line.startswith("#")]
    rows = [line for line in lines if line and not line.startswith("#")][1:]
    header = {key.strip(): value.strip() for key, _, value in (comment.partition(":") for comment in comments)}
    return np.array([[float(x) for x in row.split(",")] for row in rows]).T, header


def _fixed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    values.setflags(write=False)
    return values
