"""Labels as matplotlib takes them, written for terminals and pages."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaongen.report.mathematics import markup, plain, with_unit

LABELS = [
    (r"$m^2_\mathrm{miss}$", "m²_miss", "<i>m</i><sup>2</sup><sub>miss</sub>"),
    (r"$|U_{\mu 4}|^2$", "|U_μ4|²", "|<i>U</i><sub>μ4</sub>|<sup>2</sup>"),
    (r"$K^+\to\mu^+\nu\bar{\nu}\nu$", "K⁺ → μ⁺νν̄ν", "<i>K</i><sup>+</sup> → μ<sup>+</sup>νν̄ν"),
    (r"BR = $10^{-6}$", "BR = 10⁻⁶", "BR = 10<sup>−6</sup>"),
    (r"$g_{\mu-\tau}$ [GeV]", "g_(μ−τ) [GeV]", "<i>g</i><sub>μ−τ</sub> [GeV]"),
    (r"a & <b>", "a & <b>", "a &amp; &lt;b&gt;"),
    (r"$a < b$", "a < b", "<i>a</i> &lt; <i>b</i>"),
    ("costs 5$", "costs 5$", "costs 5$"),
    (r"$\mathrm{max}\,p$", "max p", "max <i>p</i>"),
    ("", "", ""),
]


@pytest.mark.parametrize(("label", "written", "page"), LABELS)
def test_labels_are_written_as_people_do(label, written, page):
    assert plain(label) == written
    assert markup(label) == page


@pytest.mark.parametrize(
    ("unit", "written"),
    [("GeV", "m [GeV]"), ("GeV^2", "m [GeV²]"), ("GeV$^2$", "m [GeV²]"), ("1/GeV^-1", "m [1/GeV⁻¹]"), ("", "m")],
)
def test_units_stand_in_brackets(unit, written):
    assert plain(with_unit("$m$", unit)) == written


class Text(HTMLParser):
    """Text and tags of a piece of HTML."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.tags = "", [], set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@given(st.text())
def test_whatever_is_written_pages_stay_whole(label):
    page = Text(markup(label))
    assert page.open == []
    assert page.tags <= {"i", "sup", "sub"}
    assert isinstance(plain(label), str)


@given(st.text(alphabet=st.characters(exclude_characters="$\x00\r", exclude_categories=["Cs"])))
def test_text_without_mathematics_stays_as_it_is(label):
    assert plain(label) == label
    assert Text(markup(label)).text == label
