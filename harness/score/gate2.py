"""Gate 2: does the grader agree with the golden set?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import BadInput
from harness.golden.canaries import CanaryReport, canary_report
from harness.golden.graded import GradedRow, clusters_of
from harness.records import Example, Failed, Grade, Key, Record, Ungraded
from harness.runs import Run
from harness.score.bar import WEIGHTINGS, Bar, gate_fields
from harness.scorecards import ActionScore, BoundaryScore, Confusion, Gate2, GradeScore, Outcomes
from harness.stats.agreement import Matrix, cohen_kappa, collapse, confusion, dichotomy


@dataclass(frozen=True, slots=True)
class Judged:
    """One item under a grader: its golden grade, and the grader's where one could be read."""

    item: str
    cluster: str
    golden: int
    grade: int | None
    outcome: Literal["graded", "ungraded", "failed"]
    cause: str | None = None


def judged(examples: Iterable[Example], records: Mapping[Key, Record]) -> list[Judged]:
    """Each example with what became of it; one that has no record was never answered."""
    return [_judged(example, records.get((example.id, 0))) for example in examples]


def _judged(example: Example, record: Record | None) -> Judged:
    outcome = record.outcome if record else Failed(detail="never asked")
    match outcome:
        case Grade(value=value):
            return Judged(example.id, example.cluster, example.grade, value, "graded")
        case Ungraded(cause=cause):
            return Judged(example.id, example.cluster, example.grade, None, "ungraded", cause)
        case Failed():
            return Judged(example.id, example.cluster, example.grade, None, "failed")


def score_gate2(
    items: Sequence[Judged],
    scale: tuple[int, ...],
    bar: Bar,
    action_of: Mapping[int, str] | None,
    warnings: tuple[str, ...] = (),
) -> Gate2:
    """Agreement of a grader with the golden set, on what it graded, with its coverage beside it.

    `action_of` maps each grade to what the user then sees; None where no policy says it.
    """
    if not items:
        raise BadInput("nothing to score: the golden set has no item here")
    graded = [(item.golden, item.grade) for item in items if item.grade is not None]
    matrix = confusion([golden for golden, _ in graded], [grade for _, grade in graded], scale)
    worst = [(i.golden, _farthest(i.golden, scale) if i.grade is None else i.grade) for i in items]
    worst_matrix = confusion([golden for golden, _ in worst], [grade for _, grade in worst], scale)
    worst_case = cohen_kappa(worst_matrix, scale, bar.weighting)
    kappas = {weighting: cohen_kappa(matrix, scale, weighting) for weighting in WEIGHTINGS}
    ends = Counter(item.outcome for item in items)
    n = len(graded)
    errors = [grade - golden for golden, grade in graded]
    reasons = {} if n else dict.fromkeys(("accuracy", "mae", "bias"), "undefined: no item was graded")
    if worst_case.reason:
        reasons["kappa_worst_case"] = worst_case.reason
    return Gate2(
        **gate_fields(kappas, bar, len({item.cluster for item in items})),
        warnings=warnings,
        n=len(items),
        coverage=n / len(items),
        outcomes=Outcomes(graded=ends["graded"], ungraded=ends["ungraded"], failed=ends["failed"]),
        ungraded_causes=dict(Counter(item.cause for item in items if item.cause).most_common()),
        kappa_worst_case=worst_case.value,
        accuracy=errors.count(0) / n if n else None,
        mae=sum(map(abs, errors)) / n if n else None,
        bias=sum(errors) / n if n else None,
        confusion=Confusion(labels=scale, matrix=matrix),
        per_grade=tuple(_grade_score(matrix, at, grade) for at, grade in enumerate(scale)),
        boundaries=tuple(_boundary(matrix, at, grade) for at, grade in enumerate(scale) if at),
        actions=_actions(matrix, scale, action_of) if action_of else None,
        reasons=reasons if action_of else {**reasons, "actions": "no policy says what is done with a grade"},
    )


def _farthest(golden: int, scale: tuple[int, ...]) -> int:
    """The grade farthest from the golden one; of two, the lower."""
    return max(scale, key=lambda grade: (abs(grade - golden), -grade))


def _grade_score(matrix: Matrix, at: int, grade: int) -> GradeScore:
    hits = matrix[at][at]
    support = sum(matrix[at])
    given = sum(line[at] for line in matrix)
    return GradeScore(
        grade=grade,
        precision=hits / given if given else None,
        recall=hits / support if support else None,
        f1=2 * hits / (given + support) if given + support else None,
        support=support,
    )


def _boundary(matrix: Matrix, at: int, grade: int) -> BoundaryScore:
    kappa = cohen_kappa(dichotomy(matrix, at), (0, 1))
    return BoundaryScore(at_least=grade, kappa=kappa.value, reason=kappa.reason)


def _actions(matrix: Matrix, scale: tuple[int, ...], action_of: Mapping[int, str]) -> ActionScore:
    labels = tuple(dict.fromkeys(action_of[grade] for grade in reversed(scale)))
    grouped = collapse(matrix, [labels.index(action_of[grade]) for grade in scale])
    kappa = cohen_kappa(grouped, range(len(labels)))
    return ActionScore(kappa=kappa.value, labels=labels, matrix=grouped, reason=kappa.reason)


def score_run(run: Run, bar: Bar | None = None) -> Gate2:
    """A run folder's scorecard, by its own policy and gates unless another bar is given."""
    items = judged(run.examples, run.records)
    return score_gate2(items, run.policy.scale, bar or own_bar(run), run.policy.action_of)


def own_bar(run: Run) -> Bar:
    """What the run's own gates ask for."""
    return Bar(run.gates.weighting, run.gates.gate2.bar)


def canaries_of(run: Run) -> CanaryReport | None:
    """What steering did, where the run graded canaries."""
    return canary_report(run.examples, run.records) if run.manifest.asked.canaries else None


def judged_files(
    golden: Mapping[str, GradedRow], grades: Mapping[str, GradedRow]
) -> tuple[list[Judged], tuple[str, ...]]:
    """Each golden item with its grade from a file, and the items that only the file has.

    An empty grade is an unread answer; an item that the file lacks was never answered.
    """
    clusters = clusters_of(golden)
    items = [_judged_row(row, clusters[item], grades.get(item)) for item, row in golden.items()]
    return items, tuple(item for item in grades if item not in golden)


def _judged_row(golden: GradedRow, cluster: str, given: GradedRow | None) -> Judged:
    assert golden.grade is not None, "golden grades are read without gaps"
    if given is None:
        return Judged(golden.item, cluster, golden.grade, None, "failed")
    if given.grade is None:
        return Judged(golden.item, cluster, golden.grade, None, "ungraded", "no_answer")
    return Judged(golden.item, cluster, golden.grade, given.grade, "graded")
