"""Decays by descriptor: which process answers, which parameters it gets, and what is refused and how."""

import re
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kaongen
from kaongen.decays.catalogue import find, processes
from kaongen.decays.chains import LONGEST, is_descriptor, resolve
from kaongen.decays.descriptor import Descriptor, parse
from kaongen.decays.final_state import final_state
from kaongen.decays.process import Parameter, Process, TwoBody
from kaongen.decays.rates import measured
from kaongen.errors import ProcessError
from kaongen.particles import M_K, Measured

PROCESSES = [process.name for process in processes()]


def parameters(process):
    return {p.name: p for p in process.parameters}


def refused(text):
    with pytest.raises(ProcessError) as caught:
        find(text)
    return str(caught.value)


def first_of(decay):
    """The process of the catalogue that answers for these daughters: the first that was registered."""
    return next(p.name for p in processes() if p.descriptor.key == parse(decay).key)


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_is_found_by_its_descriptor(name):
    """To the object: with its parameters, its amplitude and its rate."""
    process = find(name)
    assert find(process.decay) is find(first_of(process.decay))
    if process.chain:
        assert find(process.chain) is process


def test_daughters_of_two_processes():
    """Four muons and neutrinos of the Standard Model were there first; V has a chain of its own."""
    assert find("K+ -> mu+ nu_mu mu+ mu-").name == "munumumu"
    assert find("K+ -> mu+ nu_mu (V -> mu+ mu-)").name == "munuV-mumu"
    decays = [process.descriptor.key for process in processes()]
    assert {p.name for p in processes() if decays.count(p.descriptor.key) > 1} == {"munumumu", "munuV-mumu"}


@given(st.sampled_from(PROCESSES), st.randoms())
def test_the_order_of_daughters_and_white_space_do_not_matter(name, random):
    daughters = list(find(name).daughters)
    random.shuffle(daughters)
    text = "K+->" + "".join(random.choice([" ", "  ", "\t", "\n"]) + d for d in daughters) + random.choice(["", " "])
    assert find(text) is find(first_of(find(name).decay))


@pytest.mark.parametrize("daughters", list(permutations(("mu+", "nu_mu", "(V -> mu+ mu-)"))))
@pytest.mark.parametrize("inner", ["mu+ mu-", "mu- mu+"])
def test_a_chain_of_the_catalogue_is_preferred(daughters, inner):
    """It knows how V is polarised: no daughter decays on its own, and there is no lifetime to choose."""
    text = "K+ -> " + " ".join(daughters).replace("mu+ mu-", inner)
    process = find(text)
    assert process is find("munuV-mumu")
    assert list(parameters(process)) == ["m_X", "g"]
    assert final_state(process, process.values({"m_X": 0.25})).secondaries == ()


@pytest.mark.parametrize("daughters", list(permutations(("mu+", "nu_mu", "(phi -> gamma gamma)"))))
def test_daughters_keep_the_order_of_their_process(daughters):
    """One decay has one name, and so one stream of random numbers, however it was written."""
    process = find("K+ -> " + " ".join(daughters))
    assert process.name == process.decay == "K+ -> mu+ nu_mu (phi -> gamma gamma)"
    assert process.daughters == find("munuphi").daughters


def test_what_is_not_said_stays_as_it_is():
    """Dynamics, rate, reference and the parameters that there were, in their order and before the new ones."""
    stable, process = find("munuphi"), find("K+ -> mu+ nu_mu (phi -> e+ e-)")
    assert replace(process, name="", decay="K+ -> mu+ nu_mu phi", parameters=()) == replace(
        stable, name="", parameters=()
    )
    assert process.parameters[:-1] == stable.parameters
    given_values = {"m_X": 0.1, "y": 0.01}
    assert process.branching_fraction(process.values(given_values)) == stable.branching_fraction(
        stable.values(given_values)
    )


def test_the_lifetime_of_a_new_particle():
    """In ns; it decays at once if nothing is given, and must be given within reason."""
    process = find("K+ -> mu+ nu_mu (phi -> gamma gamma)")
    assert parameters(process)["tau_phi"] == Parameter(
        "tau_phi", 0.0, LONGEST, "mean life of phi; 0: it decays at once", "ns", default=0.0, of_daughter=True
    )
    assert process.values({"m_X": 0.2})["tau_phi"] == 0.0
    assert process.values({"m_X": 0.2, "tau_phi": 12})["tau_phi"] == 12.0
    for wrong in (-1e-9, 2 * LONGEST, float("inf"), float("nan")):
        with pytest.raises(ProcessError, match=r"tau_phi = .* ns is not allowed"):
            process.values({"m_X": 0.2, "tau_phi": wrong})
    assert find("munuphi") is find("K+ -> mu+ nu_mu phi"), "the catalogue is as it was"
    assert "tau_phi" not in parameters(find("munuphi"))


