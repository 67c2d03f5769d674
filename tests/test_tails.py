"""Tails and quantiles against published tables, against scipy, and turned round."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from harness.stats.proportions import clopper_pearson
from harness.stats.tails import (
    beta_quantile,
    binomial_at_most,
    chi_squared_above,
    normal_quantile,
    t_below,
    t_quantile,
)

SIZES = st.one_of(st.integers(1, 60), st.integers(1, 2_000_000))
CHANCES = st.one_of(st.floats(1e-9, 1 - 1e-9), st.sampled_from([0.025, 0.05, 0.95, 0.975]))


@pytest.mark.parametrize(
    ("freedom", "p", "t"),
    [
        (1, 0.975, 12.7062),
        (2, 0.975, 4.30265),
        (10, 0.95, 1.81246),
        (30, 0.975, 2.04227),
        (120, 0.995, 2.61742),
    ],
)
def test_quantiles_of_t_are_those_of_the_table(freedom: int, p: float, t: float) -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2, and more digits of it."""
    assert t_quantile(freedom, p) == pytest.approx(t, rel=2e-6)
    assert t_quantile(freedom, 1 - p) == pytest.approx(-t, rel=2e-6)


@pytest.mark.parametrize(
    ("freedom", "x", "p"),
    [(1, 3.841459, 0.05), (2, 9.210340, 0.01), (5, 11.070498, 0.05), (10, 18.307038, 0.05)],
)
def test_chi_squared_is_that_of_the_table(freedom: int, x: float, p: float) -> None:
    """The same, table 1.3.6.7.4."""
    assert chi_squared_above(freedom, x) == pytest.approx(p, rel=2e-6)


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_exact_intervals_are_those_published(x: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I, method 5."""
    assert clopper_pearson(x, n) == pytest.approx((low, high), abs=5e-5)


def test_a_t_of_one_degree_is_cauchy() -> None:
    for t in (-1e300, -50, -1, -1e-9, 0.0, 1e-9, 2, 1e300):
        assert t_below(1, t) == pytest.approx(0.5 + math.atan(t) / math.pi, rel=1e-13)
    assert t_below(7, -math.inf) == 0
    assert t_below(7, math.inf) == 1


@given(st.floats(0.5, 1e6), st.floats(-60, 60))
def test_t_below_is_that_of_scipy(freedom: float, t: float) -> None:
    assert t_below(freedom, t) == pytest.approx(float(special.stdtr(freedom, t)), rel=1e-9, abs=1e-300)


@given(st.floats(1, 1e6), CHANCES)
def test_a_quantile_of_t_turns_its_tail_round(freedom: float, p: float) -> None:
    t = t_quantile(freedom, p)
    assert t_below(freedom, t) == pytest.approx(p, rel=1e-9, abs=0)
    assert t == pytest.approx(float(special.stdtrit(freedom, p)), rel=1e-9, abs=1e-12)
    assert t_quantile(freedom, 0.5) == 0


@given(SIZES, st.floats(0, 1), CHANCES)
def test_a_quantile_of_beta_is_that_of_scipy(n: int, share: float, p: float) -> None:
    for x in (n * share, float(math.ceil(n * share)) or 1.0):
        want = float(special.betaincinv(x, n - x + 1, p)) if x > 1e-3 else 0.0
        # Where the first is so small that it has not all its digits, it counts as 0.
        if want > 1e-300:
            assert beta_quantile(x, n - x + 1, p) == pytest.approx(want, rel=1e-8, abs=0)


def test_a_quantile_below_the_smallest_number_is_0() -> None:
    """2.2e-308 is the smallest that has all its digits; these are 0, below it, and 7.6e-305, above."""
    assert beta_quantile(0.001, 50, 0.025) == 0
    assert beta_quantile(0.0051, 40, 0.025) == 0
    assert beta_quantile(0.0053, 40, 0.025) == pytest.approx(
        float(special.betaincinv(0.0053, 40, 0.025)), rel=1e-9, abs=0
    )
    assert beta_quantile(0.01, 40, 0.025) == pytest.approx(
        float(special.betaincinv(0.01, 40, 0.025)), rel=1e-9, abs=0
    )


@given(st.integers(1, 20_000), st.floats(0, 1), st.floats(0, 1))
def test_binomials_are_those_of_scipy(n: int, share: float, p: float) -> None:
    """Of few events: of two million scipy has seven digits of 1/2 (below)."""
    k = int(n * share)
    want = float(special.bdtr(k, n, p))
    assert binomial_at_most(k, n, p) == pytest.approx(want, rel=1e-7, abs=1e-290)


@given(st.integers(0, 1_000_000))
def test_half_of_an_odd_number_of_even_chances_has_probability_one_half(half: int) -> None:
    assert binomial_at_most(half, 2 * half + 1, 0.5) == pytest.approx(0.5, rel=1e-11)


def test_binomials_by_hand() -> None:
    assert binomial_at_most(0, 10, 0.1) == pytest.approx(0.9**10, rel=1e-14)
    assert binomial_at_most(2, 5, 0.5) == pytest.approx(0.5, rel=1e-14)
    assert binomial_at_most(9, 10, 1.0) == 0
    assert binomial_at_most(0, 10, 0.0) == 1
    assert binomial_at_most(10, 10, 0.3) == 1
    # To 40 digits by mpmath; scipy.special has 9 of them right.
    assert binomial_at_most(10_000, 1_000_000, 0.01) == pytest.approx(0.50265961479951499, rel=1e-12)


@given(st.integers(1, 200), st.floats(0, 400))
def test_chi_squared_is_that_of_scipy(freedom: int, x: float) -> None:
    assert chi_squared_above(freedom, x) == pytest.approx(float(special.chdtrc(freedom, x)), rel=1e-11, abs=0)


@given(CHANCES)
def test_normal_quantiles_are_those_of_scipy(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(float(special.ndtri(p)), rel=1e-12, abs=1e-15)


def test_t_of_hardly_any_degrees_of_freedom_is_infinite() -> None:
    """About (2 tail)^(-1 / freedom): at .01 degrees it is still a number, below it is too large for one."""
    assert 1e128 < t_quantile(0.01, 0.975) < 1e129
    assert t_quantile(0.005, 0.975) == math.inf and t_quantile(1e-12, 0.025) == -math.inf
    assert t_quantile(0.004, 0.6) == pytest.approx(special.stdtrit(0.004, 0.6), rel=1e-6)
