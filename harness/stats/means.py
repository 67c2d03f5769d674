"""A mean over items clustered by query, with its error and its test against 0."""

import numpy as np

from harness.nouns.base import Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import FEW, NO_SPREAD, ONE_CLUSTER, ROUNDING, Tested, clustered_error, t_test
from harness.stats.proportions import clopper_pearson

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


def rare_upper(happened: Floats, weights: Floats, clusters: Integers) -> float | None:
    """An upper limit U d* for a weighted share that occurs in fewer than FEW clusters; None if in more.

    U is the Clopper-Pearson limit (97.5 %) of the weight of the clusters in which it occurs, at Kish's
    effective number of clusters, (sum W)^2 / sum W^2 (Korn & Graubard 1998); d* its mean share within those,
    1 if there are none. As with kappa, so few clusters underestimate the spread.
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
