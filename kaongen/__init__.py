"""kaongen: K+ decays, a parametric NA62 and its searches."""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kaongen.decays.amplitude import amplitude, momenta_amplitude
    from kaongen.decays.catalogue import find, processes, register
    from kaongen.decays.mixture import from_dec as mixture_from_dec
    from kaongen.decays.mixture import natural
    from kaongen.decays.process import ManyBody, Parameter, Process, Rate, ThreeBody, TwoBody
    from kaongen.decays.rates import measured, relative_to_munu
    from kaongen.decays.sampling import sample
    from kaongen.events.reader import open_events as open
    from kaongen.particles import Measured

__version__ = _version("kaongen")

__all__ = [
    "ManyBody", "Measured", "Parameter", "Process", "Rate", "ThreeBody", "TwoBody", "amplitude", "find", "measured",
    "mixture_from_dec", "momenta_amplitude", "natural", "open", "processes", "register", "relative_to_munu", "sample",
]  # fmt: skip

# Imported when they are asked for: `import kaongen` and `kaongen --help` must not wait for numba and h5py.
_LAZY = {
    "Measured": ("kaongen.particles", "Measured"),
    "Rate": ("kaongen.decays.process", "Rate"),
    "measured": ("kaongen.decays.rates", "measured"),
    "relative_to_munu": ("kaongen.decays.rates", "relative_to_munu"),
    "ManyBody": ("kaongen.decays.process", "ManyBody"),
    "Parameter": ("kaongen.decays.process", "Parameter"),
    "Process": ("kaongen.decays.process", "Process"),
    "ThreeBody": ("kaongen.decays.process", "ThreeBody"),
    "TwoBody": ("kaongen.decays.process", "TwoBody"),
    "amplitude": ("kaongen.decays.amplitude", "amplitude"),
    "find": ("kaongen.decays.catalogue", "find"),
    "momenta_amplitude": ("kaongen.decays.amplitude", "momenta_amplitude"),
    "mixture_from_dec": ("kaongen.decays.mixture", "from_dec"),
    "natural": ("kaongen.decays.mixture", "natural"),
    "open": ("kaongen.events.reader", "open_events"),
    "processes": ("kaongen.decays.catalogue", "processes"),
    "register": ("kaongen.decays.catalogue", "register"),
    "sample": ("kaongen.decays.sampling", "sample"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'kaongen' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)
