"""A mean over items that stand or fall together by query, with its error and test against 0."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from harness.nouns.base import Interval
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import FEW, NO_SPREAD, ONE_CLUSTER, ROUNDING, clustered_error, t_interval
from harness.stats.proportions import clopper_pearson

NOTHING = "undefined: there is no item"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of n values with its 95 % interval and the two-sided p of its being 0; None with the reason."""

    value: float | None
    n: int
    se: float | None = None
    ci: Interval | None = None
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
    return Mean(mean, n, se, t_interval(mean, se, groups), 2 * float(stdtr(groups - 1, -abs(mean) / se)))


def rare_upper(happened: Floats, weights: Floats, clusters: Integers) -> float | None:
    """An upper limit U d* for a weighted share that is seen in fewer than FEW clusters; None in more.

    U is the Clopper-Pearson limit (97.5 %) of the weight of the clusters in which it happened, at Kish's
    effective number of clusters, (sum W)^2 / sum W^2 (Korn & Graubard 1998); d* its mean share within those,
    1 where there is none. As with kappa, a spread that is so seldom seen cannot see the next one coming.
    """
    groups = int(clusters.max()) + 1
    whole = np.bincount(clusters, weights=weights, minlength=groups)
    part = np.bincount(clusters, weights=weights * happened, minlength=groups)
    touched = np.flatnonzero(part > 0)
    if len(touched) >= FEW or groups < 2:
        return None
    effective = float(whole.sum() ** 2 / (whole @ whole))
    share = float(whole[touched].sum() / whole.sum())
    severity = float((part[touched] / whole[touched]).mean()) if len(touched) else 1.0
    return clopper_pearson(share * effective, effective).high * severity
