"""K+ -> pi pi l+ nu against traces of the hadronic current, the intensities of Pais and Treiman, and measured widths.

The reference is M = ubar(nu) gamma_m (1 - gamma5) v(l) (V^m - A^m) in units of G_F V_us/sqrt2, with

    A^m = -(i/m_K) [F P^m + G Q^m],  V^m = -(H/m_K^3) eps^{m n r s} L_n P_r Q_s,  eps_{0123} = +1,

P = p+ + p-, Q = p+ - p-, L = p_l + p_nu, as 4x4 matrices.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from dirac import GAMMA5, IDENTITY, dot, levi_civita, lower, slash, squared
from four_body_points import AXES, FLAT, PairMass, evaluate, four_body, integral, minkowski, mirrored, turned

from kaongen.amplitudes import kl4
from kaongen.particles import ALPHA_EM, BR_K_PI0PI0ENU, BR_K_PIPIENU, M_E, M_K, M_MU, M_PI, M_PI0, TAU_K

EPSILON = -levi_civita()
PI4 = 4 * M_PI**2

WEAK_SQUARED = (1.1663788e-5 * 0.2252) ** 2 / 2
"""G_F (PDG) in GeV^-2, and the |V_us| with which NA48/2 turned its widths into form factors."""

HBAR = 6.582119569e-16
"""GeV ns"""

LEPTONS = {"e": M_E, "mu": M_MU}


@dataclass(frozen=True)
class FormFactors:
    """In the order of `kl4.squared`; all but f_s relative to f_s. PDG 2026 averages by default."""

    f_s: float = 5.712
    f_s1: float = 0.152
    f_s2: float = -0.073
    f_e: float = 0.068
    f_p: float = -0.048
    g_p: float = 0.868
    g_p1: float = 0.089
    h_p: float = -0.398

    def values(self):
        return (self.f_s, self.f_s1, self.f_s2, self.f_e, self.f_p, self.g_p, self.g_p1, self.h_p)

    def amplitudes(self, s_pi, s_l, cosine, delta):
        """F, G and H with the phase of the p wave put to zero."""
        q2 = s_pi / PI4 - 1
        f = self.f_s * (1 + self.f_s1 * q2 + self.f_s2 * q2**2 + self.f_e * s_l / PI4) * np.exp(1j * delta)
        return (
            f + self.f_s * self.f_p * cosine,
            self.f_s * (self.g_p + self.g_p1 * q2),
            self.f_s * self.h_p,
        )


PDG = FormFactors()
RANDOM = FormFactors(3.1, 0.7, -0.9, 0.8, 1.3, -0.6, 0.9, 2.7)
"""No small or vanishing form factor: every term counts."""


def from_traces(event, m_l, f, g, h):
    plus, minus, lepton, nu = event
    p, q, pair = plus + minus, plus - minus, lepton + nu
    axial = -1j / M_K * (f * p + g * q)
    vector = -h / M_K**3 * np.einsum("mnrs,n,r,s->m", EPSILON, lower(pair), lower(p), lower(q))
    return squared(nu, lepton, m_l, slash(vector - axial) @ (IDENTITY - GAMMA5))


@dataclass(frozen=True)
class Angles:
    """The variables of Cabibbo and Maksymowicz: s_pi, s_l and the angles theta_pi, theta_l, phi."""

    s_pi: float
    s_l: float
    cos_pi: float
    cos_l: float
    cos_phi: float
    sin_phi: float


def in_rest_frame(p, frame):
    m = np.sqrt(dot(frame, frame))
    along = p[1:] @ frame[1:]
    return p[1:] + (along / (frame[0] + m) - p[0]) / m * frame[1:]


def angles(event):
    """By boosts and three-vectors, as in Bijnens, Colangelo and Gasser, Nucl. Phys. B 427 (1994) 427, section 2."""
    plus, minus, lepton, nu = event
    p, pair = plus + minus, lepton + nu
    v = p[1:] / np.linalg.norm(p[1:])
    k_plus, k_lepton = in_rest_frame(plus, p), in_rest_frame(lepton, pair)
    c, d = (x[1:] - v * (v @ x[1:]) for x in (plus, lepton))
    c, d = c / np.linalg.norm(c), d / np.linalg.norm(d)
    return Angles(
        dot(p, p),
        dot(pair, pair),
        v @ k_plus / np.linalg.norm(k_plus),
        -v @ k_lepton / np.linalg.norm(k_lepton),
        c @ d,
        np.cross(c, v) @ d,
    )


def from_intensities(event, m_l, f, g, h):
    """I_1 to I_9 of Pais and Treiman, Phys. Rev. 168 (1968) 1858, as in Nucl. Phys. B 427 (1994) 427 with R = 0."""
    a = angles(event)
    z = m_l**2 / a.s_l
    pl = (M_K**2 - a.s_pi - a.s_l) / 2
    x = np.sqrt(pl**2 - a.s_pi * a.s_l)
    sigma = np.sqrt(1 - PI4 / a.s_pi)
    root = np.sqrt(a.s_pi * a.s_l)
    f1 = x * f + sigma * pl * a.cos_pi * g
    f2 = sigma * root * g
    f3 = sigma * x * root * h / M_K**2
    f4 = -(pl * f + sigma * x * a.cos_pi * g)
    s = np.sqrt(1 - a.cos_pi**2)

    def re(u, w):
        return (np.conj(u) * w).real

    def im(u, w):
        return (np.conj(u) * w).imag

    both = (abs(f2) ** 2 + abs(f3) ** 2) * s**2
    i1 = ((1 + z) * abs(f1) ** 2 + (3 + z) / 2 * both + 2 * z * abs(f4) ** 2) / 4
    i2 = -(1 - z) / 4 * (abs(f1) ** 2 - both / 2)
    i3 = -(1 - z) / 4 * (abs(f2) ** 2 - abs(f3) ** 2) * s**2
    i4 = (1 - z) / 2 * re(f1, f2) * s
    i5 = -(re(f1, f3) + z * re(f4, f2)) * s
    i6 = -(re(f2, f3) * s**2 - z * re(f1, f4))
    i7 = -(im(f1, f2) + z * im(f4, f3)) * s
    i8 = (1 - z) / 2 * im(f1, f3) * s
    i9 = -(1 - z) / 2 * im(f2, f3) * s**2
    cos_l, cos_phi, sin_phi = a.cos_l, a.cos_phi, a.sin_phi
    sin_l = np.sqrt(1 - cos_l**2)
    sin_2l, cos_2l = 2 * sin_l * cos_l, 2 * cos_l**2 - 1
    total = (
        i1
        + i2 * cos_2l
        + i3 * sin_l**2 * (cos_phi**2 - sin_phi**2)
        + i4 * sin_2l * cos_phi
        + i5 * sin_l * cos_phi
        + i6 * cos_l
        + i7 * sin_l * sin_phi
        + i8 * sin_2l * sin_phi
        + i9 * sin_l**2 * 2 * sin_phi * cos_phi
    )
    # dGamma = G_F^2 |V_us|^2 (1 - z) sigma X/(2^13 pi^6 m_K^5) 2 (1 - z) I, against |M|^2 dPhi_4/(2 m_K)
    return 8 * (1 - z) / M_K**2 * total


def schenk(s_pi, wave, a, b, c, d, s_0):
    """delta(s) from tan(delta) = sigma q^(2 l) (A + B q^2 + C q^4 + D q^6)(4 - s_0)/(s - s_0), in units of m_pi+."""
    s = s_pi / M_PI**2
    q2 = s / 4 - 1
    return np.arctan(np.sqrt(1 - 4 / s) * q2**wave * (a + b * q2 + c * q2**2 + d * q2**3) * (4 - s_0) / (s - s_0))


def phase(s_pi):
    """delta_S - delta_P of Colangelo, Gasser and Leutwyler, Nucl. Phys. B 603 (2001) 125, section 17."""
    s_wave = schenk(s_pi, 0, 0.220, 0.268, -0.0139, -0.00139, 36.77)
    return s_wave - schenk(s_pi, 1, 0.0379, 0.140e-4, -0.673e-4, 0.163e-7, 30.72)


def form_factors_at(event, parameters):
    a = angles(event)
    return parameters.amplitudes(a.s_pi, a.s_l, a.cos_pi, phase(a.s_pi))


def charged_points(m_l, n, seed=1):
    return four_body(seed, n, (M_PI, M_PI, m_l, 0.0))


def neutral_points(m_l, n, seed=1, pions=FLAT):
    return four_body(seed, n, (M_PI0, M_PI0, m_l, 0.0), pions)


@pytest.mark.parametrize("m_l", LEPTONS.values(), ids=LEPTONS)
def test_traces_agree_with_pais_and_treiman(m_l):
    """Two independent routes, with arbitrary complex form factors; the sign of eps is that of their angles."""
    rng = np.random.default_rng(1)
    for event in charged_points(m_l, 30).events():
        f, g, h = rng.normal(size=3) + 1j * rng.normal(size=3)
        assert from_traces(event, m_l, f, g, h) == pytest.approx(from_intensities(event, m_l, f, g, h), rel=1e-9)


@pytest.mark.parametrize("parameters", [PDG, RANDOM], ids=["measured", "large"])
@pytest.mark.parametrize("m_l", LEPTONS.values(), ids=LEPTONS)
def test_charged_pions_agree_with_traces(m_l, parameters):
    points = charged_points(m_l, 60, seed=2)
    expected = [from_traces(event, m_l, *form_factors_at(event, parameters)) for event in points.events()]
    values = evaluate(kl4.squared, points, m_l, *parameters.values())
    assert values == pytest.approx(np.array(expected), rel=1e-9, abs=0)


@pytest.mark.parametrize("m_l", LEPTONS.values(), ids=LEPTONS)
def test_charged_pions_agree_with_pais_and_treiman(m_l):
    points = charged_points(m_l, 60, seed=3)
    expected = [from_intensities(event, m_l, *form_factors_at(event, PDG)) for event in points.events()]
    assert evaluate(kl4.squared, points, m_l, *PDG.values()) == pytest.approx(np.array(expected), rel=1e-9, abs=0)


def test_default_form_factors_are_the_measured_ones():
    assert PDG.values() == kl4.FORM_FACTORS
    assert NEUTRAL == kl4.NEUTRAL_FORM_FACTORS
    assert pytest.approx(WEAK_SQUARED, rel=1e-12) == kl4.WEAK_SQUARED


@pytest.mark.parametrize("f_s", [1.0, 5.712])
def test_f_alone_and_a_massless_lepton(f_s):
    """(8/m_K^2) F^2 [2 P.l P.nu - P^2 l.nu], quadratic in f_s."""
    points = charged_points(0.0, 100, seed=4)
    plus, minus, lepton, nu = points.momenta
    p = plus + minus
    bracket = 2 * minkowski(p, lepton) * minkowski(p, nu) - minkowski(p, p) * minkowski(lepton, nu)
    values = evaluate(kl4.squared, points, 0.0, f_s, *[0.0] * 7)
    assert values == pytest.approx(8 * (f_s / M_K) ** 2 * bracket, rel=1e-10)


def test_f_alone_needs_a_longitudinal_lepton_pair():
    """With F only and a massless lepton the rate goes as sin^2 of the lepton's angle, whatever phi."""
    points = charged_points(0.0, 100, seed=5)
    shape = []
    for event, value in zip(points.events(), evaluate(kl4.squared, points, 0.0, 1.0, *[0.0] * 7), strict=True):
        a = angles(event)
        x2 = (M_K**2 - a.s_pi - a.s_l) ** 2 / 4 - a.s_pi * a.s_l
        shape.append(value / (x2 * (1 - a.cos_l**2)))
    assert np.allclose(shape, 4 / M_K**2, rtol=1e-9)


