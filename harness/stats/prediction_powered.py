"""Prediction-powered inference: a mean over production from many teacher grades and few human ones.

PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453), made to hold where the rows of a query are alike:
the power tuning lambda, the error and the interval are by query, not by row. The teacher's grades are never
believed: what people say of the same rows corrects them, and a teacher that knows nothing gets lambda 0.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.cluster_sums import ClusterSums
from harness.stats.few_events import exact_interval, few_events
from harness.stats.intervals import NO_SPREAD, ROUNDING, Tested, t_test

NO_LABELS = Reason("undefined", "no row has a human grade")
LAMBDA_VARIES = 1.1
"""Where lambda tuned anew without each query makes SE^2 more than a tenth larger, its own error counts.

Found by simulation (benchmarks/estimate_coverage.py): of a weak teacher, at 100 queries of unequal size, an
interval with lambda held fixed holds the truth in 92 %.
"""
ONE_LABELLED = Reason(
    "no interval", "all rows with a human grade are of one query, which says nothing of another"
)


@dataclass(frozen=True)
class Moments:
    """The variances that decide lambda: of the human part, of the teacher's, and of both together."""

    human: float
    both: float
    teacher: float
    apart: float
    """The part of the teacher's variance that more human grades do not make smaller."""

    @property
    def best(self) -> float:
        """The lambda at which the estimate's variance is least, in [0, 1]; 0 where nothing depends on it."""
        whole = self.teacher + self.apart
        return min(1.0, max(0.0, self.both / whole)) if whole > 0 else 0.0

    def times_as_many(self, narrower: float = 2.0) -> float:
        """How many times the labelled queries make an interval so many times as narrow, lambda tuned anew.

        The variance of m times as many is (v_Y - c^2 / (v_F + m V_u)) / m; solved for m.
        """
        if not self.best or not self.apart:
            return narrower**2
        now = self.human - self.both**2 / (self.teacher + self.apart)
        wanted = now / narrower**2
        a, b = wanted * self.apart, wanted * self.teacher - self.human * self.apart
        c = self.both**2 - self.human * self.teacher
        root = math.sqrt(max(0.0, b * b - 4 * a * c))
        return max(1.0, (root - b) / (2 * a)) if a > 0 else narrower**2


@dataclass(frozen=True, slots=True)
class Powered:
    """A corrected estimate. `lam`: how far the teacher's grades were used; 0 is humans only.

    `human`: from the human grades alone, with its own interval. `saved`: how many times as many labelled
    queries humans only would need for the same error, less 1. `more`: how many more labelled queries would
    about halve the interval, as a multiple of those there. `few`: by the few-events rule.
    """

    value: float | None
    se: float | None
    ci: Interval | None
    lam: float
    teacher_only: float | None
    human: Tested
    clusters_labelled: int
    clusters_unlabelled: int
    saved: float | None = None
    more: float | None = None
    few: bool = False
    reason: Reason | None = None


def powered_mean(sums: ClusterSums) -> Powered:
    """The mean of f in [0, 1] over production, with its 95 % interval (PRODUCTION.md, section 1).

    theta = lambda Fbar' + (sum Y - lambda sum F) / sum n, lambda clipped to [0, 1] and tuned by query. Where
    labelled and unlabelled queries are apart, SE^2 is the labelled part's jackknife plus lambda^2 V_u
    H/(H-1); where a query has rows of both kinds, whole queries are left out of both parts at once. Where
    lambda depends on single queries, it is tuned anew without each (`with_tuning`). The interval is t on
    G - 1 degrees of freedom, within [0, 1]; with few events, the exact one of the human grades. Undefined
    without a human grade; no interval with one labelled query, or without spread: an error of 0 is none.
    """
    groups, others = len(sums.has_labels), len(sums.has_others)
    only, few = human_mean(sums)
    if only.value is None or groups < 2:
        return Powered(
            only.value, None, None, 0.0, sums.teacher_only, only, groups, others, reason=only.reason
        )
    found = moments(sums)
    lam = 0.0 if few or len(sums.has_others) < 2 else found.best
    if not lam:
        made = Powered(only.value, only.se, only.ci, 0.0, sums.teacher_only, only, groups, others, few=few)
        return _planned(made, found, only.reason)
    value = sums.at(lam)
    assert value is not None
    tested = tested_share(value, powered_error(sums, lam), groups)
    made = Powered(value, tested.se, tested.ci, lam, sums.teacher_only, only, groups, others)
    return _planned(made, found, tested.reason)


