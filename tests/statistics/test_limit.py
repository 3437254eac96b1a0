"""The limit object: arithmetic, and what it refuses."""

import json
import math

import pytest

from kaongen.errors import StatisticsError
from kaongen.statistics.counting import counting_limit
from kaongen.statistics.limit import UpperLimit

LIMIT = UpperLimit(4.0, 9.0, 1.0, 4.0, 16.0, 25.0, 0.9, "by hand")


def test_a_rate_proportional_to_a_squared_coupling():
    scaled = LIMIT.scaled(4.0, 0.5)
    assert (scaled.observed, scaled.expected) == (4.0, 6.0)
    assert scaled.bands == {"-2": 2.0, "-1": 4.0, "+1": 8.0, "+2": 10.0}
    assert (scaled.confidence_level, scaled.method) == (0.9, "by hand")


def test_a_blind_limit_stays_blind_and_is_json():
    blind = UpperLimit(None, 9.0, 1.0, 4.0, 16.0, 25.0, 0.9, "by hand").scaled(2.0)
    assert blind.observed is None
    content = blind.as_dict()
    assert json.loads(json.dumps(content)) == content
    assert list(content) == ["observed", "expected", "bands", "confidence_level", "method"]


def test_a_counting_limit_scales_to_a_fraction_without_its_counts():
    limit = counting_limit(3, 2.0, 0.5)
    fraction = limit.scaled(1e-3)
    assert type(fraction) is UpperLimit
    assert fraction.observed == limit.observed * 1e-3
    assert fraction.method == limit.method


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("factor", (0.0, 1.0)), ("factor", (-1.0, 1.0)), ("factor", (math.nan, 1.0)), ("power", (1.0, -0.5)),
     ("power", (1.0, math.inf))],
)  # fmt: skip
def test_what_would_turn_the_quantiles_round_is_refused(name, arguments):
    with pytest.raises(StatisticsError, match=rf"^{name} is .* above 0"):
        LIMIT.scaled(*arguments)
