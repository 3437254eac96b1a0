"""DEC files: read, written, refused, and what is in the one that comes with kaongen."""

import importlib.util
import math
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from particle import Particle

from kaongen import particles
from kaongen.decays.dec import Mode, read, shipped, text
from kaongen.decays.descriptor import parse
from kaongen.errors import ProcessError
from kaongen.particles import ALPHA_EM, M_K, M_PI, M_PI0

PARENTS = ("K+", "pi0", "pi+", "mu+")

SMALL = """\
# a comment
Define width 2.5
Decay K+
  0.7  mu+ nu_mu      SLN;   # another
  .2   pi+ pi0        PHOTOS PHSP;
  1e-1 A' anti-nu_mu  SVV_HELAMP 1 -2e-3 width -width foo;
Enddecay
CDecay K-

Decay pi0
  1.0 gamma gamma PHSP;
Enddecay
End
"""

SMALL_MODES = (
    Mode(0.7, ("mu+", "nu_mu"), "SLN"),
    Mode(0.2, ("pi+", "pi0"), "PHSP"),
    Mode(0.1, ("A'", "anti-nu_mu"), "SVV_HELAMP", (1.0, -2e-3, 2.5, -2.5, "foo")),
)


@pytest.fixture(scope="module")
def decaylanguage():
    return pytest.importorskip("decaylanguage")


@pytest.fixture
def written(tmp_path, decaylanguage):
    def write(content):
        path = tmp_path / "mine.dec"
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    return write


def refused(path, parent="K+"):
    with pytest.raises(ProcessError) as caught:
        read(path, parent)
    return str(caught.value)


def fractions(parent="K+"):
    """Branching fractions of the file that comes with kaongen, whatever the daughters' order."""
    return {tuple(sorted(mode.daughters)): mode.branching_fraction for mode in read(shipped(), parent)}


def fraction(decay):
    parent, _, daughters = decay.partition(" -> ")
    return fractions(parent)[tuple(sorted(daughters.split()))]


def test_reading(written):
    path = written(SMALL)
    assert read(path) == SMALL_MODES
    assert read(str(path), "pi0") == (Mode(1.0, ("gamma", "gamma"), "PHSP"),)
    assert read(path, "K-")[0] == Mode(0.7, ("mu-", "anti-nu_mu"), "SLN")
    for mode in read(path):
        # no strings of a parser's own
        assert {type(word) for word in (*mode.daughters, mode.model)} == {str}
        assert {type(value) for value in (mode.branching_fraction, *mode.parameters)} <= {float, str}


@pytest.mark.parametrize("change", [str.rstrip, lambda s: "\ufeff" + s, lambda s: s.replace("\n", "\r\n")])
def test_ends_of_lines_and_marks_at_the_start(written, change):
    assert read(written(change(SMALL).encode())) == SMALL_MODES


def test_an_alias_stays(written):
    path = written(
        "Alias Mine pi0\nDecay K+\n1.0 pi+ Mine PHSP;\nEnddecay\nDecay Mine\n1.0 e+ e- gamma PHSP;\nEnddecay"
    )
    assert read(path) == (Mode(1.0, ("pi+", "Mine"), "PHSP"),)
    assert read(path, "Mine") == (Mode(1.0, ("e+", "e-", "gamma"), "PHSP"),)


def test_a_particle_among_its_own_daughters(written):
    assert read(written("Decay K+\n1.0 K+ gamma PHSP;\nEnddecay")) == (Mode(1.0, ("K+", "gamma"), "PHSP"),)


