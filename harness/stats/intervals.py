"""Standard errors and intervals of kappa, clustered by query.

The standard error is cluster-robust, the interval Fisher's z with t on the clusters' degrees of freedom,
and a guard corrects the lower limit if almost no items disagree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Interval, Reason, Weighting
from harness.stats.agreement import Floats, Integers, Kappa, Matrix, cell_counts, cohen_kappa, distances
from harness.stats.proportions import CONFIDENCE, clopper_pearson
from harness.stats.tails import t_below, t_quantile

FEW = 5
"""If fewer clusters have a disagreement, the standard error underestimates how many the next sample has."""

ROUNDING = 1e-12
"""A smaller standard error counts as 0: the sum of influences that cancel is about 1e-17."""

ONE_CLUSTER = Reason("no interval", "all items are of one query, which says nothing about another")
NO_SPREAD = Reason("no interval", "every query is alike, so that there is no spread to estimate it from")
NO_INTERVAL = "no interval where kappa is {value}: there is no spread to estimate it from"


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard error and a 95 % interval; None with the reason if they are undefined.

    `se_iid` is the error if items were independent, `guarded` whether the guard set the lower limit, and
    `clusters` counts the queries.
    """

    clusters: int
    se: float | None = None
    se_iid: float | None = None
    ci: Interval | None = None
    guarded: bool = False
    reason: Reason | None = None

    @property
    def design_effect(self) -> float | None:
        """The factor by which clustering raises the number of items that is needed."""
        return (self.se / self.se_iid) ** 2 if self.se is not None and self.se_iid else None


@dataclass(frozen=True, slots=True)
class Tested:
    """A mean, or a difference of two figures, with its clustered error, 95 % interval and two-sided p of 0.

    Missing figures are None, with the reason.
    """

    value: float | None
    se: float | None = None
    ci: Interval | None = None
    p: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class KappaTable:
    """One kappa's items as positions on the scale, for figures that need more than the counts.

    `rows`, `columns` and `clusters` hold one entry per item; `clusters` are numbered from 0.
    """

    rows: Integers
    columns: Integers
    clusters: Integers
    scale: tuple[int, ...]
    weighting: Weighting

    @cached_property
    def matrix(self) -> Matrix:
        """The confusion matrix."""
        return cell_counts(self.rows, self.columns, len(self.scale))

    @cached_property
    def kappa(self) -> Kappa:
        """Exact kappa."""
        return cohen_kappa(self.matrix, self.scale, self.weighting)

    def expected(self) -> float:
        """The disagreement expected by chance, De."""
        p = np.array(self.matrix, dtype=np.float64)
        p /= p.sum()
        return float(p.sum(axis=1) @ self.distances() @ p.sum(axis=0))

    def distances(self) -> Floats:
        """The disagreement weight of each cell."""
        return distances(self.scale, self.weighting)


def influence(table: KappaTable) -> Floats:
    """Each item's influence on kappa: that of its cell."""
    p = np.array(table.matrix, dtype=np.float64)
    cells = cell_influence(p / p.sum(), table.distances())
    return np.asarray(cells[table.rows, table.columns], dtype=np.float64)


def cell_influence(p: Floats, d: Floats) -> Floats:
    """Each cell's influence on kappa (Fleiss, Cohen & Everitt 1969, as a linearisation; Gwet 2016).

    For shares p and disagreements d, cell (a, b) has -(d_ab - Do)/De + Do/De^2 [(d c)_a + (r d)_b - 2 De],
    with r and c the margins, Do = sum d p and De = r d c. Their mean is 0, and sqrt(sum phi^2)/n over the
    items is the 1969 error.
    """
    (cells,), _ = cell_influences(p[None], d)
    return np.asarray(cells, dtype=np.float64)


def cell_influences(p: Floats, d: Floats) -> tuple[Floats, Floats]:
    """`cell_influence` of many p (pairs x q x q), and each one's De, which must be above 0."""
    rows, columns = p.sum(axis=2), p.sum(axis=1)
    from_rows, from_columns = (rows[:, None, :] @ d)[:, 0], (d @ columns[:, :, None])[:, :, 0]
    observed = (d * p).reshape(len(p), d.size).sum(axis=1)
    expected = (from_rows[:, None, :] @ columns[:, :, None])[:, 0, 0]
    # Squared one by one: an array's square may differ from a number's in the last digit.
    squared = np.array([one**2 for one in expected.tolist()])
    o, e, e2 = (one[:, None, None] for one in (observed, expected, squared))
    chance = from_columns[:, :, None] + from_rows[:, None, :] - 2 * e
    return np.asarray(-(d - o) / e + o / e2 * chance, dtype=np.float64), expected


def mean_influence(tables: Sequence[KappaTable], items: Sequence[Integers], rows: int, n: int) -> Floats:
    """Each of `rows` items' influence on the mean of several pairs' kappas, over `n` items.

    `items[k]` holds the positions of pair k's items. An item's influence is the mean over the pairs of its
    influence on each, scaled by n / n_pair and 0 if the pair lacks it.
    """
    phi = np.zeros(rows)
    for table, theirs in zip(tables, items, strict=True):
        phi[theirs] += influence(table) * n / len(theirs) / len(tables)
    return phi


