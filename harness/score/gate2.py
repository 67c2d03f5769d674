"""Gate 2: does the grader agree with the golden set?"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness.errors import BadInput
from harness.nouns.base import Reason
from harness.score.answer_matrix import AnswerMatrix, answer_matrix_of
from harness.score.ceiling import ceiling_score
from harness.score.confidence import confidence_score
from harness.score.disagreements import citations, counted, disagreements
from harness.score.items import GradedItem, ItemAnswer, independence, names_query, naming, voted
from harness.score.repeats import repeats_score
from harness.score.settings import NO_POLICY, Raters, ScoreSettings
from harness.score.slices import action_score, boundary_score, cells, floor, grade_score, slices, unused
from harness.score.threshold import WEIGHTINGS, Measured, bands_differ, bands_of, gate_fields
from harness.scorecards.gate2 import Gate2
from harness.scorecards.shared import Confusion, Outcomes
from harness.stats.diagnostics import diagnostics


def score_gate2(
    items: Sequence[GradedItem],
    settings: ScoreSettings,
    raters: Raters | None = None,
    warnings: tuple[str, ...] = (),
) -> Gate2:
    """Agreement of a grader with the golden set, on the items that it graded, and its coverage."""
    if not items:
        raise BadInput("nothing to score: the golden set has no item here")
    ratings = raters.ratings.of(item.item for item in items) if raters else None
    asked = answer_matrix_of(items, settings.scale)
    votes = [voted(item) for item in items]
    graded = votes if settings.aggregate == "vote" else items
    answer_matrix = answer_matrix_of(graded, settings.scale) if settings.aggregate == "vote" else asked
    measured = {weighting: answer_matrix.measure(weighting) for weighting in WEIGHTINGS}
    named = sum(map(names_query, items))
    wrong = disagreements(items, votes, settings.action_of, ratings)
    return Gate2(
        **gate_fields(measured, settings.bar, len({item.cluster for item in graded if _is_graded(item)})),
        bootstrap=answer_matrix.bootstrap(settings.bar.weighting) if settings.bootstrap else None,
        warnings=(
            *warnings,
            *bands_differ(bands_of(measured)),
            *unused(answer_matrix),
            *independence(named, len(items)),
        ),
        naming=naming(named, len(items)),
        no_actions=settings.undecided,
        n=len(items),
        **_outcomes([answer for item in graded for answer in item.answers]),
        **_figures(answer_matrix, settings, measured[settings.bar.weighting]),
        **_slices(items, answer_matrix, settings),
        ceiling=ceiling_score(answer_matrix, ratings, raters, settings) if raters and ratings else None,
        diagnosis=counted(wrong),
        misses=wrong,
        citations=citations(graded, settings.clause_ids),
        repeats=repeats_score(asked, [item.item for item in items], settings),
        confidence=confidence_score(votes, settings),
    )


def _is_graded(item: GradedItem) -> bool:
    return any(answer.outcome == "graded" for answer in item.answers)


def _outcomes(answers: Sequence[ItemAnswer]) -> dict[str, Any]:
    ends = Counter(answer.outcome for answer in answers)
    causes = Counter(answer.cause for answer in answers if answer.cause)
    return {
        "coverage": ends["graded"] / len(answers),
        "outcomes": Outcomes(graded=ends["graded"], ungraded=ends["ungraded"], failed=ends["failed"]),
        "ungraded_causes": dict(sorted(causes.items(), key=lambda one: (-one[1], one[0]))),
    }


def _figures(answer_matrix: AnswerMatrix, settings: ScoreSettings, gated: Measured) -> dict[str, Any]:
    """The figures over all items."""
    worst = gated if answer_matrix.answered.all() else answer_matrix.worst().measure(settings.bar.weighting)
    errors = answer_matrix.errors()
    n = len(errors)
    matrix = answer_matrix.matrix()
    none = Reason("undefined", "no item was graded")
    reasons = {} if n else dict.fromkeys(("accuracy", "mae", "bias"), none)
    if worst.kappa.reason:
        reasons["kappa_worst_case"] = worst.kappa.reason
    if settings.action_of is None:
        reasons["actions"] = Reason("remark", settings.undecided or NO_POLICY)
    return {
        "kappa_worst_case": worst.kappa.value,
        "kappa_worst_case_ci": worst.ci,
        "accuracy": float((errors == 0).mean()) if n else None,
        "mae": float(abs(errors).mean()) if n else None,
        "bias": float(errors.mean()) if n else None,
        "confusion": Confusion(labels=answer_matrix.scale, matrix=matrix),
        "diagnostics": diagnostics(matrix),
        "floor": floor(answer_matrix),
        "reasons": reasons,
    }


def _slices(
    items: Sequence[GradedItem], answer_matrix: AnswerMatrix, settings: ScoreSettings
) -> dict[str, Any]:
    """The figures over parts of the items, or of the scale."""
    matrix = answer_matrix.matrix()
    weighting = settings.bar.weighting
    tags = [item.about.tags if item.about else () for item in items]
    clauses = [item.about.clauses if item.about else () for item in items]
    action_of = settings.action_of
    return {
        "per_grade": tuple(grade_score(matrix, at, grade) for at, grade in enumerate(settings.scale)),
        "boundaries": tuple(boundary_score(answer_matrix, at) for at in range(1, len(settings.scale))),
        "actions": action_score(answer_matrix, action_of, settings.gates.gate2.actions)
        if action_of
        else None,
        "never_grow": cells(answer_matrix, action_of, settings.gates) if action_of else (),
        "per_tag": slices(answer_matrix, tags, weighting),
        "per_clause": slices(answer_matrix, clauses, weighting),
    }
