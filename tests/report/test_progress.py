"""Progress: lines where there is no terminal, a bar where there is one, nothing if so asked, never on stdout."""

import io

import pytest

import kaongen.report.progress as module
from kaongen.report.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when told to."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_line_per_interval_and_one_at_the_end(clock):
    said = io.StringIO()
    with Progress(1_000_000, stream=said) as progress:
        for _ in range(4):
            clock[0] += 6.0
            progress("munu", 200_000)
        assert said.getvalue().count("\n") == 3
        clock[0] += 1.0
        progress("munug", 200_000)
    lines = said.getvalue().splitlines()
    assert lines[0].startswith("1,000,000 candidates to go")
    assert lines[1].startswith("munu: 40% of 1,000,000 candidates")
    assert lines[-1].startswith("done: 100% of 1,000,000 candidates")
    assert lines[-2] == "all candidates made; evaluating them"
    assert len(lines) == 5


def test_the_rate_at_the_end_is_that_of_the_candidates(clock):
    """Whatever the search takes that follows."""
    said = io.StringIO()
    with Progress(1_000_000, stream=said) as progress:
        clock[0] += 0.5
        progress("munu", 1_000_000)
        clock[0] += 100.0
    assert "2.0 M/s" in said.getvalue().splitlines()[-1]


def test_the_rest_is_estimated_from_what_was_done(clock):
    said = io.StringIO()
    with Progress(1_000_000, stream=said) as progress:
        clock[0] += 20.0
        progress("munu", 250_000)
        assert "60 s left" in said.getvalue()


def test_quiet_is_quiet(clock):
    said = io.StringIO()
    with Progress(10, quiet=True, stream=said) as progress:
        clock[0] += 1000.0
        progress("munu", 10)
    assert said.getvalue() == ""


def test_an_error_is_not_called_done():
    said = io.StringIO()
    with pytest.raises(RuntimeError), Progress(10, stream=said):
        raise RuntimeError
    assert "done" not in said.getvalue()


def test_nothing_goes_to_stdout(capsys):
    with Progress(10) as progress:
        progress("munu", 10)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "done" in captured.err


def test_a_terminal_gets_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    said = Terminal()
    with Progress(10, stream=said) as progress:
        progress("munug", 5)
        progress("munug", 4)
    assert "munug" in said.getvalue()
    with Progress(10, stream=said) as progress:
        progress("munug", 10)
    assert "evaluating" in said.getvalue()
    assert "100%" in said.getvalue()
    assert "candidates," not in said.getvalue()


def test_a_run_of_nothing_does_not_divide_by_it():
    with Progress(0, stream=io.StringIO()) as progress:
        progress("munu", 0)


def test_more_than_was_asked_for_is_all(clock):
    said = io.StringIO()
    with Progress(1000, stream=said) as progress:
        clock[0] += 1.0
        progress("munu", 65_536)
    assert said.getvalue().splitlines()[-1].startswith("done: 100% of 65,536 candidates")
    assert "-" not in said.getvalue()
