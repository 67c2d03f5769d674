"""Paired comparison of two graders on the same items: differences, intervals and tests."""

import math
from collections.abc import Hashable, Sequence

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.scorecards.shared import Statistic
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import (
    ONE_CLUSTER,
    ROUNDING,
    KappaTable,
    Tested,
    influence,
    t_test,
)
from harness.stats.proportions import CONFIDENCE
from harness.stats.tails import binomial_at_most, chi_squared_above, t_quantile

NO_DISCORDANCE = Reason("undefined", "no item is right in one and wrong in the other")
ALIKE = Reason("no interval", "the two agree alike in every query, so there is no spread to estimate it from")
SAME = Reason("no interval", "both graded every item alike, so there is no change to estimate it from")
SAME_MARGINS = Reason("undefined", "in every query, both use each grade as often")


def delta_kappa(base: KappaTable, candidate: KappaTable) -> Tested:
    """kappa_B - kappa_A in [-2, 2], on the same items in the same order.

    Its error is from phi_B - phi_A summed by cluster (phi as Gwet 2016, clusters as Yang & Zhou 2015), the
    interval t on the clusters' degrees of freedom. Undefined if either kappa is; no interval with one
    cluster, or without spread.
    """
    assert len(base.rows) == len(candidate.rows), "the same items"
    a, b = base.kappa, candidate.kappa
    if a.exact is None or b.exact is None:
        return Tested(None, reason=(a if a.exact is None else b).reason)
    return delta_from(float(b.exact - a.exact), influence(candidate) - influence(base), base.clusters)


def delta_from(value: float, phi: Floats, clusters: Integers) -> Tested:
    """A difference, from each item's influence on it (n floats) and its cluster, numbered from 0.

    An error of 0 is never an interval. p is then 1 at a difference of 0, else there is none.
    """
    sums = np.bincount(clusters, weights=phi)
    return delta_of(value, float(sums @ sums), len(sums), len(phi))


def delta_of(value: float, squares: float, groups: int, n: int) -> Tested:
    """The same from what clusters add: the squares of their sums of influences, added up; of n items."""
    if groups < 2:
        return Tested(value, reason=ONE_CLUSTER)
    se = math.sqrt(groups / (groups - 1) * squares) / n
    if se < ROUNDING:
        return Tested(value, 0.0, p=1.0 if value == 0 else None, reason=ALIKE)
    return t_test(value, se, groups)


def one_sided_limits(value: float, se: float, clusters: int) -> Interval:
    """The one-sided 95 % limits, lower and upper: t on G - 1."""
    half = t_quantile(clusters - 1, CONFIDENCE) * se
    return Interval(value - half, value + half)


def skewed_limits(base: KappaTable, candidate: KappaTable, value: float, se: float) -> Interval:
    """The one-sided 95 % limits of a change of kappa and its error, the lower one safe for rare losses.

    Lower than by t by se |g| (t^2 + 2) / 3, g the `skewness` where it is negative. Where all that differs is
    lost, and each cluster loses alike, that is Poisson's exact limit of a count X, expanded:
    X + z sqrt(X) + (z^2 + 2) / 3 (Cornish & Fisher 1938). By t alone the limit is too high there: samples
    that hold few losses have a small error too. Where gains outweigh losses nothing is taken.
    """
    groups = int(base.clusters.max()) + 1
    low, high = one_sided_limits(value, se, groups)
    skew = skewness(influence(candidate) - influence(base), base.clusters, groups)
    t = t_quantile(groups - 1, CONFIDENCE)
    return Interval(low - se * max(0.0, -skew) * (t**2 + 2) / 3, high)


def skewness(phi: Floats, clusters: Integers, groups: int) -> float:
    """Of the error of a figure from each item's influence on it: sum u^3 / (sum u^2)^(3/2), u by cluster.

    That of a cluster's sum over the root of the number of clusters; 0 without spread.
    """
    sums = np.bincount(clusters, weights=phi, minlength=groups)
    sums -= sums.mean()
    square = float((sums**2).sum())
    return float((sums**3).sum()) / square**1.5 if square else 0.0


def mcnemar_exact(broken: int, fixed: int) -> float:
    """Two-sided exact p of McNemar's (1947) test for independent items; 1 if no item changed.

    Twice the binomial probability of at most min(`broken`, `fixed`) among both, at most 1.
    """
    n = broken + fixed
    return min(1.0, 2 * binomial_at_most(min(broken, fixed), n, 0.5)) if n else 1.0


