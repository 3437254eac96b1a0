"""Models, processes and files of one's own, and what is refused of them."""

import math

import pytest

from kaongen.decays.catalogue import find, processes, register
from kaongen.decays.process import Parameter, Process, Rate, TwoBody
from kaongen.errors import CardError, KaongenError, ProcessError
from kaongen.models.hnl import HeavyNeutralLepton
from kaongen.models.lmu_ltau import DarkMatter, LMuLTau
from kaongen.particles import M_MU
from kaongen.reach.ask import ask, read_masses, read_values
from kaongen.reach.catalogue import ENTRIES, find_model
from kaongen.reach.project import prepare
from kaongen.reach.settings import Reach
from kaongen.reach.user import import_file

CHANNELS = {"munuV": "mu", "munuphi": "mu", "muN": "mu", "munuV-mumu": "dimuon", "piX": "pion", "piS": "pion",
            "pia": "pion", "piaa": "pion"}  # fmt: skip
COUPLINGS = {"munuV": ("g", 2), "munuphi": ("y", 2), "muN": ("U2", 1), "munuV-mumu": ("g", 2), "piS": ("sin2_theta", 1),
             "pia": ("g_Y", 2)}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_every_model_of_the_table_can_be_asked_for(name):
    model = find_model(Reach(model=name))
    low, high = model.masses
    assert low < high
    assert all(low <= mass <= high for mass in model.scan)
    assert 0.0 < model.fraction(0.5 * (max(low, 0.22) + high)) <= 1.0


@pytest.mark.parametrize("name", CHANNELS)
def test_processes_find_their_search_and_coupling(name):
    model = find_model(Reach(model=name))
    assert model.channel == CHANNELS[name]
    assert ((c := model.coupling) and (c.name, c.power)) == COUPLINGS.get(name)


def test_processes_with_one_unknown_mass_are_models_unless_nothing_looks_for_them():
    unknown = {p.name for p in processes() if any(q.name.startswith("m_") and q.default is None for q in p.parameters)}
    assert unknown >= {"eN", *CHANNELS}
    for name in unknown - {"eN"}:
        assert find_model(Reach(model=name)).mass.startswith("m_")
    with pytest.raises(ProcessError, match=r"no search looks for e\+"):
        find_model(Reach(model="eN"))


def test_peaks_are_two_body_decays_and_pairs():
    peaks = {name: find_model(Reach(model=name)).is_peak for name in ENTRIES}
    assert peaks == {"lmu-ltau": False, "lmu-ltau-mumu": True, "muonic-scalar": False, "muonic-scalar-mumu": True,
                     "hnl": True, "dark-scalar": True, "alp": True}  # fmt: skip


def test_a_vector_is_invisible_below_two_muons_and_with_dark_matter_above():
    alone = find_model(Reach(model="lmu-ltau"))
    assert alone.fraction(0.15) == pytest.approx(1.0, abs=1e-4)
    muons = find_model(Reach(model="lmu-ltau-mumu"))
    assert alone.fraction(0.3) + muons.fraction(0.3) == pytest.approx(1.0, abs=1e-4)
    assert muons.fraction(0.2) == 0.0
    values = {"chi_over_v": 0.3, "chi_charge": 5.0, "chi": "dirac"}
    dark = find_model(Reach(model="lmu-ltau", values=values)).fraction(0.3)
    expected = LMuLTau(0.3, 1e-3, DarkMatter("dirac", 0.09, 5.0)).widths()
    muon, total = expected["mu+ mu-"], math.fsum(expected.values())
    assert dark == pytest.approx(1.0 - muon / total, abs=1e-4)
    assert dark > alone.fraction(0.3)
    assert find_model(Reach(model="lmu-ltau", decays="invisible")).fraction(0.3) == 1.0