@pytest.mark.parametrize("m_l", LEPTONS.values(), ids=LEPTONS)
def test_pions_can_be_exchanged_with_the_signs_of_the_p_wave(m_l):
    points = charged_points(m_l, 100, seed=6)
    values = evaluate(kl4.squared, points, m_l, *RANDOM.values())
    other = FormFactors(
        RANDOM.f_s, RANDOM.f_s1, RANDOM.f_s2, RANDOM.f_e, -RANDOM.f_p, -RANDOM.g_p, -RANDOM.g_p1, -RANDOM.h_p
    )
    exchanged = evaluate(kl4.squared, points.reordered(1, 0, 2, 3), m_l, *other.values())
    assert exchanged == pytest.approx(values, rel=1e-9)


def test_phases_alone_make_the_t_odd_terms():
    """Reflected momenta are phi -> -phi: only I_7 to I_9 change sign, which are imaginary parts."""
    points = charged_points(M_E, 400, seed=7)
    values = evaluate(kl4.squared, points, M_E, *PDG.values())
    other = evaluate(kl4.squared, mirrored(points), M_E, *PDG.values())
    expected = []
    for event in points.events():
        f, g, h = form_factors_at(event, PDG)
        reflected = event * [1, -1, -1, -1]
        expected.append(from_intensities(reflected, M_E, f, g, h))
        one, two = (from_traces(e, M_E, abs(f), g, h) for e in (event, reflected))
        assert one == pytest.approx(two, rel=1e-10)
    assert other == pytest.approx(np.array(expected), rel=1e-9)
    assert abs((values - other) / (values + other)).max() > 0.02
    # all form factors have the sign of f_s, which cannot be seen
    negative = FormFactors(f_s=-PDG.f_s)
    assert evaluate(kl4.squared, points, M_E, *negative.values()) == pytest.approx(values, rel=1e-12)


