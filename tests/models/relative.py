"""Comparison by relative error alone: widths in GeV are far below the absolute tolerance that pytest adds."""

import pytest


def approx(expected, rel=1e-6, abs=0.0):
    return pytest.approx(expected, rel=rel, abs=abs)