def test_a_heavy_neutral_lepton_lives_with_its_mixing():
    model = find_model(Reach(model="hnl"))
    assert model.lifetime(0.3, 1e-8) == pytest.approx(HeavyNeutralLepton(0.3, u2_mu=1e-8, majorana=True).lifetime())
    dirac = find_model(Reach(model="hnl", values={"majorana": 0.0}))
    assert dirac.lifetime(0.3, 1e-8) == pytest.approx(2.0 * model.lifetime(0.3, 1e-8))
    # NA62-mu: longer than 50 ns is as good as stable, which holds far beyond any limit
    assert model.lifetime(0.38, 1e-7) > 1e3
    assert find_model(Reach(model="hnl", decays="invisible")).lifetime is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "dark-skalar"}, ("dark-skalar", "did you mean 'dark-scalar'")),
        ({"model": "munug"}, ("no unknown mass", "munug")),
        ({"model": "eN"}, ("no search looks for e+", "pion")),
        ({"model": "hnl", "channel": "pion"}, ("hnl", "mu", "pion")),
        ({"model": "hnl", "coupling": "g"}, ("no coupling 'g'", "U2")),
        ({"model": "muN", "coupling": "U3"}, ("no coupling 'U3'", "U2")),
        ({"model": "munuphi", "coupling": "m_X"}, ("m_X", "not proportional")),
        ({"model": "hnl", "values": {"majoran": 1.0}}, ("majoran", "majorana")),
        ({"model": "lmu-ltau", "values": {"chi_charge": 1.0}}, ("chi_charge", "chi_over_v")),
        ({"model": "lmu-ltau", "values": {"chi_over_v": 0.7}}, ("0.7", "0.5")),
        ({"model": "lmu-ltau", "values": {"chi_over_v": 0.3, "chi": "diraq"}}, ("diraq", "dirac")),
        ({"model": "lmu-ltau", "decays": "visible"}, ("lmu-ltau-mumu",)),
        ({"model": "muonic-scalar", "decays": "visible"}, ("momentum", "muonic-scalar-mumu")),
        ({"model": "lmu-ltau-mumu", "decays": "invisible"}, ("muons", "invisible")),
        ({"model": "piX", "decays": "visible"}, ("lifetime",)),
        ({"model": "piaa", "values": {"lifetime": 1.0}}, ("two particles",)),
        ({"model": "piX", "values": {"lifetime": -1.0}}, ("-1", "above 0")),
        ({"model": "hnl", "masses": (0.3, 0.4)}, ("m_N = 0.4", "0.165")),
        ({"model": "dark-scalar", "masses": (0.36,)}, ("m_S = 0.36", "0.353")),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_reason(settings, words):
    with pytest.raises(ProcessError) as problem:
        prepare(Reach(**settings))
    for word in words:
        assert word in str(problem.value)


def two_masses(name, rate):
    return Process(
        name=name,
        decay="K+ -> mu+ N",
        dynamics=TwoBody(),
        parameters=(
            Parameter("m_N", 0.0, 0.38, "mass of N", "GeV"),
            Parameter("m_W", 1.0, 100.0, "mass of a mediator", "GeV"),
            Parameter("g", 0.0, 1.0, "coupling", default=1e-2),
            Parameter("f", 0.0, 1.0, "another", default=0.5),
        ),
        mass_of={"N": "m_N"},
        rate=rate,
        reference="this test",
    )


def test_several_unknown_masses_and_couplings_must_be_told_apart():
    name = "reach-test-two-masses"
    if name not in {p.name for p in processes()}:
        register(two_masses(name, lambda p, v: Rate(1e-3 * v["g"] ** 2 * v["f"] / v["m_W"] ** 2, 0.0, "")))
    with pytest.raises(ProcessError, match=r"several unknown masses \(m_N, m_W\).*--set m_W"):
        find_model(Reach(model=name))
    # two couplings: none is chosen, either can be
    given = {"m_W": 10.0}
    assert find_model(Reach(model=name, values=given)).coupling is None
    for wanted, power in (("g", 2), ("f", 1)):
        model = find_model(Reach(model=name, values=given, coupling=wanted))
        assert (model.coupling.name, model.coupling.power) == (wanted, power)
        assert model.branching_fraction(0.2, 0.1) == pytest.approx(
            find(name).branching_fraction(find(name).values({"m_N": 0.2, "m_W": 10.0, wanted: 0.1})).value, rel=1e-9
        )
    with pytest.raises(ProcessError, match="no coupling: its limits are on the branching fraction"):
        find_model(Reach(model=name, values=given)).branching_fraction(0.2, 0.1)


