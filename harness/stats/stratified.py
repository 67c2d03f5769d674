"""Figures over several parts of production: over strata, and the difference between two parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.nouns.base import Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.cluster_sums import ClusterSums
from harness.stats.few_events import exact_interval, few_events
from harness.stats.intervals import ROUNDING, Tested, t_test
from harness.stats.prediction_powered import (
    ONE_LABELLED,
    Powered,
    error,
    jackknife,
    moments,
    powered_error,
    powered_mean,
    saved_by,
    tested_share,
    with_tuning,
)

LEAST = 5
"""A stratum with fewer labelled queries says too little of its own spread."""
APART = Reason("undefined", "one of the two has no human grade")
ALIKE = Reason("no interval", "the two do not differ in any query, so there is no spread to estimate it from")


@dataclass(frozen=True)
class Strata:
    """The parts of a figure by stratum over the same Q queries, and each stratum's weight in production.

    `weights` is S x Q: what all rows of the query weigh in the stratum, with a human grade or without.
    """

    parts: Sequence[ClusterSums]
    weights: Floats

    @property
    def shares(self) -> Floats:
        """W_s: each stratum's share of production."""
        return np.asarray(self.weights.sum(axis=1) / self.weights.sum(), dtype=np.float64)

    @property
    def cut(self) -> bool:
        """Whether a query lies in several strata."""
        return bool(((self.weights > 0).sum(axis=0) > 1).any())

    @property
    def thin(self) -> list[int]:
        """The strata that have too few labelled queries to be estimated by themselves."""
        return [at for at, part in enumerate(self.parts) if len(part.has_labels) < LEAST]


def stratified_mean(strata: Strata, whole: ClusterSums) -> Powered:
    """theta = sum W_s theta_s, W_s the share of production, with each stratum's own lambda.

    `whole`: the same figure without strata, by which few events are counted. SE^2 = sum W_s^2 SE_s^2 with
    Satterthwaite's degrees of freedom where every query lies in one stratum; else whole queries are left out
    of all strata at once, and of the shares, with t on the labelled queries less the strata. Must not be
    called with a stratum that is `thin`.
    """
    found = [powered_mean(part) for part in strata.parts]
    human = _combined(strata, [0.0] * len(found))
    assert human.value is not None and human.se is not None, "every stratum has human grades"
    rare = few_events(whole, human.se)
    if rare is not None:
        ci = exact_interval(whole, human.value, human.se)
        human = replace(human, ci=ci, p=None, reason=rare)
    lams = [0.0 if rare else _lam(part) for part in strata.parts]
    mine = human if rare else _combined(strata, lams)
    teachers = [part.teacher_only for part in strata.parts]
    lam = float(strata.shares @ np.array(lams))
    made = Powered(
        mine.value,
        mine.se,
        mine.ci,
        lam,
        _mean(strata.shares, teachers),
        human,
        len(whole.has_labels),
        len(whole.has_others),
        few=rare is not None,
        reason=mine.reason,
    )
    more = float(np.average([one.more or 3.0 for one in found], weights=strata.shares))
    return replace(made, saved=saved_by(human.se, mine.se), more=more if mine.se else None)


def _lam(part: ClusterSums) -> float:
    """A stratum's lambda; its few events are counted over all strata together."""
    return moments(part).best if len(part.has_others) > 1 else 0.0


def _combined(strata: Strata, lams: Sequence[float]) -> Tested:
    shares = strata.shares
    values = [part.at(lam) for part, lam in zip(strata.parts, lams, strict=True)]
    value = _mean(shares, values)
    assert value is not None, "every stratum has human grades"
    groups = int((np.sum([part.labelled for part in strata.parts], axis=0) > 0).sum())
    if strata.cut:
        se, freedom = _joint_error(strata, lams), float(groups - len(strata.parts))
    else:
        squares = np.array(
            [
                (share * powered_error(part, lam)) ** 2
                for share, part, lam in zip(shares, strata.parts, lams, strict=True)
            ]
        )
        se = math.sqrt(float(squares.sum()))
        each = np.array([len(part.has_labels) - 1 for part in strata.parts])
        freedom = float(squares.sum() ** 2 / (squares**2 / each).sum()) if se else 1.0
    return tested_share(value, se, max(freedom, 1.0) + 1)


