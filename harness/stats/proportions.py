"""The interval of a proportion: x of n."""

from functools import lru_cache

from harness.nouns.base import Interval
from harness.stats.tails import beta_quantile, t_quantile

CONFIDENCE = 0.95


@lru_cache
def clopper_pearson(x: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval (Clopper & Pearson 1934) of x of n > 0; both may be fractions."""
    tail = (1 - confidence) / 2
    low = beta_quantile(x, n - x + 1, tail) if x > 0 else 0.0
    high = 1 - beta_quantile(n - x, x + 1, tail) if x < n else 1.0
    return Interval(low, high)


def shrunken_share(
    share: float, n: float, error: float, freedom: float, confidence: float = CONFIDENCE
) -> Interval:
    """The interval of a share of n > 0 rows whose clustered error is known (Korn & Graubard 1998).

    Clopper and Pearson's at n / deff (t_{n-1} / t_freedom)^2 rows but at most n, with deff at least 1,
    against the error of n independent rows.
    """
    return adjusted_share(share, n, effective_rows(share, n, error), freedom, confidence)


def adjusted_share(
    share: float, n: float, kept: float, freedom: float, confidence: float = CONFIDENCE
) -> Interval:
    """The same where it is known how many rows are `kept`, n / deff."""
    tail = (1 + confidence) / 2
    if n > 1 and freedom > 0:
        kept = min(n, kept * (t_quantile(n - 1, tail) / t_quantile(freedom, tail)) ** 2)
    return clopper_pearson(share * kept, kept, confidence)


def effective_rows(share: float, n: float, error: float) -> float:
    """n / deff: how many independent rows would have this clustered error; at most n."""
    independent = share * (1 - share) / (n - 1) if n > 1 else 0.0
    return n / max(1.0, error**2 / independent) if independent > 0 else n
