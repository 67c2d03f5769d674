"""The human ceiling: does the model agree with the raters as well as they agree with each other?

Grades come as positions on the scale, -1 (`raters.MISSING`) where a grade is missing: `model` holds n,
`ratings` n x R, and `clusters` the n items' queries, numbered from 0. Only items with a model grade count,
so that the model and the raters are compared on the same items.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from harness.nouns.base import Reason, Weighting
from harness.stats.agreement import Floats, Integers, Kappa, mean_kappa, renumbered
from harness.stats.intervals import ONE_CLUSTER, KappaTable, Tested, mean_influence
from harness.stats.paired import delta_from, delta_kappa, holm
from harness.stats.raters import MISSING, lower_median

NO_REST = Reason("undefined", "no item has a grade by the model, by this rater and by two others")
FEW_SHARED = "only {n:,} rated by two others too: too few to compare with"


@dataclass(frozen=True, slots=True)
class HumanCeiling:
    """The model's mean kappa with the raters, theirs with each other, and the first minus the second.

    `delta.reason` says why there is no difference or no interval. `n` and `clusters` count the items and
    queries.
    """

    model: Kappa
    raters: Kappa
    delta: Tested
    n: int
    clusters: int
    shared: int
    """The items that the raters' own mean rests on."""


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """One rater against the others, and the model against the same others: `delta` is `model` minus `own`.

    `p` is two-sided, `p_holm` adjusted over the raters that have one; None if no test is possible.
    `n` and `clusters` count the items and queries.
    """

    rater: int
    n: int
    clusters: int
    model: Kappa
    own: Kappa
    delta: Tested
    p: float | None = None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class _CommonItems:
    """Two graders' common items: their positions among all n, and their grades."""

    items: Integers
    table: KappaTable


def human_ceiling(
    model: Integers,
    ratings: Integers,
    clusters: Integers,
    scale: tuple[int, ...],
    weighting: Weighting = "none",
    *,
    least: int,
) -> HumanCeiling:
    """Mean kappa(model, rater) minus mean kappa(rater, rater), in [-2, 2]; above 0, the model agrees better.

    Each kappa is over the pair's common items with a model grade, and each mean Light's (1971). A pair with
    fewer than `least` is excluded from its mean if another pair has enough. The error is paired and
    cluster-robust: an item's influence is the mean over raters of phi N / n_h minus the mean over pairs of
    phi N / n_pair, 0 if missing, summed by query (phi as Gwet 2016, clusters as Yang & Zhou 2015); the
    interval is t on G - 1. Undefined if either mean is; no interval if a grader gave one grade only, with
    one query, or without spread.
    """
    columns = [np.where(model == MISSING, MISSING, column) for column in ratings.T]
    own = _enough([_common(model, column, clusters, scale, weighting) for column in columns], least)
    between = _enough(
        [_common(one, other, clusters, scale, weighting) for one, other in combinations(columns, 2)], least
    )
    of_model, of_raters = _mean(own), _mean(between)
    pairs = [*own, *between]
    items = np.unique(np.concatenate([pair.items for pair in pairs])) if pairs else np.arange(0)
    numbered, groups = _numbered(clusters[items])
    delta = _without_interval(of_model, of_raters, groups)
    if delta.value is not None and delta.reason is None:
        phi = _influence(own, len(model), len(items)) - _influence(between, len(model), len(items))
        delta = delta_from(delta.value, phi[items], numbered)
    shared = {int(item) for pair in between for item in pair.items}
    return HumanCeiling(of_model, of_raters, delta, len(items), groups, len(shared))


def leave_one_out(
    model: Integers,
    ratings: Integers,
    clusters: Integers,
    scale: tuple[int, ...],
    weighting: Weighting = "none",
    *,
    least: int = 1,
) -> tuple[LeaveOneOut, ...]:
    """For each rater in turn, kappa(model, rest) - kappa(rater, rest), in [-2, 2], with Holm over the raters.

    The rest is the lower median of the others, on items graded by the rater, the model and at least two
    others. Paired cluster-robust error and t on G - 1 as in `paired.delta_kappa`; Holm 1979.
    Undefined if either kappa is, or with fewer than `least` items; no interval and no p if one of the two, or
    the rest, gave one grade only, with one query, or without spread; but without spread p is 1 where the
    difference is 0.
    """
    raters = range(ratings.shape[1])
    found = [_left_out(h, model, ratings, clusters, scale, weighting, least) for h in raters]
    adjusted = holm([one.p for one in found])
    return tuple(replace(one, p_holm=p) for one, p in zip(found, adjusted, strict=True))


def _left_out(
    rater: int,
    model: Integers,
    ratings: Integers,
    clusters: Integers,
    scale: tuple[int, ...],
    weighting: Weighting,
    least: int,
) -> LeaveOneOut:
    own, others = ratings[:, rater], np.delete(ratings, rater, axis=1)
    enough = (others != MISSING).sum(axis=1) >= 2
    items = np.flatnonzero((own != MISSING) & (model != MISSING) & enough)
    rest = lower_median(others[items])
    numbered, groups = _numbered(clusters[items])
    base = KappaTable(own[items], rest, numbered, scale, weighting)
    candidate = KappaTable(model[items], rest, numbered, scale, weighting)
    if len(items) < least:
        why = Reason("remark", FEW_SHARED.format(n=len(items))) if len(items) else NO_REST
        none = Kappa(None, why)
        return LeaveOneOut(rater, len(items), groups, none, none, Tested(None, reason=why))
    delta = _without_interval(candidate.kappa, base.kappa, groups)
    if delta.reason is None:
        delta = delta_kappa(base, candidate)
    return LeaveOneOut(rater, len(items), groups, candidate.kappa, base.kappa, delta, delta.p)


def _common(
    one: Integers, other: Integers, clusters: Integers, scale: tuple[int, ...], weighting: Weighting
) -> _CommonItems:
    items = np.flatnonzero((one != MISSING) & (other != MISSING))
    return _CommonItems(items, KappaTable(one[items], other[items], clusters[items], scale, weighting))


def _enough(pairs: list[_CommonItems], least: int) -> list[_CommonItems]:
    """The pairs with at least `least` items in common; all pairs if none has enough."""
    return [pair for pair in pairs if len(pair.items) >= least] or pairs


def _mean(pairs: Sequence[_CommonItems]) -> Kappa:
    return mean_kappa([pair.table.kappa for pair in pairs])


def _influence(pairs: Sequence[_CommonItems], rows: int, n: int) -> Floats:
    return mean_influence([pair.table for pair in pairs], [pair.items for pair in pairs], rows, n)


def _numbered(clusters: Integers) -> tuple[Integers, int]:
    numbered = renumbered(clusters)
    return numbered, int(numbered.max(initial=-1)) + 1


def _without_interval(model: Kappa, other: Kappa, groups: int) -> Tested:
    """The difference of two kappas, with the reason if it has no interval."""
    if model.exact is None or other.exact is None:
        undefined = model if model.exact is None else other
        return Tested(None, reason=undefined.reason)
    reason = model.reason or other.reason or (ONE_CLUSTER if groups < 2 else None)
    return Tested(float(model.exact - other.exact), reason=reason)
