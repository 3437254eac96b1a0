"""Templates as files: UHI JSON, ROOT, pyhf workspaces, numpy archives."""

from __future__ import annotations

import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, get_args

import numpy as np

from kaongen.errors import EventFileError
from kaongen.export.collection import SampleTemplate, TemplateSet
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.workspace import workspace

Format = Literal["hist", "root", "pyhf", "npz"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

_RESERVED: Final = ("weight", "sample", "threads")
"""Names that axes of hist cannot have."""
SUFFIXES: Final[dict[Format, str]] = {"hist": ".uhi.json", "root": ".root", "pyhf": ".pyhf.json", "npz": ".npz"}


def file_name(templates: TemplateSet, form: Format) -> str:
    """Of the templates in one format."""
    return f"{templates.name}{SUFFIXES[form]}"


def encoded(templates: TemplateSet, form: Format, signal: str | None = None) -> bytes:
    """The content of the file of templates in one format.

    Parameters
    ----------
    templates
        What is to be written.
    form
        hist: all histograms in one JSON file of the Universal Histogram Interface; root: a TH1D with Sumw2 for each
        sample; pyhf: a HistFactory workspace with one signal; npz: arrays.
    signal
        Sample that is the signal of the workspace.

    Raises
    ------
    EventFileError
        If the signal is not a sample of that role, or a library is not installed.
    """
    if form == "pyhf":
        return _pyhf(templates, signal)
    return {"hist": _hist, "root": _root, "npz": _npz}[form](templates)


def _histogram(templates: TemplateSet, sample: SampleTemplate) -> Any:
    import hist

    x = templates.x
    name, label = "" if x.name in _RESERVED else x.name, f"{x.label} [{x.unit}]" if x.unit else x.label
    axis = hist.axis.Variable(templates.edges, name=name, label=label, flow=False)
    histogram = hist.Hist(axis, storage=hist.storage.Weight(), name=sample.name, label="events")
    view = histogram.view()
    view.value, view.variance = sample.values, sample.variances
    return histogram


def _hist(templates: TemplateSet) -> bytes:
    from boost_histogram.serialization import to_uhi

    content = {}
    for sample in templates.samples:
        content[sample.name] = to_uhi(_histogram(templates, sample))
        content[sample.name]["metadata"] |= {
            "sample": sample.name,
            "role": sample.role,
            "decay": sample.decay,
            "unit": templates.x.unit,
            "normalisation": sample.normalisation,
            **templates.about,
        }
    return json.dumps(content, default=np.ndarray.tolist, indent=1).encode()


def _root(templates: TemplateSet) -> bytes:
    try:
        import uproot
    except ImportError:
        raise EventFileError('ROOT files need uproot: pip install "kaongen[interop]"') from None
    with TemporaryDirectory() as directory:  # uproot closes whatever it writes to
        file = Path(directory) / file_name(templates, "root")
        with uproot.recreate(file) as root:
            for sample in templates.samples:
                root[sample.name] = _histogram(templates, sample)
            root["about"] = json.dumps(described(templates))
        return file.read_bytes()


def _npz(templates: TemplateSet) -> bytes:
    samples = templates.samples
    file = io.BytesIO()
    np.savez_compressed(
        file,
        edges=templates.edges,
        values=np.array([sample.values for sample in samples]),
        variances=np.array([sample.variances for sample in samples]),
        samples=np.array([sample.name for sample in samples]),
        roles=np.array([sample.role for sample in samples]),
        normalisation=np.array([sample.normalisation for sample in samples]),
        quantity=np.array(templates.x.name),
        unit=np.array(templates.x.unit),
        about=np.array(json.dumps(dict(templates.about))),
    )
    return file.getvalue()


def _pyhf(templates: TemplateSet, signal: str | None) -> bytes:
    if signal is None:
        signals = [sample.name for sample in templates.samples if sample.role == "signal"]
        known = ", ".join(signals) or "none here"
        raise EventFileError(f"a pyhf workspace needs a signal: name one (--signal; signals: {known})")
    content = workspace({templates.name.replace("-", "_"): model_of(templates, signal)})
    return json.dumps(content, indent=1).encode()


def model_of(templates: TemplateSet, signal: str) -> BinnedModel:
    """The likelihood of a signal over the backgrounds, all with the statistical errors of the simulation.

    The parameter of interest is 1 for the signal as it is normalised in `templates`. A sample for normalisation counts
    as background. The signal's own statistical error, where it has one, becomes that of its normalisation.

    Raises
    ------
    EventFileError
        If there is no such signal, it is empty, or there is no background.
    """
    chosen = templates[signal]
    if chosen.role != "signal":
        raise EventFileError(f"the sample {signal!r} is a {chosen.role or 'sample without a role'} and not a signal")
    if not chosen.values.any():
        raise EventFileError(f"the signal {signal!r} has no events in the bins of {templates.name}")
    backgrounds = tuple(
        Background(sample.name, sample.values, np.sqrt(sample.variances))
        for sample in templates.samples
        if sample.role != "signal"
    )
    if not backgrounds:
        raise EventFileError(f"{templates.name} has no background: a workspace needs one")
    error = float(np.sqrt(chosen.variances.sum()) / chosen.values.sum())
    return BinnedModel(chosen.values, backgrounds, signal_error=error, edges=templates.edges)


def described(templates: TemplateSet) -> dict[str, Any]:
    """What the numbers are, for programs and people."""
    return {
        "name": templates.name,
        "title": templates.title,
        "quantity": templates.x.name,
        "unit": templates.x.unit,
        "bins": len(templates.edges) - 1,
        "samples": {
            sample.name: {
                "role": sample.role,
                "decay": sample.decay,
                "normalisation": sample.normalisation,
                "events": float(sample.values.sum()),
            }
            for sample in templates.samples
        },
        "about": dict(templates.about),
    }