OWN = """
from kaongen import Parameter, Process, TwoBody, register
from kaongen.decays.process import Rate
register(Process(
    name="reach-own", decay="K+ -> mu+ N", dynamics=TwoBody(),
    parameters=(Parameter("m_N", 0.0, 0.38, "mass", "GeV"), Parameter("k", 0.0, 1.0, "coupling", default=1e-3)),
    mass_of={"N": "m_N"}, rate=lambda p, v: Rate(0.25 * v["k"] ** 2, 0.0, "own"), reference="own"))
"""


def test_a_process_of_a_file_becomes_a_model(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    assert import_file(path) == ("reach-own",)
    model = find_model(Reach(model="reach-own"))
    assert (model.coupling.name, model.coupling.power, model.channel, model.is_peak) == ("k", 2, "mu", True)
    assert model.branching_fraction(0.2, 0.4) == pytest.approx(0.04)
    # twice is once too often
    with pytest.raises(ProcessError, match="exists already"):
        import_file(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", ("registers no process",)),
        ("a = 1\nb = a / 0\n", ("line 2", "ZeroDivisionError")),
        ("def f(:\n", ("line 1", "SyntaxError")),
        ("import sys\nsys.exit(3)\n", ("ends the program",)),
        ("from kaongen import find_process\n", ("ImportError",)),
    ],
)
def test_mistakes_of_a_file_are_one_message(tmp_path, text, words):
    path = tmp_path / "wrong.py"
    path.write_text(text)
    with pytest.raises(KaongenError) as problem:
        import_file(path)
    assert "\n" not in str(problem.value)
    for word in (str(path), *words):
        assert word in str(problem.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ProcessError, match="no such file"):
        import_file(tmp_path / "absent.py")


def test_masses_and_values_are_read():
    assert read_masses("0.2:0.3:0.05") == pytest.approx((0.2, 0.25, 0.3))
    assert read_masses("0.2,0.1") == pytest.approx((0.2, 0.1))
    assert read_values(["a=1e-3", " kind = dirac "]) == {"a": 1e-3, "kind": "dirac"}
    for wrong in ("0.2:0.3", "x", "0.3:0.2:0.1", "0.1:0.2:0", "nan", ""):
        with pytest.raises(CardError, match="--masses"):
            read_masses(wrong)
    for wrong in ("a", "=1", "a="):
        with pytest.raises(CardError, match="--set"):
            read_values([wrong])


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [("background", "simulatd", "--background"), ("kaons", -1.0, "--kaons"), ("systematic", 2.0, "--systematic"),
     ("confidence_level", 1.0, "--cl"), ("method", "bayes", "--method"), ("search", "tau", "--search")],
)  # fmt: skip
def test_options_that_are_not_allowed(option, value, word):
    with pytest.raises(CardError, match=word):
        ask("hnl", **{option: value})


def test_options_become_settings():
    settings = ask("hnl", visible=False, method="asymptotics", masses="0.2,0.3", values=["majorana=0"])
    assert (settings.decays, settings.method, settings.masses) == ("invisible", "asymptotics", (0.2, 0.3))
    assert ask("hnl").decays == "model"
    assert ask("hnl", visible=True).decays == "visible"
    assert find_model(ask("muonic-scalar-mumu")).masses[0] > 2.0 * M_MU