@pytest.mark.parametrize("name", ["DECAY_LHCB.DEC", "DECAY_BELLE2.DEC"])
def test_a_table_of_an_experiment(decaylanguage, name):
    modes = read(Path(decaylanguage.__file__).parent / "data" / name, "pi0")
    assert [mode.daughters for mode in modes[:2]] == [("gamma", "gamma"), ("e+", "e-", "gamma")]
    assert [mode.model for mode in modes[:2]] == ["PHSP", "PI0_DALITZ"]
    assert sum(mode.branching_fraction for mode in modes) == pytest.approx(1, abs=1e-6)
    assert "more)" in refused(Path(decaylanguage.__file__).parent / "data" / name, "V")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["has no decays of K+ (it decays: nothing)"]),
        ("# only a comment", ["has no decays of K+ (it decays: nothing)"]),
        ("Decay pi+\n1.0 mu+ nu_mu PHSP;\nEnddecay", ["has no decays of K+ (it decays: pi+)"]),
        ("Decay k+\n1.0 pi+ pi0 PHSP;\nEnddecay", ["has no decays of K+; did you mean 'k+'? (it decays: k+)"]),
        ("Decay K+\nEnddecay", [": the Decay block of K+ is empty"]),
        ("Decay K+\n0.1 PHSP;\nEnddecay", [": a decay of K+ has no daughters: 0.1 PHSP;"]),
        ("Decay K+\n-0.1 a b PHSP;\nEnddecay", ["of K+ does not lie between 0 and 1: -0.1 a b PHSP;"]),
        ("Decay K+\n0.5 a b PHSP;\n1.5 c d PHSP 2;\nEnddecay", ["does not lie between 0 and 1: 1.5 c d PHSP 2.0;"]),
        ("Decay K+\n1e999 a b PHSP;\nEnddecay", ["does not lie between 0 and 1: inf a b PHSP;"]),
        (SMALL + SMALL, [": K+ has more than one Decay block (lines 3 and 16)"]),
        ("hello world", [", line 1, column 1: expected a statement such as 'Decay'", "found 'hello'"]),
        ("End\n\nDecay K+\nxx a b PHSP;", [", line 4, column 1: expected a number or 'Enddecay'", "found 'xx'"]),
        ("Decay K+\n1 a b PHSP; 0 c d PHSP;", [", line 2, column 13: expected ';'", "found '0'"]),
        ("Decay K+\n1 a b PHSP\nEnddecay", [", line 3, column 9: expected", "';'", "found the end of the file"]),
        (
            "Decay K+\n0.5 a b\n0.5 c d PHSP;\nEnddecay",
            [", line 2, column 8: expected", "a model", "the end of the line"],
        ),
        ("Decay K+\n1 a b PHSP;", [", line 2, column 12: expected", "'Enddecay'", "found the end of the file"]),
        ("Decay K+\n1 a b FOO;\nEnddecay", [", line 2, column 7: expected a model of EvtGen", "found 'FOO'"]),
        ("Decay K+\n1 a b FOO 1 2;\nEnddecay", [", line 2, column 13: expected a model of EvtGen", "found '2'"]),
        ("ModelAlias x x;\nDecay K+\n1 a b x;\nEnddecay", [", line 1, column 14: expected a model of EvtGen"]),
        ("Decay K+\n1 é b PHSP;\nEnddecay", [", line 2, column 3: expected", "found 'é'"]),
        ("Decay K+\n1 a b PHSP\x00;\nEnddecay", [", line 2, column 11: expected", r"found '\x00'"]),
        (b"\x89HDF\r\n\x1a\n\x00\xff\xfe", [": the decay table cannot be read: it is not a text file"]),
    ],
)
def test_a_refusal_names_the_file_and_the_reason(written, content, parts):
    path = written(content)
    message = refused(path)
    assert message.startswith(str(path))
    for part in parts:
        assert part in message


def test_a_refusal_points_to_the_place(written):
    message = refused(written("\tDecay K+\n\t 0.5 a\tb Phsp;\nEnddecay"))
    assert message.split("\n")[1:] == ["    0.5 a b Phsp;", "            ^"]
    message = refused(written("Decay K+\n1 " + "pi+ " * 100_000 + "? PHSP;\nEnddecay"))
    assert len(message) < 500
    quoted, caret = message.split("\n")[1:]
    assert quoted[caret.index("^")] == "?"


def test_files_that_cannot_be_read(tmp_path, decaylanguage):
    assert refused(tmp_path / "none.dec").startswith(
        f"{tmp_path / 'none.dec'}: the decay table cannot be read: No such"
    )
    for path in (tmp_path, tmp_path / "x\x00y", tmp_path / ("x" * 300)):
        assert refused(path).startswith(f"{path}: the decay table cannot be read: ")


