"""A mean over items that stand or fall together by query, with its error and test against 0."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import NO_SPREAD, ONE_CLUSTER, ROUNDING, clustered_error
from harness.stats.proportions import CONFIDENCE

NOTHING = "undefined: there is no item"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of n values with its 95 % interval and the two-sided p of its being 0; None with the reason."""

    value: float | None
    n: int
    se: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    reason: str | None = None


def clustered_mean(values: Floats, clusters: Integers) -> Mean:
    """The mean of one value an item (n floats), its error clustered (n numbers from 0), t on G - 1.

    The error is that of a total over clusters (Miller 2024, arXiv 2411.00640). Undefined without items; no
    interval and no p with one cluster, or where all clusters are alike.
    """
    n = len(values)
    if not n:
        return Mean(None, 0, reason=NOTHING)
    mean = float(values.mean())
    groups = int(clusters.max()) + 1
    if groups < 2:
        return Mean(mean, n, reason=ONE_CLUSTER)
    se = clustered_error(np.asarray(values - mean), clusters, groups, n)
    if se < ROUNDING:
        return Mean(mean, n, reason=NO_SPREAD)
    half = float(stdtrit(groups - 1, (1 + CONFIDENCE) / 2)) * se
    return Mean(mean, n, se, mean - half, mean + half, 2 * float(stdtr(groups - 1, -abs(mean) / se)))
