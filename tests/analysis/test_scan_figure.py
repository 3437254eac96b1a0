"""Scans and spectra as figures: nothing is lost, nothing invented."""

from itertools import pairwise

import pytest

from kaongen.analysis.record import Axis
from kaongen.analysis.result import Scan, Spectrum
from kaongen.analysis.scan_figure import evenly, figure_of, figure_of_spectrum

X, Y = Axis(name="m", label="$m$", unit="GeV"), Axis(name="br", label="BR")


def scan(**parts):
    content = {
        "name": "some",
        "title": "Some limits",
        "x": X,
        "y": Y,
        "points": [0.1, 0.2, 0.3],
        "expected": [1.0, None, 3.0],
        "observed": [1.5, 2.5, None],
        "bands": {"-2": [0.5, None, 1.5], "-1": [0.7, None, 2.0], "+1": [1.4, None, 4.0], "+2": [2.0, None, 6.0]},
    }
    return Scan(**(content | parts))


def test_a_scan_is_two_bands_and_two_lines():
    one = scan()
    wide, narrow, expected, observed = figure_of(one).curves
    assert (wide.style, wide.low, wide.high) == ("band", one.bands["-2"], one.bands["+2"])
    assert (narrow.style, narrow.low, narrow.high) == ("band", one.bands["-1"], one.bands["+1"])
    assert (expected.style, expected.y) == ("dashed", one.expected)
    assert (observed.style, observed.y) == ("line", one.observed)
    for curve in (wide, narrow, expected, observed):
        assert curve.x == one.points
        assert not curve.published


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        ({"observed": None}, ["expected ±2σ", "expected ±1σ", "expected"]),
        ({"bands": {}}, ["expected", "observed"]),
        ({"expected": None, "bands": {}}, ["observed"]),
        ({"expected": None, "observed": None}, ["expected ±2σ", "expected ±1σ"]),
    ],
)
def test_what_is_not_there_is_not_drawn(change, labels):
    assert [curve.label for curve in figure_of(scan(**change)).curves] == labels


def test_lone_observations_are_points():
    assert figure_of(scan(observed=[1.0, None, 2.0])).curves[-1].style == "points"


@pytest.mark.parametrize(
    ("points", "values", "log_x", "log_y"),
    [
        ([0.1, 0.2, 0.3], [1.0, 2.0, 3.0], False, True),
        ([0.001, 0.2, 3.0], [1.0, 2.0, 3.0], True, True),
        ([0.0, 0.2, 300.0], [0.0, 2.0, 3.0], False, False),
    ],
)
def test_axes_are_logarithmic_where_they_can_be_and_should(points, values, log_x, log_y):
    figure = figure_of(scan(points=points, expected=values, observed=None, bands={}))
    assert (figure.log_x, figure.log_y) == (log_x, log_y)


def spectrum(backgrounds, signals, **parts):
    expected = {f"b{i}": [float(i), 1.0] for i in range(backgrounds)} | {f"s{i}": [1.0, 0.0] for i in range(signals)}
    errors = {name: [3.0, 4.0] for name in expected}
    content = {"name": "m", "title": "m", "x": X, "edges": [0.0, 0.5, 1.0], "expected": expected, "errors": errors}
    return Spectrum(**(content | parts))


def roles(signals):
    return {f"s{i}": "signal" for i in range(signals)}


def test_backgrounds_are_stacked_and_signals_chosen():
    figure = figure_of_spectrum(spectrum(3, 100), roles(100))
    assert [(h.label, h.style) for h in figure.histograms] == [
        ("b0", "stack"), ("b1", "stack"), ("b2", "stack"),
        ("s0", "step"), ("s33", "step"), ("s66", "step"), ("s99", "step"),
    ]  # fmt: skip


def test_small_backgrounds_are_joined_and_none_is_lost():
    one = spectrum(20, 0)
    figure = figure_of_spectrum(one, {})
    assert len(figure.histograms) == 10
    assert figure.histograms[0].label == "others"
    assert figure.histograms[0].errors == pytest.approx([3.0 * 11**0.5, 4.0 * 11**0.5])
    for i in range(2):
        assert sum(h.values[i] for h in figure.histograms) == sum(values[i] for values in one.expected.values())


def test_bins_and_normalisation_are_named():
    figure = figure_of_spectrum(spectrum(1, 1, normalisation={"s0": "BR = 1e-6"}), roles(1))
    assert figure.y.label == "events per 0.5 GeV"
    assert [h.label for h in figure.histograms] == ["b0", "s0, BR = 1e-6"]
    assert figure_of_spectrum(spectrum(1, 0, edges=[0.0, 0.5, 3.0]), {}).y.label == "events per bin"


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 17, 300])
def test_evenly_chosen(n):
    chosen = evenly((str(i) for i in range(n)), 4)
    assert len(chosen) == min(n, 4)
    if n:
        assert (chosen[0], chosen[-1]) == ("0", str(n - 1))
    gaps = [int(b) - int(a) for a, b in pairwise(chosen)]
    assert not gaps or max(gaps) - min(gaps) <= 1
