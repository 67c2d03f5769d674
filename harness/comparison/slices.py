"""The change of accuracy by tag and clause."""

from collections.abc import Sequence

from harness.score.answer_matrix import AnswerMatrix
from harness.score.rating_matrix import rows_by_name
from harness.scorecards.comparison import SliceChange
from harness.stats.agreement import Floats, renumbered
from harness.stats.means import clustered_mean
from harness.stats.paired import holm

FEW_ITEMS = 5
"""Tags and clauses with fewer common items are not tested."""


def slice_changes(
    names: Sequence[Sequence[str]], before: AnswerMatrix, after: AnswerMatrix, moved: Floats
) -> tuple[SliceChange, ...]:
    """The change of accuracy of each tag or clause, sorted by name; `moved` holds each item's change."""
    enough = {name: rows for name, rows in rows_by_name(names).items() if len(rows) >= FEW_ITEMS}
    found = [_change(name, before.where(at), after.where(at), moved[at]) for name, at in enough.items()]
    corrected = holm([one.p for one in found])
    return tuple(one.model_copy(update={"p_holm": p}) for one, p in zip(found, corrected, strict=True))


def _change(name: str, before: AnswerMatrix, after: AnswerMatrix, moved: Floats) -> SliceChange:
    mean = clustered_mean(moved, renumbered(after.clusters))
    base = _accuracy(before)
    return SliceChange(
        name=name,
        n=len(moved),
        base=base,
        candidate=_accuracy(after),
        delta=float(moved.mean()),
        ci=mean.ci,
        p=mean.p,
        p_holm=None,
    )


def _accuracy(answers: AnswerMatrix) -> float:
    right = (answers.grades == answers.golden[:, None]) & answers.answered
    return float((right.sum(axis=1) / answers.answered.sum(axis=1)).mean())
