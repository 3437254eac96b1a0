"""Tables kept on disk: the same bits as those that were built, built again when damaged, and never a user's.

Each test has a cache directory of its own. Tables are those of three-body phase space, which are built in a second.
"""

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numba import njit

from kaongen.decays import kept, process
from kaongen.decays.amplitude import flat, is_builtin, momenta_amplitude
from kaongen.decays.catalogue import find
from kaongen.decays.cells import build_cells
from kaongen.decays.kept import cell_table
from kaongen.decays.phase_space import phase_space
from kaongen.decays.process import ManyBody, Parameter, Process
from kaongen.decays.rates import measured
from kaongen.decays.sampling import sample
from kaongen.errors import ProcessError
from kaongen.particles import BR_K_MUNU, M_E, M_K, M_MU

MASSES = (M_MU, 0.0, M_E)
NONE = np.empty(0)
ARRAYS = ("warps", "bits", "shifts", "alias", "acceptance", "parameters")
NUMBERS = ("integral", "integral_error", "efficiency")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The tables' directory, which is not there yet; and nothing kept in memory."""
    monkeypatch.setattr(kept, "cache_directory", lambda: tmp_path / "cache")
    process._cell_table.cache_clear()
    yield tmp_path / "cache" / "tables"
    process._cell_table.cache_clear()


@pytest.fixture
def builds(monkeypatch):
    """A list that grows by one with each table that is built."""
    made = []

    def counted(*arguments):
        made.append(arguments)
        return build_cells(*arguments)

    monkeypatch.setattr(kept, "build_cells", counted)
    return made


def space(lower=None, masses=MASSES, parent=M_K):
    return phase_space(parent, masses, {2: (lower, parent)} if lower else {})


def content(table):
    """All bits of a table."""
    arrays = [(name, getattr(table, name)) for name in ARRAYS]
    return [(name, a.dtype.str, a.shape, a.tobytes()) for name, a in arrays] + [
        np.float64(getattr(table, name)).tobytes() for name in NUMBERS
    ]


def files(directory):
    return sorted(directory.iterdir()) if directory.is_dir() else []


# Kept and loaded ---------------------------------------------------------------------------------------------------


def test_a_table_is_built_once_and_loaded_to_the_bit(cache, builds):
    built = cell_table(flat, space(), NONE)
    assert len(builds) == 1
    assert len(files(cache)) == 1
    loaded = cell_table(flat, space(), NONE)
    assert len(builds) == 1
    assert content(loaded) == content(built)
    assert content(loaded) == content(build_cells(flat, space(), NONE))
    assert loaded.address == built.address
    assert loaded.amplitude is built.amplitude
    assert [a.tobytes() for a in loaded.space.arrays()[1:]] == [a.tobytes() for a in built.space.arrays()[1:]]
    for name in ARRAYS:
        assert getattr(loaded, name).flags.c_contiguous
        assert getattr(loaded, name).flags.aligned
    assert all(type(getattr(loaded, name)) is float for name in NUMBERS)
    assert len(files(cache)) == 1


def test_loaded_tables_make_the_same_decays(builds):
    """What a process's sampler makes of the one and of the other."""
    mine = find("pi0munug")
    built = sample(mine, 20_000, seed=4)
    process._cell_table.cache_clear()
    loaded = sample(mine, 20_000, seed=4)
    assert len(builds) == 1
    assert loaded.columns.tobytes() == built.columns.tobytes()
    assert mine.width(mine.values({})) == (
        mine.cell_table(mine.values({})).integral / (2 * M_K),
        mine.cell_table(mine.values({})).integral_error / (2 * M_K),
    )


SCRIPT = """
import hashlib, sys
from kaongen.decays import kept
from kaongen.decays.catalogue import find
built = []
original = kept.build_cells
kept.build_cells = lambda *a: built.append(1) or original(*a)
mine = find("pi0munug")
table = mine.cell_table(mine.values({}))
digest = hashlib.sha256()
for name in kept._ARRAYS:
    digest.update(getattr(table, name).tobytes())
print(len(built), digest.hexdigest(), table.integral.hex(), table.integral_error.hex(), table.efficiency.hex())
"""


@pytest.mark.slow
def test_the_next_process_loads_the_same(tmp_path):
    """Tables come to the same bits in every program, built or loaded."""
    environment = os.environ | {"KAONGEN_CACHE_DIR": str(tmp_path / "own")}

    def once():
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    built, *first = once()
    loaded, *second = once()
    assert (built, loaded) == ("1", "0")
    assert first == second
    mine = find("pi0munug")
    assert first[1] == mine.cell_table(mine.values({})).integral.hex()