def test_sign_of_the_vector_form_factor():
    """H interferes with F and G in I_5 and I_6, so its sign can be seen without phases, and V - A fixes it."""
    points = charged_points(M_E, 200, seed=8)
    values = evaluate(kl4.squared, points, M_E, *PDG.values())
    flipped = FormFactors(h_p=-PDG.h_p)
    other = evaluate(kl4.squared, points, M_E, *flipped.values())
    interference = []
    for event in points.events():
        f, g, h = form_factors_at(event, PDG)
        interference.append(from_intensities(event, M_E, f, g, h) - from_intensities(event, M_E, f, g, -h))
    assert values - other == pytest.approx(np.array(interference), rel=1e-7, abs=1e-10 * values.max())
    assert abs(values / other - 1).max() > 0.03


# The phase shifts.


@pytest.mark.parametrize("m_pipi", [0.280, 0.286, 0.30, 0.32, 0.35, 0.39, 0.44, 0.49])
def test_phase_difference(m_pipi):
    cosine, sine = kl4.phase_difference(m_pipi**2 / PI4 - 1)
    assert cosine**2 + sine**2 == pytest.approx(1, rel=1e-12)
    assert np.arctan2(sine, cosine) == pytest.approx(phase(m_pipi**2), abs=1e-10)


def test_phase_difference_starts_with_the_scattering_length():
    """delta -> a_0 q/m_pi, q the pion's momentum: a_0 = 0.220."""
    q2 = 1e-8
    _, sine = kl4.phase_difference(q2)
    assert sine / np.sqrt(q2) == pytest.approx(0.220, rel=1e-3)
    assert kl4.phase_difference(0.0) == pytest.approx((1.0, 0.0), abs=1e-12)