def test_without_decaylanguage(monkeypatch):
    monkeypatch.setitem(sys.modules, "decaylanguage", None)
    message = refused(shipped())
    assert 'pip install "kaongen[dec]"' in message
    assert str(shipped()) in message


SCRAPS = st.sampled_from(["Decay", "K+", "\n", "0.5", "pi+", "PHSP", ";", "Enddecay", "Alias", "#", "ModelAlias", "x"])


@pytest.mark.skipif(importlib.util.find_spec("decaylanguage") is None, reason="decaylanguage is not installed")
@given(content=st.text(max_size=80) | st.lists(SCRAPS, max_size=30).map(" ".join) | st.integers(0, 400))
def test_whatever_is_given_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.dec"
    path.write_text(SMALL[:content] if isinstance(content, int) else content, errors="replace")
    try:
        modes = read(path)
    except ProcessError as problem:
        message = str(problem)
    else:
        assert modes
        return
    assert message.startswith(str(path))


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MODES = st.builds(
    Mode,
    st.floats(0, 1),
    st.lists(st.sampled_from([*particles.SPECIES, "K_S0", "anti-B0", "eta'", "D*(2010)+"]), min_size=1).map(tuple),
    st.sampled_from(["PHSP", "SLN", "PI0_DALITZ", "VSS"]),
    st.lists(NUMBERS | st.sampled_from(["dm", "foo_1"]), max_size=4).map(tuple),
)


@pytest.mark.skipif(importlib.util.find_spec("decaylanguage") is None, reason="decaylanguage is not installed")
@given(modes=st.lists(MODES, min_size=1, max_size=6))
def test_what_is_written_is_read_again(tmp_path_factory, modes):
    path = tmp_path_factory.getbasetemp() / "written.dec"
    path.write_text(text(modes) + text([Mode(1.0, ("gamma", "gamma"), "PHSP")], "pi0"))
    assert read(path) == tuple(modes)
    assert len(read(path, "pi0")) == 1


def test_the_written_text():
    assert text(SMALL_MODES) == (
        "Decay K+\n"
        "  0.7 mu+ nu_mu SLN;\n"
        "  0.2 pi+ pi0 PHSP;\n"
        "  0.1 A' anti-nu_mu SVV_HELAMP 1.0 -0.002 2.5 -2.5 foo;\n"
        "Enddecay\n"
    )
    assert text([Mode(1e-12, ("gamma", "gamma"), "PHSP")], "pi0") == "Decay pi0\n  1e-12 gamma gamma PHSP;\nEnddecay\n"
    # numpy writes its numbers in another way
    assert text([Mode(np.float64(0.5), ("a", "b"), "PHSP", (np.float64(2.0),))]).split("\n")[1] == "  0.5 a b PHSP 2.0;"


@pytest.mark.parametrize(
    ("mode", "part"),
    [
        (Mode(-1e-12, ("a", "b"), "PHSP"), "does not lie between 0 and 1: -1e-12 a b PHSP;"),
        (Mode(1.0001, ("a", "b"), "PHSP"), "does not lie between 0 and 1"),
        (Mode(math.nan, ("a", "b"), "PHSP"), "does not lie between 0 and 1: nan a b PHSP;"),
        (Mode(0.1, (), "PHSP"), "a decay of K+ has no daughters"),
        (Mode(0.1, ("a", "b c"), "PHSP"), "'b c' in the decays of K+ is not a name that DEC allows"),
        (Mode(0.1, ("a", ""), "PHSP"), "'' in the decays of K+ is not a name"),
        (Mode(0.1, ("a", "b\n"), "PHSP"), r"'b\n' in the decays of K+ is not a name"),
        (Mode(0.1, ("a", "1b"), "PHSP"), "'1b' in the decays of K+ is not a name"),
        (Mode(0.1, ("a", "b#"), "PHSP"), "'b#' in the decays of K+ is not a name"),
        (Mode(0.1, ("a", "b"), "PHSP;"), "'PHSP;' in the decays of K+ is not a name"),
        (Mode(0.1, ("a", "b"), "PHSP", ("x y",)), "'x y' in the decays of K+ is not a name"),
        (Mode(0.1, ("a", "b"), "PHSP", (math.inf,)), "parameter inf of PHSP is not a number"),
    ],
)
def test_what_cannot_be_written_is_refused(mode, part):
    with pytest.raises(ProcessError) as caught:
        text([Mode(0.5, ("gamma", "gamma"), "PHSP"), mode])
    assert part in str(caught.value)
    with pytest.raises(ProcessError, match=r"there are no decays of K\+"):
        text([])
    with pytest.raises(ProcessError, match="'two words' in the decays of two words"):
        text([Mode(0.5, ("gamma", "gamma"), "PHSP")], "two words")