def mean_spread(
    tables: Sequence[KappaTable], items: Sequence[Integers], n_items: int, clusters: Integers
) -> Spread:
    """The standard error and interval of the mean of several pairs' kappas, over one set of items.

    `items[k]` holds the positions of pair k's items among the `n_items`, whose clusters are given. SE is
    cluster-robust (Gwet 2016, Yang & Zhou 2015), from each item's `mean_influence`.
    """
    kappas = [table.kappa for table in tables]
    reason = next((kappa.reason for kappa in kappas if kappa.reason), None)
    if reason is not None:
        return Spread(len(np.unique(clusters)), reason=reason)
    differ = np.zeros(n_items, dtype=np.bool_)
    for table, theirs in zip(tables, items, strict=True):
        differ[theirs] |= table.rows != table.columns
    value = float(np.mean([float(kappa.exact) for kappa in kappas if kappa.exact is not None]))
    phi = mean_influence(tables, items, n_items, n_items)
    counts = np.sum([table.matrix for table in tables], axis=0)
    expected = [table.expected() for table in tables]
    return clustered_spread(value, phi, clusters, differ, counts, tables[0].distances(), expected)


def clustered_spread(
    value: float,
    phi: Floats,
    clusters: Integers,
    differ: NDArray[np.bool_],
    counts: Integers,
    d: Floats,
    expected: Sequence[float],
) -> Spread:
    """The spread of a kappa, or of a mean of several, from each item's influence `phi` on it.

    `differ` says on which items any pair disagrees; `counts` holds the pairs' summed confusion matrices,
    `d` the weight of each cell, and `expected` each pair's disagreement by chance. None of these matters but
    where so few clusters disagree that the guard decides.
    """
    groups = int(clusters.max()) + 1
    if groups < 2:
        return Spread(groups, reason=ONE_CLUSTER)
    touched, limit = len(np.unique(clusters[differ])), None
    if touched < FEW:
        limit = guard(groups, touched, mean_distances(counts[None], d)[0], float(np.mean(expected)))
    sums = np.bincount(clusters, weights=phi, minlength=groups)
    return spread_of(value, sums, float(phi @ phi), len(phi), limit)


def mean_distances(counts: Integers, d: Floats) -> list[float]:
    """How large each pair's disagreements are on average; without any, the largest that there can be."""
    apart, together = (counts * (d > 0)).sum(axis=(1, 2)), (counts * d).sum(axis=(1, 2))
    found = np.divide(together, apart, out=np.full(len(counts), d.max()), where=apart > 0)
    return [float(size) for size in found]


def spread_of(value: float, sums: NDArray[Any], squares: float, n: int, limit: float | None) -> Spread:
    """The spread of a kappa from each cluster's sum of influences, two at least, and their sum of squares.

    The interval is tanh(atanh kappa +- t SE/(1 - kappa^2)), in [-1, 1], with t on G - 1 degrees of freedom;
    its lower limit is the guard's, `limit`, where there is one and it is lower. `n` counts the items. No
    interval, with the reason, for kappa -1, kappa 1 without the guard, and clusters that are all alike.
    """
    groups = len(sums)
    se, se_iid = _error_of(sums, n), math.sqrt(squares) / n
    if value in (1.0, -1.0):
        if value == 1.0 and limit is not None:
            return Spread(groups, se, se_iid, Interval(limit, 1.0), guarded=True)
        return Spread(groups, reason=Reason("remark", NO_INTERVAL.format(value=f"{value:g}")))
    if se < ROUNDING:
        return Spread(groups, reason=NO_SPREAD)
    half = _quantile(groups - 1) * se / (1 - value**2)
    low, high = math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
    lowest = low if limit is None else min(limit, low)
    return Spread(groups, se, se_iid, Interval(lowest, max(high, value)), guarded=lowest < low)


def clustered_error(phi: Floats, clusters: Integers, groups: int, n: int) -> float:
    """sqrt(G/(G-1) sum_g s_g^2) / n, with s_g the cluster's sum of influences (Yang & Zhou 2015)."""
    return _error_of(np.bincount(clusters, weights=phi, minlength=groups), n)


def _error_of(sums: NDArray[Any], n: int) -> float:
    groups = len(sums)
    return math.sqrt(groups / (groups - 1) * float(sums @ sums)) / n


def _quantile(freedom: float) -> float:
    """The 97.5 % quantile of t."""
    return t_quantile(freedom, (1 + CONFIDENCE) / 2)


def t_test(value: float, se: float, clusters: float) -> Tested:
    """A value with an error above 0, its interval and p by t on `clusters` - 1 degrees of freedom."""
    half = _quantile(clusters - 1) * se
    p = 2 * t_below(clusters - 1, -abs(value) / se)
    return Tested(value, se, Interval(value - half, value + half), p)


def guard(groups: int, x: int, size: float, expected: float) -> float:
    """The lower limit that the number of disagreeing clusters allows, where there are fewer than FEW.

    With x of G clusters in disagreement, the next one's share may be as high as Clopper and Pearson's
    97.5 % limit U, and its size d* (without one the largest there can be): 1 - U d* / De. For several pairs:
    clusters in which any pair disagrees, De their mean.
    """
    return max(-1.0, 1 - clopper_pearson(x, groups).high * size / expected)