def _joint_error(strata: Strata, lams: Sequence[float]) -> float:
    """The jackknife over whole queries, which leave every stratum and its share of production at once."""
    fixed = _left_out(strata, lams)
    if not any(lams):
        return fixed
    known = np.flatnonzero(strata.weights.sum(axis=0) > 0)
    tuned = [_tuned(part, lam, known) for part, lam in zip(strata.parts, lams, strict=True)]
    return with_tuning(fixed, _left_out(strata, tuned), _left_out(strata, [0.0] * len(lams)))


def _tuned(sums: ClusterSums, lam: float, known: Integers) -> float | Floats:
    """lambda without each query in turn; 0 where the teacher is not used."""
    return sums.best_without_each(known) if lam else 0.0


def _left_out(strata: Strata, lams: Sequence[float | Floats]) -> float:
    left = strata.weights.sum(axis=1)[:, None] - strata.weights
    shares = left / left.sum(axis=0)
    values = np.array([part.without_each(lam) for part, lam in zip(strata.parts, lams, strict=True)])
    known = strata.weights.sum(axis=0) > 0
    return math.sqrt(jackknife((shares * values).sum(axis=0)[known]))


def _mean(shares: Floats, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(shares @ np.array(known)) if len(known) == len(values) else None


def difference(one: ClusterSums, other: ClusterSums) -> Tested:
    """`other` minus `one`, over the same Q queries in the same order, paired by query.

    Each with its own lambda; whole queries are left out of both at once, and where it matters lambda is tuned
    anew without each; t on the labelled queries of both less 1, at least those of the smaller one. Undefined
    where one has no human grade; no interval, and no p, where either has few events: then a difference of
    shares has no spread to trust. It is the difference of what `powered_mean` says of each.
    """
    values = powered_mean(one).value, powered_mean(other).value
    if values[0] is None or values[1] is None:
        return Tested(None, reason=APART)
    value = values[1] - values[0]
    least = min(len(one.has_labels), len(other.has_labels))
    rare = next((reason for s in (one, other) if (reason := _too_few(s))), None)
    if rare:
        return Tested(value, reason=rare)
    se = _paired_error(one, other)
    return Tested(value, 0.0, reason=ALIKE) if se < ROUNDING else t_test(value, se, least)


def _paired_error(one: ClusterSums, other: ClusterSums) -> float:
    known = np.flatnonzero(sum(np.abs(s.labelled) + np.abs(s.unlabelled) for s in (one, other)))
    lams = _safe(one), _safe(other)

    def left_out(first: float | Floats, second: float | Floats) -> float:
        return math.sqrt(jackknife((other.without_each(second) - one.without_each(first))[known]))

    tuned = [_tuned(sums, lam, known) for sums, lam in zip((one, other), lams, strict=True)]
    return with_tuning(left_out(*lams), left_out(*tuned), left_out(0.0, 0.0))


def _too_few(sums: ClusterSums) -> Reason | None:
    return few_events(sums, error(sums, 0.0)) if len(sums.has_labels) > 1 else ONE_LABELLED


def _safe(sums: ClusterSums) -> float:
    return moments(sums).best if len(sums.has_labels) > 1 and len(sums.has_others) > 1 else 0.0


def teacher_difference(one: ClusterSums, other: ClusterSums) -> Tested:
    """What the second teacher says of its rows minus what the first says: paired by query, uncorrected."""
    sides = [(s.teacher + s.unseen, s.labelled + s.unlabelled) for s in (one, other)]
    if any(not whole.sum() for _, whole in sides):
        return Tested(None, reason=Reason("undefined", "one of the two has no row"))
    values = [float(top.sum() / whole.sum()) for top, whole in sides]
    known = np.flatnonzero(sides[0][1] + sides[1][1])
    value = values[1] - values[0]
    if len(known) < 2:
        return Tested(value)
    without = [(top.sum() - top[known]) / (whole.sum() - whole[known]) for top, whole in sides]
    se = math.sqrt(jackknife(np.asarray(without[1] - without[0])))
    return Tested(value, 0.0, reason=ALIKE) if se < ROUNDING else t_test(value, se, len(known))
