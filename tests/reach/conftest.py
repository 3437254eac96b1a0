"""What tests of this folder register is forgotten afterwards."""

import pytest

from kaongen.decays import catalogue


@pytest.fixture(autouse=True)
def _own_catalogue(monkeypatch):
    monkeypatch.setattr(catalogue, "_CATALOGUE", dict(catalogue._CATALOGUE))