@pytest.mark.parametrize(
    ("decay", "lifetime"),
    [
        ("K+ -> pi+ (X -> e+ e-)", "tau_X"),
        ("K+ -> pi+ (S -> mu+ mu-)", "tau_S"),
        ("K+ -> pi+ (a -> gamma gamma)", "tau_a"),
        ("K+ -> mu+ nu_mu (V -> nu anti-nu)", "tau_V"),
        ("K+ -> e+ (N -> pi+ e-)", "tau_N"),
        ("K+ -> pi+ (a -> gamma gamma) (a -> e+ e-)", "tau_a"),
        ("K+ -> pi+ (a -> gamma gamma) a", "tau_a"),
    ],
)
def test_one_lifetime_for_each_new_particle(decay, lifetime):
    process = find(decay)
    stable = find(str(Descriptor("K+", parse(decay).names)))
    added = [p.name for p in process.parameters if p.name not in parameters(stable)]
    assert added == [lifetime]


@pytest.mark.parametrize(
    "decay",
    [
        "K+ -> (pi+ -> mu+ nu_mu) pi0",
        "K+ -> pi+ (pi0 -> e+ e- gamma)",
        "K+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu",
        "K+ -> pi+ pi+ (pi- -> mu- anti-nu_mu)",
        "K+ -> (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) (pi0 -> gamma gamma)",
    ],
)
def test_lifetimes_that_are_known_are_no_parameters(decay):
    process = find(decay)
    stable = find(str(Descriptor("K+", parse(decay).names)))
    assert process.parameters == stable.parameters
    assert process.decay == decay


def test_masses_of_new_particles_among_the_products():
    """A mass that must be given; A' loses its apostrophe, which no name can have."""
    process = find("K+ -> pi+ (X -> (A' -> e+ e-) A')")
    assert list(parameters(process)) == ["m_X", "BR", "tau_X", "m_A", "tau_A"]
    mass = parameters(process)["m_A"]
    assert (mass.minimum, mass.maximum, mass.unit, mass.default) == (0.0, M_K, "GeV", None)
    assert process.mass_of == {"X": "m_X", "A'": "m_A"}
    with pytest.raises(ProcessError, match="m_A is missing: mass of A'"):
        process.values({"m_X": 0.2})
    values = process.values({"m_X": 0.2, "m_A": 0.05})
    assert process.mass("A'", values) == 0.05
    assert process.mass("X", values) == 0.2
    assert process.masses(values)[1] == 0.2


def test_a_new_mass_does_not_take_the_name_of_another():
    """m_X is already the mass of phi in K+ -> mu+ nu_mu phi."""
    process = find("K+ -> mu+ nu_mu (phi -> X X)")
    assert process.mass_of["phi"] != process.mass_of["X"]
    assert parameters(process)[process.mass_of["phi"]] == parameters(find("munuphi"))["m_X"]


def test_the_same_particle_twice_has_one_mass():
    process = find("K+ -> pi+ (S -> N N)")
    assert [name for name in parameters(process) if name.startswith("m_")] == ["m_S", "m_N"]
    assert process.mass_of == {"S": "m_S", "N": "m_N"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("K+ -> pi+ a (a -> gamma gamma)", "K+ -> pi+ (a -> gamma gamma) a"),
        ("K+ -> a (a -> gamma gamma) pi+", "K+ -> pi+ (a -> gamma gamma) a"),
        ("K+ -> (a -> e+ e-) pi+ (a -> gamma gamma)", "K+ -> pi+ (a -> e+ e-) (a -> gamma gamma)"),
        ("K+ -> pi+ pi- (pi+ -> mu+ nu_mu)", "K+ -> (pi+ -> mu+ nu_mu) pi+ pi-"),
        ("K+ -> pi0 pi+ (pi0 -> e+ e- gamma)", "K+ -> pi+ (pi0 -> e+ e- gamma) pi0"),
        (
            "K+ -> (pi+ -> mu+ nu_mu) pi- (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu)",
            "K+ -> (pi+ -> mu+ nu_mu) (pi+ -> (mu+ -> e+ nu_e anti-nu_mu) nu_mu) pi-",
        ),
    ],
)
def test_of_like_daughters_those_that_decay_come_first(text, expected):
    """None is lost and none decays twice."""
    process = find(text)
    assert process.decay == expected
    assert parse(process.decay).key == parse(text).key
    values = process.values({name: 0.1 for name in ("m_a",) if name in parameters(process)})
    final = final_state(process, values, at_once=False)
    assert len(final.secondaries) == text.count("->") - 1
    assert len({s.parent for s in final.secondaries}) == len(final.secondaries)


INNER = st.recursive(
    st.sampled_from(["(a -> gamma gamma)", "(a -> e+ e-)", "(a -> nu anti-nu gamma)", "a"]),
    lambda inner: st.tuples(inner, inner, st.booleans()).map(
        lambda t: f"(a -> {t[0]} {t[1]})" if t[2] else f"(a -> {t[1]} gamma)"
    ),
    max_leaves=4,
)


