"""Binned models as HistFactory workspaces, and limits from them by pyhf.

L. Heinrich, M. Feickert, G. Stark and K. Cranmer, J. Open Source Softw. 6 (2021) 2823 (pyhf).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kaongen.errors import StatisticsError
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.limit import UpperLimit, check_confidence_level

METHOD = "profile CLs, pyhf asymptotics"
SIGNAL = "signal"
SIGNAL_ERROR = "signal_normalisation"
Statistical = Literal["staterror", "histosys"]


def workspace(
    models: Mapping[str, BinnedModel],
    data: Mapping[str, npt.ArrayLike] | None = None,
    poi: str = "mu",
    statistical: Statistical = "staterror",
) -> dict[str, Any]:
    """The models as the channels of a HistFactory workspace in JSON, version 1.0.0.

    Parameters
    ----------
    models : mapping of str to BinnedModel
        By the name of the channel. Nuisance parameters of equal name are one parameter, also between channels, and the
        signal's normalisation is one.
    data : mapping of str to array_like, optional
        Counts by channel; without them the nominal background, as Asimov data.
    poi : str
        Name of the parameter of interest.
    statistical : "staterror" or "histosys"
        How the statistical errors of the backgrounds are written.

    Returns
    -------
    dict
        Ready for `json.dump` and `pyhf.Workspace`.

    Raises
    ------
    StatisticsError
        If there is no model, data and models have different channels or bins, a background is called "signal", or a
        name is used twice.

    Notes
    -----
    Equal to `BinnedModel` in everything but two details. The signal's normalisation and the named variations are
    `histosys` modifiers, symmetric and therefore linear, which is exact (a `normsys` would make the former log-normal).
    With "staterror", pyhf scales the whole background of a bin, variations included, with one factor per bin; the sum
    here adds a shift in events. They differ by the product of the two relative errors, and a bin with an error but
    no background cannot be written. With "histosys" each bin has a nuisance parameter of its own, and nothing differs
    except the least statistical error of 0.3% of the Poisson error, which `BinnedModel` adds and pyhf does not.
    """
    if not models:
        raise StatisticsError("models is empty, but a workspace needs at least one channel")
    if data is not None and set(data) != set(models):
        raise StatisticsError(f"data has the channels {sorted(data)}, but the models have {sorted(models)}")
    if statistical not in ("staterror", "histosys"):
        raise StatisticsError(f"statistical is {statistical!r}, but must be 'staterror' or 'histosys'")
    channels, observations = [], []
    for name, model in models.items():
        counts = model.asimov() if data is None else model.observation(data[name]).counts
        observations.append({"name": name, "data": counts.tolist()})
        samples = [_signal(model, poi)] + [_background(b, name, model, statistical) for b in model.backgrounds]
        channels.append({"name": name, "samples": samples})
    for names in ({n for m in models.values() for n in m.nuisances}, models):
        if clash := {poi, SIGNAL_ERROR} & set(names):
            raise StatisticsError(f"the name {clash.pop()!r} of a nuisance parameter or channel is taken by the signal")
    measurement = {"name": "kaongen", "config": {"poi": poi, "parameters": []}}
    return {"channels": channels, "observations": observations, "measurements": [measurement], "version": "1.0.0"}


def read_workspace(source: Path | str | Mapping[str, Any]) -> dict[str, Any]:
    """A workspace from a file or an object, checked against pyhf's schema and the rules that it cannot express.

    Parameters
    ----------
    source : path or mapping

    Returns
    -------
    dict

    Raises
    ------
    StatisticsError
        If the file cannot be read, is not JSON, or is no workspace that pyhf accepts; with pyhf's reason.
    """
    import pyhf

    if isinstance(source, Mapping):
        where, content = "the workspace", dict(source)
    else:
        where = str(source)
        try:
            content = json.loads(Path(source).read_text(encoding="utf-8"))
        except OSError as problem:
            raise StatisticsError(f"{where}: cannot be read ({problem.strerror})") from None
        except ValueError as problem:
            raise StatisticsError(f"{where}: not a JSON file ({problem})") from None
    try:
        pyhf.schema.validate(content, "workspace.json")
        checked = pyhf.Workspace(content, validate=False)
        bins = checked.model().config.channel_nbins
        for name, counts in checked.observations.items():
            if len(counts) != bins[name]:
                raise ValueError(f"channel {name!r} has {bins[name]} bins, but {len(counts)} observations")
    except (pyhf.exceptions.InvalidSpecification, pyhf.exceptions.InvalidModel, KeyError, ValueError) as problem:
        raise StatisticsError(f"{where}: not a workspace that pyhf accepts: {problem}") from None
    return content


def pyhf_upper_limit(source: Path | str | Mapping[str, Any], confidence_level: float = 0.9) -> UpperLimit:
    """Upper limit on the parameter of interest of a workspace by pyhf: CLs with q_tilde, asymptotic, by root finding.

    Parameters
    ----------
    source : path or mapping
        As in `read_workspace`.
    confidence_level : float
        Between 0 and 1, both excluded.

    Returns
    -------
    UpperLimit
        `observed` is the limit from the workspace's observations, also where these are Asimov data.

    Raises
    ------
    StatisticsError
        If the workspace is not valid or has no signal, or the confidence level is outside its range.

    Notes
    -----
    The signal is scaled such that its limit is near 1 while pyhf's minimiser works, and scaled back. With pyhf's numpy
    backend, which this takes, a limit needs a second with a few parameters and minutes with a staterror in each of 30
    bins: `binned_limit.upper_limit` is for scans, this for the comparison and for workspaces from elsewhere.
    """
    import pyhf
    from pyhf.infer.intervals.upper_limits import toms748_scan

    check_confidence_level(confidence_level)
    content = read_workspace(source)
    poi = content["measurements"][0]["config"]["poi"]
    factor = _scale(content, poi)
    scaled = pyhf.Workspace(_scaled(content, poi, factor))
    model = scaled.model()
    bounds = model.config.suggested_bounds()
    bounds[model.config.poi_index] = (0.0, 1000.0)
    found, expected = toms748_scan(
        scaled.data(model), model, 0.2, 8.0, level=1.0 - confidence_level, rtol=1e-4, test_stat="qtilde",
        par_bounds=bounds,
    )  # fmt: skip
    low2, low1, median, high1, high2 = (factor * float(value) for value in expected)
    return UpperLimit(factor * float(found), median, low2, low1, high1, high2, confidence_level, METHOD)


def _signal(model: BinnedModel, poi: str) -> dict[str, Any]:
    modifiers: list[dict[str, Any]] = [{"name": poi, "type": "normfactor", "data": None}]
    if model.signal_error > 0.0:
        modifiers.append(_histosys(SIGNAL_ERROR, model.signal, model.signal_error * model.signal))
    return {"name": SIGNAL, "data": model.signal.tolist(), "modifiers": modifiers}


def _background(background: Background, channel: str, model: BinnedModel, statistical: Statistical) -> dict[str, Any]:
    if background.name == SIGNAL:
        raise StatisticsError(f"a background of the channel {channel!r} is called {SIGNAL!r}, the name of the signal")
    modifiers = [_histosys(name, background.events, shift) for name, shift in background.variations.items()]
    if statistical == "staterror" and background.errors.any():
        scaled = np.sum([b.events for b in model.backgrounds if b.errors.any()], axis=0)
        empty = (background.errors > 0.0) & (scaled == 0.0)
        if empty.any():
            raise StatisticsError(
                f"bin {int(np.argmax(empty))} of the background {background.name!r} in the channel {channel!r} has a "
                "statistical error but no events, which a staterror cannot describe: use statistical='histosys'"
            )
        name = f"staterror_{channel}"
        modifiers.append({"name": name, "type": "staterror", "data": background.errors.tolist()})
    first = background is model.backgrounds[0]
    if statistical == "histosys" and first:  # the shift of a bin is that of the sum: any background can carry it
        for i in np.flatnonzero(model.statistical_error):
            shift = np.zeros(model.bins)
            shift[i] = model.statistical_error[i]
            modifiers.append(_histosys(f"statistical_{channel}_bin{i}", background.events, shift))
    return {"name": background.name, "data": background.events.tolist(), "modifiers": modifiers}


def _histosys(name: str, nominal: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> dict[str, Any]:
    data = {"hi_data": (nominal + shift).tolist(), "lo_data": (nominal - shift).tolist()}
    return {"name": name, "type": "histosys", "data": data}


def _scale(content: Mapping[str, Any], poi: str) -> float:
    """The signal strength of two standard deviations or three events, about."""
    information = total = 0.0
    for channel in content["channels"]:
        signal = background = np.zeros(len(channel["samples"][0]["data"]))
        error = np.zeros_like(signal)
        for sample in channel["samples"]:
            values = np.asarray(sample["data"], dtype=np.float64)
            if _is_signal(sample, poi):
                signal = signal + values
                continue
            background = background + values
            for modifier in sample["modifiers"]:
                if modifier["type"] == "histosys":
                    error = np.hypot(error, np.asarray(modifier["data"]["hi_data"]) - values)
        information += float(np.sum(signal**2 / (background + error**2 + 1.0)))
        total += float(signal.sum())
    if not information > 0.0:
        raise StatisticsError(f"the workspace has no sample with events that the parameter of interest {poi!r} scales")
    return 2.0 / float(np.sqrt(information))


def _is_signal(sample: Mapping[str, Any], poi: str) -> bool:
    return any(m["type"] == "normfactor" and m["name"] == poi for m in sample["modifiers"])


def _scaled(content: Mapping[str, Any], poi: str, factor: float) -> dict[str, Any]:
    """A copy with the signal multiplied."""

    def times(values: list[float]) -> list[float]:
        return [factor * value for value in values]

    result = copy.deepcopy(dict(content))
    for channel in result["channels"]:
        for sample in channel["samples"]:
            if not _is_signal(sample, poi):
                continue
            sample["data"] = times(sample["data"])
            for modifier in sample["modifiers"]:
                if modifier["type"] == "histosys":
                    modifier["data"] = {key: times(values) for key, values in modifier["data"].items()}
                elif modifier["type"] == "staterror":
                    modifier["data"] = times(modifier["data"])
    return result
