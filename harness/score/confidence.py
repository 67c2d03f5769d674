"""The quality of a grader's own probabilities: calibration, and the share that it could grade alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.score.items import GradedItem, ItemAnswer
from harness.score.rating_matrix import numbered
from harness.score.settings import ScoreSettings
from harness.scorecards.confidence import Confidence
from harness.stats.abstention import alone, risk_coverage
from harness.stats.agreement import Floats, Integers
from harness.stats.calibration import calibration

SHOWN_TO_PEOPLE = 20
"""The number of least confident answers to list if there is no threshold for grading alone."""


def confidence_score(items: Sequence[GradedItem], settings: ScoreSettings) -> Confidence | None:
    """The figures over all items whose answer has probabilities; None if none has.

    `items` have one answer each: repeats of one question are not independent.
    """
    found = [
        (item, answer)
        for item in items
        for answer in item.answers
        if answer.grade is not None and answer.probabilities
    ]
    if not found:
        return None
    one = _arrays(found, settings.scale)
    measured = calibration(one.rows, one.chosen, one.golden, settings.scale, one.clusters)
    sure = one.rows[np.arange(len(one.rows)), one.chosen] / one.rows.sum(axis=1)
    wrong = (one.chosen != one.golden).astype(np.int64)
    reached = risk_coverage(sure, wrong)
    decided = alone(sure, wrong, settings.gates.target_error, one.clusters)
    return Confidence(
        n=measured.n,
        lost=measured.lost,
        ece=measured.ece_width,
        ece_equal_mass=measured.ece_mass,
        brier=measured.brier,
        log_loss=measured.log_loss,
        rps=measured.rps,
        bins=measured.width_bins,
        curve=reached.curve,
        aurc=reached.aurc,
        excess_aurc=reached.e_aurc,
        augrc=reached.augrc,
        alone=decided,
        to_people=_to_people(one.items, sure, decided.threshold),
        reason=measured.reason,
    )


class _Arrays(NamedTuple):
    """The answers whose probabilities are not all 0; grades as positions on the scale."""

    items: list[str]
    rows: Floats
    chosen: Integers
    golden: Integers
    clusters: Integers


def _arrays(found: Sequence[tuple[GradedItem, ItemAnswer]], scale: Sequence[int]) -> _Arrays:
    given = np.array([_row(answer, scale) for _, answer in found])
    kept = np.flatnonzero(given.sum(axis=1) > 0)
    position = {grade: at for at, grade in enumerate(scale)}
    chosen = np.array([position[answer.grade] for _, answer in found if answer.grade is not None])
    golden = np.array([position[item.golden] for item, _ in found])
    clusters = numbered([found[at][0].cluster for at in kept.tolist()])
    return _Arrays(
        [found[at][0].item for at in kept.tolist()], given[kept], chosen[kept], golden[kept], clusters
    )


def _row(answer: ItemAnswer, scale: Sequence[int]) -> list[float]:
    """The probability of each grade of the scale; 0 for grades that the answer omits."""
    known = answer.probabilities or {}
    return [max(0.0, known.get(grade, 0.0)) for grade in scale]


def _to_people(items: Sequence[str], sure: Floats, alone_from: float | None) -> tuple[str, ...]:
    """The items for people to grade, least confident first, ties by name.

    All items below the threshold for grading alone; without a threshold, the first few.
    """
    ordered = sorted(zip(sure.tolist(), items, strict=True))
    if alone_from is None:
        return tuple(item for _, item in ordered[:SHOWN_TO_PEOPLE])
    return tuple(item for confidence, item in ordered if confidence < alone_from)