@given(st.permutations(("pi+", "x", "y")), INNER, INNER)
def test_any_chain_is_the_one_that_was_asked_for(order, x, y):
    """Nested decays in any order: the same decay, and reading its name gives it again."""
    words = {"pi+": "pi+", "x": x, "y": y}
    text = "K+ -> " + " ".join(words[word] for word in order)
    process = find(text)
    if "(" not in text:
        assert process is find("piaa")
        return
    assert process.descriptor.key == parse(text).key
    again = find(process.name)
    assert again.descriptor.key == process.descriptor.key
    assert again.parameters == process.parameters
    assert list(parameters(process)) == ["m_a", "BR", "tau_a"]


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("munu", False),
        ("munuV-mumu", False),
        ("K+", False),
        ("K+ -> mu+ nu_mu", True),
        ("K+->mu+ nu_mu", True),
        ("K+ (pi0", True),
    ],
)
def test_what_is_meant_as_a_decay(text, yes):
    assert is_descriptor(text) is yes


def test_one_s_own_process_answers_for_its_daughters(monkeypatch):
    """Also with a chain of its own, which comes before daughters that decay by themselves."""
    from kaongen.decays import catalogue

    monkeypatch.setattr(catalogue, "_CATALOGUE", dict(catalogue._CATALOGUE))
    rate = measured(Measured(1e-9, 0.0, "invented"))
    kaongen.register(Process(name="own", decay="K+ -> e+ chi", dynamics=TwoBody(), rate=rate, reference="invented"))
    assert find("K+ -> chi e+").name == "own"
    chain = "K+ -> e+ (chi -> nu_e gamma)"
    kaongen.register(replace(find("enug"), name="own-chain", chain=chain))
    assert find("K+ -> (chi -> gamma nu_e) e+").name == "own-chain"
    assert find("K+ -> (chi -> gamma gamma) e+").name == "K+ -> e+ (chi -> gamma gamma)"


def test_only_what_was_handed_over_is_searched():
    munu = find("munu")
    assert resolve("K+ -> nu_mu mu+", [munu]) is munu
    with pytest.raises(ProcessError, match=re.escape("K+ -> pi+ pi0")):
        resolve("K+ -> pi+ pi0", [munu])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("K+ -> pi+ e+ mu-", ["no process has the daughters of K+ -> pi+ e+ mu-", "kaongen channels"]),
        ("K+ -> mu+ nu_mu gama", ["character 17", "'gama'", "did you mean 'gamma'"]),
        ("K+ -> mu+ nu_mu (phi -> gamma gama)", ["character 31", "did you mean 'gamma'"]),
        ("K+ -> mu+ nu_mu (phi -> gamma gamma", ["character 17", "expected a ')'"]),
        ("K+ -> mu+ nu_mu phi)", ["closes nothing"]),
        ("K+ -> mu+ nu_mu (phi -> gamma)", ["expected two daughters of 'phi' or more, found only one"]),
        ("K+ -> mu+ nu_mu (phi -> gamma e-)", ["charge is not conserved", "phi has 0", "-1"]),
        ("K+ -> (pi+ -> mu+ mu+ mu-)  pi0", ["pi+ is too light"]),
        ("pi0 -> gamma gamma", ["expected the decay of K+"]),
        ("K+ ->", ["expected two daughters"]),
        ("->", ["expected a decay such as 'K+ -> ...'"]),
        ("K+ -> pi0 pi0 pi0 pi+", ["K+ is too light"]),
    ],
)
def test_what_is_refused(text, parts):
    message = refused(text)
    for part in parts:
        assert part in message, message


def test_a_hint_for_a_decay_that_is_not_there():
    """The closest decay of the catalogue; what its daughters decay to is not compared."""
    assert "did you mean 'K+ -> pi+ mu+ mu-'" in refused("K+ -> pi+ mu+ mu- X")
    assert "no process has the daughters of K+ -> mu+ nu_mu S" in refused("K+ -> mu+ nu_mu (S -> gamma gamma)")


def test_a_name_that_is_misspelt_is_no_descriptor():
    message = refused("munuph")
    assert "there is no process 'munuph'" in message
    assert "did you mean 'munuphi'" in message


def test_too_light_at_the_values_that_were_given():
    """The descriptor cannot know; the process says it when its parameters are there."""
    process = find("K+ -> mu+ nu_mu (phi -> mu+ mu-)")
    with pytest.raises(ProcessError, match=r"phi of 0.2 GeV cannot decay to mu\+ mu-, which weigh 0.211317 GeV"):
        final_state(process, process.values({"m_X": 0.2}))
    with pytest.raises(ProcessError, match="cannot decay"):
        kaongen.sample(process, 10, values={"m_X": 0.2})
    assert len(kaongen.sample(process, 10, values={"m_X": 0.22})) == 10
