"""Branching fractions from event counts: the truth is arithmetic and a published limit."""

import math

import pytest

from kaongen.errors import StatisticsError
from kaongen.statistics.sensitivity import branching_fraction_limit, single_event_sensitivity


def test_one_event_is_expected_at_the_single_event_sensitivity():
    assert single_event_sensitivity(1e12, 0.05) * 1e12 * 0.05 == pytest.approx(1.0, rel=1e-15)
    assert branching_fraction_limit(2.3, 1e12, 0.05) == pytest.approx(4.6e-11, rel=1e-14)
    assert branching_fraction_limit(0.0, 1e12, 1.0) == 0.0


def test_published_branching_fraction():
    """NA62, Phys. Lett. B 816 (2021) 136259: fewer than 1184 K+ -> mu+ nu nu nubar is a fraction below 1.0e-6."""
    assert branching_fraction_limit(1184, 1.14e10, 0.103) == pytest.approx(1.0e-6, abs=0.05e-6)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("n_kaons", (1.0, 0.0, 0.5)),
        ("n_kaons", (1.0, math.inf, 0.5)),
        ("n_kaons", (1.0, math.nan, 0.5)),
        ("acceptance", (1.0, 1e9, 0.0)),
        ("acceptance", (1.0, 1e9, 1.01)),
        ("acceptance", (1.0, 1e9, math.nan)),
        ("n_signal", (-1.0, 1e9, 0.5)),
        ("n_signal", (math.inf, 1e9, 0.5)),
    ],
)
def test_impossible_numbers_are_refused_by_name(name, arguments):
    with pytest.raises(StatisticsError, match=rf"^{name} is .* must be"):
        branching_fraction_limit(*arguments)
