"""Drawing and tables of an event: well-formed, complete, and in the right place."""

import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy.optimize import lsq_linear

from kaongen.detector.surroundings import Surroundings
from kaongen.errors import EventFileError
from kaongen.replay.event import replay
from kaongen.replay.target import find_event
from kaongen.report.event_display import decay_symbols, event_figure, save_event, spread, symbol
from kaongen.report.event_history import between, history_tables, quantity

SVG = "{http://www.w3.org/2000/svg}"
CASES = ("munu:3", "munug:1", "pi0munu:5", "pipipi:3", "munuphi-200:0", "mununubarnu:8")
DETECTORS = (
    "GTK3", "CHANTI", *(f"LAV {k}" for k in range(1, 13)), *(f"STRAW {k}" for k in range(1, 5)), "magnet", "RICH",
    "CHOD", "IRC", "LKr", "MUV1", "MUV2", "MUV3", "SAC",
)  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def drawn(request, tmp_path_factory):
    """An event of the shipped card, and the files of its drawing."""
    wanted = find_event(f"na62-muon/{request.param}")
    history = replay(wanted)
    around = Surroundings(wanted.card.configuration())
    return history, around, save_event(history, around, tmp_path_factory.mktemp("drawn") / "here")


def test_files_are_named_after_the_event(drawn):
    history, _, files = drawn
    stem = f"{history.origin.sample}-{history.origin.index}"
    assert [file.name for file in files] == [f"{stem}.svg", f"{stem}.png"]


