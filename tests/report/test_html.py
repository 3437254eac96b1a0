"""Reports: whole pages, all text escaped, nothing loaded from elsewhere, and every number in them."""

import re
from html.parser import HTMLParser

import pytest
from example_result import MASSES, result

from kaongen.analysis.scan_figure import figures_of
from kaongen.events.layout import Provenance
from kaongen.production.card import parse_card
from kaongen.report.curves import save_result_curves
from kaongen.report.html import write_report, write_reproduction
from kaongen.report.html_parts import inline_svg
from kaongen.report.plots import save_plots

VOID = {"meta", "img", "br", "link", "hr", "input"}
RESULT = result(signals=40)
CARD = parse_card('[[sample]]\nprocess = "munu"\nrole = "normalisation"\ncandidates = 10\n[run]\nname = "small"', "c")


class Page(HTMLParser):
    """What a browser sees: elements, their names, links and text; it must be well nested."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.names, self.links, self.loads, self.tags, self.text = [], [], [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.names.append(value)
            elif name in ("href", "xlink:href"):
                (self.links if tag == "a" else self.loads).append(value)
            elif name in ("src", "srcset", "data", "poster", "action"):
                self.loads.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if self.open and self.open[-1] != "style" else ""


def check(path):
    """Parse a report, and see that it needs nothing but itself."""
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert len(text) < 5_000_000
    assert len(page.names) == len(set(page.names))
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
    assert all(target.startswith(("#", "data:")) for target in page.loads)
    assert not re.search(r"@import|url\((?!#)", text)
    # all that is referred to is there
    inside = [target[1:] for target in page.loads + page.links if target.startswith("#")]
    inside += re.findall(r"url\(#([^)]+)\)", text)
    assert set(inside) <= set(page.names)
    assert all(name in inside for name in page.names if not re.match(r"f\d+-", name))
    return page


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    provenance = Provenance(
        kaongen_version="0.1.0", card_sha256="ab" * 32, seed=3, libraries={"numpy": "2.9.9"}, detector="na62-2016-2018"
    )
    return check(write_report(RESULT, directory / "new", card=CARD, provenance=provenance))


def test_everything_is_in_the_report(report):
    text = " ".join(report.text.split())
    for fragment in (
        "small: report of a run", "ab" * 32, "2.9.9", "0.3022 ± 0.00075", "section 4", "prediction", "munug",
        "seen in all detectors", "32,768", "7549 ± 50", "1.14 × 1010 ± 2 × 108", "90% CL", "hybrid CLs",
        "probability to be selected", '"candidates": 10', "muN-219.5", "na62-2016-2018", "Squared missing mass",
        "Response of na62-2016-2018",
    ):  # fmt: skip
        assert fragment in text
    for mass in MASSES:
        assert f"{mass:g}" in text


def test_text_is_escaped(report):
    assert "<script>alert(1)</script>" in report.text
    assert "& <friends>" in report.text
    assert '"<b>bold</b>"' in report.text
    assert "b" not in report.tags


def test_the_detector_is_there_with_the_source_of_its_numbers(report):
    text = " ".join(report.text.split())
    for name, quantity in CARD.configuration().quantities.items():
        assert name in text
        assert " ".join(quantity.source.split()) in text


def test_a_page_is_the_same_each_time_and_with_figures_that_are_drawn(tmp_path):
    lean = RESULT.model_copy(update={"detector": "one of my own"})
    first = write_report(lean, tmp_path / "a").read_text()
    assert write_report(lean, tmp_path / "b", drawn=save_plots(lean, tmp_path)).read_text() == first


@pytest.mark.parametrize("lacking", ["numbers", "scans", "spectra", "all"])
def test_parts_that_are_not_there_leave_no_heading(tmp_path, lacking):
    names = {"numbers", "scans", "spectra", "samples"} if lacking == "all" else {lacking}
    update = {name: [] for name in names} | {"detector": "one of my own"}
    bare = RESULT.model_copy(update=update)
    if lacking == "spectra":
        bare = bare.model_copy(update={"samples": bare.samples[:1]})
    page = check(write_report(bare, tmp_path))
    anchor = {"scans": "limits", "all": "spectra"}.get(lacking, lacking)
    assert anchor not in page.names
    assert "provenance" in page.names


def test_a_reproduction_has_numbers_figures_and_runs(tmp_path):
    drawn = [*save_plots(RESULT, tmp_path / "figures"), *save_result_curves(RESULT, tmp_path / "figures")]
    (tmp_path / "na62-muon").mkdir()
    (tmp_path / "na62-muon" / "report.html").write_text("")
    results = {"na62-muon": RESULT, "other": RESULT}
    page = check(write_reproduction("na62-mu", RESULT.numbers, figures_of(RESULT), results, tmp_path, drawn=drawn))
    assert page.tags.count("svg") == 3
    targets = [link for link in page.links if not link.startswith("#")]
    assert targets == ["figures/m2-miss.csv", "figures/u-mu4.csv", "figures/scan-1.csv", "na62-muon/report.html"]
    assert all((tmp_path / target).exists() for target in targets)
    for fragment in ("na62-mu: published and obtained", "0.302 ± 0.005", "compare figure 5 of the paper", "other"):
        assert fragment in page.text


def test_large_drawings_are_shown_as_png(tmp_path, monkeypatch):
    monkeypatch.setattr("kaongen.report.html_sections._LARGE", 100)
    page = check(write_reproduction("na62-mu", [], figures_of(RESULT), {}, tmp_path))
    assert page.tags.count("img") == 3
    assert all(load.startswith("data:image/png;base64,") for load in page.loads)


def test_names_in_a_drawing_get_a_prefix():
    svg = (
        '<?xml version="1.0"?>\n<svg width="9pt" viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg">'
        '<metadata>\n<a href="http://x"/></metadata><defs><style type="text/css">*{color: red}</style>'
        '<path id="a"/></defs><use xlink:href="#a" clip-path="url(#b)"/></svg>'
    )
    page = inline_svg(svg, "f1", '"quoted" $m_N$')
    assert page.count('id="f1-a"') == 1
    assert 'href="#f1-a"' in page
    assert "url(#f1-b)" in page
    assert "http" not in page
    assert "color" not in page
    assert 'viewBox="0 0 9 9"' in page
    assert 'aria-label="&quot;quoted&quot; m_N"' in page
