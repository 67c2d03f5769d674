"""The change of accuracy by tag and clause."""

from collections.abc import Sequence

from harness.score.rating_matrix import rows_by_name
from harness.scorecards.comparison import SliceChange
from harness.stats.agreement import Floats, Integers, renumbered
from harness.stats.means import clustered_mean
from harness.stats.paired import holm

FEW_ITEMS = 5
"""Tags and clauses with fewer common items are not tested."""


def slice_changes(
    names: Sequence[Sequence[str]], before: Floats, after: Floats, clusters: Integers
) -> tuple[SliceChange, ...]:
    """The change of accuracy of each tag or clause, sorted by name.

    `before` and `after` hold the share of each item's answers that is right.
    """
    enough = {name: rows for name, rows in rows_by_name(names).items() if len(rows) >= FEW_ITEMS}
    found = [_change(name, before[at], after[at], clusters[at]) for name, at in enough.items()]
    corrected = holm([one.p for one in found])
    return tuple(one.model_copy(update={"p_holm": p}) for one, p in zip(found, corrected, strict=True))


def _change(name: str, before: Floats, after: Floats, clusters: Integers) -> SliceChange:
    moved = after - before
    mean = clustered_mean(moved, renumbered(clusters))
    return SliceChange(
        name=name,
        n=len(moved),
        base=float(before.mean()),
        candidate=float(after.mean()),
        delta=float(moved.mean()),
        ci=mean.ci,
        p=mean.p,
        p_holm=None,
    )
