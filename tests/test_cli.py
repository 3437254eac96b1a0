"""The command line: fixed forms for programs, words for people, and for every mistake one message and exit code 2."""

import json
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import version

import h5py
import pytest

from kaongen import cli
from kaongen.decays.catalogue import processes

CARD = """
[run]
name = "small"
seed = 3

[[sample]]
process = "munu"
role = "normalisation"
candidates = 20_000

[[sample]]
process = "munug"
role = "background"
candidates = 100_000

[[sample]]
name = "V-100"
process = "munuV"
role = "signal"
candidates = 20_000
parameters = { m_X = 0.1 }
"""


@pytest.fixture
def kaongen(monkeypatch, capsys):
    """Run a command in this process: exit code, stdout, stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["kaongen", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def refused(kaongen):
    """A command that must fail: exit code 2, nothing on stdout, one message that holds the given words."""

    def call(*arguments, words=()):
        code, out, err = kaongen(*arguments)
        assert code == 2, (out, err)
        assert out == ""
        assert "Traceback" not in err
        flat = " ".join(err.replace("│", " ").split())
        for word in words:
            assert word in flat
        return err

    return call


@pytest.fixture(scope="module")
def run_directory(tmp_path_factory):
    """A run made by the command itself; with its answer."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "small.toml").write_text(CARD)
    arguments = ["run", str(folder / "small.toml"), "-o", str(folder / "small"), "--json", "--threads", "2"]
    program = "import sys; from kaongen.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "small", done


COMMANDS = (
    "run",
    "analyse",
    "channels",
    "rate",
    "mixture",
    "limit",
    "inspect",
    "validate",
    "schema",
    "warmup",
    "bench",
)


def test_the_commands_are_listed(kaongen):
    code, out, _ = kaongen("--help")
    assert code == 0
    for command in COMMANDS:
        assert command in out


@pytest.mark.parametrize("command", [[c] for c in COMMANDS] + [["limit", "counting"]], ids=" ".join)
def test_every_command_explains_itself(kaongen, command):
    code, out, _ = kaongen(*command, "--help")
    assert code == 0
    assert "Usage" in out


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("run", ["-n", "-o", "--seed", "--threads", "--resume", "--overwrite", "--quiet", "--json"]),
        ("analyse", ["--json"]),
        ("channels", ["--json"]),
        ("rate", ["--set", "--json"]),
        ("mixture", ["--dec", "--json"]),
        ("inspect", ["--json"]),
        ("validate", ["--json"]),
        ("warmup", ["--json"]),
        ("bench", ["--threads", "--json"]),
    ],
)
def test_options_that_programs_rely_on(kaongen, command, options):
    _, out, _ = kaongen(command, "--help")
    for option in options:
        assert option in out


HEAVY = """
import sys
from kaongen.cli import main
sys.argv = ["kaongen", "--help"]
try:
    main()
except SystemExit:
    pass
import kaongen
heavy = ("numba", "h5py", "matplotlib", "numpy", "scipy", "pydantic")
print(*(name for name in heavy if name in sys.modules), file=sys.stderr)
"""


def test_help_waits_for_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert done.stderr.split() == []


@pytest.mark.parametrize("arguments", [["bogus"], ["run"], ["rate"], ["limit", "counting"], ["run", "x", "--what"]])
def test_commands_that_do_not_exist_are_refused(refused, arguments):
    refused(*arguments)


# channels, rate, limit


def test_channels_as_json(kaongen):
    code, out, _ = kaongen("channels", "--json")
    assert code == 0
    rows = json.loads(out)
    assert [row["name"] for row in rows] == [process.name for process in processes()]
    for row in rows:
        assert row.keys() >= {"name", "daughters", "branching_fraction", "parameters", "reference"}
        assert all(isinstance(name, str) for name in row["daughters"])
        for parameter in row["parameters"]:
            assert parameter["minimum"] < parameter["maximum"]
    by_name = {row["name"]: row for row in rows}
    assert by_name["munu"]["branching_fraction"] == pytest.approx(0.6356, abs=0.0011)
    assert by_name["munuV"]["branching_fraction"] is None
    assert [p["name"] for p in by_name["munuV"]["parameters"]] == ["m_X", "g"]


