"""The human ceiling of a run: does the grader agree with the raters as well as they with each other?"""

from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.score.answer_matrix import AnswerMatrix
from harness.score.rating_matrix import MIN_COMMON, RatingMatrix
from harness.score.settings import Raters, ScoreSettings
from harness.scorecards.ceiling import AgainstRest, AltTest, Ceiling
from harness.scorecards.shared import Estimate
from harness.stats.alternative import alternative_annotator_test
from harness.stats.ceiling import LeaveOneOut, human_ceiling, leave_one_out
from harness.stats.intervals import Tested
from harness.storage.plural import plural

SEVERAL = "asked several times: test a run of one answer an item"
NO_EPSILON = "gates.toml declares no epsilon ([human_ceiling]), and one chosen afterwards would prove nothing"


def ceiling_score(
    answers: AnswerMatrix, ratings: RatingMatrix, raters: Raters, settings: ScoreSettings
) -> Ceiling | None:
    """The ceiling on the items that the grader graded; None without ratings by others.

    `ratings` has the same items in the same order. With several answers per item, the mean over the repeats.
    """
    ratings = ratings.with_some(np.flatnonzero(answers.answered.any(axis=1)))
    if not ratings.raters:
        return None
    about = (ratings.grades, answers.clusters, settings.scale, settings.bar.weighting)
    found = [human_ceiling(column, *about, least=MIN_COMMON) for column in answers.grades.T]
    n, shared = max(one.n for one in found), max(one.shared for one in found)
    margin = settings.gates.margin
    delta = _mean_delta([one.delta for one in found]).model_copy(update={"n": n})
    few = _too_few(n, shared)
    once = len(found) == 1
    left_out = leave_one_out(answers.grades[:, 0], *about, least=MIN_COMMON) if once else ()
    return Ceiling(
        n=n,
        shared=shared,
        raters=ratings.raters,
        provisional=raters.provisional,
        grader=None if n < MIN_COMMON else _mean([one.model.value for one in found]),
        rater=None if few else _mean([one.raters.value for one in found]),
        delta=Estimate(value=None, n=n, reason=few) if few else delta,
        margin=margin,
        as_good=None if few or delta.ci is None else delta.ci.low > -margin,
        leave_one_out=tuple(_against_rest(ratings.raters[one.rater], one) for one in left_out),
        alt_test=_alt_test(answers, ratings, settings) if once else _no_test(settings, SEVERAL),
    )


def _too_few(n: int, shared: int) -> Reason | None:
    """Why there is no ceiling: a kappa of a few items may be anything, and is 0 where they are alike."""
    if shared >= MIN_COMMON:
        return None
    count, said = (shared, "rated by two raters") if n >= MIN_COMMON else (n, "rated")
    which = plural(count, "item was", "items were")
    return Reason("remark", f"only {which} {said}: too few to compare with")


def _mean_delta(deltas: Sequence[Tested]) -> Estimate:
    """The mean over the repeats, with the mean of their errors as an upper bound of its error."""
    reason = next((one.reason for one in deltas if one.reason), None)
    found = [Estimate.model_validate(one, from_attributes=True) for one in deltas]
    if len(found) == 1:
        return found[0]
    known = [one.ci for one in deltas if one.ci]
    mean = Interval(*(sum(ends) / len(ends) for ends in zip(*known, strict=True))) if known else None
    return Estimate(
        value=_mean([one.value for one in found]),
        ci=mean if len(known) == len(deltas) else None,
        se=_mean([one.se for one in found]),
        reason=reason,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean; None if one of them is undefined."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _against_rest(rater: str, one: LeaveOneOut) -> AgainstRest:
    return AgainstRest(
        rater=rater,
        n=one.n,
        grader=one.model.value,
        rater_kappa=one.own.value,
        delta=one.delta.value,
        ci=one.delta.ci,
        p=one.p,
        p_holm=one.p_holm,
        reason=one.delta.reason,
    )


def _alt_test(answers: AnswerMatrix, ratings: RatingMatrix, settings: ScoreSettings) -> AltTest:
    epsilon, scoring = settings.gates.human_ceiling.epsilon, settings.gates.human_ceiling.scoring
    if epsilon is None:
        return _no_test(settings, NO_EPSILON)
    about = answers.clusters, settings.scale, scoring, epsilon, ratings.raters
    return alternative_annotator_test(answers.grades[:, 0], ratings.grades, *about)


def _no_test(settings: ScoreSettings, why: str) -> AltTest:
    epsilon, reason = settings.gates.human_ceiling.epsilon, Reason("remark", why)
    return AltTest(epsilon=epsilon, winning_rate=None, advantage=None, passed=None, reason=reason)
