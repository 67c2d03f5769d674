"""A cascade as a side of a comparison: the student's answers where it is sure enough, else its teacher's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.comparison.paired import compare_sides
from harness.comparison.sides import Side, regraded
from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.base import Interval, Weighting
from harness.nouns.pair import one_form
from harness.nouns.policy import Gates
from harness.score.answer_matrix import AnswerMatrix, answer_matrix_of
from harness.scorecards.comparison import Condition, Regression
from harness.stats.agreement import Floats, Integers, renumbered
from harness.stats.cascade import Loss, loss_of, mixed, sent
from harness.stats.few_events import FEW_EVENTS
from harness.stats.intervals import KappaTable
from harness.stats.raters import MISSING
from harness.storage.plural import plural
from harness.verdicts.regression import judge_regression, loss_condition

CASCADE = "the cascade"


@dataclass(frozen=True, slots=True)
class Couple:
    """A student and its teacher with one answer an item. `sure`: the student's confidence, by key."""

    student: Side
    teacher: Side
    sure: Mapping[str, float]

    def of(self, items: Collection[str], part: str) -> "Couple":
        """The two on these items only, by name."""
        student, teacher = (
            replace(side, part=part, items={key: one for key, one in side.items.items() if one.item in items})
            for side in (self.student, self.teacher)
        )
        return Couple(student, teacher, self.sure)


def couple_of(student: Side, teacher: Side, sure: Mapping[str, float] | None = None) -> Couple:
    """The two, with the student's own probabilities or, where it has none, a confidence of each item by name.

    BadInput if the student gives no confidence for any item, and if one of them answered an item twice.
    """
    refuse_repeats(student, teacher)
    found = {
        key: how
        for key, item in student.items.items()
        if item.answers[0].grade is not None
        and (how := item.answers[0].sure if sure is None else sure.get(one_form(item.item))) is not None
    }
    if not found:
        what = "gives no confidence, which a cascade needs; name a run whose answers have probabilities"
        raise BadInput(f"{student.name} {what}, or a file with a column confidence")
    return Couple(student, teacher, found)


def refuse_repeats(*sides: Side) -> None:
    """BadInput for a side with several answers to an item: a vote agrees better than a single answer."""
    refuse_faults(
        Fault(side.name, asked_often(most))
        for side in sides
        if (most := max((len(item.answers) for item in side.items.values()), default=0)) > 1
    )


def asked_often(repeats: int) -> str:
    """Why a grader with several answers cannot be measured in a cascade, and what to do."""
    often = plural(repeats, "time")
    what = f"was asked {often} about each item, and a cascade asks once, which is less reliable"
    return f"{what}: choose it by runs without --repeats"


def joined(sides: Sequence[Side]) -> Side:
    """The runs of one grader on different items as one side. BadInput for other runs."""
    first, *others = sides
    faults = []
    for other in others:
        names = [name for name in first.facts if name != "golden"]
        differ = [name for name in names if other.facts.get(name) != first.facts[name]]
        differ += ["gates"] if other.gates != first.gates else []
        if differ:
            faults.append(Fault(other.name, f"was run with another {', '.join(differ)} than {first.name}"))
        if both := len(first.items.keys() & other.items.keys()):
            what = f"graded {plural(both, 'item')} that {first.name} graded too"
            faults.append(Fault(other.name, f"{what}: name a run on dev and one on test"))
    refuse_faults(faults)
    if not others:
        return first
    return replace(
        first,
        name=" + ".join(side.name for side in sides),
        run=None,
        items={key: item for side in sides for key, item in side.items.items()},
        seconds=None,
        cost=None,
        knows_queries=all(side.knows_queries for side in sides),
        stale=sum(side.stale for side in sides),
        part="+".join(side.part or "" for side in sides),
        apart=next((side.apart for side in sides if side.apart), None),
        notes=tuple(dict.fromkeys(note for side in sides for note in side.notes)),
        warnings=tuple(text for side in sides for text in side.warnings),
    )


