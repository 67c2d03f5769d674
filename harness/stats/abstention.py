"""Selective prediction: what a teacher gains when people grade the items that it is unsure of.

Items are accepted from the most confident down. Coverage is the share accepted, selective risk their mean
loss. Confidence is any finite number that ranks items; a loss is 0 or 1, or any finite number from 0 up.
Equally confident items are accepted together: between them, the curve has the mean over all their orders.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.nouns.base import Reason
from harness.scorecards.confidence import RiskPoint, SelectiveScore
from harness.stats.agreement import Floats, Integers, renumbered
from harness.stats.means import clustered_share
from harness.stats.proportions import CONFIDENCE
from harness.storage.plural import plural

GRID = 20
"""The number of coverages examined: every 5 %."""
TAIL = (1 - CONFIDENCE) / GRID
"""The error probability of one coverage's limit (Bonferroni): all limits together hold 95 % of the time."""

NO_ITEMS = Reason("undefined", "there are no items")
TOO_FEW = "{few} too few: it takes {needed} without an error to show a risk below {target:.2%}"
TOO_RISKY = "at no coverage is the risk surely below {target:.2%}: the lowest upper limit is {upper:.2%}"


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Summary figures of the risk-coverage curve; lower is better. None with the reason if there is no item.

    `risk` is the mean loss of all items. `aurc` is from 0 to the largest loss, `e_aurc` from 0 up, `augrc`
    from 0 to half the largest loss. `curve` has at most 20 points, in order of coverage.
    """

    n: int
    risk: float | None
    aurc: float | None
    e_aurc: float | None
    augrc: float | None
    curve: tuple[RiskPoint, ...] = ()
    reason: Reason | None = None


def risk_coverage(confidence: ArrayLike, losses: ArrayLike) -> RiskCoverage:
    """The areas under the curves of n items, and the curve at every 5 % of coverage.

    l_k is the k-th loss from the most confident down; tied items share their mean loss:

    AURC = 1/n sum_k (l_1 + ... + l_k)/k, the mean selective risk over the n coverages (Geifman, Uziel &
    El-Yaniv 2019). E-AURC is AURC minus that of the best order, the losses from small to large; theirs is
    the limit of this in large n.

    AUGRC = 1/n^2 sum_k l_k (n - k + 1/2), the area from coverage 0 to 1, by trapezoids, under the
    generalised risk (l_1 + ... + l_k)/n: the share of all items that are both accepted and wrong (Traub et
    al. 2024, arXiv 2407.01032). For 0-1 losses it is their (1 - AUROC) acc (1 - acc) + (1 - acc)^2 / 2.
    """
    sure, lost = _checked(confidence, losses)
    n = len(sure)
    if n == 0:
        return RiskCoverage(0, None, None, None, None, reason=NO_ITEMS)
    thresholds, sizes, sums = _ties(sure, lost)
    shared = np.repeat(sums / sizes, sizes)
    aurc = _mean_selective_risk(shared)
    ends, totals = sizes.cumsum(), sums.cumsum()
    at = _grid(ends)
    curve = [
        RiskPoint(coverage=float(share), risk=float(risk), threshold=float(threshold))
        for share, risk, threshold in zip(ends[at] / n, totals[at] / ends[at], thresholds[at], strict=True)
    ]
    return RiskCoverage(
        n=n,
        risk=float(lost.mean()),
        aurc=aurc,
        # The best order has the smallest risk, except for rounding.
        e_aurc=max(0.0, aurc - _mean_selective_risk(np.sort(lost))),
        augrc=float(shared @ (n - np.arange(n) - 0.5)) / n**2,
        curve=tuple(curve),
    )


def alone(
    confidence: ArrayLike, wrong: ArrayLike, target: float, clusters: Integers | None = None
) -> SelectiveScore:
    """The largest coverage whose risk is surely below the target; `wrong` is 1 or 0 for each of n items.

    It examines 20 coverages, 5 % to 100 %, each with all items that tie with its last one. A coverage
    qualifies if the one-sided upper limit of its share of errors (`clustered_share`, by the items' queries
    as numbers; without them, items are independent) is below the target, at 95 % for the 20 together
    (Bonferroni: 99.75 % each). The threshold is chosen on these items, so report its risk on others. No
    threshold if there are no items, too few queries, or too many errors.
    """
    assert 0 < target < 1, "a target between 0 and 1"
    sure, lost = _checked(confidence, wrong)
    assert bool(np.isin(lost, (0, 1)).all()), "right or wrong"
    if len(sure) == 0:
        return SelectiveScore(target=target, reason=NO_ITEMS)
    queries = np.arange(len(sure)) if clusters is None else clusters
    thresholds, sizes, sums = _ties(sure, lost)
    ends, errors = sizes.cumsum(), sums.cumsum()
    lowest, seldom = 1.0, 1.0
    for at in reversed(_grid(ends)):
        n, x = int(ends[at]), int(errors[at])
        kept = sure >= thresholds[at]
        limits = clustered_share(lost[kept], renumbered(queries[kept]), 1 - 2 * TAIL)
        upper = limits.high if limits else 1.0
        if upper < target:
            return SelectiveScore(
                target=target,
                threshold=float(thresholds[at]),
                coverage=n / len(sure),
                n=n,
                errors=x,
                upper=upper,
            )
        lowest, seldom = min(lowest, upper), min(seldom, x / n)
    reason = _too_few(queries, target) if seldom < target else None
    return SelectiveScore(
        target=target, reason=reason or Reason("remark", TOO_RISKY.format(target=target, upper=lowest))
    )


def _too_few(clusters: Integers, target: float) -> Reason | None:
    """The reason where the queries are too few to show anything, even without an error."""
    n = len(np.unique(clusters))
    needed = math.floor(math.log(TAIL) / math.log1p(-target)) + 1
    if n >= needed:
        return None
    few = plural(n, "item is", "items are") if n == len(clusters) else plural(n, "query is", "queries are")
    return Reason("remark", TOO_FEW.format(few=few, needed=needed, target=target))


def _checked(confidence: ArrayLike, losses: ArrayLike) -> tuple[Floats, Floats]:
    sure, lost = np.asarray(confidence, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    assert sure.ndim == 1, "one confidence per item"
    assert sure.shape == lost.shape, "a loss per item"
    assert bool(np.isfinite(sure).all() and np.isfinite(lost).all()), "neither NaN nor infinity"
    assert bool((lost >= 0).all()), "a negative loss"
    return sure, lost


def _ties(sure: Floats, lost: Floats) -> tuple[Floats, Integers, Floats]:
    """Each confidence from the highest down, with the number of its items and the sum of their losses."""
    levels, at, sizes = np.unique(-sure, return_inverse=True, return_counts=True)
    sums = np.bincount(at, weights=lost)
    return -levels, np.asarray(sizes, dtype=np.int64), np.asarray(sums, dtype=np.float64)


def _grid(ends: Integers) -> list[int]:
    """The index of the tie in which each coverage of the grid ends, without duplicates."""
    n = int(ends[-1])
    # In integers, since 0.55 * 100 is more than 55 in floats.
    wanted = [-(-n * step // GRID) for step in range(1, GRID + 1)]
    return [int(at) for at in np.unique(np.searchsorted(ends, wanted))]


def _mean_selective_risk(ordered: Floats) -> float:
    return float((ordered.cumsum() / np.arange(1, len(ordered) + 1)).mean())