def test_channels_as_text(kaongen):
    code, out, _ = kaongen("channels")
    assert code == 0
    for process in processes():
        assert process.name in out
    assert "0.6356" in out


def test_all_about_one_process(kaongen):
    code, out, _ = kaongen("channels", "munug")
    assert code == 0
    for fragment in ("K+ -> mu+ nu_mu gamma", "0.004247", "Bijnens", "E_gamma_min", "F_V_slope", "0.0945", "GeV"):
        assert fragment in out
    code, out, _ = kaongen("channels", "munug", "--json")
    assert code == 0
    row = json.loads(out)
    assert row["name"] == "munug"
    assert [p["name"] for p in row["parameters"]] == ["E_gamma_min", "F_V", "F_V_slope", "F_A"]
    assert row == next(r for r in json.loads(kaongen("channels", "--json")[1]) if r["name"] == "munug")


def test_a_process_that_covers_a_chain_says_so(kaongen):
    for asked in ("munuV-mumu", "K+ -> mu+ nu_mu (V -> mu+ mu-)"):
        code, out, _ = kaongen("channels", asked)
        assert code == 0
        assert "K+ -> mu+ nu_mu (V -> mu+ mu-)" in out
        row = json.loads(kaongen("channels", asked, "--json")[1])
        assert (row["name"], row["decay"]) == ("munuV-mumu", "K+ -> mu+ nu_mu mu+ mu-")
        assert row["chain"] == "K+ -> mu+ nu_mu (V -> mu+ mu-)"


def test_all_about_a_chain(kaongen):
    """It has the parameters of its process, and those of what decays."""
    code, out, _ = kaongen("channels", "K+ -> pi+ (a -> e+ e-)")
    assert code == 0
    for fragment in ("K+ -> pi+ (a -> e+ e-)", "m_a", "must be given", "g_Y", "tau_a", "ns"):
        assert fragment in out
    row = json.loads(kaongen("channels", "K+->pi+(a->e+ e-)", "--json")[1])
    assert row["decay"] == "K+ -> pi+ (a -> e+ e-)"
    assert row["branching_fraction"] is None
    assert [p["name"] for p in row["parameters"]] == ["m_a", "g_Y", "tau_a"]
    assert row["parameters"][2] | {"description": ""} == {
        "name": "tau_a", "minimum": 0.0, "maximum": 1e6, "default": 0.0, "unit": "ns", "description": "",
    }  # fmt: skip


DALITZ = "K+ -> pi+ (pi0 -> e+ e- gamma)"
DALITZ_FRACTION = 0.2067 * 0.01174
"""Particle Data Group 2026."""


def test_the_rate_of_a_chain_counts_its_decays(kaongen):
    rate = json.loads(kaongen("rate", DALITZ, "--json")[1])
    assert rate["decay"] == DALITZ
    assert rate["branching_fraction"] == pytest.approx(DALITZ_FRACTION, rel=1e-9)
    assert rate["uncertainty"] == pytest.approx(0.0008 * 0.01174, rel=1e-9)
    code, out, _ = kaongen("rate", DALITZ)
    assert code == 0
    assert out.startswith(f"BR({DALITZ}) = 0.002427 ± 9.4e-06\n")
    # one of the two pi0, either of them
    two = json.loads(kaongen("rate", "K+ -> pi+ (pi0 -> e+ e- gamma) (pi0 -> gamma gamma)", "--json")[1])
    assert two["branching_fraction"] == pytest.approx(2 * 0.01174 * 0.98823 * 0.0176, rel=1e-9)
    # nobody says what an axion does
    plain = json.loads(kaongen("rate", "pia", "--set", "m_a=0.1", "--json")[1])
    chain = json.loads(kaongen("rate", "K+ -> pi+ (a -> e+ e-)", "--set", "m_a=0.1", "--set", "tau_a=2", "--json")[1])
    assert chain["branching_fraction"] == plain["branching_fraction"] > 0.0
    assert chain["parameters"] == {"m_a": 0.1, "g_Y": 1e-4, "tau_a": 2.0}


