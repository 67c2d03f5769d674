"""May a student stand in for its teacher? Both held against the golden set, and against each other.

Reads what was graded, and asks nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.comparison.paired import compare_sides
from harness.comparison.sides import Side
from harness.errors import BadInput
from harness.nouns.base import Weighting
from harness.score.answer_matrix import AnswerMatrix
from harness.score.confidence import confidence_score
from harness.score.settings import ScoreSettings, gate2_bar
from harness.score.threshold import WEIGHTINGS
from harness.scorecards.comparison import Comparison
from harness.scorecards.confidence import Confidence
from harness.scorecards.student import (
    ChosenCuts,
    Delta,
    DistilledShare,
    Finding,
    StudentCheck,
    StudentKappas,
    StudentOrigin,
    StudentSlice,
)
from harness.stats.agreement import Integers
from harness.stats.distillation import Distilled, Share, distilled, overconfidence
from harness.stats.intervals import Tested
from harness.student.belonging import refuse_other_policy, remarks
from harness.student.both import Both, both_of, with_votes
from harness.student.slices import ALPHA, slices_of, worst_of
from harness.student.stack import stack_of
from harness.student.verdict import judged

UNSURE = 0.05
"""How far a student's confidence may be from the share that it gets right."""
MOSTLY = 0.5
"""The share of the teacher's errors from which on they count as inherited."""


def check_student(
    student: Side,
    teacher: Side,
    weighting: Weighting | None = None,
    margin: float | None = None,
    cuts: ChosenCuts | None = None,
    origin: StudentOrigin | None = None,
) -> StudentCheck:
    """Check a student on what both graded. `origin`: whom it has learned from, where that is known.

    BadInput where they share nothing that both could read, where both are one grader, and where they were
    graded under two policies.
    """
    refuse_same(student, teacher)
    refuse_other_policy(student, teacher)
    student, teacher = with_votes(student), with_votes(teacher)
    found = compare_sides(teacher, student, weighting)
    gates = student.gates if margin is None else student.gates.model_copy(update={"margin": margin})
    both = both_of(student, teacher)
    ours, theirs, between = _agreements(both, student, teacher)
    return StudentCheck(
        **_read(found, student, teacher),
        **judged(found, both, gates, origin),
        **_measured(found, both, student),
        student=ours,
        teacher=theirs,
        student_vs_teacher=between,
        cuts=cuts,
        origin=origin,
        notes=tuple(note for note in student.notes if not (origin and note == origin.unknown)),
        warnings=(*remarks(student, teacher, origin), *found.warnings),
    )


def _read(found: Comparison, student: Side, teacher: Side) -> dict[str, Any]:
    """What is compared, and how much is left out of the figures."""
    return {
        "policy": student.policy,
        "part": student.part or teacher.part,
        "n_clusters": found.n_clusters,
        "only_student": len(found.only_candidate),
        "only_teacher": len(found.only_base),
        "unread_student": len(found.unread_candidate),
        "unread_teacher": len(found.unread_base),
    }


def _measured(found: Comparison, both: Both, student: Side) -> dict[str, Any]:
    """What was lost, inherited and gained, where, and what of it stands out."""
    shares = distilled(both.student, both.teacher, both.golden, both.clusters)
    slices = slices_of(both, student.action_of)
    sure = _overconfidence(both)
    findings = tuple(_findings(found, shares, slices, sure))
    return {
        "n": len(both.golden),
        "distillation_loss": _shown(shares.loss),
        "inherited_error": _shown(shares.inherited),
        "gain": _shown(shares.gain),
        "calibration": _calibration(both, student),
        "overconfidence": sure and Delta(value=sure.value, ci=sure.ci, se=sure.se, reason=sure.reason),
        "slices": slices,
        "worst": worst_of(slices),
        "stack": stack_of(both, student.action_of),
        "finding": findings[0] if findings else None,
        "findings": findings,
    }


def _agreements(both: Both, student: Side, teacher: Side) -> tuple[StudentKappas, ...]:
    """The three kappas: of the student and of the teacher with the golden set, and of the two."""
    return (
        kappas_of(student.name, _matrix(both, both.student), _coverage(student)),
        kappas_of(teacher.name, _matrix(both, both.teacher), _coverage(teacher)),
        kappas_of(
            f"{student.name} with {teacher.name}",
            replace(_matrix(both, both.student), golden=both.teacher),
            len(both.golden) / max(1, len({*student.items} | {*teacher.items})),
        ),
    )


def _matrix(both: Both, grades: Integers) -> AnswerMatrix:
    return AnswerMatrix(both.golden, grades[:, None], both.clusters, both.scale)


def kappas_of(name: str, answers: AnswerMatrix, coverage: float) -> StudentKappas:
    """All kappas of a grader whose answers could all be read; `coverage`: of how many that is so."""
    kappas = {field: answers.measure(weighting).estimate() for weighting, field in WEIGHTINGS.items()}
    return StudentKappas(name=name, n=len(answers.golden), coverage=coverage, **kappas)


def _coverage(side: Side) -> float:
    read = sum(item.answers[0].grade is not None for item in side.items.values())
    return read / max(1, len(side.items))


def _shown(share: Share) -> DistilledShare:
    return DistilledShare(value=share.value, ci=share.ci, n=share.n, reason=share.reason)


def _calibration(both: Both, student: Side) -> Confidence | None:
    settings = ScoreSettings(student.scale, gate2_bar(student.gates), student.gates, student.action_of)
    return confidence_score(both.items, settings)


def _overconfidence(both: Both) -> Tested | None:
    """How sure the student is minus how often it is right; None where it gives no probabilities."""
    sure = [item.answers[0].sure for item in both.items]
    known = np.array([one is not None for one in sure])
    if not known.any():
        return None
    values = np.array([one for one in sure if one is not None])
    right = (both.student == both.golden)[known].astype(np.float64)
    _, clusters = np.unique(both.clusters[known], return_inverse=True)
    return overconfidence(values, right, np.asarray(clusters, dtype=np.int64))


def _findings(
    found: Comparison, shares: Distilled, slices: Sequence[StudentSlice], sure: Tested | None
) -> Iterator[Finding]:
    """Warnings that intervals support, the gravest first."""
    change = found.gated_change
    if any(map(_is_broken, slices)):
        yield "broken_slice"
    if change.ci and change.ci.high < 0:
        yield "lossy"
    if sure and sure.ci and (sure.ci.low > UNSURE or sure.ci.high < -UNSURE):
        yield "miscalibrated"
    if shares.inherited.ci and shares.inherited.ci.low > MOSTLY:
        yield "inherits"
    if change.ci and change.ci.low > 0:
        yield "better"


def _is_broken(one: StudentSlice) -> bool:
    """Whether it is shown that the student loses there, and loses more than on the rest."""
    worse = one.p is not None and one.p < ALPHA and one.difference < 0
    more = one.p_rest is not None and one.p_rest < ALPHA and (one.against_rest or 0) < 0
    return worse and more


def refuse_same(student: Side, teacher: Side) -> None:
    """BadInput for a student that is its own teacher: the check would always pass."""
    ours, theirs = (
        {name: text for name, text in one.facts.items() if name not in ("policy", "golden")}
        for one in (student, teacher)
    )
    if ours and ours == theirs:
        raise BadInput(of_the_student(teacher.name, ours.get("model", "the same grader")))


def of_the_student(run: str, model: str) -> str:
    """The fault of naming a student's own run as its teacher's."""
    what = f"{run} is a run of the student itself ({model})"
    return f"{what}; name one of its teacher, --teacher RUN (`harness runs list`)"
