"""How kaongen compiles: the two decorators, the block size, and where compiled code is kept.

numba's on-disk cache notices a change in a kernel's own file but not in a kernel that it imports, so
the cache directory is keyed by everything that shapes the machine code: the sources of the package, the
versions of numba and llvmlite, the processor and the block size.

No fastmath anywhere: elementwise loops vectorise without it, and IEEE arithmetic without contraction
gives the same bits on every processor, with or without fused multiply-add.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba import config, njit, types
from numba.extending import intrinsic

from kaongen.errors import KaongenError

__all__ = ["BLOCK", "block_kernel", "cache_directory", "full_width", "is_cache_cold", "row", "scalar_kernel"]


def _block_size() -> int:
    text = os.environ.get("KAONGEN_BLOCK", "4096")
    if not text.isdigit() or int(text) < 64 or int(text) & (int(text) - 1):
        raise KaongenError(
            f"KAONGEN_BLOCK={text!r}: the number of events in a block must be a power of two of at least 64"
        )
    return int(text)


BLOCK: int = _block_size()
"""Events in a block: few enough for the columns in use to stay in a core's second-level cache, and enough for threads
to compute far longer than they hold Python's lock between two stages (1024 cost half of the second core)."""


def _source_key() -> str:
    digest = hashlib.blake2b(digest_size=10)
    package = Path(__file__).parent
    for source in sorted(package.rglob("*.py")):
        digest.update(str(source.relative_to(package)).encode())
        digest.update(source.read_bytes())
    for part in (numba.__version__, llvmlite.__version__, _cpu_name(), str(BLOCK)):
        digest.update(part.encode())
    return digest.hexdigest()


def _cpu_name() -> str:
    from llvmlite import binding

    return f"{binding.get_host_cpu_name()} {config.CPU_NAME or ''} {config.CPU_FEATURES or ''}"


def cache_directory() -> Path:
    """Where compiled kernels are kept: under ``KAONGEN_CACHE_DIR`` or the user's cache directory."""
    root = os.environ.get("KAONGEN_CACHE_DIR")
    base = Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kaongen"
    return base / _KEY


_KEY = _source_key()
_DIRECTORY = cache_directory()


def _can_keep() -> bool:
    """Whether compiled code can be kept: the directory can be made, and takes a file."""
    probe = _DIRECTORY / f"probe-{os.getpid()}"
    try:
        _DIRECTORY.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(bytes(1 << 16))
        probe.unlink()
    except OSError as problem:
        text = f"kaongen: compiled code cannot be kept in the cache {_DIRECTORY} ({problem.strerror})"
        print(f"{text}: every start compiles again; KAONGEN_CACHE_DIR chooses another directory", file=sys.stderr)
        return False
    return True


_KEEP = _can_keep()


def is_cache_cold() -> bool:
    """Whether nothing has been compiled yet for this version of the package on this machine."""
    return not _DIRECTORY.is_dir() or not any(_DIRECTORY.rglob("*.nbc"))


@contextmanager
def _cache_here() -> Iterator[None]:
    # numba picks the directory when a function is decorated, so other packages keep theirs.
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_DIRECTORY)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def scalar_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of scalars; it is inlined into every kernel that calls it."""
    with _cache_here():
        return njit(forceinline=True, error_model="numpy", nogil=True, cache=_KEEP)(function)


def block_kernel(function: Callable[..., Any] | None = None, *, signature: Any = None) -> Any:
    """Compile a loop over a block of events; it releases Python's lock, so that blocks run in parallel.

    With a ``signature`` the compilation happens at once, and the result can be passed around as a
    function pointer.
    """

    def decorate(body: Callable[..., Any]) -> Any:
        options = {"error_model": "numpy", "nogil": True, "cache": _KEEP}
        with _cache_here():
            return njit(signature, **options)(body) if signature is not None else njit(**options)(body)

    return decorate if function is None else decorate(function)


@scalar_kernel
def row(columns, number):  # type: ignore[no-untyped-def]
    """Column ``number`` of a flat block of columns.

    Columns of one block sit at constant distances in one array, which is what lets LLVM see that they
    do not overlap, and vectorise a loop that writes many of them.
    """
    return columns[number * BLOCK : (number + 1) * BLOCK]


def _full_width(typing_context: Any) -> Any:
    """Ask LLVM for the widest vectors of the processor in the kernel that calls this, at its top.

    By default it stays at 256 bits where 512 are there; on loops of pure arithmetic that costs a third.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite's own `add` knows only a fixed list of attributes, and this is not on it
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


full_width: Any = intrinsic(_full_width)