# The file that comes with kaongen.


def test_the_shipped_file_is_in_the_package():
    assert shipped() == Path(particles.__file__).parent / "dec" / "kplus.dec"
    assert shipped().is_file()


@pytest.mark.filterwarnings("error")
def test_decaylanguage_has_nothing_to_warn_of(decaylanguage):
    decays = decaylanguage.DecFileParser(shipped())
    decays.parse()
    assert set(decays.list_decay_mother_names()) == {*PARENTS, "K-", "pi-", "mu-"}
    assert decays.dict_aliases() == {"nu": "nu_mu", "anti-nu": "anti-nu_mu"}


def test_conjugates(decaylanguage):
    for parent in ("K", "pi", "mu"):
        assert [m.branching_fraction for m in read(shipped(), f"{parent}-")] == [
            m.branching_fraction for m in read(shipped(), f"{parent}+")
        ]
    assert read(shipped(), "K-")[-2].daughters == ("pi-", "anti-nu", "nu")


@pytest.mark.parametrize("parent", PARENTS)
def test_charge_and_masses_of_the_shipped_decays(decaylanguage, parent):
    modes = read(shipped(), parent)
    keys = {parse(f"{parent} -> {' '.join(mode.daughters)}", parent=parent).key for mode in modes}
    assert len(keys) == len(modes), "a mode occurs twice"
    for name in {name for mode in modes for name in mode.daughters} - {"nu", "anti-nu"}:
        # EvtGen knows each by that name
        assert Particle.from_evtgen_name(name).charge == particles.SPECIES[name].charge


@pytest.mark.parametrize("parent", PARENTS)
def test_order_and_models_of_the_shipped_decays(decaylanguage, parent):
    modes = read(shipped(), parent)
    assert all(one.branching_fraction >= other.branching_fraction for one, other in pairwise(modes))
    for mode in modes:
        assert mode.parameters == ()
        # what the models of EvtGen ask of the daughters and their order
        if mode.model == "SLN":
            assert (mode.daughters[0], mode.daughters[1]) in (("mu+", "nu_mu"), ("e+", "nu_e"))
            assert len(mode.daughters) == 2
        elif mode.model == "PI0_DALITZ":
            assert mode.daughters == ("e+", "e-", "gamma")
        else:
            assert mode.model == "PHSP"


def test_the_shipped_decays_are_all(decaylanguage):
    """To the error with which the PDG knows the sum of the large modes of the kaon and of the pi0."""
    large = ("MUNU", "PIPI0", "PIPIPI", "PIPI0PI0", "PI0ENU", "PI0MUNU")
    error = math.hypot(*(getattr(particles, f"BR_K_{name}").error for name in large))
    assert sum(fractions("K+").values()) == pytest.approx(1, abs=error)
    assert sum(fractions("pi0").values()) == pytest.approx(1, abs=particles.BR_PI0_GAMMAGAMMA.error)
    assert sum(fractions("pi+").values()) == pytest.approx(1, abs=particles.BR_PI_MUNU.error)
    assert sum(fractions("mu+").values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("inclusive", "name"),
    [
        ("K+ -> mu+ nu_mu", "BR_K_MUNU"),
        ("K+ -> pi+ pi0", "BR_K_PIPI0"),
        ("K+ -> pi+ pi+ pi-", "BR_K_PIPIPI"),
        ("K+ -> pi+ pi0 pi0", "BR_K_PIPI0PI0"),
        ("K+ -> pi0 e+ nu_e", "BR_K_PI0ENU"),
        ("K+ -> pi0 mu+ nu_mu", "BR_K_PI0MUNU"),
        ("pi+ -> mu+ nu_mu", "BR_PI_MUNU"),
    ],
)
def test_with_and_without_a_photon_make_up_the_inclusive_mode(decaylanguage, inclusive, name):
    both = fraction(inclusive) + fraction(f"{inclusive} gamma")
    assert both == pytest.approx(getattr(particles, name).value, abs=1e-9)


