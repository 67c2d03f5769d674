"""A cascade on arrays, for notebooks: from which confidence on a student is left alone."""

from collections.abc import Iterable
from typing import Any

from rich.console import RenderableType

from harness.comparison.sides import side_of_items
from harness.errors import BadInput
from harness.notebook.gates import refuse_other
from harness.notebook.shown import Shown
from harness.nouns.base import Weighting
from harness.nouns.pair import one_form
from harness.report.cascade import cascade_view
from harness.score.arrays import Scale, items_beside, levels_of
from harness.score.shapes import is_missing
from harness.score.threshold import WEIGHTINGS
from harness.scorecards.cascade import CascadeCheck, CascadeCost
from harness.storage.cells import number_of
from harness.student.cascade import Rule
from harness.student.cascade import choose_cascade as choose


class CascadeResult(Shown, CascadeCheck):
    """A cascade that prints as its table."""

    def _view(self) -> Iterable[RenderableType]:
        return cascade_view(self)


def choose_cascade(
    golden: Any,
    teacher: Any,
    student: Any,
    confidence: Any,
    split: Any,
    *,
    scale: Scale,
    queries: Any = None,
    weighting: Weighting = "none",
    margin: float = 0.05,
    share: float | None = None,
    cost: tuple[float | None, float | None] = (None, None),
) -> CascadeResult:
    """Choose on dev from which confidence on a student is left alone, and confirm it on test.

    Items are matched as in `gate2`. `confidence`: how sure the student is, any number; missing where it does
    not say. `split`: "dev" or "test" of each item. `cost`: USD for 1,000 pairs by the student and by the
    teacher. `share`: the rule of `harness student cascade --share`. BadInput for what cannot be read so.
    """
    levels = levels_of(scale)
    refuse_other("weighting", weighting, WEIGHTINGS)
    sides = {"golden": golden, "teacher": teacher, "the student": student, "queries": queries}
    beside = {"confidence": confidence, "split": split}
    _, known, (taught, learned), said = items_beside(sides, beside, levels)
    sure = {
        one_form(item): how
        for item, value in zip(known, said["confidence"], strict=True)
        if (how := _number(item, value)) is not None
    }
    reason = None if None not in cost else "not given"
    found = choose(
        side_of_items("the student", learned, levels),
        side_of_items("its teacher", taught, levels),
        dict(zip(known, map(str, said["split"]), strict=True)),
        Rule(weighting, margin, share),
        CascadeCost(student=cost[0], teacher=cost[1], reason=reason),
        sure,
    )
    return CascadeResult(**dict(found))


def _number(item: str, value: Any) -> float | None:
    if is_missing(value):
        return None
    found = number_of(str(value))
    if found is None:
        raise BadInput(f"confidence: {value!r} of {item} is no number")
    return found