@dataclass(frozen=True, slots=True)
class CascadeAnswers:
    """The items that both were asked about, as arrays. `sure`: NaN where the student gives no confidence."""

    student: AnswerMatrix
    teacher: AnswerMatrix
    sure: Floats

    @property
    def clusters(self) -> Integers:
        """Each item's query."""
        return self.student.clusters

    def asked(self, threshold: float) -> NDArray[np.bool_]:
        """Whether each item is sent to the teacher."""
        return sent(self.sure, threshold)

    def cascade(self, threshold: float) -> AnswerMatrix:
        """The cascade's answers."""
        ours, theirs = self.student.grades[:, 0], self.teacher.grades[:, 0]
        return replace(self.student, grades=mixed(ours, theirs, self.asked(threshold))[:, None])

    def loss(self, threshold: float, weighting: Weighting) -> Loss:
        """The loss of the cascade against its teacher, on items that the teacher could read."""
        read = self.teacher.grades[:, 0] != MISSING
        if not read.any():
            return Loss(None)
        one, other = self.teacher.where(read), self.cascade(threshold).where(read)
        clusters = renumbered(one.clusters)
        table = KappaTable(one.golden, one.grades[:, 0], clusters, one.scale, weighting)
        return loss_of(table, other.grades[:, 0])


def answers_of(couple: Couple) -> CascadeAnswers:
    """The items of both sides with the same golden grade. BadInput if there is none."""
    student, teacher = couple.student, couple.teacher
    keys = _common(couple)
    if not keys:
        raise BadInput(f"{student.name} and {teacher.name} share no item of {student.part or 'these'}")
    ours, theirs = (
        answer_matrix_of([side.items[key] for key in keys], teacher.scale) for side in (student, teacher)
    )
    clusters = ours.clusters if student.knows_queries else theirs.clusters
    ours, theirs = (replace(one, clusters=clusters) for one in (ours, theirs))
    sure = np.array([couple.sure.get(key, np.nan) for key in keys], dtype=np.float64)
    return CascadeAnswers(ours, theirs, sure)


def _common(couple: Couple) -> list[str]:
    theirs = couple.teacher.items
    ours = couple.student.items.items()
    return [key for key, item in ours if key in theirs and item.golden == theirs[key].golden]


def side_of_cascade(couple: Couple, threshold: float) -> Side:
    """The cascade's answers: the teacher's if the student is less sure, or gives no confidence."""
    student, teacher = couple.student, couple.teacher
    kept = {key for key, how in couple.sure.items() if how >= threshold}
    items = {key: (student if key in kept else teacher).items[key] for key in _common(couple)}
    return regraded(teacher, CASCADE, items, part=student.part)


def judge_cascade(couple: Couple, threshold: float, weighting: Weighting | None, gates: Gates) -> Regression:
    """May the cascade stand in for its teacher? As `harness regress` with the teacher as the base."""
    found = compare_sides(couple.teacher, side_of_cascade(couple, threshold), weighting)
    loss = answers_of(couple).loss(threshold, found.weighting)
    return judge_regression(found, gates, condition_of(loss, found.gated, gates.margin))


def condition_of(loss: Loss, gated: str, margin: float) -> Condition | None:
    """The verdict on the loss by its limits. None without limits; `harness regress` then gives the reason.

    If fewer than FEW_EVENTS queries differ, the limit is exact. If none differs, the verdict is a pass, as
    in `harness regress`, and its reason names the limit.
    """
    if loss.low is None or loss.value is None:
        return None
    if loss.high is not None:
        return loss_condition(gated, loss.value, Interval(loss.low, loss.high), margin)
    name = f"{gated} loses less than {margin:g}"
    if not loss.differ:
        alike = f"{gated} did not move: the cascade and its teacher graded every item alike"
        reason = f"{alike} (of so many queries the exact 95 % limit is {loss.low:+.3f})"
        return Condition(name=name, verdict="pass", reason=reason)
    few = plural(loss.differ, "query has", "queries have")
    said = f"{gated} moved by {loss.value or 0.0:+.3f}, and {few} an answer that is not the teacher's"
    said += f" (with fewer than {FEW_EVENTS} an exact limit decides)"
    if loss.low > -margin:
        reason = f"{said}: surely no loss beyond {margin:g} (95 % limit {loss.low:+.3f})"
        return Condition(name=name, verdict="pass", reason=reason)
    reason = f"{said}: a loss beyond {margin:g} is not ruled out (95 % limit {loss.low:+.3f})"
    return Condition(name=name, verdict="inconclusive", reason=reason)