def test_threads_that_build_the_same_do_not_disturb_each_other(cache, builds):
    with ThreadPoolExecutor(3) as pool:
        tables = list(pool.map(lambda _: cell_table(flat, space(), NONE), range(3)))
    assert len({tuple(map(str, content(t))) for t in tables}) == 1
    assert len(files(cache)) == 1, "no partial files are left"
    before = len(builds)
    cell_table(flat, space(), NONE)
    assert len(builds) == before


# What tells tables apart ------------------------------------------------------------------------------------------


def test_everything_that_shapes_a_table_has_a_file_of_its_own(cache, builds):
    """Limits, masses, the parent's mass, parameters: a single bit is enough."""
    different = [
        (space(), NONE),
        (space(lower=0.2), NONE),
        (space(lower=math.nextafter(0.2, 1.0)), NONE),
        (space(masses=(M_MU, M_E, 0.0)), NONE),
        (space(masses=(M_MU, 0.0, 2 * M_E)), NONE),
        (space(parent=M_K + 1e-6), NONE),
        (space(), np.array([1.0])),
        (space(), np.array([math.nextafter(1.0, 2.0)])),
        (space(), np.array([1.0, 0.0])),
    ]
    for number, (where, parameters) in enumerate(different, 1):
        cell_table(flat, where, parameters)
        assert (len(files(cache)), len(builds)) == (number, number)
    for where, parameters in different:
        cell_table(flat, where, parameters)
    assert len(builds) == len(different)


def test_numbers_on_either_side_of_a_border_are_not_mixed_up(cache):
    """The last mass is no parameter: (m1, m2, m3, p1) and (m1, m2), (m3, p1) have the same bytes in a row."""
    four = phase_space(M_K, (M_MU, 0.0, M_E, 0.01))
    paths = {kept._path("x", four, NONE), kept._path("x", space(), np.array([0.01])), kept._path("y", four, NONE)}
    assert len(paths) == 3
    assert all(path.parent == cache for path in paths)


def test_parameters_and_limits_of_a_process_make_different_tables(cache, builds):
    mine = find("pi0munug")
    first = mine.cell_table(mine.values({}))
    for given in ({"E_gamma_min": 0.02}, {"lambda_plus": 0.03}, {"lambda_zero": 0.02}):
        process._cell_table.cache_clear()
        other = mine.cell_table(mine.values(given))
        assert other.integral != first.integral
        process._cell_table.cache_clear()
        assert content(mine.cell_table(mine.values(given))) == content(other)
    assert len(builds) == len(files(cache)) == 4


def test_amplitudes_of_the_same_daughters_make_different_tables(cache):
    """Of the same masses, parameters and limits only the function's name differs."""
    for contact in (0.0, 1.0):
        for amplitude in (find("munumumu").dynamics.amplitude, flat):
            cell_table(amplitude, phase_space(M_K, (M_MU, M_MU, M_MU, 0.0)), np.array([contact, 0.0]))
    assert len(files(cache)) == 4


# Files that are no good -------------------------------------------------------------------------------------------


def damaged(good, kind):
    half = len(good) // 2
    return {
        "empty": b"",
        "half": good[:half],
        "end": good[:-1],
        "start": good[1:],
        "zeros": bytes(len(good)),
        "text": b"K+ -> mu+ nu_mu\n" * 100,
        "picture": b"GIF89a" + good[6:],
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "half", "end", "start", "zeros", "text", "picture"])
def test_a_damaged_file_is_built_again(cache, builds, kind):
    expected = content(cell_table(flat, space(), NONE))
    (path,) = files(cache)
    good = path.read_bytes()
    path.write_bytes(damaged(good, kind))
    assert content(cell_table(flat, space(), NONE)) == expected
    assert len(builds) == 2
    # and replaced by a good one
    assert content(cell_table(flat, space(), NONE)) == expected
    assert len(builds) == 2
    assert files(cache) == [path]


