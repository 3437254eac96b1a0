"""From limits on BR(K+ -> pi+ X) to couplings and back."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from kaongen.analysis.pion_x_couplings import ALP, DARK_SCALAR, PORTALS, excluded, invisible
from kaongen.models.alp import AxionLikeParticle
from kaongen.models.dark_scalar import DarkScalar
from kaongen.particles import SPEED_OF_LIGHT
from kaongen.statistics.limit import UpperLimit

LENGTH, MOMENTUM = 110.0, 45.0


def hypothesis(mass):
    """X of one momentum, made at one distance from MUV3."""
    grid = SimpleNamespace(escape=lambda m, lifetime: math.exp(-LENGTH * m / (MOMENTUM * SPEED_OF_LIGHT * lifetime)))
    return SimpleNamespace(mass=mass, grid=grid)


def limit(value):
    return UpperLimit(value, value, 0.5 * value, 0.7 * value, 1.4 * value, 2.0 * value, 0.9, "")


def test_coupling_of_an_invisible_x_gives_the_limit_back():
    for mass in (0.05, 0.2, 0.25):
        stable = {mass: limit(5e-11)}
        sin2 = invisible(DARK_SCALAR, [hypothesis(mass)], stable)[mass].observed
        assert DarkScalar(mass, sin2).kaon_branching_fraction() == pytest.approx(5e-11)
        found = invisible(ALP, [hypothesis(mass)], stable)[mass]
        for part, rate in (("observed", 5e-11), ("minus_two_sigma", 2.5e-11), ("plus_two_sigma", 1e-10)):
            g_y = getattr(found, part)
            assert AxionLikeParticle(mass, g_y).kaon_branching_fraction() == pytest.approx(rate)


@pytest.mark.parametrize(("mass", "largest"), [(0.06, 1.0), (0.16, 1.0), (0.2, 1.0), (0.225, 1.0), (0.25, 1.0)])
@pytest.mark.parametrize("portal", PORTALS, ids=lambda portal: portal.name)
def test_both_ends_of_what_is_excluded_give_the_limit_back(portal, mass, largest):
    h = hypothesis(mass)
    interval = excluded(portal, h, 5e-11)

    def seen(square):
        """Rate that looks invisible: particles of the model, not the portal's scaling."""
        particle = DarkScalar(mass, square) if portal is DARK_SCALAR else AxionLikeParticle(mass, math.sqrt(square))
        energy = math.hypot(MOMENTUM, mass)
        return particle.kaon_branching_fraction() * particle.escape_probability(energy, LENGTH)

    assert seen(interval.low) == pytest.approx(5e-11, rel=1e-6)
    if interval.high < portal.largest:
        assert seen(interval.high) == pytest.approx(5e-11, rel=1e-6)
        assert seen(1.001 * interval.high) < 5e-11
    between = np.geomspace(interval.low, interval.high, 50)[1:-1]
    assert all(seen(square) > 5e-11 for square in between)
    assert seen(0.999 * interval.low) < 5e-11


def test_visible_decays_only_weaken():
    for portal in PORTALS:
        for mass in (0.02, 0.1, 0.17, 0.215, 0.25):
            hidden = invisible(portal, [hypothesis(mass)], {mass: limit(5e-11)})[mass].observed
            interval = excluded(portal, hypothesis(mass), 5e-11)
            assert interval.low**portal.power >= hidden * (1.0 - 1e-9)


def test_muons_close_the_interval():
    below, above = (excluded(DARK_SCALAR, hypothesis(mass), 5e-11) for mass in (0.205, 0.225))
    assert below.high > 1000.0 * above.high


def test_nothing_is_excluded_where_enough_never_escape():
    h = hypothesis(0.25)
    # largest rate that looks invisible: s exp(-s/s0) has its maximum s0/e
    rate, life = DARK_SCALAR.branching_fraction(0.25, 1.0), DARK_SCALAR.lifetime(0.25, 1.0)
    most = rate * life * MOMENTUM * SPEED_OF_LIGHT / (LENGTH * 0.25) / math.e
    assert excluded(DARK_SCALAR, h, 1.001 * most) is None
    assert excluded(DARK_SCALAR, h, 0.999 * most) is not None


def test_a_massless_x_lives_for_ever():
    interval = excluded(DARK_SCALAR, hypothesis(0.0), 5e-11)
    assert interval.high == DARK_SCALAR.largest
    assert excluded(DARK_SCALAR, hypothesis(0.0), 1.0) is None
