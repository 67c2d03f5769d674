"""Tails and quantiles of the t, beta, binomial and chi-squared distributions, one number at a time.

scipy.special has them for whole arrays, and its import takes a third of what `harness gate1` takes in all
(docs/decisions/0011-tails-of-our-own.md). The tests hold each of these against it.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()
_LOG_TINY = -708.0
"""The logarithm of the smallest number that has all its digits."""
_LOG_HUGE = 350.0
"""The logarithm of a number whose square is not yet infinite."""
_PRECISE = 1e-15
"""By how much the last factor of a continued fraction may differ from 1."""
_NEWTON = 100
"""Steps at most: each doubles the digits once it is near, and from afar it goes on in one direction."""


def normal_quantile(p: float) -> float:
    """The z below which a standard normal variable is with probability p in (0, 1)."""
    return _NORMAL.inv_cdf(p)


def t_below(freedom: float, t: float) -> float:
    """The probability that Student's t with `freedom` > 0 degrees, whole or not, is at most t."""
    tail = 0.5 * _beta_below(freedom / 2, 0.5, *_parts(freedom, t * t))
    return tail if t < 0 else 1 - tail


@lru_cache
def t_quantile(freedom: float, p: float) -> float:
    """The t that `t_below` gives p in (0, 1) for; infinite where it is too large for a number."""
    if p == 0.5:
        return 0.0
    tail = min(p, 1 - p)
    # With so few degrees of freedom 2 tail is about t^-freedom.
    if -math.log(2 * tail) > _LOG_HUGE * freedom:
        return math.copysign(math.inf, p - 0.5)

    def step(t: float) -> float:
        above = t_below(freedom, -t)
        return above / _t_density(freedom, t) * math.log(above / tail)

    t = _newton(-normal_quantile(tail), step)
    return t if p > 0.5 else -t


def binomial_at_most(k: int, n: int, p: float) -> float:
    """The probability of at most k of n independent events that each happen with probability p."""
    return 1.0 if k >= n else _beta_below(n - k, k + 1, 1 - p, p)


def beta_quantile(a: float, b: float, p: float) -> float:
    """The x that a beta variable is at most with probability p in (0, 1); a > 0 and b >= 1.

    For such b the logarithm of the distribution over u = log x is concave, so that Newton's steps end up left
    of the solution and approach it from there. Left of it is where x^a / (a B(a, b)) is p, too.
    """
    least = (math.log(p) - _log_powers(a, b, 0.5, 0.5) - (a + b) * math.log(2) + math.log(a)) / a
    if least < _LOG_TINY:
        return 0.0

    def step(u: float) -> float:
        x, y = math.exp(u), -math.expm1(u)
        below = _beta_below(a, b, x, y)
        slope = math.exp(_log_powers(a, b, x, y)) / y / below
        return max(least - u, math.log(p / below) / slope)

    return math.exp(_newton(math.log(a / (a + b)), step))


def chi_squared_above(freedom: int, x: float) -> float:
    """The probability that chi-squared with `freedom` degrees, 1 or more, is above x >= 0.

    From one degree (a normal tail) or two, then by two more at a time: what is above grows by
    y^s e^-y / Gamma(s + 1), with y half of x and s half of the degrees before (DLMF 8.8.6).
    """
    half = x / 2
    whole = freedom % 2 == 0
    found = math.exp(-half) if whole else math.erfc(math.sqrt(half))
    s = 1.0 if whole else 0.5
    while s < freedom / 2 and half > 0:
        found += math.exp(s * math.log(half) - half - math.lgamma(s + 1))
        s += 1
    return min(1.0, found)


def _newton(at: float, step: Callable[[float], float]) -> float:
    """Where the steps end: those of a function that is convex or concave."""
    for _ in range(_NEWTON):
        by = step(at)
        at += by
        if abs(by) <= 1e-9 * abs(at):
            break
    return at


def _beta_below(a: float, b: float, x: float, y: float) -> float:
    """The regularized incomplete beta function I_x(a, b), 0 <= x <= 1; y is 1 - x.

    The continued fraction converges fast on one side of a + 1 of a + b + 2; the other side is its complement.
    """
    if x <= 0 or y <= 0:
        return float(x > 0)
    powers = math.exp(_log_powers(a, b, x, y))
    if x * (a + b + 2) > a + 1:
        return 1 - powers / (b * _fraction(b, a, y))
    return powers / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """1 + d_1 / (1 + d_2 / ...), the continued fraction of I_x(a, b) (DLMF 8.17.22), by Lentz's method."""
    found = above = 1.0
    below, change, m = 0.0, 0.0, 0
    while abs(change - 1) > _PRECISE:
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        for d in (odd, even):
            below, above = 1 / (1 + d * below), 1 + d / above
            change = below * above
            found *= change
    return found


def _log_powers(a: float, b: float, x: float, y: float) -> float:
    """log(x^a y^b / B(a, b)), x + y = 1, without the differences of large logarithms that B would bring.

    As Loader (2000) does for the binomial: the normal density's exponent, and what Stirling's formula lacks.
    """
    off = x * b - y * a
    exponent = a * _log1p(off / a, x * (a + b) / a) + b * _log1p(-off / b, y * (a + b) / b)
    lack = _stirling_lack(a + b) - _stirling_lack(a) - _stirling_lack(b)
    return exponent + 0.5 * math.log(a / (a + b) * b / (2 * math.pi)) + lack


def _log1p(less: float, whole: float) -> float:
    """The logarithm of `whole` = 1 + `less`, from the one that has more of its digits."""
    return math.log1p(less) if abs(less) < 0.5 else math.log(whole)


def _stirling_lack(z: float) -> float:
    """log Gamma(z) minus Stirling's (z - 1/2) log z - z + log(2 pi) / 2 (DLMF 5.11.1); z > 0."""
    if z < 15:
        return math.lgamma(z) - (z - 0.5) * math.log(z) + z - 0.5 * math.log(2 * math.pi)
    square = z * z
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / z


def _t_density(freedom: float, t: float) -> float:
    return math.exp(_log_powers(freedom / 2, 0.5, *_parts(freedom, t * t))) / abs(t)


def _parts(freedom: float, square: float) -> tuple[float, float]:
    """What `freedom` and t^2 are of their sum: t's tails are those of a beta variable there (DLMF 8.17)."""
    return (0.0, 1.0) if math.isinf(square) else (freedom / (freedom + square), square / (freedom + square))