def test_channels_and_rate_agree_about_a_chain(kaongen):
    rate = json.loads(kaongen("rate", DALITZ, "--json")[1])
    row = json.loads(kaongen("channels", DALITZ, "--json")[1])
    assert row["branching_fraction"] == pytest.approx(rate["branching_fraction"], rel=1e-12)
    assert row["branching_fraction_error"] == pytest.approx(rate["uncertainty"], rel=1e-12)


@pytest.mark.parametrize("command", ["channels", "rate"])
@pytest.mark.parametrize(
    ("decay", "place", "words"),
    [
        ("K+ -> pi+ (pi0 -> e+ e- gamma", 11, ["expected a ')' for this '('"]),
        ("K+ -> pi+ pi-", 1, ["charge is not conserved"]),
        ("K+ -> mu+ nu_mu (W -> mu+ mu-)", 18, ["there is no particle 'W'"]),
        ("K+ -> pi+ (a", 13, ["expected '->' after 'a', found the end"]),
        ("pi+ -> mu+ nu_mu", 1, ["expected the decay of K+"]),
        ("K+ -> pi+ pi0)", 14, ["closes nothing"]),
        ("K+ ->", 4, ["found none"]),
    ],
)
def test_a_decay_that_cannot_be_is_shown_with_its_place(refused, command, decay, place, words):
    """The last line is a caret under the character that is wrong."""
    err = refused(command, decay, words=[f"decay descriptor, character {place}", *words])
    assert err.splitlines()[-2:] == [f"  {decay}", f"  {' ' * (place - 1)}^"]


def test_decays_of_no_process_are_refused(refused):
    refused("channels", "K+ -> e+ mu+ mu- nu", words=["no process has the daughters", "did you mean 'K+ -> "])
    refused("channels", "munuG", words=["there is no process 'munuG'", "did you mean 'munug'"])
    light = ["--set", "m_S=0.2"]
    refused("rate", "K+ -> pi+ (S -> mu+ mu-)", *light, words=["S of 0.2 GeV cannot decay to mu+ mu-", "0.211317 GeV"])


# mixture


def test_natural_decays_as_json(kaongen):
    code, out, _ = kaongen("mixture", "--json")
    assert code == 0
    mixture = json.loads(out)
    assert mixture["name"] == "natural"
    assert mixture["sum"] == pytest.approx(1.0, abs=3 * mixture["sum_error"])
    assert 0.0005 < mixture["sum_error"] < 0.003
    assert mixture["sum"] == pytest.approx(sum(c["fraction"] for c in mixture["components"]), rel=1e-12)
    by_name = {c["process"]: c for c in mixture["components"]}
    assert len(by_name) == len(mixture["components"])
    assert by_name["munu"]["fraction"] + by_name["munug"]["fraction"] == pytest.approx(0.6356, rel=1e-9)
    assert by_name["munug"]["parameters"]["E_gamma_min"] == 0.01
    assert all(c.keys() >= {"decay", "fraction_error", "source"} for c in by_name.values())


def test_natural_decays_as_text(kaongen):
    code, out, _ = kaongen("mixture")
    assert code == 0
    for fragment in ("K+ -> mu+ nu_mu", "pipi0pi0", "0.05583 ± 0.00024", "Particle Data Group", "samples divide by it"):
        assert fragment in out