def obuchowski(broken: Sequence[int], fixed: Sequence[int]) -> Statistic:
    """McNemar's test for clustered pairs (Obuchowski 1998): (K-1)/K (sum d)^2 / sum d^2, d = broken - fixed.

    `broken` and `fixed` hold one count per cluster; df 1.
    """
    d = np.asarray(broken, dtype=np.float64) - np.asarray(fixed, dtype=np.float64)
    return _ratio((len(d) - 1) / max(1, len(d)) * float(d.sum()) ** 2, float((d**2).sum()))


def durkalski(broken: Sequence[int], fixed: Sequence[int], sizes: Sequence[int]) -> Statistic:
    """McNemar's test for clustered pairs (Durkalski et al. 2003), each d over its cluster's size; df 1."""
    d = np.asarray(broken, dtype=np.float64) - np.asarray(fixed, dtype=np.float64)
    shares = d / np.asarray(sizes, dtype=np.float64)
    return _ratio(float(shares.sum()) ** 2, float((shares**2).sum()))


def _ratio(above: float, below: float) -> Statistic:
    if below == 0:
        return Statistic(value=None, reason=NO_DISCORDANCE)
    value = above / below
    return Statistic(value=value, df=1, p=chi_squared_above(1, value))


def stuart_maxwell(before: Integers, after: Integers, clusters: Integers, q: int) -> Statistic:
    """Are q grades used as often in both (Stuart 1955, Maxwell 1970), clustered as Obuchowski (1998)?

    d' V^+ d with df the rank of V; d are the differences of the margins and V = sum_g d_g d_g' over the
    clusters' own, which for independent items is the published V. Positions on the scale and clusters, one
    per item. Grades that neither uses do no harm: V's pseudo-inverse ignores them.
    """
    groups = int(clusters.max()) + 1
    if groups < 2:
        return Statistic(value=None, reason=ONE_CLUSTER)
    used, other = (
        np.bincount(clusters * q + grades, minlength=groups * q).reshape(groups, q)
        for grades in (before, after)
    )
    moved = (used - other).astype(np.float64)
    d, v = moved.sum(axis=0), moved.T @ moved
    df = int(np.linalg.matrix_rank(v))
    if df == 0:
        return Statistic(value=None, reason=SAME_MARGINS)
    value = float(d @ np.linalg.pinv(v, hermitian=True) @ d)
    return Statistic(value=value, df=df, p=chi_squared_above(df, value))


def holm(p: Sequence[float | None], tests: Sequence[Hashable] | None = None) -> list[float | None]:
    """Holm's (1979) adjusted p-values, in the order given; None, where no test was possible, stays None.

    `tests`: a key for each p. Those with the same key are of one test, which counts once.
    """
    keys = range(len(p)) if tests is None else tests
    known = {key: value for key, value in zip(keys, p, strict=True) if value is not None}
    adjusted: dict[Hashable, float] = {}
    highest = 0.0
    for rank, key in enumerate(sorted(known, key=known.__getitem__)):
        highest = max(highest, min(1.0, (len(known) - rank) * known[key]))
        adjusted[key] = highest
    return [adjusted.get(key) if value is not None else None for key, value in zip(keys, p, strict=True)]


def holm_against_rest(p: Sequence[float | None]) -> list[float | None]:
    """Holm's p of each part against the others. Of two, one's test is the other's turned round: one test."""
    return list(p) if len(p) == 2 else holm(p)


def benjamini_yekutieli(p: Sequence[float]) -> list[float]:
    """Benjamini & Yekutieli's (2001) adjusted p-values, in the order given; valid for dependent tests.

    For an entry of rank r: the minimum over k >= r of p_(k) m/k (1 + 1/2 + ... + 1/m), at most 1.
    """
    m = len(p)
    harmonic = sum(1 / rank for rank in range(1, m + 1))
    adjusted, lowest = [0.0] * m, 1.0
    descending = sorted(range(m), key=lambda at: p[at], reverse=True)
    for rank, at in zip(range(m, 0, -1), descending, strict=True):
        lowest = min(lowest, p[at] * harmonic * m / rank)
        adjusted[at] = lowest
    return adjusted
