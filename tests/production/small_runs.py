"""Cards of a few chunks, and what their runs left."""

from kaongen.analysis.mu_selection import MuonSelection
from kaongen.decays.sampling import CHUNK
from kaongen.events.reader import open_events
from kaongen.production.card import Card
from kaongen.production.engine import produce

PARAMETERS = {
    "munuV": {"m_X": 0.1},
    "munuV-mumu": {"m_X": 0.25},
    "munuphi": {"m_X": 0.2},
    "muN": {"m_N": 0.3},
    "eN": {"m_N": 0.3},
    "piX": {"m_X": 0.1},
    "piS": {"m_S": 0.2},
    "pia": {"m_a": 0.05},
    "piaa": {"m_a": 0.1},
}
"""Those without a default."""


def sample(process, candidates=CHUNK, **more):
    return {
        "process": process,
        "role": "background",
        "candidates": candidates,
        "parameters": PARAMETERS.get(process, {}),
    } | more


def card(*samples, seed=5, shard_candidates=CHUNK, compression="none", **detector):
    run = {"name": "small", "seed": seed, "shard_candidates": shard_candidates, "compression": compression}
    return Card.model_validate({"run": run, "sample": samples, "detector": detector})


def made(directory, *samples, threads=2, resume=False, progress=None, **settings):
    """The manifest of a run into a directory."""
    wanted = card(*samples, **settings)
    return produce(wanted, MuonSelection(), directory, threads=threads, resume=resume, progress=progress)


def columns(directory):
    """All columns of all samples: the content of a run, however it was cut."""
    events = open_events(directory)
    return {name: events[name].columns() for name in events.samples}


def assert_same(one, two):
    """Equal to the last bit."""
    assert one.keys() == two.keys()
    for name, table in one.items():
        assert table.keys() == two[name].keys()
        for column, values in table.items():
            assert values.tobytes() == two[name][column].tobytes(), f"{name}: {column}"
