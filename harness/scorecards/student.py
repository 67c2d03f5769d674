"""What `harness student check` found: the object that its --json prints."""

from typing import Literal

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.comparison import Condition
from harness.scorecards.confidence import Confidence
from harness.scorecards.estimate import EstimatedFigure
from harness.scorecards.shared import Estimate, Gated, Verdict

Finding = Literal["broken_slice", "lossy", "miscalibrated", "inherits", "better"]


class StudentKappas(Noun):
    """The kappas of one grader with another, or with the golden set. `coverage`: the share it could read."""

    name: str
    n: int
    coverage: float
    kappa: Estimate
    kappa_linear: Estimate
    kappa_quadratic: Estimate


class Delta(Noun):
    """The gated kappa of the student minus its teacher's, paired, clustered by query."""

    value: float | None
    ci: Interval | None = None
    se: float | None = None
    reason: Reason | None = None


class DistilledShare(Noun):
    """A share of `n` items, with its interval clustered by query."""

    value: float | None
    ci: Interval | None = None
    n: int
    reason: Reason | None = None


class StudentSlice(Noun):
    """The student's accuracy minus its teacher's on some items; with fewer than 30, no interval and no p.

    `against_rest`: that difference minus the one on all other items; None for a boundary, which is about all
    items. `p` and `p_rest` are Holm's, over all slices.
    """

    slice: str
    kind: Literal["action", "boundary", "tag"]
    n: int
    student: float
    teacher: float
    difference: float
    ci: Interval | None = None
    p: float | None = None
    against_rest: float | None = None
    p_rest: float | None = None
    reason: Reason | None = None


class StackStage(Noun):
    """How often a stage is right."""

    name: str
    words: str
    value: float
    ci: Interval | None = None


class Stack(Noun):
    """Student, filter and ranker, one after the other. `kept`: how often all three are right, measured.

    `product`: what that would be if they were independent; `low` and `high`: what it can be in any case.
    """

    stages: tuple[StackStage, ...]
    kept: float
    ci: Interval | None = None
    product: float
    low: float
    high: float


class ChosenCuts(Noun):
    """Where scores become grades. Chosen on `n` dev items alone, where kappa is `kappa`: too high."""

    cuts: tuple[float, ...]
    n: int
    kappa: float | None


class OnProduction(Noun):
    """How often each gives the grade that people gave, on rated rows of production, by their traffic.

    `low`, `high`: the one-sided 95 % limits of the difference; of fewer than ten queries that `differ`, `low`
    is minus the most that can be lost, and there is no `high`. `estimate`: the main figure of production,
    with the student as the proxy.
    """

    n: int
    n_queries: int
    student: float
    teacher: float
    difference: float
    low: float | None
    high: float | None
    differ: int
    estimate: EstimatedFigure


class StudentOrigin(Noun):
    """Whom a student has learned from. `policy`: whose grades; None where it has read no grades of a policy.

    `unknown`: a sentence on what of the policy it has not learned, or None. `held_against`: the model of the
    teacher's run; None if that is not a run. `other`: whether its name is not that of who taught it.
    """

    teacher: str
    policy: str | None = None
    unknown: str | None = None
    held_against: str | None = None
    other: bool = False


def teacher_words(origin: StudentOrigin | None) -> str:
    """How the teacher relates to the student, if known: a teacher that did not teach it is named."""
    return (origin.held_against if origin and origin.other else None) or "its teacher"


class StudentCheck(Noun):
    """May a student stand in for its teacher? Both are read on the items that both have graded.

    `finding`: the first of `findings`, or None. `calibration`: None where the student gives no probabilities.
    `overconfidence`: how sure it is minus how often it is right. `origin`: None if it is unknown whom it
    learned from. `notes`: remarks from its run.
    """

    policy: str | None
    part: str | None
    n: int
    n_clusters: int
    only_student: int
    only_teacher: int
    unread_student: int
    unread_teacher: int
    gated: Gated
    margin: float
    student: StudentKappas
    teacher: StudentKappas
    student_vs_teacher: StudentKappas
    delta: Delta
    distillation_loss: DistilledShare
    inherited_error: DistilledShare
    gain: DistilledShare
    calibration: Confidence | None
    overconfidence: Delta | None
    slices: tuple[StudentSlice, ...]
    worst: StudentSlice | None
    stack: Stack | None
    cuts: ChosenCuts | None = None
    production: OnProduction | None = None
    origin: StudentOrigin | None = None
    finding: Finding | None
    findings: tuple[Finding, ...]
    verdict: Verdict
    reason: str
    conditions: tuple[Condition, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
