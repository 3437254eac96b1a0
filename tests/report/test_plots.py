"""Plots are files, and leave the user's own matplotlib as it was."""

import matplotlib
import matplotlib.pyplot as plt
import pytest
from test_tables import RESULT

from kaongen.report.plots import save_plots

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _own_figures():
    plt.close("all")
    matplotlib.rcdefaults()
    yield
    plt.close("all")


def test_plots_are_png_files(tmp_path):
    files = save_plots(RESULT, tmp_path / "plots")
    assert [path.name for path in files] == ["m2_miss.png", "limits.png"]
    for path in files:
        assert path.read_bytes().startswith(PNG)
        assert path.stat().st_size > 5000


@pytest.mark.parametrize("lacking", ["cuts", "signals", "backgrounds"])
def test_a_search_may_lack_a_part(tmp_path, lacking):
    assert len(save_plots(RESULT.model_copy(update={lacking: []}), tmp_path)) == 2


def test_no_figure_stays_open(tmp_path):
    """A scan over many cards would keep them all in memory."""
    save_plots(RESULT, tmp_path)
    assert plt.get_fignums() == []


def test_the_style_of_the_user_stays(tmp_path):
    before = dict(matplotlib.rcParams)
    save_plots(RESULT, tmp_path)
    changed = {key for key, value in before.items() if matplotlib.rcParams[key] != value} - {"backend"}
    assert not changed


def test_a_plot_that_is_there_is_replaced(tmp_path):
    (tmp_path / "m2_miss.png").write_text("old")
    save_plots(RESULT, tmp_path)
    assert (tmp_path / "m2_miss.png").read_bytes().startswith(PNG)
