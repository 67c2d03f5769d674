"""Intervals of a proportion: x of n."""

import math
from functools import lru_cache

from scipy.special import betaincinv, ndtri

from harness.nouns.base import Interval

CONFIDENCE = 0.95


@lru_cache
def clopper_pearson(x: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval (Clopper & Pearson 1934) of x of n > 0; both may be fractions."""
    tail = (1 - confidence) / 2
    low = float(betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0
    return Interval(low, high)


def wilson(x: float, n: int) -> Interval:
    """The score interval (Wilson 1927) of x of n > 0: within [0, 1], accurate for small n."""
    z = float(ndtri((1 + CONFIDENCE) / 2))
    share, more = x / n, z**2 / n
    middle = (share + more / 2) / (1 + more)
    half = z / (1 + more) * math.sqrt(share * (1 - share) / n + more / (4 * n))
    return Interval(middle - half, middle + half).within(0.0, 1.0)
