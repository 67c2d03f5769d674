"""The change of accuracy by tag and clause."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from harness.score.answer_matrix import AnswerMatrix
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
    rows: dict[str, list[int]] = defaultdict(list)
    for at, of_item in enumerate(names):
        for name in dict.fromkeys(of_item):
            rows[name].append(at)
    enough = {name: np.array(rows[name]) for name in sorted(rows) if len(rows[name]) >= FEW_ITEMS}
    found = [_change(name, before.where(at), after.where(at), moved[at]) for name, at in enough.items()]
    tested = [at for at, one in enumerate(found) if one.p is not None]
    corrected = dict(zip(tested, holm([p for one in found if (p := one.p) is not None]), strict=True))
    return tuple(one.model_copy(update={"p_holm": corrected.get(at)}) for at, one in enumerate(found))


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
