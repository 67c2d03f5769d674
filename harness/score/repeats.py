"""Agreement of several answers to the same question."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.nouns.base import Weighting
from harness.score.answer_matrix import AnswerMatrix
from harness.score.rater_pairs import rater_pairs
from harness.score.rating_matrix import RatingMatrix
from harness.scorecards.gate2 import Aggregate, Repeats
from harness.stats.raters import krippendorff_alpha


def repeats_score(
    answers: AnswerMatrix,
    items: Sequence[str],
    aggregate: Aggregate,
    weighting: Weighting,
    action_of: Mapping[int, str] | None,
) -> Repeats | None:
    """Test-retest agreement over the repeats; None with one repeat.

    Each repeat counts as a rater of the same items (Haldar & Hockenmaier 2025), as in Gate 1.
    """
    count = answers.grades.shape[1]
    if count < 2:
        return None
    ratings = RatingMatrix(
        items=tuple(items),
        raters=tuple(f"repeat {at + 1}" for at in range(count)),
        queries=tuple(items),
        grades=answers.grades,
        clusters=answers.clusters,
        scale=answers.scale,
    )
    pairs, agreeing = ratings.comparisons()
    twice = pairs > 0
    return Repeats(
        repeats=count,
        aggregate=aggregate,
        n=int(twice.sum()),
        agreement=float(agreeing.sum() / pairs.sum()) if twice.any() else None,
        unanimous=_unanimous(ratings),
        unanimous_actions=_unanimous(_as_actions(ratings, action_of)) if action_of else None,
        kappa=rater_pairs(ratings, weighting).means[weighting].estimate(),
        alpha=krippendorff_alpha(ratings.grades, ratings.scale, "ordinal").value,
    )


def _unanimous(ratings: RatingMatrix) -> float | None:
    """The share of items with two answers or more whose answers are all the same."""
    pairs, agreeing = ratings.comparisons()
    twice = pairs > 0
    return float((pairs == agreeing)[twice].mean()) if twice.any() else None


def _as_actions(ratings: RatingMatrix, action_of: Mapping[int, str]) -> RatingMatrix:
    names = sorted(set(action_of.values()))
    to = np.array([names.index(action_of[grade]) for grade in ratings.scale])
    grades = np.where(ratings.grades < 0, ratings.grades, to[ratings.grades])
    return replace(ratings, grades=grades, scale=tuple(range(len(names))))