def test_phase_difference_below_threshold_is_a_number():
    """Rounding can put S_pi below 4 m_pi^2."""
    assert np.isfinite(kl4.phase_difference(-1e-15)).all()


# pi0 pi0


NEUTRAL = (0.149, -0.070, 0.113, -0.256)


def neutral_form_factor(s_pi, s_l, a, b, c, d):
    q2 = s_pi / PI4 - 1
    above = 1 + a * q2 + b * q2**2
    below = 1 + d * np.sqrt(abs(q2 / (1 + q2)))
    return np.where(q2 > 0, above, below) + c * s_l / PI4


@pytest.mark.parametrize("parameters", [NEUTRAL, (0.9, -0.7, 1.3, -0.8)], ids=["measured", "large"])
@pytest.mark.parametrize("m_l", LEPTONS.values(), ids=LEPTONS)
def test_neutral_pions_agree_with_traces(m_l, parameters):
    points = neutral_points(m_l, 200, 9, PairMass(pole=0.0725))
    s_pi, s_l = points.mass_squared(0, 1), points.mass_squared(2, 3)
    assert 20 < (s_pi < PI4).sum() < 180
    f = neutral_form_factor(s_pi, s_l, *parameters)
    expected = [from_traces(event, m_l, one, 0, 0) for event, one in zip(points.events(), f, strict=True)]
    values = evaluate(kl4.neutral_squared, points, m_l, *parameters)
    assert values == pytest.approx(np.array(expected), rel=1e-9, abs=0)


