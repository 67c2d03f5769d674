"""Agreement of several answers to the same question."""

from collections.abc import Sequence
from dataclasses import replace

from harness.score.answer_matrix import AnswerMatrix
from harness.score.rater_pairs import rater_pairs
from harness.score.rating_matrix import RatingMatrix
from harness.score.settings import ScoreSettings
from harness.score.slices import action_groups
from harness.scorecards.gate2 import Repeats
from harness.stats.raters import krippendorff_alpha


def repeats_score(answers: AnswerMatrix, items: Sequence[str], settings: ScoreSettings) -> Repeats | None:
    """Test-retest agreement over the repeats; None with one repeat.

    Each repeat counts as a rater of the same items (Haldar & Hockenmaier 2025), as in Gate 1.
    """
    count = answers.grades.shape[1]
    if count < 2:
        return None
    repeats = tuple(f"repeat {at + 1}" for at in range(count))
    names, action_of, weighting = tuple(items), settings.action_of, settings.bar.weighting
    ratings = RatingMatrix(names, repeats, names, answers.grades, answers.clusters, answers.scale)
    pairs, agreeing = ratings.comparisons()
    twice = pairs > 0
    actions = answers.regrouped(action_groups(answers.scale, action_of)) if action_of else None
    return Repeats(
        repeats=count,
        aggregate=settings.aggregate,
        n=int(twice.sum()),
        agreement=float(agreeing.sum() / pairs.sum()) if twice.any() else None,
        unanimous=_unanimous(ratings),
        unanimous_actions=_unanimous(replace(ratings, grades=actions.grades, scale=actions.scale))
        if actions
        else None,
        kappa=rater_pairs(ratings, weighting).means[weighting].estimate(),
        alpha=krippendorff_alpha(ratings.grades, ratings.scale, "ordinal").value,
    )


def _unanimous(ratings: RatingMatrix) -> float | None:
    """The share of items with two answers or more whose answers are all the same."""
    pairs, agreeing = ratings.comparisons()
    twice = pairs > 0
    return float((pairs == agreeing)[twice].mean()) if twice.any() else None
