"""Where a student falls behind its teacher: by action, at each boundary, by tag."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.comparison.slices import FEW_ITEMS
from harness.nouns.base import Reason
from harness.score.rating_matrix import MIN_COMMON, rows_by_name
from harness.scorecards.student import StudentSlice
from harness.stats.agreement import Floats, renumbered
from harness.stats.distillation import against_rest
from harness.stats.means import clustered_mean
from harness.stats.paired import holm
from harness.student.both import Both

ALPHA = 0.05
LEAST = MIN_COMMON
"""How many items an action or a tag needs, as for two raters."""
Mask = NDArray[np.bool_]
UNTESTED = {"ci": None, "p": None, "reason": Reason("undefined", f"fewer than {LEAST} items")}


def slices_of(both: Both, action_of: Mapping[int, str] | None) -> tuple[StudentSlice, ...]:
    """Each slice, with Holm's p over all with enough items."""
    parts = [*_parts(both, action_of)]
    found = [*(one for one, _ in parts), *_boundaries(both)]
    here = holm([one.p for one in found])
    rest = [*_of_rest(parts), *[None] * (len(found) - len(parts))]
    return tuple(
        one.model_copy(update={"p": p, "p_rest": p_rest})
        for one, p, p_rest in zip(found, here, rest, strict=True)
    )


def worst_of(slices: Sequence[StudentSlice]) -> StudentSlice | None:
    """The slice that loses most: of those whose loss is shown, if it is of any. None without an interval."""
    known = [one for one in slices if one.ci is not None]
    shown = [one for one in known if one.p is not None and one.p < ALPHA]
    return min(shown or known, key=lambda one: one.difference, default=None)


def _of_rest(parts: Sequence[tuple[StudentSlice, Mask]]) -> list[float | None]:
    """Holm's p of each part against the rest. A part and its rest, such as two actions, are one test."""
    tests = [(inside ^ inside[0]).tobytes() for _, inside in parts]
    return holm([one.p_rest for one, _ in parts], tests)


def _parts(both: Both, action_of: Mapping[int, str] | None) -> Iterator[tuple[StudentSlice, Mask]]:
    """Each action and tag, with the items that are in it."""
    right, taught = both.student == both.golden, both.teacher == both.golden
    for kind, names in _names(both, action_of):
        for name, rows in rows_by_name(names).items():
            if FEW_ITEMS <= len(rows) < len(right):
                inside = np.zeros(len(right), dtype=bool)
                inside[rows] = True
                rest = against_rest(both.better, inside, both.clusters)
                made = _slice(f"{kind} {name}", kind, right[rows], taught[rows], both.clusters[rows])
                tested = {"against_rest": rest.value, "p_rest": rest.p}
                yield made.model_copy(update=tested if len(rows) >= LEAST else UNTESTED), inside


def _names(
    both: Both, action_of: Mapping[int, str] | None
) -> Iterator[tuple[Literal["action", "tag"], list[tuple[str, ...]]]]:
    """The names that each item has, of each kind. The action is that of the golden grade."""
    if action_of:
        yield "action", [(action_of[item.golden],) for item in both.items]
    yield "tag", [item.about.tags if item.about else () for item in both.items]


def _boundaries(both: Both) -> Iterator[StudentSlice]:
    for at, grade in enumerate(both.scale[1:], start=1):
        right = (both.student >= at) == (both.golden >= at)
        taught = (both.teacher >= at) == (both.golden >= at)
        yield _slice(f"boundary >={grade}", "boundary", right, taught, both.clusters)


def _slice(
    name: str, kind: Literal["action", "boundary", "tag"], right: Any, taught: Any, clusters: Any
) -> StudentSlice:
    moved: Floats = right.astype(np.float64) - taught
    mean = clustered_mean(moved, renumbered(clusters))
    return StudentSlice(
        slice=name,
        kind=kind,
        n=len(moved),
        student=float(right.mean()),
        teacher=float(taught.mean()),
        difference=float(moved.mean()),
        ci=mean.ci and mean.ci.within(-1.0, 1.0),
        p=mean.p,
        reason=mean.reason,
    )
