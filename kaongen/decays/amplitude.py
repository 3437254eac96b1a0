"""Squared amplitudes as samplers see them: compiled functions, handed to kernels by the address of their code.

A kernel gets the address as an integer: one compiled kernel then serves all amplitudes. numba's own function pointers
would do the same, but cost 50 microseconds whenever one is handed to a kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core.errors import NumbaError
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic

from kaongen.errors import ProcessError
from kaongen.jit import BLOCK, block_kernel, full_width, scalar_kernel

_COLUMN = types.Array(types.float64, 1, "C")

DALITZ = types.float64(types.float64, types.float64, _COLUMN)
"""(s12, s23, parameters) -> |M|^2."""

MOMENTA = types.float64(types.int64, _COLUMN, _COLUMN, _COLUMN)
"""(n, momenta, parameters, result): |M|^2 of the first n events of a flat block of momenta; returns 0."""


def _address(function: Any, signature: Any) -> int:
    if signature.args not in function.overloads:
        # those of the catalogue are compiled, or loaded from the cache, when they are first asked for
        function.compile(signature)
    compiled = function.get_compile_result(signature)
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))


def dalitz_address(amplitude: Any) -> int:
    """Address of the machine code of an amplitude compiled for `DALITZ`."""
    return _address(amplitude, DALITZ)


def momenta_address(amplitude: Any) -> int:
    """Address of the machine code of an amplitude compiled for `MOMENTA`."""
    return _address(amplitude, MOMENTA)


def _caller(signature: Any) -> Any:
    def call(typing_context: Any, address: Any, a: Any, b: Any, c: Any, d: Any = None) -> Any:
        def generate(context: Any, builder: Any, typed: Any, arguments: Any) -> Any:
            given = arguments[1 : 1 + len(signature.args)]
            function = ir.FunctionType(ir.DoubleType(), [argument.type for argument in given])
            return builder.call(builder.inttoptr(arguments[0], function.as_pointer()), given)

        return signature.return_type(types.int64, *signature.args), generate

    return call


def _call_dalitz(typing_context: Any, address: Any, s12: Any, s23: Any, parameters: Any) -> Any:
    return _caller(DALITZ)(typing_context, address, s12, s23, parameters)


def _call_momenta(typing_context: Any, address: Any, n: Any, momenta: Any, parameters: Any, result: Any) -> Any:
    return _caller(MOMENTA)(typing_context, address, n, momenta, parameters, result)


call_dalitz: Any = intrinsic(_call_dalitz)
"""|M|^2 at (s12, s23) from the amplitude at an address."""

call_momenta: Any = intrinsic(_call_momenta)
"""|M|^2 of a block of momenta from the amplitude at an address."""


@scalar_kernel
def momentum(momenta, particle, j):
    """(px, py, pz, E) of a particle of event j of a flat block of momenta."""
    first = 4 * particle * BLOCK + j
    return momenta[first], momenta[first + BLOCK], momenta[first + 2 * BLOCK], momenta[first + 3 * BLOCK]


def is_builtin(function: Callable[..., Any]) -> bool:
    """Whether compiled code may be kept: the cache is keyed by the sources of kaongen, not by a user's.

    A function made inside another holds what a user gave.
    """
    return function.__module__.startswith("kaongen.") and "<locals>" not in function.__qualname__


def amplitude(function: Any) -> Any:
    """Make a squared amplitude on the Dalitz plot usable by the three-body sampler.

    Parameters
    ----------
    function
        A plain Python function or an ``@numba.njit`` function of (s12, s23, parameters): two floats in GeV^2
        and a float64 array; it returns |M|^2 in any unit.

    Returns
    -------
    The compiled function, callable from Python as well.

    Raises
    ------
    ProcessError
        If numba cannot compile it; the message is numba's.
    """
    body = function.py_func if isinstance(function, CPUDispatcher) else function
    if is_builtin(body):
        return block_kernel(body)
    return _compiled(body, DALITZ, "(s12, s23, parameters)")


def _compiled(body: Any, signature: Any, arguments: str) -> Any:
    try:
        return njit(signature, error_model="numpy", nogil=True)(body)
    except NumbaError as problem:
        raise ProcessError(f"numba cannot compile the amplitude as a function of {arguments}: {problem}") from None


def block_amplitude(function: Any) -> Any:
    """Compile a loop (n, momenta, parameters, result) over events; `momentum` reads them."""
    return block_kernel(function)


def momenta_amplitude(function: Any, particles: int) -> Any:
    """Make a squared amplitude of the daughters' momenta usable by the many-body sampler.

    Parameters
    ----------
    function
        A plain Python function or an ``@numba.njit`` function of (p, parameters): p[i] = (px, py, pz, E) of daughter i
        in the kaon's rest frame in GeV, and a float64 array; it returns |M|^2 in any unit.
    particles
        How many daughters, 3 to 6.

    Returns
    -------
    The compiled function of a block of events.

    Raises
    ------
    ProcessError
        If the number of daughters is not supported, or numba cannot compile the function; the message is numba's.
    """
    if particles not in _LOOPS:
        raise ProcessError(f"an amplitude of {particles} daughters: it must be 3 to 6")
    body = function.py_func if isinstance(function, CPUDispatcher) else function
    squared = njit(error_model="numpy", nogil=True, forceinline=True)(body)
    compiled = _compiled(_LOOPS[particles](squared), MOMENTA, "(p, parameters)")
    # it reads so many momenta, whatever the process has
    compiled.particles = particles
    return compiled


# numba unrolls no loop over a tuple that is made in it, so there is one loop for each number of particles.
def _three(squared: Any) -> Any:
    def loop(n, p, parameters, result):
        full_width()
        for j in range(n):
            result[j] = squared((momentum(p, 0, j), momentum(p, 1, j), momentum(p, 2, j)), parameters)
        return 0.0

    return loop


def _four(squared: Any) -> Any:
    def loop(n, p, parameters, result):
        full_width()
        for j in range(n):
            q = (momentum(p, 0, j), momentum(p, 1, j), momentum(p, 2, j), momentum(p, 3, j))
            result[j] = squared(q, parameters)
        return 0.0

    return loop


def _five(squared: Any) -> Any:
    def loop(n, p, parameters, result):
        full_width()
        for j in range(n):
            q = (momentum(p, 0, j), momentum(p, 1, j), momentum(p, 2, j), momentum(p, 3, j), momentum(p, 4, j))
            result[j] = squared(q, parameters)
        return 0.0

    return loop


def _six(squared: Any) -> Any:
    def loop(n, p, parameters, result):
        full_width()
        for j in range(n):
            q = (
                momentum(p, 0, j),
                momentum(p, 1, j),
                momentum(p, 2, j),
                momentum(p, 3, j),
                momentum(p, 4, j),
                momentum(p, 5, j),
            )
            result[j] = squared(q, parameters)
        return 0.0

    return loop


_LOOPS = {3: _three, 4: _four, 5: _five, 6: _six}


@block_amplitude
def flat(n, p, parameters, result):
    """|M|^2 = 1: phase space alone, for any number of particles."""
    for j in range(n):
        result[j] = 1.0
    return 0.0


@amplitude
def flat_dalitz(s12, s23, parameters):
    """The same on the Dalitz plot."""
    return 1.0
