"""The interval of a proportion: x of n."""

from functools import lru_cache

from scipy.special import betaincinv

from harness.nouns.base import Interval

CONFIDENCE = 0.95


@lru_cache
def clopper_pearson(x: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval (Clopper & Pearson 1934) of x of n > 0; both may be fractions."""
    tail = (1 - confidence) / 2
    low = float(betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0
    return Interval(low, high)