@pytest.mark.parametrize("where", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_flipped_bit_is_no_table(cache, where):
    """The numbers of a zip file have a checksum."""
    expected = content(cell_table(flat, space(), NONE))
    (path,) = files(cache)
    good = path.read_bytes()
    place = int(where * len(good))
    path.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
    assert content(cell_table(flat, space(), NONE)) == expected


def foreign(kind):
    """Contents of files that NumPy writes as well."""
    built = build_cells(flat, space(), NONE)
    arrays = {name: getattr(built, name) for name in kept._ARRAYS + kept._NUMBERS}
    if kind == "other names":
        return {"a": np.arange(3)}
    if kind == "one missing":
        return {name: value for name, value in arrays.items() if name != "alias"}
    return (
        arrays
        | {
            "objects": {"bits": np.array([{}, None], dtype=object)},
            "an array for a number": {"integral": np.arange(3.0)},
            "words for a number": {"efficiency": np.array("high")},
        }[kind]
    )


@pytest.mark.parametrize(
    "kind", ["other names", "one missing", "objects", "an array for a number", "words for a number"]
)
def test_a_foreign_file_is_built_again(cache, builds, kind):
    expected = content(cell_table(flat, space(), NONE))
    (path,) = files(cache)
    with path.open("wb") as file:
        np.savez(file, **foreign(kind))
    assert content(cell_table(flat, space(), NONE)) == expected
    assert len(builds) == 2


def test_a_single_array_is_no_table(cache, builds):
    expected = content(cell_table(flat, space(), NONE))
    (path,) = files(cache)
    with path.open("wb") as file:
        np.save(file, np.arange(10.0))
    assert content(cell_table(flat, space(), NONE)) == expected
    assert len(builds) == 2


SHAPES = {
    "alias": lambda a: a[:-1],
    "acceptance": lambda a: a[: len(a) // 2],
    "warps": lambda a: a[:-2],
    "bits": lambda a: a[:-1],
    "shifts": lambda a: a.astype(np.int32),
}


@pytest.mark.parametrize("name", SHAPES)
def test_arrays_of_the_wrong_shape_or_type_are_no_table(cache, builds, name):
    """Kernels read them without looking: half an array would be read beyond its end."""
    built = cell_table(flat, space(), NONE)
    expected = content(built)
    (path,) = files(cache)
    arrays = {n: getattr(built, n) for n in kept._ARRAYS + kept._NUMBERS}
    with path.open("wb") as file:
        np.savez(file, **arrays | {name: SHAPES[name](arrays[name])})
    assert content(cell_table(flat, space(), NONE)) == expected
    assert len(builds) == 2


# Directories that take nothing -------------------------------------------------------------------------------------


def test_where_nothing_can_be_kept_a_table_is_built_each_time(cache, builds):
    """A file where the directory should be: nobody can write there, not even root."""
    cache.parent.parent.mkdir(exist_ok=True)
    cache.parent.write_text("not a directory")
    tables = [cell_table(flat, space(), NONE) for _ in range(2)]
    assert len(builds) == 2
    assert content(tables[0]) == content(tables[1])
    assert cache.parent.read_text() == "not a directory"


def test_a_directory_in_place_of_the_file_is_no_error(cache, builds):
    path = kept._path(f"{flat.py_func.__module__}.{flat.py_func.__qualname__}", space(), NONE)
    path.mkdir(parents=True)
    (path / "inside").write_text("mine")
    cell_table(flat, space(), NONE)
    cell_table(flat, space(), NONE)
    assert len(builds) == 2
    assert files(cache) == [path], "nothing partial is left"


def test_a_full_disk_is_no_error(cache, builds, monkeypatch):
    def full(file, **arrays):
        with open(file, "wb") as partial:
            partial.write(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(kept.np, "savez", full)
        cell_table(flat, space(), NONE)
    assert files(cache) == []
    cell_table(flat, space(), NONE)
    assert len(builds) == 2
    assert len(files(cache)) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_no_error(cache, builds):
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    try:
        cell_table(flat, space(), NONE)
        cell_table(flat, space(), NONE)
    finally:
        cache.chmod(0o700)
    assert len(builds) == 2


# A user's own ------------------------------------------------------------------------------------------------------


def squared(p, parameters):
    return p[0][3] ** 2


@njit
def squared_njit(p, parameters):
    return p[0][3] ** 2


def made_by(power):
    def squared(p, parameters):
        return p[0][3] ** power

    return squared


def own(function, **options):
    decay = Process(
        "mine", "K+ -> mu+ nu_mu gamma", ManyBody(momenta_amplitude(function, 3)), measured(BR_K_MUNU), "none"
    )
    return replace(decay, **options)


@pytest.mark.parametrize("function", [squared, squared_njit, made_by(2)], ids=["plain", "compiled", "closure"])
def test_a_users_amplitude_is_never_kept(cache, builds, function):
    mine = own(function)
    first = mine.cell_table({})
    process._cell_table.cache_clear()
    assert content(mine.cell_table({})) == content(first)
    assert len(builds) == 2
    assert files(cache) == []


def test_two_functions_of_one_name_make_two_tables():
    """The second must not find the first one's table, in memory or on disk."""
    one, two, other = (own(made_by(power)).cell_table({}) for power in (2, 4, 2))
    assert one.integral != pytest.approx(two.integral, rel=0.1)
    assert content(one) == content(other)


def test_what_is_made_inside_a_function_of_kaongen_is_a_users():
    """`momenta_amplitude` wraps it in a loop of its own, which lives in the package."""
    compiled = momenta_amplitude(squared, 3)
    assert compiled.py_func.__module__.startswith("kaongen.")
    assert not is_builtin(compiled.py_func)
    assert not is_builtin(squared)
    assert is_builtin(flat.py_func)
    for name in ("munumumu", "munuV-mumu", "pieeee", "pipienu"):
        assert is_builtin(find(name).dynamics.amplitude.py_func)


# Amplitudes that are not numbers -----------------------------------------------------------------------------------


def is_nan(p, parameters):
    return math.nan


def is_infinite(p, parameters):
    return math.inf


def half_nan(p, parameters):
    return math.sqrt(p[0][3] - 0.15)


def corner_nan(p, parameters):
    # one in some thousand points
    return 1.0 if p[0][3] < 0.254 else math.nan


def negative(p, parameters):
    return -1.0


def zero(p, parameters):
    return 0.0


@pytest.mark.parametrize("function", [is_nan, is_infinite, half_nan, corner_nan, negative, zero])
def test_amplitudes_that_are_no_densities_are_refused(cache, function):
    mine = own(function)
    with pytest.raises(ProcessError, match=r"mine: \|M\|\^2 (is (nan|inf|-inf|-\S+) \(|vanishes all over)"):
        mine.cell_table({})
    with pytest.raises(ProcessError, match=r"mine: \|M\|\^2"):
        sample(mine, 100)
    assert files(cache) == []


def test_a_rare_nan_is_never_a_decay():
    """Where so few points are none that the table did not find one: they are passed over, or found and refused."""
    edge = 1e-4

    def rarely_nan(p, parameters):
        x, y, z, _ = p[0]
        share = math.atan2(p[1][3], p[2][3]) * 1e4
        return math.nan if share - math.floor(share) < edge else 1.0 + 0.0 * (x + y + z)

    mine = own(rarely_nan)
    try:
        decays = sample(mine, 300_000, seed=2)
    except ProcessError as problem:
        text = str(problem)
    else:
        text = "nan"
        energies = [np.asarray(decays.momentum(k).E) for k in (1, 2)]
        share = np.arctan2(*energies) * 1e4
        # single precision blurs the borders
        inside = np.abs(share - np.floor(share) - edge / 2) < edge / 4
        assert not inside.any()
        assert np.isfinite(decays.columns).all()
    assert "nan" in text


def test_a_nan_that_no_table_can_find_is_never_a_decay(monkeypatch):
    """The amplitude becomes one that is not a number behind the table's back, by its parameter."""

    def poisoned(p, parameters):
        return math.nan if p[0][3] < parameters[0] else 1.0

    edge = Parameter("edge", 0.0, 1.0, "below it the amplitude is no number", "GeV")
    mine = Process(
        "poisoned",
        "K+ -> mu+ nu_mu gamma",
        ManyBody(momenta_amplitude(poisoned, 3)),
        measured(BR_K_MUNU),
        "none",
        parameters=(edge,),
    )
    good = mine.cell_table(mine.values({"edge": 0.0}))
    with pytest.raises(ProcessError, match="nan"):
        mine.cell_table(mine.values({"edge": 0.18}))
    bad = replace(good, parameters=np.array([0.18]))
    monkeypatch.setattr(Process, "cell_table", lambda self, values: bad)
    decays = sample(mine, 100_000, values={"edge": 0.0})
    assert np.asarray(decays.momentum(0).E).min() > 0.18 - 1e-6
    assert np.isfinite(decays.columns).all()
    # three body phase space has a good part below, so that something was left out
    monkeypatch.setattr(Process, "cell_table", lambda self, values: good)
    whole = sample(mine, 100_000, values={"edge": 0.0})
    assert (np.asarray(whole.momentum(0).E) < 0.18).mean() > 0.2
    assert decays.efficiency < 0.8 * whole.efficiency
