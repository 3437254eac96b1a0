"""The package as a whole: its version, its front door, and rooms that only look down."""

import ast
import importlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import kaongen

PACKAGE = Path(kaongen.__file__).parent

ORDER = [
    {"errors"},
    {"jit"},
    {"elementary"},
    {"random"},
    {"kinematics"},
    {"particles"},
    {"configuration"},
    {"amplitudes"},
    {"models"},
    {"decays"},
    {"event_block"},
    {"beam_line"},
    {"beam"},
    {"upstream"},
    {"detector"},
    {"events"},
    {"searches"},
    {"production"},
    {"statistics"},
    {"papers"},
    {"analysis"},
    {"export"},
    {"replay"},
    {"reproduce"},
    {"report"},
    {"run", "schemas", "warmup", "bench"},
    {"reproduction", "reach"},
    {"cli"},
]
"""From the ground up: a room imports only from those before it."""


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path):
    """Rooms of the package that a file imports from, at its top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [f"kaongen.{a.name}" for a in node.names] if node.module == "kaongen" else [node.module]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            parts = module.split(".")
            if parts[0] == "kaongen" and len(parts) > 1:
                yield parts[1]


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE)


def test_every_room_has_its_place():
    rooms = {room(path) for path in SOURCES} - {"__main__"}
    assert rooms == set().union(*ORDER)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_only_from_below(path):
    place = {name: i for i, names in enumerate(ORDER) for name in names}
    here = room(path)
    for other in imported_rooms(path):
        assert other == here or place[other] < place[here], f"{here} imports {other}"


def importers(library):
    """Rooms with a file that imports a library."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == library for name in names):
                found.add(room(path))
    return found


@pytest.mark.parametrize(
    ("library", "rooms"),
    [("h5py", {"events"}), ("matplotlib", {"report"}), ("mplhep", {"report"}), ("typer", {"cli"})],
)
def test_a_library_has_its_room(library, rooms):
    assert importers(library) == rooms


def test_statistics_never_see_events():
    allowed = {"errors", "jit", "elementary", "random", "statistics"}
    for path in SOURCES:
        if room(path) == "statistics":
            assert set(imported_rooms(path)) <= allowed


def test_the_version_is_that_of_the_metadata():
    assert kaongen.__version__ == version("kaongen")


@pytest.mark.parametrize("name", kaongen.__all__)
def test_everything_that_is_promised_is_there(name):
    assert getattr(kaongen, name) is not None


def test_names_are_those_of_the_rooms():
    from kaongen.decays.catalogue import find
    from kaongen.events.reader import open_events

    assert kaongen.open is open_events
    assert kaongen.find is find


def test_names_that_are_not_there_are_named():
    with pytest.raises(AttributeError, match="module 'kaongen' has no attribute 'sampel'"):
        _ = kaongen.sampel
    assert not hasattr(kaongen, "numba")


def test_opening_from_the_front_door(tmp_path):
    from kaongen.errors import EventFileError

    with pytest.raises(EventFileError, match="nowhere"):
        kaongen.open(tmp_path / "nowhere")


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys, kaongen; print(*(m for m in ('numba', 'numpy', 'h5py', 'matplotlib') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_can_be_imported_and_explains_itself(path):
    name = ".".join(("kaongen", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    module = importlib.import_module(name)
    if path.name != "__init__.py":
        assert module.__doc__


def test_rooms_explain_themselves():
    silent = [path.parent.name for path in SOURCES if path.name == "__init__.py" and not path.read_text().strip()]
    assert silent == []
