"""Students on arrays, for notebooks: may one replace its teacher, alone or in a cascade?"""

import math
from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from typing import Any

from harness.comparison.sides import side_of_items
from harness.errors import Fault, refuse_faults
from harness.notebook.gates import refuse_other
from harness.notebook.shown import Shown
from harness.nouns.base import Weighting
from harness.nouns.pair import one_form
from harness.report.cascade import cascade_view
from harness.report.student import check_view
from harness.score.arrays import Scale, items_beside, items_from, levels_of
from harness.score.shapes import is_missing, shown
from harness.score.threshold import WEIGHTINGS
from harness.scorecards.cascade import CascadeCheck, CascadeCost
from harness.scorecards.student import StudentCheck
from harness.storage.cells import number_of
from harness.student.cascade import Rule
from harness.student.cascade import choose_cascade as choose
from harness.student.check import check_student as judge_student

SPLITS = ("dev", "test")
PRICED = ("cost of the student", "cost of the teacher")
MOST_MARGIN = 2.0
"""No kappa can lose more: it lies between -1 and 1."""


class StudentResult(Shown, StudentCheck):
    """A check of a student that prints as its table."""

    _view = check_view


class CascadeResult(Shown, CascadeCheck):
    """A cascade that prints as its table."""

    _view = cascade_view


def check_student(
    golden: Any,
    teacher: Any,
    student: Any,
    *,
    scale: Scale,
    queries: Any = None,
    weighting: Weighting = "none",
    margin: float = 0.05,
) -> StudentResult:
    """May a student stand in for its teacher? Items are matched as in `gate2`."""
    levels = levels_of(scale)
    sides = {"golden": golden, "teacher": teacher, "the student": student, "queries": queries}
    _, _, (taught, learned) = items_from(sides, levels)
    refuse_other("weighting", weighting, WEIGHTINGS)
    refuse_faults(amount_faults("margin", margin, MOST_MARGIN))
    one = side_of_items("the student", learned, levels)
    found = judge_student(one, side_of_items("its teacher", taught, levels), weighting, margin)
    return StudentResult(**dict(found))


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
    """Choose on dev the confidence from which the student answers alone, and confirm it on test.

    Items are matched as in `gate2`, with one answer of each grader. `confidence`: how sure the student is,
    any number, or missing. `split`: "dev" or "test" of each item. `cost`: USD for 1,000
    pairs by the student and by the teacher. `share`: the rule of `harness student cascade --share`. BadInput
    for what cannot be read so.
    """
    levels = levels_of(scale)
    refuse_other("weighting", weighting, WEIGHTINGS)
    sides = {"golden": golden, "teacher": teacher, "the student": student, "queries": queries}
    beside = {"confidence": confidence, "split": split}
    _, known, (taught, learned), said = items_beside(sides, beside, levels)
    refuse_faults([*_faults(margin, share, cost), *_said_faults(known, said["confidence"], said["split"])])
    sure = {
        one_form(item): float(number_of(str(value)) or 0)
        for item, value in zip(known, said["confidence"], strict=True)
        if not is_missing(value)
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


def amount_faults(name: str, value: float, most: float = math.inf) -> Iterator[Fault]:
    """The fault of an argument that is not a number from 0 to `most`, such as NaN."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= most or value == math.inf:
        end = "a number from 0 on" if most == math.inf else f"a number between 0 and {most:g}"
        yield Fault("", f"{name} {shown(value)}; expected {end}")


def _faults(margin: Any, share: Any, cost: Any) -> Iterator[Fault]:
    """The faults of the numeric arguments."""
    yield from amount_faults("margin", margin, MOST_MARGIN)
    if share is not None:
        yield from amount_faults("share", share, 1)
    if not isinstance(cost, Sequence) or isinstance(cost, str) or len(cost) != len(PRICED):
        yield Fault("", f"cost {shown(cost)}; expected USD for 1,000 pairs by the student and by the teacher")
        return
    for name, one in zip(PRICED, cost, strict=True):
        if one is not None:
            yield from amount_faults(name, one)


def _said_faults(items: Iterable[str], sure: Iterable[Any], splits: Iterable[Any]) -> Iterator[Fault]:
    """The faults of the confidences and splits."""
    for item, how, split in zip(items, sure, splits, strict=True):
        if not is_missing(how) and number_of(str(how)) is None:
            yield Fault("confidence", f"{shown(how)} of {item} is not a number", "is not a number")
        if str(split) not in SPLITS:
            yield Fault(
                "split", f"{shown(split)} of {item} is neither dev nor test", "is neither dev nor test"
            )
