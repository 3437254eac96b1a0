"""Descriptors: what is read, that it is written as it was read, and that every refusal says what and where."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaongen.decays.catalogue import processes
from kaongen.decays.descriptor import MAX_DEPTH, Descriptor, parse, quote
from kaongen.errors import ProcessError
from kaongen.particles import SPECIES

PAIRS = (("e+", "e-"), ("nu_e", "anti-nu_mu"), ("chi", "anti-chi"))
NEUTRAL = ("gamma", "nu", "V", "phi", "X", "N", "S", "a", "A'")
DALITZ = Descriptor("pi0", ("e+", "e-", "gamma"))


def gathered(draw, nested):
    """Neutral daughters in any order: single ones, pairs and whatever decays in turn."""
    parts = draw(st.lists(st.sampled_from(PAIRS) | st.sampled_from(NEUTRAL).map(lambda n: (n,)), max_size=4))
    inner = draw(st.lists(nested, max_size=2)) if nested is not None else []
    return draw(st.permutations([*(name for part in parts for name in part), *inner]))


@st.composite
def neutral_decays(draw, depth):
    nested = neutral_decays(depth - 1) if depth else None
    daughters = gathered(draw, nested)
    while len(daughters) < 2:
        daughters.append("gamma")
    return Descriptor(draw(st.sampled_from(["V", "S", "a", "A'", "X"])), tuple(daughters))


@st.composite
def decays(draw):
    """Decays of the K+ that conserve charge and that it is heavy enough for."""
    daughters = [draw(st.sampled_from(["e+", "mu+", "pi+"])), *gathered(draw, neutral_decays(2))]
    daughters.append(draw(st.sampled_from(["nu_mu", "pi0", DALITZ])))
    return Descriptor("K+", tuple(draw(st.permutations(daughters))))


def shuffled(decay, rng):
    daughters = [d if isinstance(d, str) else shuffled(d, rng) for d in decay.daughters]
    rng.shuffle(daughters)
    return Descriptor(decay.parent, tuple(daughters))


def sorted_text(decay):
    """The same decay always reads the same if daughters are in the order of their texts."""
    return f"{decay.parent}:{sorted(d if isinstance(d, str) else sorted_text(d) for d in decay.daughters)}"


def refused(text, **options):
    with pytest.raises(ProcessError) as caught:
        parse(text, **options)
    return str(caught.value)


def pointed(message):
    """The place at which the caret of a message points: as said in its first line, and the character above it."""
    first, quoted, caret = message.split("\n")
    assert caret.strip() == "^"
    said = int(re.match(r"decay descriptor, character (\d+): ", first)[1]) - 1
    return said, quoted[caret.index("^")] if len(quoted) > caret.index("^") else "", quoted


def test_a_decay_to_names():
    decay = parse("K+ -> mu+ nu_mu")
    assert decay == Descriptor("K+", ("mu+", "nu_mu"))
    assert decay.names == ("mu+", "nu_mu")
    assert str(decay) == "K+ -> mu+ nu_mu"


def test_decays_inside_decays():
    decay = parse("K+ -> pi+ (S -> (A' -> e+ e-) (A' -> mu+ mu-)) gamma")
    inside = (Descriptor("A'", ("e+", "e-")), Descriptor("A'", ("mu+", "mu-")))
    assert decay == Descriptor("K+", ("pi+", Descriptor("S", inside), "gamma"))
    assert decay.names == ("pi+", "S", "gamma")
    assert decay.daughters[1].names == ("A'", "A'")
    assert str(decay) == "K+ -> pi+ (S -> (A' -> e+ e-) (A' -> mu+ mu-)) gamma"


@pytest.mark.parametrize(
    "text",
    [
        "K+ -> pi+ (pi0 -> e+ e- gamma)",
        "K+->pi+(pi0->e+ e- gamma)",
        "  K+\t->\r\n\n pi+ ( pi0\u00a0->  e+ e-\tgamma\n)  ",
    ],
)
def test_any_white_space(text):
    assert parse(text) == Descriptor("K+", ("pi+", DALITZ))


@given(decays())
def test_what_is_written_is_read_again(decay):
    assert parse(str(decay)) == decay
    assert " ".join(str(decay).split()) == str(decay)


@given(decays(), st.randoms(use_true_random=False))
def test_white_space_does_not_matter(decay, rng):
    spaced = re.sub(r"->|[()]", lambda m: rng.choice(["", " ", "\n\t"]) + m[0] + rng.choice(["", "  "]), str(decay))
    assert parse(spaced.replace(" ", rng.choice(["  ", "\t", " \n "]))) == decay


@given(decays(), st.integers())
def test_the_key_forgets_the_order_at_each_level(decay, seed):
    other = shuffled(decay, random.Random(seed))
    assert other.key == decay.key
    assert {decay.key: 1}[other.key] == 1


@given(decays(), decays())
def test_the_key_forgets_nothing_else(one, other):
    assert (one.key == other.key) == (sorted_text(one) == sorted_text(other))


def test_keys_tell_decays_apart():
    texts = [
        "K+ -> pi+ pi0",
        "K+ -> pi+ (pi0 -> gamma gamma)",
        "K+ -> pi+ (pi0 -> e+ e- gamma)",
        "K+ -> pi+ gamma gamma",
        "K+ -> pi+ V (S -> e+ e-)",
        "K+ -> pi+ S (V -> e+ e-)",
        "K+ -> pi+ (S -> V (V -> e+ e-))",
        "K+ -> pi+ (V -> e+ e-) (V -> mu+ mu-)",
        "K+ -> pi+ (V -> e+ e-) (V -> e+ e-)",
    ]
    assert len({parse(text).key for text in texts}) == len(texts)
    assert parse("K+ -> pi0 e+ nu_e").key == parse("K+ -> nu_e pi0 e+").key
    assert parse("K+ -> pi0 e+ nu_e") != parse("K+ -> nu_e pi0 e+")


def test_every_process_of_the_catalogue_has_a_descriptor():
    for process in processes():
        assert str(parse(process.decay)) == process.decay


@pytest.mark.parametrize("text", ["K+ -> pi+ mu+ e-", "K+ -> mu+ anti-nu_e", "K+ -> pi- mu+ mu+"])
def test_lepton_number_may_be_violated(text):
    assert str(parse(text)) == text


# text, place of the caret, parts of the message
REFUSED = [
    ("", 0, ["expected a decay such as 'K+ -> ...'", "the end"]),
    ("   \n", 4, ["expected a decay such as 'K+ -> ...'", "the end"]),
    ("K+", 2, ["expected '->' after 'K+'", "found the end"]),
    ("K+ mu+ nu_mu", 3, ["expected '->' after 'K+'", "found 'mu+'"]),
    ("K+ => mu+ nu_mu", 3, ["expected '->' after 'K+'", "found '=>'"]),
    ("K+ --> mu+ nu_mu", 3, ["expected '->' after 'K+'", "found '-'"]),
    ("K+ - > mu+ nu_mu", 3, ["expected '->' after 'K+'", "found '-'"]),
    ("-> mu+ nu_mu", 0, ["expected a decay such as 'K+ -> ...'", "found '->'"]),
    ("K+ ->", 3, ["expected two daughters of 'K+' or more", "found none"]),
    ("K+ -> ", 3, ["expected two daughters of 'K+' or more", "found none"]),
    ("K+ -> pi+", 9, ["expected two daughters of 'K+' or more", "found only one"]),
    ("K+ -> pi+ (V -> )", 13, ["expected two daughters of 'V' or more", "found none"]),
    ("K+ -> pi+ (V -> gamma)", 21, ["expected two daughters of 'V' or more", "found only one"]),
    ("K+ -> pi+ (V)", 12, ["expected '->' after 'V'", "found ')'"]),
    ("K+ -> pi+ ()", 11, ["expected the particle that decays after '('", "found ')'"]),
    ("K+ -> pi+ (", 11, ["expected the particle that decays after '('", "found the end"]),
    ("K+ -> pi+ ((V -> e+ e-))", 11, ["expected the particle that decays after '('", "found '('"]),
    ("K+ -> pi+ (V -> e+ e-", 10, ["expected a ')' for this '('", "found the end"]),
    ("K+ -> pi+ (V ->", 10, ["expected a ')' for this '('", "found the end"]),
    ("K+ -> pi+ (S -> (V -> e+ e-) gamma", 10, ["expected a ')' for this '('"]),
    ("K+ -> pi+ (S -> (V -> e+ e- gamma", 16, ["expected a ')' for this '('"]),
    ("K+ -> mu+ nu_mu)", 15, ["this ')' closes nothing"]),
    ("K+ -> pi+ (V -> e+ e-)) gamma", 22, ["this ')' closes nothing"]),
    ("(K+ -> mu+ nu_mu)", 0, ["outermost decay stands without parentheses"]),
    ("K+ -> mu+ nu_mu -> e+", 16, ["expected a daughter of 'K+'", "found '->'"]),
    ("K+ -> -> mu+ nu_mu", 6, ["expected a daughter of 'K+'", "found '->'"]),
    ("K+ -> mu+ numu", 10, ["there is no particle 'numu'; did you mean 'nu_mu'?", "known: K+, mu+"]),
    ("K+ -> Mu+ nu_mu", 6, ["there is no particle 'Mu+'; did you mean 'mu+'?"]),
    ("K+ -> mu+ nu_mu (v -> e+ e-)", 17, ["there is no particle 'v'; did you mean 'V'?"]),
    ("K+ -> pi+ (S -> (A -> e+ e-) gamma)", 17, ["there is no particle 'A'"]),
    ("K- -> mu- anti-nu_mu", 0, ["there is no particle 'K-' (known: K+, "]),
    ("K+ -> mu+ nu_mu, gamma", 10, ["there is no particle 'nu_mu,'; did you mean 'nu_mu'?"]),
    ("K+ → mu+ nu_mu", 3, ["expected '->' after 'K+'", "found '→'"]),
    ("К+ -> mu+ nu_mu", 0, ["there is no particle 'К+'"]),  # the first letter is Cyrillic
    ("K+ -> μ+ nu_mu", 6, ["there is no particle 'μ+'"]),
    ("K+ -> mu+ \x00\x01", 10, [r"there is no particle '\x00\x01'"]),
    ("K+ -> mu+ \udcff", 10, [r"there is no particle '\udcff'"]),
    ("pi+ -> mu+ nu_mu", 0, ["expected the decay of K+", "found that of 'pi+'"]),
    ("K+ -> mu+ mu+", 0, ["charge is not conserved", "K+ has +1", "its daughters together +2"]),
    ("K+ -> e- e- nu", 0, ["charge is not conserved", "K+ has +1", "its daughters together -2"]),
    ("  K+ -> pi0 nu", 2, ["charge is not conserved", "K+ has +1", "its daughters together 0"]),
    ("K+ -> pi+ (V -> e+ gamma)", 11, ["charge is not conserved", "V has 0", "its daughters together +1"]),
    ("K+ -> pi+ (S -> (A' -> e- nu) gamma)", 17, ["charge is not conserved", "A' has 0", "its daughters together -1"]),
    ("K+ -> pi+ pi+ pi- pi0", 0, ["K+ is too light", "0.493677 GeV", "0.553688 GeV or more"]),
    ("K+ -> pi+ (pi0 -> mu+ mu- gamma)", 11, ["pi0 is too light", "0.134977 GeV", "0.211317 GeV or more"]),
    ("K+ -> mu+ nu_mu (gamma -> nu anti-nu)", 17, ["gamma is too light", "0 GeV"]),
    # a particle of unknown mass weighs at least what it decays to
    ("K+ -> mu+ nu_mu (V -> pi+ pi- pi0)", 0, ["K+ is too light", "0.519776 GeV or more"]),
    ("K+ -> pi+ (S -> (V -> mu+ mu-) (V -> mu+ mu-))", 0, ["K+ is too light", "0.562204 GeV or more"]),
]


@pytest.mark.parametrize(("text", "place", "parts"), REFUSED)
def test_a_refusal_says_what_and_where(text, place, parts):
    message = refused(text)
    said, above, quoted = pointed(message)
    assert said == place
    assert above == (text[place] if place < len(text) else "").replace("\x00", "\ufffd").replace("\udcff", "\ufffd")
    assert quoted == "  " + re.sub("[\x00\x01\udcff]", "\ufffd", text).replace("\n", " ")
    for part in parts:
        assert part in message.split("\n")[0]
    message.encode()  # can be printed


def test_masses_just_below_and_above_the_limit():
    """Four pions are too heavy by 60 MeV, three are not; what has no known mass and does not decay weighs nothing."""
    assert str(parse("K+ -> pi+ pi0 pi0")) == "K+ -> pi+ pi0 pi0"
    assert str(parse("K+ -> pi+ pi+ pi- V X chi anti-chi"))
    assert str(parse("K+ -> mu+ nu_mu (V -> (S -> mu+ mu-) gamma)"))


def test_other_parents():
    assert parse("pi0 -> gamma gamma", parent="pi0") == parse("pi0 -> gamma gamma", parent=None)
    assert parse("K+ -> mu+ nu_mu", parent=None).parent == "K+"
    message = refused("K+ -> mu+ nu_mu", parent="pi0")
    assert "expected the decay of pi0, found that of 'K+'" in message
    assert pointed(message)[0] == 0
    assert "expected a decay such as 'pi0 -> ...'" in refused("", parent="pi0")


def nested(levels):
    return "K+ -> pi+ gamma " + "(S -> gamma " * levels + "(V -> e+ e-)" + ")" * levels


def test_depth():
    decay = parse(nested(MAX_DEPTH - 1))
    assert parse(str(decay)) == decay
    hash(decay.key)
    for levels in (MAX_DEPTH, 1000, 100_000):
        text = nested(levels)
        message = refused(text)
        assert f"nested more than {MAX_DEPTH} deep" in message
        said, above, _ = pointed(message)
        assert (text[said], above) == ("(", "(")
        assert text[: said + 1].count("(") == MAX_DEPTH + 1
    assert "nested more than" in refused("K+ -> pi+ " + "(S -> " * 100_000)
    assert "closes nothing" in refused("K+ -> pi+ gamma " + ")" * 100_000)


def test_long_texts():
    """The message stays short, and the caret stays under the place."""
    text = "K+ -> pi+ " + "gamma " * 100_000
    assert len(parse(text).daughters) == 100_001
    for bad, place in ((text + "gama", len(text)), ("K+ -> " + "x" * 1_000_000, 6), (text + "-> " + text, len(text))):
        message = refused(bad)
        said, above, quoted = pointed(message)
        assert (said, above) == (place, bad[place])
        assert len(message) < 500
        assert quoted.startswith("  ...") == (place > 60)
        assert quoted.endswith("...") == (len(bad) > place + 40 or place < 60)
    assert "'" + "x" * 37 + "...'" in refused("K+ -> " + "x" * 1_000_000)


@given(st.text(max_size=400) | st.integers(0, 400).map("x".__mul__), st.integers(0, 400))
def test_a_quote_keeps_the_place(text, place):
    place = min(place, len(text))
    quoted, caret = quote(text, place).split("\n")
    shown, column = quoted[2:], caret.index("^") - 2
    if len(text) <= 100:
        assert (len(shown), column) == (len(text), place)
    else:
        assert 103 <= len(shown) <= 106
    if place < len(text):
        assert shown[column] == text[place] or not text[place].isprintable()
    else:
        assert column == len(shown)
    quoted.encode()


SCRAPS = st.sampled_from([*SPECIES, "->", "(", ")", " ", "\n", "-", ">", "K", "é", "\x00", "\ud800"])


@given(st.text() | st.lists(SCRAPS).map("".join) | st.lists(SCRAPS).map(lambda s: "K+ -> " + " ".join(s)))
def test_whatever_is_given_is_read_or_refused(text):
    try:
        decay = parse(text)
    except ProcessError as problem:
        said, above, _ = pointed(str(problem))
        assert 0 <= said <= len(text)
        assert above in (text[said : said + 1], " ", "\ufffd")
    else:
        assert parse(str(decay)) == decay


@given(decays(), st.data())
def test_a_character_lost_or_changed_is_no_disaster(decay, data):
    text = str(decay)
    place = data.draw(st.integers(0, len(text) - 1))
    scrap = data.draw(st.sampled_from(["", " ", "(", ")", "->", "x"]))
    try:
        other = parse(text[:place] + scrap + text[place + 1 :])
    except ProcessError as problem:
        pointed(str(problem))
    else:
        assert parse(str(other)) == other
