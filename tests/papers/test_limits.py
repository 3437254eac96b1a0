"""The digitised curves of earlier searches: units, outlines, and what they must say where something else knows it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kaongen.errors import KaongenError
from kaongen.papers import limits, na62_pix
from kaongen.papers.limits import PublishedCurve


def every_curve() -> list[PublishedCurve]:
    return [*limits.heavy_neutrino().values(), *limits.dark_scalar().values(), *limits.e949_pix_curves()]


@pytest.mark.parametrize("curve", every_curve(), ids=lambda curve: curve.name)
def test_curves_are_in_gev_and_say_where_they_come_from(curve):
    assert curve.x.shape == curve.y.shape
    assert np.all((curve.x >= 0.0) & (curve.x < 0.4))
    assert np.all(curve.y > 0.0)
    assert (curve.x_unit, curve.y_unit) == ("GeV", "")
    assert curve.reference
    assert "commit" in curve.source
    assert curve.source.endswith((".dat", ".txt", ".npy"))
    with pytest.raises(ValueError, match="read-only"):
        curve.x[0] = 1.0


def test_heavy_neutrinos():
    curves = limits.heavy_neutrino()
    assert set(curves) == {"E949", "KEK 1982", "NA62 2015"}
    # abstracts: E949 between 1e-9 and 1e-7 at 175-300 MeV, NA62 between 1e-7 and 1e-6 at 250-373 MeV
    assert curves["E949"].x[[0, -1]] == pytest.approx([0.175, 0.300], abs=0.004)
    assert curves["E949"].y.min() > 1e-9
    assert curves["E949"].y.max() < 1e-7
    assert curves["NA62 2015"].x[[0, -1]] == pytest.approx([0.250, 0.373], abs=0.004)
    assert curves["NA62 2015"].y.min() > 0.5e-7
    assert curves["NA62 2015"].y.max() < 1e-6
    # they overlap, and E949 is the stronger there
    assert curves["E949"].at(0.28) < curves["NA62 2015"].at(0.28) < curves["KEK 1982"].at(0.28)


def test_value_between_points_is_geometric_and_none_outside():
    curve = PublishedCurve("", np.array([0.1, 0.3]), np.array([1e-8, 1e-6]), "GeV", "", "", "")
    assert curve.at(0.2) == pytest.approx(1e-7)
    assert curve.at(0.3) == pytest.approx(1e-6)
    assert curve.at(0.09) is None
    assert curve.at(0.31) is None


def test_outlines_have_no_single_value():
    charm = limits.dark_scalar()["CHARM"]
    assert not charm.is_function()
    with pytest.raises(KaongenError, match=r"'CHARM' is the outline of a region: it has no single value at 0.2"):
        charm.at(0.2)
    # the outline closes upon itself where muons open
    assert charm.x.max() == pytest.approx(0.2835, abs=1e-3)


def test_lower_side_of_e949_for_dark_scalars_follows_from_its_limit_for_long_lives():
    """The mixing that gives the branching fraction excluded for 10 ns and more, within 25% for the loop."""
    from kaongen.models.dark_scalar import DarkScalar

    mass, limit = limits.e949_pix()[10.0]
    outline = limits.dark_scalar()["E949"]
    for m in (0.02, 0.05, 0.17, 0.19):
        per_mixing = DarkScalar(m, 1.0).kaon_branching_fraction()
        expected = math.sqrt(np.interp(m, mass, limit) / per_mixing)
        assert np.interp(m, outline.x[1:-1], outline.y[1:-1]) == pytest.approx(expected, rel=0.25)


def test_e949_weakens_with_shorter_lives():
    curves = limits.e949_pix()
    assert tuple(curves) == (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    at_20 = [float(np.interp(0.020, *curves[lifetime])) for lifetime in curves]
    assert at_20 == sorted(at_20, reverse=True)
    assert at_20[0] > 50 * at_20[-1]
    # a massless X lives for ever
    massless = [float(limit[0]) for _, limit in curves.values()]
    assert max(massless) < 3.0 * min(massless)


def test_limits_of_na62_for_dark_scalars_lie_where_its_best_limit_puts_them():
    from kaongen.models.dark_scalar import DarkScalar

    mass, best = min(na62_pix.BC4_LIMIT, key=lambda point: point[1])
    expected = math.sqrt(na62_pix.BEST_LIMIT / DarkScalar(mass, 1.0).kaon_branching_fraction())
    assert best == pytest.approx(expected, rel=0.15)
