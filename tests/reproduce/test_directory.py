"""A reproduction goes where nothing else is."""

import pytest

from kaongen.errors import EventFileError
from kaongen.reproduction import reproduce


@pytest.mark.parametrize("name", ["report.html", "figures", "manifest.json"])
def test_the_report_of_something_else_stays(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(EventFileError, match=f"holds {name} and no reproduction of na62-mu"):
        reproduce("na62-mu", tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_a_file_stays(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EventFileError, match="is a file"):
        reproduce("letter", tmp_path / "file")