def test_natural_decays_as_a_table_and_back(kaongen, tmp_path):
    code, out, _ = kaongen("mixture", "--dec")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Decay K+"
    assert lines[-1] == "Enddecay"
    written = {tuple(line.split()[1:-1]): float(line.split()[0]) for line in lines[1:-1]}
    natural = json.loads(kaongen("mixture", "--json")[1])
    for c in natural["components"]:
        daughters = tuple(c["decay"].split()[2:])
        assert written.pop(daughters) == pytest.approx(c["fraction"] / natural["sum"], rel=1e-12)
    assert not written
    (tmp_path / "again.dec").write_text(out)
    again = json.loads(kaongen("mixture", tmp_path / "again.dec", "--json")[1])
    assert again["name"] == "again"
    assert {c["process"] for c in again["components"]} == {c["process"] for c in natural["components"]}
    assert again["sum"] == pytest.approx(1.0, abs=1e-12)
    fractions = {c["decay"]: c["fraction"] / natural["sum"] for c in natural["components"]}
    assert {c["decay"]: c["fraction"] for c in again["components"]} == pytest.approx(fractions, rel=1e-12)


MINE = """
Decay K+
  0.7 mu+ nu_mu SLN;
  0.2 pi0 mu+ nu_mu PHSP;
  0.1 mu+ nu_e e+ e- PHSP;
Enddecay
"""


def test_a_table_of_ones_own(kaongen, tmp_path):
    """What the catalogue has not is phase space."""
    path = tmp_path / "mine.dec"
    path.write_text(MINE)
    code, out, _ = kaongen("mixture", path, "--json")
    assert code == 0
    mixture = json.loads(out)
    assert [(c["process"], c["fraction"]) for c in mixture["components"]] == [
        ("munu", 0.7), ("pi0munu", 0.2), ("mu+-nu_e-e+-e-", 0.1),
    ]  # fmt: skip
    assert [c["decay"] for c in mixture["components"]][-1] == "K+ -> mu+ nu_e e+ e-"
    assert all(c["source"] == str(path) for c in mixture["components"])
    code, out, _ = kaongen("mixture", path)
    assert code == 0
    assert "K+ -> mu+ nu_e e+ e-" in out
    assert "sum 1;" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["cannot be read"]),
        ("", ["has no decays of K+"]),
        ("Decay K+\n 1.0 mu+ mu- PHSP;\nEnddecay\n", ["charge is not conserved"]),
        ("Decay K+\n 1.0 mu+ nu_mo SLN;\nEnddecay\n", ["nu_mo"]),
        ("Decay K+\n 1.5 mu+ nu_mu SLN;\nEnddecay\n", ["1.5"]),
        ("Decay K+\n 1.0 mu+ nu_mu\n", []),
    ],
)
def test_tables_that_cannot_be_are_refused(refused, tmp_path, text, words):
    path = tmp_path / "bad.dec"
    if text is not None:
        path.write_text(text)
    for more in ([], ["--json"], ["--dec"]):
        refused("mixture", path, *more, words=["bad.dec", *words])


def test_rate_as_json(kaongen):
    code, out, _ = kaongen("rate", "munuV", "--set", "m_X=0.1", "--set", "g=1e-3", "--json")
    assert code == 0
    rate = json.loads(out)
    assert rate.keys() >= {"branching_fraction", "uncertainty"}
    assert rate["parameters"] == {"m_X": 0.1, "g": 1e-3}
    assert 0.0 < rate["uncertainty"] < 0.01 * rate["branching_fraction"]
    four = json.loads(kaongen("rate", "munuV", "--set", "m_X=0.1", "--set", "g=2e-3", "--json")[1])
    assert four["branching_fraction"] == pytest.approx(4.0 * rate["branching_fraction"], rel=1e-12)


def test_rate_as_text(kaongen):
    code, out, _ = kaongen("rate", "munu")
    assert code == 0
    assert out.startswith("BR(K+ -> mu+ nu_mu) = 0.6356 ± 0.0011\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["munuv"], ["there is no process 'munuv'", "did you mean 'munuV'", "pi0munu"]),
        (["munuV"], ["m_X is missing", "0.001 to 0.387519 GeV"]),
        (["munuV", "--set", "m_X=0.39"], ["m_X = 0.39 GeV", "0.387519", "m_K - m_mu"]),
        (["munuV", "--set", "m_X=-0.1"], ["m_X = -0.1 GeV"]),
        (["munuV", "--set", "m_X=nan"], ["m_X = nan"]),
        (["munuV", "--set", "m_X=heavy"], ["--set 'm_X=heavy'", "name=value"]),
        (["munuV", "--set", "m_X"], ["--set 'm_X'", "name=value"]),
        (["munuV", "--set", "m_x=0.1"], ["no parameter 'm_x'", "did you mean 'm_X'"]),
        (["munu", "--set", "g=1"], ["munu has no parameter 'g'", "none"]),
        (["muN", "--set", "m_N=0.1", "--set", "U2=2"], ["U2 = 2", "between 0 and 1"]),
    ],
)
def test_rates_that_cannot_be_are_refused(refused, arguments, words):
    refused("rate", *arguments, words=words)
    refused("rate", *arguments, "--json", words=words)


