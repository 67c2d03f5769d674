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
    panel = RatingMatrix(
        items=tuple(items),
        raters=tuple(f"repeat {at + 1}" for at in range(count)),
        queries=tuple(items),
        grades=answers.grades,
        clusters=answers.clusters,
        scale=answers.scale,
    )
    pairs, agreeing = panel.comparisons()
    twice = pairs > 0
    return Repeats(
        repeats=count,
        aggregate=aggregate,
        n=int(twice.sum()),
        agreement=float(agreeing.sum() / pairs.sum()) if twice.any() else None,
        unanimous=_unanimous(panel),
        unanimous_actions=_unanimous(_as_actions(panel, action_of)) if action_of else None,
        kappa=rater_pairs(panel, weighting).means[weighting].estimate(),
        alpha=krippendorff_alpha(panel.grades, panel.scale, "ordinal").value,
    )


def _unanimous(panel: RatingMatrix) -> float | None:
    """The share of items with two answers or more whose answers are all the same."""
    pairs, agreeing = panel.comparisons()
    twice = pairs > 0
    return float((pairs == agreeing)[twice].mean()) if twice.any() else None


def _as_actions(panel: RatingMatrix, action_of: Mapping[int, str]) -> RatingMatrix:
    names = sorted(set(action_of.values()))
    to = np.array([names.index(action_of[grade]) for grade in panel.scale])
    grades = np.where(panel.grades < 0, panel.grades, to[panel.grades])
    return replace(panel, grades=grades, scale=tuple(range(len(names))))