def _planned(made: Powered, found: Moments, reason: Reason | None) -> Powered:
    """With what the teacher saved, and what more human grades would bring."""
    if not made.se or not made.human.se:
        return replace(made, reason=reason)
    saved = saved_by(made.human.se, made.se)
    return replace(made, reason=reason, saved=saved, more=found.times_as_many() - 1)


def saved_by(human: float | None, se: float | None) -> float | None:
    """How many more labelled queries humans only would need for the same error, as a multiple."""
    return max(0.0, (human / se) ** 2 - 1) if human and se else None


def human_mean(sums: ClusterSums) -> tuple[Tested, bool]:
    """The mean of the human grades alone, and whether the few-events rule made its interval."""
    value, groups = sums.human_only, len(sums.has_labels)
    if value is None:
        return Tested(None, reason=NO_LABELS), False
    if groups < 2:
        return Tested(value, reason=ONE_LABELLED), False
    se = error(sums, 0.0)
    rare = few_events(sums, se)
    if rare is None:
        return tested_share(value, se, groups), False
    return Tested(value, se, exact_interval(sums, value, se), reason=rare), True


def moments(sums: ClusterSums) -> Moments:
    """The linearised variances of the human and the teacher's parts, by query."""
    n, other = float(sums.labelled.sum()), float(sums.unlabelled.sum())
    human = (sums.human - sums.human.sum() / n * sums.labelled) / n
    teacher = (sums.teacher - sums.teacher.sum() / n * sums.labelled) / n
    unseen = np.zeros_like(teacher)
    if other:
        unseen = (sums.unseen - sums.unseen.sum() / other * sums.unlabelled) / other
    # What the teacher's part adds to the estimate is lam (unseen - teacher). Without a query of both kinds
    # the products of the two are 0.
    cross = float(unseen @ teacher)
    return Moments(
        human=float(human @ human),
        both=float(human @ teacher) - float(human @ unseen),
        teacher=float(teacher @ teacher) - 2 * cross,
        apart=float(unseen @ unseen),
    )


def powered_error(sums: ClusterSums, lam: float) -> float:
    """The standard error at the best lambda, with the error of lambda itself where it matters."""
    if not lam:
        return error(sums, 0.0)
    tuned = sums.best_without_each(_left_out(sums))
    return with_tuning(error(sums, lam), error(sums, lam, tuned), error(sums, 0.0))


def _left_out(sums: ClusterSums) -> Integers:
    """The queries that the jackknife leaves out: those with a human grade; all if some have both kinds."""
    if sums.disjoint:
        return sums.has_labels
    return np.flatnonzero((sums.labelled > 0) | (sums.unlabelled > 0))


def with_tuning(fixed: float, tuned: float, human: float, varies: float = LAMBDA_VARIES) -> float:
    """Which error holds: with lambda held fixed, unless the one with it tuned anew is clearly larger.

    At most the error of the human grades alone, `human`: the best lambda makes an estimate no worse.
    """
    return max(fixed, min(tuned, human)) if tuned**2 > varies * fixed**2 else fixed


def error(sums: ClusterSums, lam: float, without: Floats | None = None) -> float:
    """The jackknife's standard error at a lambda, held fixed, or with `without`, those without each query."""
    values = sums.without_each(lam if without is None else without)
    if lam and not sums.disjoint:
        return math.sqrt(jackknife(values[_left_out(sums)]))
    square = jackknife(values[sums.has_labels])
    if lam:
        n, groups = float(sums.unlabelled.sum()), len(sums.has_others)
        spread = sums.unseen - sums.unseen.sum() / n * sums.unlabelled
        square += lam**2 * float(spread @ spread) / n**2 * groups / (groups - 1)
    return math.sqrt(square)


def jackknife(values: Floats) -> float:
    """(G - 1)/G sum (v_g - mean v)^2: the variance of a figure from its values without each cluster."""
    apart = values - values.mean()
    return float(apart @ apart) * (len(values) - 1) / len(values)


def tested_share(value: float, se: float, groups: float) -> Tested:
    """A share with its t interval on `groups` - 1, within [0, 1]; an error of 0 gives none."""
    if se < ROUNDING:
        return Tested(value, 0.0, reason=NO_SPREAD)
    found = t_test(value, se, groups)
    return Tested(value, se, found.ci.within(0.0, 1.0) if found.ci else None, found.p)