def test_the_svg_holds_every_detector_and_every_trajectory(drawn):
    history, around, (svg, _) = drawn
    root = ET.parse(svg).getroot()
    assert root.tag == f"{SVG}svg"
    words = {"".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")}
    assert set(DETECTORS) <= words
    for said in ("side view", "top view", "kaongen", f"{history.kaon.momentum.p:.2f} GeV"):
        assert said in words
    assert any(history.verdict() in word for word in words)
    identifiers = {node.get("id") for node in root.iter()}
    for view in ("side", "top"):
        assert f"{view}-beam-axis" in identifiers
        assert f"{view}-trajectory-kaon" in identifiers
        assert {f"{view}-trajectory-{p.number}" for p in history.particles} <= identifiers
        assert {f"{view}-{e.name.replace(' ', '-')}" for e in around.elements} <= identifiers


def test_the_png_is_a_picture(drawn):
    from matplotlib.image import imread

    _, _, (_, png) = drawn
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    assert 1600 <= width <= 3200
    assert 900 <= height <= 2000
    image = imread(png)[..., :3]
    white = (image > 0.99).all(axis=-1).mean()
    assert 0.4 < white < 0.95
    assert len(np.unique((image[::3, ::3] * 255).astype(int).reshape(-1, 3), axis=0)) > 100


def points(node):
    """The corners of an SVG path, which may be drawn twice: first a white casing."""
    path = [*node.iter(f"{SVG}path")][-1]
    numbers = [float(x) for x in path.get("d").replace("M", " ").replace("L", " ").split()]
    return np.array(numbers).reshape(-1, 2)


def test_trajectories_are_where_they_belong(drawn):
    """One scale for z in both views, and for y and x: fitted to the drawn axis of the beam and LAV 1, held by all."""
    history, _, (svg, _) = drawn
    nodes = {node.get("id"): node for node in ET.parse(svg).getroot().iter() if node.get("id")}
    for view, across in (("side", "y"), ("top", "x")):
        axis = points(nodes[f"{view}-beam-axis"])
        scale_z = (axis[-1, 0] - axis[0, 0]) / (262.0 - 100.0)
        vertex = history.kaon.path[-1]
        kaon = points(nodes[f"{view}-trajectory-kaon"])
        assert kaon[-1, 0] == pytest.approx(axis[0, 0] + scale_z * (vertex.z - 100.0), abs=0.01)
        for p in history.particles:
            if not all(100.0 <= point.z <= 262.0 for point in p.path) or p.path[0] == p.path[-1]:
                continue
            corners = points(nodes[f"{view}-trajectory-{p.number}"])
            assert corners[0, 0] == pytest.approx(axis[0, 0] + scale_z * (p.path[0].z - 100.0), abs=0.01)
            assert corners[-1, 0] == pytest.approx(axis[0, 0] + scale_z * (p.path[-1].z - 100.0), abs=0.01)
            # upwards in the picture is downwards in its coordinates
            rises = getattr(p.path[-1], across) - getattr(p.path[0], across)
            if abs(rises) > 0.01:
                scale = (corners[-1, 1] - corners[0, 1]) / rises
                assert scale == pytest.approx(-(nodes_scale(nodes, view)), rel=2e-3)


def nodes_scale(nodes, view):
    """Units of the drawing per m across: LAV 1 is 0.37 m wide."""
    corners = nodes[f"{view}-LAV-1"]
    (path,) = corners.iter(f"{SVG}path")
    numbers = [float(x) for x in path.get("d").replace("M", " ").replace("L", " ").replace("z", " ").split()]
    y = np.array(numbers).reshape(-1, 2)[:, 1]
    return (y.max() - y.min()) / (0.9065 - 0.5365)


def test_photons_are_dashed_and_the_unseen_dotted(drawn):
    history, around, _ = drawn
    figure = event_figure(history, around)
    for axes, view in zip(figure.axes[:2], ("side", "top"), strict=True):
        lines = {line.get_gid(): line for line in axes.get_lines() if line.get_gid()}
        for p in history.particles:
            style = lines[f"{view}-trajectory-{p.number}"]._unscaled_dash_pattern[1]
            if p.charge:
                assert style is None
            elif p.visible:
                assert style[0] > style[1] > 0.0
            else:
                assert style[0] < style[1]


def test_equal_events_make_equal_files(drawn, tmp_path):
    history, around, files = drawn
    for one, other in zip(files, save_event(history, around, tmp_path), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_no_place_to_draw(drawn, tmp_path):
    history, around, _ = drawn
    (tmp_path / "taken").write_text("")
    with pytest.raises(EventFileError, match=r"cannot write the drawing to .*taken"):
        save_event(history, around, tmp_path / "taken")


def test_without_reconstruction_there_is_still_a_drawing(drawn, tmp_path):
    """What went backwards has no vertex."""
    history, around, _ = drawn
    empty = replace(history.reconstruction, kaon=None, candidate=None, vertex=None, cda=None, m2_miss=None, eop=None)
    assert all(file.stat().st_size for file in save_event(replace(history, reconstruction=empty), around, tmp_path))


def text(renderable, width=170):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(renderable)
    return console.export_text()


def test_tables_say_all(drawn):
    history, _, _ = drawn
    out = text(history_tables(history), 240)
    for step in history.steps:
        assert step.name in out
    for cut in history.cuts:
        line = next(line for line in reversed(out.splitlines()) if f"│{cut.name} " in line)
        assert ("passed" if cut.passed else "failed") in line
        assert between(cut.limit, cut.unit) in line
    for p in (history.kaon, *history.particles):
        assert any(p.name in line and f"{p.momentum.p:.3f}" in line for line in out.splitlines())
    assert f"candidate {history.origin.index} of {history.origin.sample}" in out
    assert out.rstrip().splitlines()[-1] == f"weight {history.weight:.6g}: {history.verdict()}"
    assert "compared with no file" in out


@pytest.mark.parametrize(
    ("limit", "unit", "said"),
    [((5.0, 70.0), "GeV", "5 to 70 GeV"), ((None, 0.2), "", "below 0.2"), ((0.0, None), "", "above 0"),
     ((None, None), "m", "any")],
)  # fmt: skip
def test_ranges_in_words(limit, unit, said):
    assert between(limit, unit) == said


def test_numbers_in_words():
    assert [quantity(x) for x in (None, float("nan"), 0.0, 1.23456e-9)] == ["–", "–", "0", "1.235e-09"]


@pytest.mark.parametrize(
    ("name", "number", "written"),
    [
        ("mu+", None, r"$\mu^{+}$"),
        ("mu-", 2, r"$\mu^{-}_{2}$"),
        ("pi0", None, r"$\pi^{0}$"),
        ("gamma", 1, r"$\gamma_{1}$"),
        ("nu_mu", None, r"$\nu_{\mu}$"),
        ("anti-nu_e", None, r"$\bar{\nu}_{e}$"),
        ("A'", None, r"$A^{\prime}$"),
        ("neutrinos", None, r"$\nu\bar\nu$"),
        ("X", None, "$X$"),
    ],
)
def test_symbols(name, number, written):
    assert symbol(name, number) == written


def test_a_decay_in_symbols():
    assert decay_symbols("K+ -> mu+ nu_mu (phi -> gamma gamma)") == (
        r"$K^{+}$ $\rightarrow$ $\mu^{+}$ $\nu_{\mu}$ ($\phi$ $\rightarrow$ $\gamma$ $\gamma$)"
    )


@given(wanted=st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=12), gap=st.floats(0.01, 3.0))
def test_labels_move_no_more_than_they_must(wanted, gap):
    """The least squares of a bounded linear problem: the first place, and increments of at least the gap."""
    order = np.argsort(wanted, kind="stable")
    target = np.array(wanted)[order]
    n = len(wanted)
    places = np.tril(np.ones((n, n)))
    lower = np.full(n, gap)
    lower[0] = -np.inf
    best = lsq_linear(places, target, bounds=(lower, np.inf), tol=1e-14)
    found = np.array(spread(wanted, gap))[order]
    assert np.all(np.diff(found) >= gap - 1e-9)
    assert np.sum((found - target) ** 2) <= np.sum((places @ best.x - target) ** 2) + 1e-6


def test_drawing_is_not_imported_before_it_is_wanted():
    code = (
        "import sys; import kaongen.report.event_display, kaongen.report.event_history; "
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