LIMIT = ["limit", "counting", "--observed", 6894, "--background", 7549, "--background-error", 928, "--cl", 0.9]


def test_the_published_limit_as_json(kaongen):
    """NA62, Phys. Lett. B 816 (2021) 136259: 1184 events observed, 1526 expected, at 90% CL."""
    code, out, _ = kaongen(*LIMIT, "--json")
    assert code == 0
    limit = json.loads(out)
    assert limit.keys() >= {"observed", "expected", "bands"}
    assert limit["observed"] == pytest.approx(1184, rel=0.01)
    assert limit["expected"] == pytest.approx(1526, rel=0.01)
    assert limit["bands"].keys() == {"-2", "-1", "+1", "+2"}


def test_the_published_limit_as_text(kaongen):
    code, out, _ = kaongen(*LIMIT)
    assert code == 0
    assert "observed limit at 90% CL: 1186" in out
    assert "expected (median): 1533" in out


def test_an_experiment_still_to_come_has_no_observed_limit(kaongen):
    limit = json.loads(kaongen("limit", "counting", "--background", 3, "--json")[1])
    assert limit["observed"] is None
    assert limit["expected"] > 0.0
    assert "observed" not in kaongen("limit", "counting", "--background", 3)[1]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--background", "-1"], "background"),
        (["--background", "nan"], "background"),
        (["--background", "inf"], "background"),
        (["--background", "many"], "background"),
        (["--background", "1", "--observed", "-1"], "observed"),
        (["--background", "1", "--observed", "1.5"], "observed"),
        (["--background", "1", "--background-error", "-1"], "background"),
        (["--background", "1", "--cl", "1"], "confidence"),
        (["--background", "1", "--cl", "90"], "confidence"),
        (["--background", "1", "--cl", "nan"], "confidence"),
    ],
)
def test_impossible_counts_are_refused(refused, arguments, word):
    refused("limit", "counting", *arguments, words=[word])


# run, analyse, inspect, validate


def test_a_run_prints_its_result_and_nothing_else(run_directory):
    directory, done = run_directory
    result = json.loads(done.stdout)
    assert result == json.loads((directory / "result.json").read_text())
    assert "done: 100% of 140,000 candidates" in done.stderr
    assert {p.name for p in directory.iterdir()} == {
        "card.json", "manifest.json", "plots", "report.html", "result.json", "shards", "tables",
    }  # fmt: skip