@pytest.mark.parametrize("m_l", LEPTONS.values(), ids=LEPTONS)
def test_neutral_pions_can_be_exchanged(m_l):
    points = neutral_points(m_l, 200, seed=10)
    values = evaluate(kl4.neutral_squared, points, m_l, *NEUTRAL)
    exchanged = evaluate(kl4.neutral_squared, points.reordered(1, 0, 2, 3), m_l, *NEUTRAL)
    assert exchanged == pytest.approx(values, rel=1e-12)


def test_neutral_form_factor_has_a_cusp_and_no_step():
    """At two charged pions F is continuous, and on the lower side it falls as the square root."""

    def value(q2):
        s_pi, s_l, m_l = PI4 * (1 + q2), 0.01, M_E
        e_pair = (M_K**2 + s_pi - s_l) / (2 * M_K)
        p = np.sqrt(e_pair**2 - s_pi)
        inside = np.sqrt(s_pi / 4 - M_PI0**2)
        k = (s_l - m_l**2) / (2 * np.sqrt(s_l))
        gamma_l, along = (M_K - e_pair) / np.sqrt(s_l), -p / np.sqrt(s_l)
        e_l = np.hypot(k, m_l)
        vectors = [
            (inside, 0.0, p / 2, e_pair / 2),
            (-inside, 0.0, p / 2, e_pair / 2),
            (0.0, k, along * e_l, gamma_l * e_l),
            (0.0, -k, along * k, gamma_l * k),
        ]
        return kl4.neutral_squared(*vectors, m_l, *NEUTRAL), vectors

    at = value(0.0)[0]
    assert value(1e-10)[0] == pytest.approx(at, rel=1e-4)
    assert value(-1e-10)[0] == pytest.approx(at, rel=1e-4)
    for q2 in (-1e-4, -1e-3):
        below, above = value(q2)[0], value(-q2)[0]
        f_below, f_above = (neutral_form_factor(PI4 * (1 + q), 0.01, *NEUTRAL) for q in (q2, -q2))
        assert below / above == pytest.approx((f_below / f_above) ** 2, abs=20 * abs(q2))
        assert below < above * (1 - np.sqrt(-q2) / 3)


# All.


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("particle", range(4))
def test_orientation_in_space_does_not_matter(particle, axis):
    points = charged_points(M_E, 50, seed=12)
    values = evaluate(kl4.squared, points, M_E, *PDG.values())
    other = evaluate(kl4.squared, turned(points, particle, axis), M_E, *PDG.values())
    assert other == pytest.approx(values, rel=1e-9, abs=0)


