"""Agreement by grade, boundary, action, tag and clause."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.nouns.base import Interval, Reason, Weighting
from harness.nouns.policy import Gates
from harness.score.answer_matrix import AnswerMatrix
from harness.score.rating_matrix import rows_by_name
from harness.scorecards.gate2 import ActionScore, BoundaryScore, CellScore, Floor, GradeScore, SliceScore
from harness.stats.agreement import Floats, Integers, Matrix, renumbered
from harness.stats.intervals import ONE_CLUSTER
from harness.stats.means import by_guard, clustered_share


def grade_score(matrix: Matrix, at: int, grade: int) -> GradeScore:
    """Precision, recall and F1 of the grade in position `at`."""
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


def boundary_score(answers: AnswerMatrix, at: int) -> BoundaryScore:
    """Agreement on "at least" the grade in position `at`."""
    measured = answers.at_least(at).measure("none")
    return BoundaryScore(
        at_least=answers.scale[at], kappa=measured.kappa.value, ci=measured.ci, reason=measured.reason
    )


def action_score(answers: AnswerMatrix, action_of: Mapping[int, str], bar: float | None) -> ActionScore:
    """Agreement on what the user would see."""
    labels, groups = action_labels(answers.scale, action_of), action_groups(answers.scale, action_of)
    regrouped = answers.regrouped(groups)
    matrix = regrouped.matrix()
    if len(labels) < 2:
        reason = Reason("undefined", "the policy has one action for every grade")
        return ActionScore(kappa=None, bar=bar, labels=labels, matrix=matrix, reason=reason)
    measured = regrouped.measure("none")
    worst = answers.worst().regrouped(groups).measure("none")
    return ActionScore(
        kappa=measured.kappa.value,
        ci=measured.ci,
        ci_worst_case=worst.ci,
        bar=bar,
        labels=labels,
        matrix=matrix,
        reason=measured.reason,
    )


def action_labels(scale: Sequence[int], action_of: Mapping[int, str]) -> tuple[str, ...]:
    """The actions, the highest grade's first."""
    return tuple(dict.fromkeys(action_of[grade] for grade in reversed(scale)))


def action_groups(scale: Sequence[int], action_of: Mapping[int, str]) -> list[int]:
    """The place of each grade's action among the labels."""
    labels = action_labels(scale, action_of)
    return [labels.index(action_of[grade]) for grade in scale]


def cells(answers: AnswerMatrix, action_of: Mapping[int, str], gates: Gates) -> tuple[CellScore, ...]:
    """The cells that must never grow, with an upper limit of their share."""
    scores = []
    for cell in gates.never_grow:
        row = answers.where(answers.golden == answers.scale.index(cell.golden))
        hit = np.array([action_of[grade] == cell.action for grade in answers.scale])
        hits = row.answered & hit[row.grades]
        answered = row.answered.sum(axis=1)
        kept = answered > 0
        # With several answers, an item counts once: by the share of its answers that are in the cell.
        found = hits.sum(axis=1)[kept] / answered[kept]
        # An unread answer of this golden grade may have been in the cell.
        most = (hits | ~row.answered).mean(axis=1)
        ci = _share_interval(found, row.clusters[kept])
        scores.append(
            CellScore(
                golden=cell.golden,
                action=cell.action,
                count=int(hits.sum()),
                n=len(found),
                share=float(found.mean()) if len(found) else None,
                ci=ci,
                ci_worst_case=_share_interval(most, row.clusters),
                limit=cell.limit,
                guarded=ci is not None and by_guard(ci, found, renumbered(row.clusters[kept])),
                reason=ONE_CLUSTER if len(found) and ci is None else None,
            )
        )
    return tuple(scores)


def _share_interval(values: Floats, clusters: Integers) -> Interval | None:
    return clustered_share(values, renumbered(clusters)) if len(values) else None


def slices(
    answers: AnswerMatrix, names: Sequence[Sequence[str]], weighting: Weighting
) -> tuple[SliceScore, ...]:
    """Agreement on the items of each name, by name; `names` holds those of each item."""
    found = rows_by_name(names)
    return tuple(_slice(name, answers.where(rows), weighting) for name, rows in found.items())


def _slice(name: str, answers: AnswerMatrix, weighting: Weighting) -> SliceScore:
    errors = answers.errors()
    measured = answers.measure(weighting)
    return SliceScore(
        name=name,
        n=len(answers.golden),
        n_clusters=len(np.unique(answers.clusters)),
        accuracy=float((errors == 0).mean()) if len(errors) else None,
        kappa=measured.kappa.value,
        ci=measured.ci,
        reason=measured.reason,
    )


def floor(answers: AnswerMatrix) -> Floor:
    """The floor of giving the most common golden grade to every item; of a tie, the lower grade.

    Over the readable answers, as accuracy is; over all items where there are none.
    """
    weights = answers.answered.sum(axis=1) if answers.answered.any() else None
    counts = np.bincount(answers.golden, weights, minlength=len(answers.scale))
    at = int(counts.argmax())
    varied = int((counts > 0).sum()) > 1
    return Floor(
        grade=answers.scale[at], accuracy=float(counts[at] / counts.sum()), kappa=0.0 if varied else None
    )


def unused(answers: AnswerMatrix) -> tuple[str, ...]:
    """Warnings about grades that the golden items lack, and those of theirs that the grader never gives."""
    given = set(np.unique(answers.grades[answers.answered]).tolist())
    golden = set(np.unique(answers.golden).tolist())
    lacking = [grade for at, grade in enumerate(answers.scale) if at not in golden]
    missed = [grade for at, grade in enumerate(answers.scale) if at in golden and at not in given]
    return (
        *([f"no golden item here has {_listed(lacking)}"] if lacking else []),
        *([f"the grader never gives {_listed(missed)}"] if missed and given else []),
    )


def _listed(grades: Sequence[int]) -> str:
    return f"{'grade' if len(grades) == 1 else 'grades'} {', '.join(map(str, grades))}"