def test_a_run_in_words(kaongen, tmp_path, monkeypatch):
    """Without -o the run's name is the directory; the numbers of the paper stand beside ours."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(CARD)
    code, out, err = kaongen("run", "small.toml", "-n", 5000)
    assert code == 0
    assert (tmp_path / "small" / "result.json").exists()
    for fragment in ("input", "tuned", "prediction", "0.302", "V-100", "kaongen inspect small"):
        assert fragment in out
    assert "done" in err
    code, out, err = kaongen("run", "small.toml", "-n", 5000, "--overwrite", "--quiet", "--seed", 4)
    assert code == 0
    assert err == ""
    assert json.loads((tmp_path / "small" / "result.json").read_text())["seed"] == 4


def test_analyse_gives_the_same_result(kaongen, run_directory):
    directory, done = run_directory
    before = (directory / "result.json").read_bytes()
    code, out, _ = kaongen("analyse", directory, "--json")
    assert code == 0
    assert json.loads(out) == json.loads(done.stdout)
    assert (directory / "result.json").read_bytes() == before
    assert "prediction" in kaongen("analyse", directory)[1]


def test_inspect_a_run(kaongen, run_directory):
    directory, _ = run_directory
    code, out, _ = kaongen("inspect", directory, "--json")
    assert code == 0
    summary = json.loads(out)
    assert summary["kind"] == "run"
    assert summary["complete"] is True
    assert summary["missing"] == []
    assert [s["info"]["name"] for s in summary["samples"]] == ["munu", "munug", "V-100"]
    assert [s["tally"]["candidates"] for s in summary["samples"]] == [20_000, 100_000, 20_000]
    code, out, _ = kaongen("inspect", directory)
    assert code == 0
    for fragment in ("munug", "V-100", "100,000", "m2_miss", "seed", "GeV^2"):
        assert fragment in out


def test_inspect_a_shard(kaongen, run_directory):
    shard = run_directory[0] / "shards" / "V-100-00000.h5"
    summary = json.loads(kaongen("inspect", shard, "--json")[1])
    with h5py.File(shard) as file:
        names, rows = list(file["events"]), len(file["events/index"])
    assert summary["kind"] == "shard"
    assert [c["name"] for c in summary["samples"][0]["columns"]] == names
    assert summary["samples"][0]["rows"] == rows
    code, out, _ = kaongen("inspect", shard)
    assert code == 0
    assert f"{rows:,}" in out


def test_inspect_says_what_is_missing(kaongen, run_directory, tmp_path):
    shutil.copytree(run_directory[0], tmp_path / "run")
    (tmp_path / "run/shards/munu-00000.h5").unlink()
    summary = json.loads(kaongen("inspect", tmp_path / "run", "--json")[1])
    assert summary["complete"] is False
    assert summary["missing"] == [{"sample": "munu", "first": 0, "stop": 20_000}]
    code, out, _ = kaongen("inspect", tmp_path / "run")
    assert code == 0
    assert "missing: munu" in out


def test_what_is_valid_is_called_so(kaongen, run_directory):
    for path in (run_directory[0], run_directory[0] / "shards/munu-00000.h5", "na62-muon"):
        code, out, _ = kaongen("validate", path)
        assert (code, out) == (0, f"{path}: valid\n")
        code, out, _ = kaongen("validate", path, "--json")
        assert code == 0
        assert json.loads(out) == {"path": str(path), "valid": True, "problems": []}


def damaged(directory, kind):
    """A copy of a shard, broken."""
    good = (directory / "shards/munu-00000.h5").read_bytes()
    path = directory.parent / f"{kind}.h5"
    if kind == "foreign":
        with h5py.File(path, "w") as file:
            file["events/px"] = [1.0, 2.0]
    else:
        path.write_bytes(
            {
                "truncated": good[: len(good) // 2],
                "empty": b"",
                "text": b"K+ -> mu+ nu\n" * 100,
                "flipped": good[: len(good) // 2] + bytes([good[len(good) // 2] ^ 1]) + good[len(good) // 2 + 1 :],
            }[kind]
        )
    return path


@pytest.mark.parametrize("kind", ["truncated", "empty", "text", "foreign", "flipped"])
def test_files_that_are_not_ours_are_named(kaongen, refused, run_directory, kind):
    path = damaged(run_directory[0], kind)
    if kind != "flipped":  # only who reads all the columns can see that
        refused("inspect", path, words=[path.name])
        refused("inspect", path, "--json", words=[path.name])
    code, out, err = kaongen("validate", path)
    assert code == 2
    assert path.name in out
    assert "Traceback" not in out + err
    code, out, _ = kaongen("validate", path, "--json")
    assert code == 2
    answer = json.loads(out)
    assert answer["valid"] is False
    assert path.name in answer["problems"][0]


@pytest.mark.parametrize("command", ["inspect", "analyse"])
def test_directories_without_a_run_are_named(refused, tmp_path, command):
    refused(command, tmp_path, words=[tmp_path.name, "manifest.json"])
    refused(command, tmp_path / "nowhere", words=["nowhere"])
    refused(command, "x" * 5000)


def test_what_is_not_there_is_not_valid(kaongen, refused, tmp_path):
    code, out, _ = kaongen("validate", tmp_path / "nowhere.h5")
    assert code == 2
    assert "nowhere.h5" in out
    refused("validate", tmp_path / "nowhere.toml", words=["nowhere.toml"])
    assert kaongen("validate", "x" * 5000)[0] == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed = 3", "sede = 3", ["run.sede", "did you mean 'seed'"]),
        ("m_X = 0.1", "m_X = 0.4", ["V-100", "m_X = 0.4", "0.387519"]),
        ("candidates = 20_000", "candidates = -1", ["sample[0].candidates = -1"]),
        ("candidates = 20_000", "", ["sample[0].candidates", "missing"]),
        ('process = "munug"', 'process = "munuG"', ["munuG", "did you mean 'munug'"]),
        ('role = "normalisation"', 'role = "signal"', ["normalisation"]),
        ("[run]", "[run", ["bad.toml is not TOML"]),
        ("[run]", "[detector]\nchanges = { 'lkr.x' = 1.0 }\n[run]", ["lkr.x"]),
        ("[run]", "[detector]\nchanges = { 'chod.radii' = [[1.0], [1.0, 2.0]] }\n[run]", ["chod.radii"]),
        ("20_000", "1" * 5000, ["bad.toml"]),
    ],
)
def test_a_bad_card_writes_nothing(refused, tmp_path, monkeypatch, old, new, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text(CARD.replace(old, new, 1))
    refused("run", "bad.toml", words=words)
    refused("validate", "bad.toml", words=words)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-n", "0"], "-n"),
        (["-n", "-5"], "-n"),
        (["-n", "ten"], "-n"),
        (["--seed", "-1"], "--seed"),
        (["--seed", str(2**63)], "seed"),
        (["--threads", "0"], "--threads"),
        (["--resume", "--overwrite"], "--resume"),
    ],
)
def test_bad_options_write_nothing(refused, tmp_path, monkeypatch, arguments, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(CARD.replace("0_000", "0"))
    refused("run", "small.toml", *arguments, words=[word])
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


def test_an_unknown_card_gets_a_suggestion(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("run", "na62-moun", words=["'na62-moun'", "did you mean 'na62-muon'"])
    refused("run", "absent.toml", words=["absent.toml"])
    refused("run", "x" * 5000)
    assert not list(tmp_path.iterdir())


# schema, warmup, bench


@pytest.mark.parametrize("name", ["card", "event-file", "manifest", "result"])
def test_schemas_are_printed(kaongen, name):
    code, out, _ = kaongen("schema", name)
    assert code == 0
    schema = json.loads(out)
    assert schema["$id"].startswith(f"kaongen/{name}-")
    assert json.loads(kaongen("schema")[1])[name] == schema


def test_an_unknown_schema_is_refused(refused):
    refused("schema", "cards", words=["cards", "event-file"])


def test_schemas_are_written_where_asked(kaongen, refused, tmp_path):
    code, out, _ = kaongen("schema", "-o", tmp_path / "schemas")
    assert code == 0
    assert len(out.splitlines()) == 4
    (tmp_path / "file").write_text("mine")
    refused("schema", "-o", tmp_path / "file", words=["file"])
    assert (tmp_path / "file").read_text() == "mine"


def test_warmup_says_where(kaongen):
    code, out, _ = kaongen("warmup", "--json")
    assert code == 0
    assert json.loads(out).keys() >= {"seconds", "cache"}


@pytest.mark.slow
def test_bench_as_json(kaongen, monkeypatch):
    code, out, _ = kaongen("bench", "--threads", 2, "--repeats", 1, "--json")
    assert code == 0
    answer = json.loads(out)
    assert (answer["threads"], answer["repeats"]) == (2, 1)
    assert all(value > 0.0 for value in answer["nanoseconds_per_decay"].values())


# what surrounds a program


def outside(*arguments, **settings):
    program = "import sys; from kaongen.cli import main; main()"
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, **settings)


def test_a_bad_block_size_is_one_message(monkeypatch):
    monkeypatch.setenv("KAONGEN_BLOCK", "100")
    done = outside("rate", "munu")
    assert done.returncode == 2
    assert "KAONGEN_BLOCK='100'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error():
    program = f"{sys.executable} -c 'from kaongen.cli import main; main()' schema | head -c 10"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {program}"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_version_is_that_of_the_package(kaongen):
    code, out, _ = kaongen("--version")
    assert (code, out.strip()) == (0, version("kaongen"))


def test_an_event_is_shown_and_drawn(kaongen, tmp_path):
    code, out, _ = kaongen("show", "na62-muon/pipipi:43", "-o", tmp_path / "drawn")
    assert code == 0
    assert "candidate 43 of pipipi" in out
    assert "Reconstruction" in out
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["pipipi-43.png", "pipipi-43.svg"]


def test_the_history_of_an_event_as_json(kaongen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = kaongen("show", "na62-muon/munu:3", "--json")
    history = json.loads(out)
    assert code == 0
    assert (history["origin"]["sample"], history["origin"]["index"], history["files"]) == ("munu", 3, [])
    assert {"kaon", "particles", "steps", "reconstruction", "cuts", "weight", "verdict"} <= history.keys()
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("event", ["na62-muon/munuu:3", "na62-muon/munu:1000000", "na62-muon:3", "nothing"])
def test_what_cannot_be_shown(refused, event):
    refused("show", event, words=(event.partition(":")[0].partition("/")[0],))


def test_the_response_is_drawn(kaongen, tmp_path):
    code, out, _ = kaongen("show", "response", "--configuration", "na62-2015", "-o", tmp_path / "drawn")
    assert code == 0
    names = {path.name for path in (tmp_path / "drawn").iterdir()}
    assert {"response.png", "numbers.txt", "response-gtk.png", "response-gtk.svg"} <= names
    assert "Numbers of na62-2015" in out
    assert "response-photons" in out


def test_the_response_as_json(kaongen, tmp_path, monkeypatch):
    """Of 2016-2018 where nothing is said; nothing is drawn."""
    monkeypatch.chdir(tmp_path)
    code, out, _ = kaongen("show", "response", "--json")
    response = json.loads(out)
    assert code == 0
    assert (response["configuration"], response["figures"]) == ("na62-2016-2018", [])
    assert len(response["curves"]["straw.momentum_error"]["y"]) > 50
    assert response["numbers"]["straw.kick"]["value"] == 0.27
    assert not any(tmp_path.iterdir())


def test_a_response_that_cannot_be_shown(refused, tmp_path):
    refused("show", "response", "--configuration", "na63", "-o", tmp_path / "no", words=("na63", "na62-2015"))
    refused("show", "na62-muon/munu:3", "--configuration", "na62-2015", words=("--configuration",))
    assert not (tmp_path / "no").exists()


def test_a_file_is_no_run_directory(refused, run_directory):
    refused("analyse", next((run_directory[0] / "shards").iterdir()), words=("is a file", "run directory"))


def test_a_card_of_a_run_that_was_changed_is_named_in_a_line_each(refused, run_directory, tmp_path):
    shutil.copytree(run_directory[0], tmp_path / "run")
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    card["run"]["sede"] = 3
    (tmp_path / "run" / "card.json").write_text(json.dumps(card))
    said = refused("analyse", tmp_path / "run", words=("card.json is not a valid card", "run.sede", "'seed'"))
    assert len(said.splitlines()) == 2
    (tmp_path / "run" / "card.json").write_text("{")
    refused("analyse", tmp_path / "run", words=("card.json is not JSON",))


def test_warnings_are_one_line(kaongen, monkeypatch):
    def warn():
        warnings.warn("few events", UserWarning, stacklevel=1)

    monkeypatch.setattr(cli, "app", warn)
    assert kaongen() == (0, "", "kaongen: warning: few events\n")
