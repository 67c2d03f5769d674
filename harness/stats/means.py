"""Means and shares over items clustered by query, with their errors and intervals."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Interval, Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import FEW, NO_SPREAD, ONE_CLUSTER, ROUNDING, Tested, clustered_error, t_test
from harness.stats.proportions import CONFIDENCE, clopper_pearson, shrunken_share

NOTHING = Reason("undefined", "there is no item")


def clustered_mean(values: Floats, clusters: Integers) -> Tested:
    """The mean of one value per item (n floats), with its clustered error (n numbers from 0), t on G - 1.

    The error is that of a total over clusters (Miller 2024, arXiv 2411.00640). Undefined without items; no
    interval and no p with one cluster, or if all clusters are alike.
    """
    n = len(values)
    if not n:
        return Tested(None, reason=NOTHING)
    mean = float(values.mean())
    groups = int(clusters.max()) + 1
    if groups < 2:
        return Tested(mean, reason=ONE_CLUSTER)
    se = clustered_error(np.asarray(values - mean), clusters, groups, n)
    if se < ROUNDING:
        return Tested(mean, reason=NO_SPREAD)
    return t_test(mean, se, groups)


def clustered_share(happened: Floats, clusters: Integers, confidence: float = CONFIDENCE) -> Interval | None:
    """The two-sided interval of the share of n > 0 items in which something happened, clustered by query.

    Clopper and Pearson's (1934) at an effective number of items (Korn & Graubard 1998), n / deff
    (t_{n-1} / t_{G*-1})^2 but at most n, with deff at least 1 and G* Kish's effective number of clusters;
    then `guarded`. Where every item is its own cluster it is the exact interval. None where the items are
    several, and all of one cluster.
    """
    n, groups = len(happened), int(clusters.max()) + 1
    x = float(happened.sum())
    if groups == n:
        return clopper_pearson(x, n, confidence)
    if groups < 2:
        return None
    error = clustered_error(np.asarray(happened - x / n), clusters, groups, n)
    weights = np.ones(n)
    freedom = effective_clusters(np.bincount(clusters, weights=weights, minlength=groups)) - 1
    ci = shrunken_share(x / n, n, error, freedom, confidence)
    return guarded(ci, happened, weights, clusters, confidence)


def guarded(
    ci: Interval,
    happened: Floats,
    weights: Floats,
    clusters: Integers,
    confidence: float = CONFIDENCE,
    few: int = FEW,
) -> Interval:
    """The interval of a share, as wide as `rare_upper` asks where nearly nothing, or everything, happened."""
    above = rare_upper(happened, weights, clusters, confidence, few)
    below = rare_upper(1 - happened, weights, clusters, confidence, few)
    return Interval(min(ci.low, 1.0 if below is None else 1 - below), max(ci.high, above or 0.0))


def by_guard(ci: Interval, happened: Floats, clusters: Integers) -> bool:
    """Whether the upper limit of `clustered_share` is that of `rare_upper`, since so few clusters have one.

    That limit may lie above the one of more events, whose spread over the clusters can be estimated.
    """
    groups = int(clusters.max()) + 1
    limit = rare_upper(happened, np.ones(len(happened)), clusters) if groups < len(happened) else None
    return limit is not None and ci.high <= limit


def rare_upper(
    happened: Floats, weights: Floats, clusters: Integers, confidence: float = CONFIDENCE, few: int = FEW
) -> float | None:
    """An upper limit for a weighted share that occurs in fewer than `few` clusters; None if in more.

    It is U d*, and at least the limit where it occurs in none: a worse result has no lower limit. U is
    Clopper and Pearson's (at 95 %, its 97.5 % one) of the weight of the clusters in which it occurs, at
    Kish's effective number of clusters, (sum W)^2 / sum W^2; d* its mean share within those, 1 if there are
    none. As with kappa, so few clusters underestimate the spread.
    """
    groups = int(clusters.max()) + 1
    whole = np.bincount(clusters, weights=weights, minlength=groups)
    part = np.bincount(clusters, weights=weights * happened, minlength=groups)
    touched = np.flatnonzero(part > 0)
    if len(touched) >= few or groups < 2:
        return None
    effective = effective_clusters(whole)
    share = float(whole[touched].sum() / whole.sum())
    severity = float((part[touched] / whole[touched]).mean()) if len(touched) else 1.0
    limit = clopper_pearson(share * effective, effective, confidence).high * severity
    return max(limit, clopper_pearson(0, effective, confidence).high)


def effective_clusters(whole: NDArray[Any]) -> float:
    """Kish's effective number of clusters, from each one's weight."""
    return float(whole.sum() ** 2 / (whole @ whole))
