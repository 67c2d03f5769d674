"""May a student stand in for its teacher? The verdict, on golden pairs and on production."""

from typing import Any

from harness.nouns.policy import Gates
from harness.scorecards.comparison import Comparison, Condition
from harness.scorecards.shared import Verdict
from harness.scorecards.student import Delta, OnProduction, StudentCheck, StudentOrigin, teacher_words
from harness.stats.intervals import KappaTable
from harness.stats.paired import skewed_limits
from harness.student.both import Both
from harness.verdicts.gates import together
from harness.verdicts.regression import judge_regression, loss_condition

MAY: dict[Verdict, str] = {
    "pass": "it may stand in for {teacher}",
    "fail": "it may not stand in for {teacher}",
    "inconclusive": "whether it may stand in for {teacher} is not shown",
}


def judged(found: Comparison, both: Both, gates: Gates, origin: StudentOrigin | None) -> dict[str, Any]:
    """May it stand in? As `harness regress` with the teacher as the base, by limits for rare losses."""
    result = judge_regression(found, gates, _loss(found, both, gates.margin))
    change = found.gated_change
    return {
        "gated": found.gated,
        "margin": gates.margin,
        "delta": Delta(value=change.delta, ci=change.ci, se=change.se, reason=change.reason),
        "verdict": result.verdict,
        "reason": f"{_may(result.verdict, origin)}: {result.reason}",
        "conditions": result.conditions,
    }


def _loss(found: Comparison, both: Both, margin: float) -> Condition | None:
    """Whether the loss is within the margin; None where nothing differs, or nothing can be said."""
    change = found.gated_change
    if change.delta is None or not change.se:
        return None
    teacher, student = (
        KappaTable(both.golden, grades, both.clusters, both.scale, found.weighting)
        for grades in (both.teacher, both.student)
    )
    limits = skewed_limits(teacher, student, change.delta, change.se)
    return loss_condition(found.gated, change.delta, limits, margin)


def with_production(found: StudentCheck, on: OnProduction, condition: Condition) -> StudentCheck:
    """The check with what rated rows of production say: a pass takes both."""
    verdict, reason = together([(found.verdict, found.reason), (condition.verdict, condition.reason)])
    if verdict == "pass":
        reason = f"{found.reason}; {condition.reason}"
    elif verdict != found.verdict:
        reason = f"{_may(verdict, found.origin)}: {reason}"
    conditions = (*found.conditions, condition)
    update = {"production": on, "verdict": verdict, "reason": reason, "conditions": conditions}
    return found.model_copy(update=update)


def _may(verdict: Verdict, origin: StudentOrigin | None) -> str:
    """The verdict in words of students and teachers."""
    return MAY[verdict].format(teacher=teacher_words(origin))
