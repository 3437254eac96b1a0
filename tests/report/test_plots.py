"""Plots are files, show what is in the result, and leave the user's own matplotlib as it was."""

from xml.etree import ElementTree

import matplotlib
import matplotlib.pyplot as plt
import pytest
from example_result import result

from kaongen.analysis.figure import Curve, Density, Figure, Histogram
from kaongen.analysis.record import Axis
from kaongen.report.figures import png_of, save_figure, svg_of
from kaongen.report.plots import save_plots

PNG = b"\x89PNG\r\n\x1a\n"
RESULT = result(signals=9)
X, Y = Axis(name="x", label="$m_X$", unit="GeV"), Axis(name="y", label="limit")
STYLES = ("line", "dashed", "dotted", "points", "band", "region")


@pytest.fixture(autouse=True)
def _own_figures():
    plt.close("all")
    matplotlib.rcdefaults()
    yield
    plt.close("all")


def figure(**parts):
    return Figure(**({"name": "some", "title": "Some figure", "x": X, "y": Y} | parts))


def texts(svg):
    """All texts of an SVG, letters of formulas joined."""
    root = ElementTree.fromstring(svg)
    return ["".join(part.itertext()).strip() for part in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_figure_for_each_spectrum_and_scan(tmp_path):
    files = save_plots(RESULT, tmp_path / "plots")
    assert [path.name for path in files] == [
        f"{name}{suffix}" for name in ("m2-miss", "u-mu4", "scan-1") for suffix in (".png", ".svg")
    ]
    for path in files[::2]:
        assert path.read_bytes().startswith(PNG)
        assert path.stat().st_size > 5000
    shown = texts(files[3].read_text())
    for label in ("observed", "expected", "expected ±1σ", "expected ±2σ"):
        assert label in shown
    assert "munug" in texts(files[1].read_text())


@pytest.mark.parametrize("lacking", ["scans", "spectra", "samples", "numbers"])
def test_a_search_may_lack_a_part(tmp_path, lacking):
    files = save_plots(RESULT.model_copy(update={lacking: []}), tmp_path / "new")
    assert len(files) == {"scans": 2, "spectra": 4}.get(lacking, 6)
    assert (tmp_path / "new").is_dir()


def test_a_spectrum_and_a_scan_of_one_name_are_two_figures(tmp_path):
    scan = RESULT.scans[0].model_copy(update={"name": "m2-miss"})
    files = save_plots(RESULT.model_copy(update={"scans": [scan]}), tmp_path)
    assert [path.stem for path in files[::2]] == ["m2-miss", "m2-miss-limit"]


def test_no_figure_stays_open_and_the_style_of_the_user_stays(tmp_path):
    before = dict(matplotlib.rcParams)
    save_plots(RESULT.model_copy(update={"spectra": []}), tmp_path)
    assert plt.get_fignums() == []
    assert not {key for key, value in before.items() if matplotlib.rcParams[key] != value} - {"backend"}


def test_the_same_figure_has_the_same_bytes():
    one = figure(curves=[Curve(label="limit", x=[1.0, 2.0], y=[1.0, 3.0])])
    assert svg_of(one) == svg_of(one)
    assert png_of(one).startswith(PNG)


def curve(style, **parts):
    content = {"label": style, "x": [0.1, 0.2, 0.3, 0.4], "y": [1e-8, None, 3e-8, 4e-8], "style": style} | parts
    return Curve(**content)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("published", [False, True])
def test_curves_of_every_style_with_gaps(tmp_path, log, published):
    edges = {"low": [5e-9, None, 1e-8, None], "high": [2e-8, None, 4e-8, 5e-8]}
    curves = [curve(style, published=published) for style in STYLES]
    curves += [curve(style, label=f"{style} with edges", published=published, **edges) for style in STYLES]
    svg = save_figure(figure(curves=curves, log_x=log, log_y=log), tmp_path)[1].read_text()
    shown = texts(svg)
    for one in curves:
        assert one.label in shown


def polygons(svg):
    """Points of all filled areas of an SVG, as (x, y) in its own units, y downwards."""
    found = []
    for path in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):
        if "opacity: 0.22" in path.get("style", ""):
            numbers = [float(part) for part in path.get("d").replace("z", "").split() if part not in "MLz"]
            found.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return found


def test_a_region_is_excluded_up_to_the_top_or_between_its_edges():
    up = curve("region", y=[2.0, 1.0, 1.0, 2.0])
    closed = curve("region", y=[None] * 4, low=[2.0, 2.0, 2.0, 2.0], high=[3.0, 3.0, 3.0, 3.0])
    ((area,),) = ([polygon] for polygon in polygons(svg_of(figure(curves=[up], y_range=(0.0, 4.0)))))
    top, bottom = min(y for _, y in area), max(y for _, y in area)
    svg = svg_of(figure(curves=[closed], y_range=(0.0, 4.0)))
    (between,) = polygons(svg)
    unit = (bottom - top) / 3.0  # of 1: the region reaches from 1 to the end of the axis at 4
    assert max(y for _, y in between) - min(y for _, y in between) == pytest.approx(unit, rel=1e-3)
    assert min(y for _, y in between) == pytest.approx(top + unit, rel=1e-3)


def test_histograms_of_every_style():
    parts = [Histogram(label=f"stack {i}", edges=[0, 1, 2], values=[3.0, 1.0], style="stack") for i in range(12)]
    parts.append(Histogram(label="other bins", edges=[0, 2], values=[2.0], style="stack"))
    parts.append(Histogram(label="signal", edges=[0, 1, 2], values=[0.0, 1.0]))
    parts.append(Histogram(label="data", edges=[0, 1, 2], values=[30.0, 12.0], errors=[5.5, 3.5], style="points"))
    shown = texts(svg_of(figure(histograms=parts, log_y=True)))
    for part in parts:
        assert part.label in shown


@pytest.mark.parametrize("values", [[[1.0, 2.0]], [[0.0, 1e-9], [1.0, 0.0]], [[-1.0, 1.0]], [[0.0, 0.0]]])
def test_densities_are_panels(values):
    edges = [float(i) for i in range(len(values) + 1)]
    panels = [Density(label=f"panel {i}", x_edges=[0, 1, 2], y_edges=edges, values=values) for i in range(4)]
    shown = texts(svg_of(figure(densities=panels, curves=[Curve(label="cut", x=[0.0, 2.0], y=[0.5, 0.5])])))
    for panel in panels:
        assert panel.label in shown
    assert shown.count("cut") == 4


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"log_y": True},
        {"log_x": True, "log_y": True, "curves": [Curve(label="none", x=[0.0], y=[0.0])]},
        {"curves": [Curve(label="gap", x=[1.0, 2.0], y=[None, None])]},
        {"curves": [Curve(label="one", x=[1.0], y=[1.0])], "x_range": (0.0, 2.0), "y_range": (0.0, 2.0)},
        {"log_y": True, "histograms": [Histogram(label="empty", edges=[0, 1], values=[0.0], style="stack")]},
    ],
)
def test_figures_with_nothing_to_show_are_drawn(parts):
    assert "Some figure" in texts(svg_of(figure(**parts)))