@pytest.mark.parametrize(
    ("exclusive", "name"),
    [
        ("K+ -> e+ nu_e", "BR_K_ENU"),
        ("K+ -> pi+ pi- e+ nu_e", "BR_K_PIPIENU"),
        ("K+ -> pi0 pi0 e+ nu_e", "BR_K_PI0PI0ENU"),
        ("K+ -> pi+ e+ e-", "BR_K_PIEE"),
        ("K+ -> pi+ mu+ mu-", "BR_K_PIMUMU"),
        ("K+ -> pi+ gamma gamma", "BR_K_PIGAMMAGAMMA"),
        ("K+ -> pi+ nu anti-nu", "BR_K_PINUNU"),
        ("pi0 -> gamma gamma", "BR_PI0_GAMMAGAMMA"),
        ("pi0 -> e+ e- gamma", "BR_PI0_EEGAMMA"),
    ],
)
def test_the_values_are_those_that_kaongen_uses(decaylanguage, exclusive, name):
    assert fraction(exclusive) == pytest.approx(getattr(particles, name).value, rel=1e-12)


def bremsstrahlung(kinetic):
    """K+ -> pi+ pi0 gamma over K+ -> pi+ pi0 by Low's theorem, for kinetic energies of the pi+ below `kinetic` in GeV.

    |M|^2 = -4 pi alpha |A|^2 (p/pq - P/Pq)^2 with momenta P, p, q of kaon, pi+ and photon.
    """
    squares = M_K**2 - (M_PI + M_PI0) ** 2, M_K**2 - (M_PI - M_PI0) ** 2
    two_body = math.sqrt(squares[0] * squares[1]) / (2 * M_K) / (8 * math.pi * M_K**2)
    edges = np.geomspace(1e-7, squares[0] / (2 * M_K), 2001)
    photon = np.sqrt(edges[1:] * edges[:-1])[:, None]
    mass = np.sqrt(M_K**2 - 2 * M_K * photon)  # of the two pions
    energy = (mass**2 + M_PI**2 - M_PI0**2) / (2 * mass)
    spread = photon / mass * np.sqrt(np.maximum(energy**2 - M_PI**2, 0))
    centre = (M_K - photon) / mass * energy
    lower, upper = centre - spread, np.minimum(centre + spread, M_PI + kinetic)
    pion = lower + np.maximum(upper - lower, 0) * (np.arange(400) + 0.5) / 400
    pq = (M_PI0**2 - M_K**2 - M_PI**2 + 2 * M_K * (pion + photon)) / 2
    square = 2 * pion / (photon * pq) - M_PI**2 / pq**2 - 1 / photon**2
    integral = np.sum(square.mean(axis=1, keepdims=True) * np.maximum(upper - lower, 0) * np.diff(edges)[:, None])
    return 4 * math.pi * ALPHA_EM * integral / (64 * math.pi**3 * M_K) / two_body


def test_the_photon_of_pi_pi0_gamma(decaylanguage):
    """Inner bremsstrahlung by Low's theorem, direct emission and interference of the PDG, all below 80 MeV."""
    expected = bremsstrahlung(0.080) * particles.BR_K_PIPI0.value + 6.0e-6 - 4.2e-6
    assert fraction("K+ -> pi+ pi0 gamma") == pytest.approx(expected, abs=1e-6)  # the error of the last two
