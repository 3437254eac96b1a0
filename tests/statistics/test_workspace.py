"""Workspaces: pyhf reads them, expects the same events from them, and finds the same limits."""

import json

import numpy as np
import pytest

from kaongen.errors import StatisticsError
from kaongen.statistics.binned import Background, BinnedModel
from kaongen.statistics.binned_limit import upper_limit
from kaongen.statistics.workspace import pyhf_upper_limit, read_workspace, workspace

B1 = Background("pi0munu", np.array([40.0, 30.0, 20.0]), np.array([2.0, 1.0, 1.0]), {"veto": np.array([4.0, 3.0, 1.0])})
B2 = Background("munug", np.array([10.0, 5.0, 0.0]), np.array([1.0, 0.5, 0.0]), {"veto": np.array([1.0, 0.0, 0.0]),
                "scale": np.array([-2.0, 1.0, 0.0])})  # fmt: skip
MODEL = BinnedModel(np.array([1.0, 4.0, 2.0]), (B1, B2), 0.1)
SIMPLE = BinnedModel(np.array([2.0, 1.0]), (Background("b", np.array([50.0, 60.0]), variations={"veto": [5.0, -3.0]}),))


def everything(limit):
    return [limit.minus_two_sigma, limit.minus_one_sigma, limit.expected, limit.plus_one_sigma, limit.plus_two_sigma]


def expected_by_pyhf(content, **parameters):
    import pyhf

    model = pyhf.Workspace(content).model()
    values = np.array(model.config.suggested_init(), dtype=float)
    for name, value in parameters.items():
        values[model.config.par_slice(name)] = value
    return model.expected_actualdata(values)


@pytest.mark.parametrize("statistical", ["staterror", "histosys"])
def test_pyhf_expects_the_same_events(statistical):
    """With mu, the signal's own error and the shared variation anywhere; the model of the formula, written out."""
    content = workspace({"sr": MODEL}, statistical=statistical)
    found = expected_by_pyhf(content, mu=3.0, signal_normalisation=-1.5, veto=0.7, scale=2.0)
    veto, scale = np.array([5.0, 3.0, 1.0]), np.array([-2.0, 1.0, 0.0])
    truth = 3.0 * (1 - 0.15) * MODEL.signal + B1.events + B2.events + 0.7 * veto + 2.0 * scale
    assert found == pytest.approx(truth, rel=1e-12)


def test_one_standard_deviation_of_a_bin():
    """pyhf's factor of a bin and a shift in events agree where nothing else moves."""
    error = np.sqrt(5.0) / 50.0
    factors = expected_by_pyhf(workspace({"sr": MODEL}), mu=0.0, staterror_sr=[1.0 + error, 1.0, 1.0])
    shifts = expected_by_pyhf(workspace({"sr": MODEL}, statistical="histosys"), mu=0.0, statistical_sr_bin0=1.0)
    assert factors == pytest.approx([50 + np.sqrt(5.0), 35, 20])
    assert shifts == pytest.approx(factors)


@pytest.mark.parametrize(("statistical", "precision"), [("staterror", 0.01), ("histosys", 1e-3)])
def test_limits_agree_with_our_own(statistical, precision):
    counts = [55, 38, 24]
    theirs = pyhf_upper_limit(workspace({"sr": MODEL}, {"sr": counts}, statistical=statistical))
    ours = upper_limit(MODEL, counts)
    assert theirs.observed == pytest.approx(ours.observed, rel=precision)
    assert everything(theirs) == pytest.approx(everything(ours), rel=precision)
    assert theirs.method == "profile CLs, pyhf asymptotics"


@pytest.mark.parametrize("unit", [1e-10, 1e6])
def test_limit_does_not_depend_on_the_unit(unit):
    """A branching fraction of 1e-11 is a number like any other."""
    model = BinnedModel(SIMPLE.signal / unit, SIMPLE.backgrounds)
    assert pyhf_upper_limit(workspace({"sr": model})).expected == pytest.approx(
        upper_limit(SIMPLE).expected * unit, rel=1e-3
    )


def test_two_channels_share_parameters_and_equal_one_long_model():
    content = workspace({"a": SIMPLE, "b": SIMPLE})
    background = Background("b", np.tile([50.0, 60.0], 2), variations={"veto": np.tile([5.0, -3.0], 2)})
    long = BinnedModel(np.tile(SIMPLE.signal, 2), (background,))
    assert pyhf_upper_limit(content).expected == pytest.approx(upper_limit(long).expected, rel=1e-3)


def test_asimov_data_are_the_observations_by_default():
    content = workspace({"sr": MODEL}, poi="br")
    assert content["observations"] == [{"name": "sr", "data": [50.0, 35.0, 20.0]}]
    assert content["measurements"][0]["config"]["poi"] == "br"
    seen = workspace({"sr": MODEL}, {"sr": [1, 2, 3]})
    assert seen["observations"][0]["data"] == [1.0, 2.0, 3.0]


def test_a_workspace_survives_a_file(tmp_path):
    content = workspace({"sr": MODEL})
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert read_workspace(path) == content
    assert read_workspace(content) == content


def test_broken_files_are_refused_with_the_reason(tmp_path):
    with pytest.raises(StatisticsError, match=r"none\.json: cannot be read"):
        read_workspace(tmp_path / "none.json")
    path = tmp_path / "text.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(StatisticsError, match=r"text\.json: not a JSON file"):
        read_workspace(path)
    for break_it in (
        lambda c: c.pop("channels"),
        lambda c: c["channels"][0]["samples"][0]["data"].append(1.0),
        lambda c: c["observations"].clear(),
        lambda c: c["measurements"][0]["config"].update(poi="other"),
        lambda c: c["observations"][0]["data"].pop(),
    ):
        content = workspace({"sr": SIMPLE})
        break_it(content)
        with pytest.raises(StatisticsError, match="not a workspace that pyhf accepts"):
            read_workspace(content)


def test_impossible_workspaces_are_refused():
    with pytest.raises(StatisticsError, match="models is empty"):
        workspace({})
    with pytest.raises(StatisticsError, match=r"data has the channels \['cr'\], but the models have \['sr'\]"):
        workspace({"sr": SIMPLE}, {"cr": [1, 2]})
    with pytest.raises(StatisticsError, match="data has 1 bins, but must have 2"):
        workspace({"sr": SIMPLE}, {"sr": [1]})
    with pytest.raises(StatisticsError, match="statistical is 'none'"):
        workspace({"sr": SIMPLE}, statistical="none")
    with pytest.raises(StatisticsError, match="'veto' of a nuisance parameter or channel is taken"):
        workspace({"sr": SIMPLE}, poi="veto")
    with pytest.raises(StatisticsError, match="the name of the signal"):
        workspace({"sr": BinnedModel([1.0], (Background("signal", [1.0]),))})
    with pytest.raises(StatisticsError, match=r"bin 1 of the background 'b' .* statistical='histosys'"):
        workspace({"sr": BinnedModel([1.0, 1.0], (Background("b", [1.0, 0.0], [0.0, 1.0]),))})
    with pytest.raises(StatisticsError, match="confidence_level is 2"):
        pyhf_upper_limit(workspace({"sr": SIMPLE}), 2)