def test_never_negative():
    for m_l in LEPTONS.values():
        charged, neutral = charged_points(m_l, 1000, seed=13), neutral_points(m_l, 1000, seed=13)
        assert evaluate(kl4.squared, charged, m_l, *PDG.values()).min() > 0
        assert evaluate(kl4.squared, charged, m_l, *RANDOM.values()).min() > 0
        assert evaluate(kl4.neutral_squared, neutral, m_l, *NEUTRAL).min() > 0


def test_coulomb_attraction():
    """Gamow's factor y/(1 - exp(-y)), y = 2 pi alpha/v: 1 + pi alpha/v for fast pions; v is their relative velocity."""
    points = charged_points(M_E, 100, seed=14)
    for event in points.events():
        plus, minus = event[:2]
        v = np.linalg.norm(in_rest_frame(minus, plus)) / dot(plus, minus) * M_PI
        y = 2 * np.pi * ALPHA_EM / v
        value = kl4.coulomb(*(tuple(np.roll(p, -1).tolist()) for p in (plus, minus)))
        assert value == pytest.approx(y / (1 - np.exp(-y)), rel=1e-9)


def branching_fraction(values, points, symmetry=1.0):
    value, error = integral(values, points)
    factor = WEAK_SQUARED * symmetry / (2 * M_K) * TAU_K / HBAR
    return factor * value, factor * error


@pytest.mark.slow
def test_measured_branching_fraction_of_charged_pions():
    """f_s = 5.712(32) makes 1.1% of the width; it was taken from a width in which the pions attract each other."""
    points = charged_points(M_E, 100_000, seed=15)
    plain = evaluate(kl4.squared, points, M_E, *PDG.values())
    attraction = evaluate(lambda plus, minus, *_: kl4.coulomb(plus, minus), points)
    value, error = branching_fraction(plain * attraction, points)
    assert error < 0.01 * value
    assert value == pytest.approx(BR_K_PIPIENU.value, abs=0.012 * value + 2 * error + BR_K_PIPIENU.error)
    # without the attraction, which the squared amplitude does not contain
    without, error = branching_fraction(plain, points)
    assert 0.03 < value / without - 1 < 0.04
    assert without == pytest.approx(BR_K_PIPIENU.value, rel=0.05)


@pytest.mark.slow
def test_measured_branching_fraction_of_neutral_pions():
    """F = 6.079(55) at q2 = 0 (NA48/2, JHEP 08 (2014) 159), which is 1.8% of the width."""
    points = neutral_points(M_E, 100_000, seed=16)
    values = kl4.NEUTRAL_NORMALISATION**2 * evaluate(kl4.neutral_squared, points, M_E, *NEUTRAL)
    value, error = branching_fraction(values, points, 0.5)
    assert error < 0.01 * value
    assert value == pytest.approx(BR_K_PI0PI0ENU.value, abs=0.018 * value + 2 * error + BR_K_PI0PI0ENU.error)


@pytest.mark.slow
def test_branching_fractions_with_muons():
    """(1.4 +- 0.9)e-5 for pi+ pi-; 3.45(16)e-6 for pi0 pi0 (NA62), to which R contributes, not contained here."""
    points = charged_points(M_MU, 50_000, seed=17)
    value, _ = branching_fraction(evaluate(kl4.squared, points, M_MU, *PDG.values()), points)
    assert 0.3e-5 < value < 1.4e-5
    points = neutral_points(M_MU, 50_000, seed=18)
    values = kl4.NEUTRAL_NORMALISATION**2 * evaluate(kl4.neutral_squared, points, M_MU, *NEUTRAL)
    value, _ = branching_fraction(values, points, 0.5)
    assert value == pytest.approx(3.45e-6, rel=0.1)
