"""The cache of compiled code: everything that shapes the machine code names its directory."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kaongen import jit
from kaongen.errors import KaongenError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package's sources, which `jit` then takes for its own."""
    copy = tmp_path / "kaongen"
    shutil.copytree(Path(jit.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(jit, "__file__", str(copy / "jit.py"))
    return copy


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_key_does_not_depend_on_where_the_package_lies(package, monkeypatch):
    key = jit._source_key()
    moved = package.rename(package.with_name("elsewhere"))
    monkeypatch.setattr(jit, "__file__", str(moved / "jit.py"))
    assert jit._source_key() == key


@pytest.mark.parametrize("source", ["kinematics.py", "amplitudes/munu_x.py", "decays/three_body.py"])
def test_a_change_in_any_source_changes_the_key(package, source):
    path, key = package / source, jit._source_key()
    path.write_text(path.read_text() + "\n# changed\n")
    assert jit._source_key() != key


def test_a_new_a_removed_and_a_renamed_source_change_the_key(package):
    keys = {jit._source_key()}
    (package / "new.py").write_text("")
    keys.add(jit._source_key())
    (package / "new.py").rename(package / "renamed.py")
    keys.add(jit._source_key())
    (package / "renamed.py").unlink()
    (package / "kinematics.py").unlink()
    keys.add(jit._source_key())
    assert len(keys) == 4


@pytest.mark.parametrize("version", ["numba", "llvmlite"])
def test_a_new_compiler_changes_the_key(package, monkeypatch, version):
    key = jit._source_key()
    monkeypatch.setattr(getattr(jit, version), "__version__", "0.0.1")
    assert jit._source_key() != key


def test_the_block_size_and_the_processor_change_the_key(package, monkeypatch):
    key = jit._source_key()
    monkeypatch.setattr(jit, "BLOCK", 2 * jit.BLOCK)
    wide = jit._source_key()
    monkeypatch.setattr(jit.config, "CPU_NAME", "i386")
    assert len({key, wide, jit._source_key()}) == 3


def test_the_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("KAONGEN_CACHE_DIR", str(tmp_path / "mine"))
    assert jit.cache_directory() == tmp_path / "mine" / jit._KEY
    monkeypatch.delenv("KAONGEN_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert jit.cache_directory() == tmp_path / "xdg" / "kaongen" / jit._KEY


def test_the_cache_is_cold_until_something_is_compiled(monkeypatch, tmp_path):
    monkeypatch.setattr(jit, "_DIRECTORY", tmp_path / "nowhere")
    assert jit.is_cache_cold()
    (tmp_path / "nowhere" / "deeper").mkdir(parents=True)
    assert jit.is_cache_cold()
    (tmp_path / "nowhere" / "deeper" / "kernel.nbc").touch()
    assert not jit.is_cache_cold()


@pytest.mark.parametrize("text", ["64", "256", "1024", "65536"])
def test_block_sizes_that_are_allowed(monkeypatch, text):
    monkeypatch.setenv("KAONGEN_BLOCK", text)
    assert jit._block_size() == int(text)


@pytest.mark.parametrize("text", ["", "0", "32", "63", "96", "1000", "-1024", "1e3", "1024.0", "0x400", "many"])
def test_block_sizes_that_are_refused(monkeypatch, text):
    monkeypatch.setenv("KAONGEN_BLOCK", text)
    with pytest.raises(KaongenError, match=r"KAONGEN_BLOCK=.*power of two"):
        jit._block_size()


def test_a_bad_block_size_stops_the_import():
    result = python("import kaongen.jit", KAONGEN_BLOCK="1000")
    assert result.returncode != 0
    assert "KAONGEN_BLOCK='1000': the number of events in a block must be a power of two" in result.stderr


def test_other_packages_keep_their_cache(monkeypatch):
    before = jit.config.CACHE_DIR

    @jit.scalar_kernel
    def twice(x):
        return 2.0 * x

    assert twice(3.0) == 6.0
    assert before == jit.config.CACHE_DIR


@pytest.mark.slow
def test_a_kernel_follows_a_change_in_a_kernel_that_it_imports(package, tmp_path):
    """numba's own cache does not: `sincos_turns` comes from another file than `normal_pair`."""
    code = (
        "import numpy as np; from kaongen.jit import is_cache_cold; from kaongen.random import normal_pair;"
        "print(is_cache_cold(), *normal_pair(np.uint64(5), np.uint64(0)))"
    )
    environment = {"PYTHONPATH": str(tmp_path), "KAONGEN_CACHE_DIR": str(tmp_path / "cache")}
    runs = [python(code, **environment) for _ in range(2)]
    elementary = package / "elementary.py"
    elementary.write_text(elementary.read_text().replace("return sine, cosine", "return sine, 3.0 * cosine"))
    runs.append(python(code, **environment))
    (first_cold, *first), (second_cold, *second), (third_cold, *third) = (run.stdout.split() for run in runs)
    assert (first_cold, second_cold, third_cold) == ("True", "False", "True")
    assert second == first
    assert float(third[0]) == pytest.approx(3 * float(first[0]))
