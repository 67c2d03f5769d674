"""The alternative annotator test: can the model replace an annotator?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.nouns.base import Reason
from harness.scorecards.ceiling import AltTest, AnnotatorScore
from harness.stats.agreement import Floats, Integers, renumbered
from harness.stats.intervals import clustered_error
from harness.stats.paired import benjamini_yekutieli
from harness.stats.raters import MISSING
from harness.stats.tails import t_below

Scoring = Literal["accuracy", "neg_rmse"]

MIN_ITEMS = 30
"""With fewer items, the t-test's normal approximation is unreliable."""
MIN_ANNOTATORS = 3
"""With two annotators there is no consensus: the model would be compared with one of them alone."""
LEVEL = 0.05
"""The false discovery rate."""
WINNING = 0.5
"""The share of annotators that the model must win against."""

TOO_FEW = "the test takes {least} annotators with {items} items each; here: {found}"


@dataclass(frozen=True, slots=True)
class _Wins:
    """For each of an annotator's items, whether model and annotator win; ties credit both."""

    annotator: int
    model: Integers
    own: Integers
    clusters: Integers


def alternative_annotator_test(
    model: Integers,
    ratings: Integers,
    clusters: Integers,
    scale: Sequence[int],
    scoring: Scoring,
    epsilon: float,
    raters: Sequence[str],
) -> AltTest:
    """The alt-test of Calderon, Reichart & Dror (ACL 2025, arXiv 2501.10970).

    `model` (n) and `ratings` (n x R) are positions on the scale, -1 where missing, `clusters` (n) the items'
    queries, numbered from 0, and `raters` the R names. For each annotator: the items that they, the model and
    another annotator graded; the closer one to the others' grades wins, by the share that is the same
    ("accuracy") or by the root mean square of the difference in value ("neg_rmse"), ties credit both;
    one-sided t-test of mean(W_own - W_model) < epsilon, with epsilon for what a human costs more. omega is
    the share rejected after Benjamini-Yekutieli at .05, passed from .5 on; rho the mean over annotators of
    mean(W_model).
    Annotators with fewer than 30 items are left out, though others are still held to their grades; undefined
    with fewer than 3 left. Where the differences have no variance t has no value, and the mean decides:
    p is 0 below epsilon, else 1.
    """
    assert 0 <= epsilon <= 1, "epsilon is a difference of two shares"
    values = np.asarray(scale, dtype=np.int64)
    every = [_wins(h, model, ratings, clusters, values, scoring) for h in range(ratings.shape[1])]
    found = [one for one in every if len(one.own) >= MIN_ITEMS]
    if len(found) < MIN_ANNOTATORS:
        sizes = ", ".join(f"annotator {one.annotator} with {len(one.own)}" for one in every) or "none"
        text = TOO_FEW.format(least=MIN_ANNOTATORS, items=MIN_ITEMS, found=sizes)
        reason = Reason("undefined", text)
        return AltTest(epsilon=epsilon, winning_rate=None, advantage=None, passed=None, reason=reason)
    # One cluster per item gives the ordinary t-test's error, s / sqrt(n).
    p = [_one_sided(one.own - one.model, np.arange(len(one.own)), epsilon) for one in found]
    rejected = [adjusted <= LEVEL for adjusted in benjamini_yekutieli(p)]
    tested = tuple(_annotator(*each, epsilon, raters) for each in zip(found, p, rejected, strict=True))
    winning_rate = sum(rejected) / len(tested)
    return AltTest(
        epsilon=epsilon,
        winning_rate=winning_rate,
        advantage=sum(one.grader for one in tested) / len(tested),
        passed=winning_rate >= WINNING,
        annotators=tested,
    )


def _wins(
    annotator: int,
    model: Integers,
    ratings: Integers,
    clusters: Integers,
    values: Integers,
    scoring: Scoring,
) -> _Wins:
    own, others = ratings[:, annotator], np.delete(ratings, annotator, axis=1)
    at = (own != MISSING) & (model != MISSING) & (others != MISSING).any(axis=1)
    theirs = _closeness(own[at], others[at], values, scoring)
    models = _closeness(model[at], others[at], values, scoring)
    wins, own_wins = (models >= theirs).astype(np.int64), (theirs >= models).astype(np.int64)
    return _Wins(annotator, wins, own_wins, renumbered(clusters[at]))


def _closeness(own: Integers, others: Integers, values: Integers, scoring: Scoring) -> Integers:
    """How close each grade is to the others of its item: larger is closer.

    Sums replace the paper's means and roots: over the same others they rank alike, and integers make ties
    exact.
    """
    if scoring == "accuracy":
        return np.asarray((others == own[:, None]).sum(axis=1), dtype=np.int64)
    gaps = values[own][:, None] - values[others]
    return np.asarray(-(gaps**2 * (others != MISSING)).sum(axis=1), dtype=np.int64)


def _one_sided(d: Integers, clusters: Integers, epsilon: float) -> float:
    """The p of mean(d) < epsilon, from the mean's cluster-robust error; for two clusters or more."""
    n, total, groups = len(d), int(d.sum()), int(clusters.max()) + 1
    # n times the deviations are integers, so that no variance is exactly 0.
    deviations: Floats = (n * d - total).astype(np.float64)
    se = clustered_error(deviations, clusters, groups, n) / n
    if se == 0:
        return 0.0 if total / n < epsilon else 1.0
    return t_below(groups - 1, (total / n - epsilon) / se)


def _annotator(
    wins: _Wins, p: float, rejected: bool, epsilon: float, raters: Sequence[str]
) -> AnnotatorScore:
    d, groups = wins.own - wins.model, int(wins.clusters.max()) + 1
    return AnnotatorScore(
        rater=raters[wins.annotator],
        n=len(d),
        grader=float(wins.model.mean()),
        rater_share=float(wins.own.mean()),
        p=p,
        p_clustered=_one_sided(d, wins.clusters, epsilon) if groups > 1 else None,
        rejected=rejected,
    )
