"""The gates on arrays and data frames, for notebooks: `from harness import gate1, gate2, compare`.

Grades are arrays, lists, series or data frames; None and NaN are missing. The scale is declared, never taken
from what was observed. What comes back prints as the table of the command line, in a notebook too.
"""

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from rich.console import Console, RenderableType

from harness.comparison.paired import compare_judged
from harness.errors import BadInput, Fault
from harness.gates import judge_gate1, judge_gate2
from harness.golden.graded import parse_scale, scale_text
from harness.noun import Weighting
from harness.records import Rating, query_key
from harness.report.comparison import comparison_view
from harness.report.gate1 import gate1_view
from harness.report.gate2 import gate2_view
from harness.rubric import Gates
from harness.score.bar import Bar
from harness.score.gate1 import score_gate1
from harness.score.gate2 import score_gate2
from harness.score.judged import Answer, Judged
from harness.score.terms import Terms
from harness.scorecards.comparison import Comparison
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2

Scale = str | Sequence[int]
WIDTH = 100


class Gate1Result(Gate1):
    """Gate 1 that prints as its table."""

    def __repr__(self) -> str:
        return _text(gate1_view(self))

    def _repr_html_(self) -> str:
        return _html(gate1_view(self))


class Gate2Result(Gate2):
    """Gate 2 that prints as its table."""

    def __repr__(self) -> str:
        return _text(gate2_view(self, "the grader", "the golden grades"))

    def _repr_html_(self) -> str:
        return _html(gate2_view(self, "the grader", "the golden grades"))


class ComparisonResult(Comparison):
    """A comparison that prints as its table."""

    def __repr__(self) -> str:
        return _text(comparison_view(self))

    def _repr_html_(self) -> str:
        return _html(comparison_view(self))


def gate1(
    ratings: Any, *, scale: Scale, queries: Any = None, weighting: Weighting = "none", bar: float = 0.8
) -> Gate1Result:
    """Do the raters agree? `ratings` is items x raters, or a data frame with item, rater, grade[, query].

    Columns of a data frame name the raters, its index the items. `queries` has one entry an item; without
    it every item is a query of its own. BadInput for grades off the scale and for one rater alone.
    """
    levels = _levels(scale)
    columns = [str(name) for name in getattr(ratings, "columns", ())]
    long = {"item", "rater", "grade"} <= set(columns)
    found = _long(ratings, levels, queries) if long else _wide(ratings, columns, levels, queries)
    judged = judge_gate1(score_gate1(found, levels, Bar(weighting, bar)))
    return Gate1Result(**dict(judged))


def gate2(
    golden: Any,
    grades: Any,
    *,
    scale: Scale,
    queries: Any = None,
    weighting: Weighting = "none",
    bar: float = 0.8,
    coverage_floor: float = 0.99,
    aggregate: Literal["mean", "vote"] = "mean",
) -> Gate2Result:
    """Does a grader agree with the golden grades? `grades` is n, or n x repeats; missing is unreadable."""
    levels = _levels(scale)
    items = _judged(golden, grades, levels, queries)
    gates = Gates(coverage_floor=coverage_floor)
    score = score_gate2(items, Terms(levels, Bar(weighting, bar), gates, aggregate=aggregate))
    return Gate2Result(**dict(judge_gate2(score, gates, None)))


def compare(golden: Any, base: Any, candidate: Any, *, scale: Scale, queries: Any = None) -> ComparisonResult:
    """What moved from one grader to another, on the items that both could be read on."""
    levels = _levels(scale)
    one, other = (_judged(golden, grades, levels, queries) for grades in (base, candidate))
    return ComparisonResult(**dict(compare_judged(one, other, levels, ("base", "candidate"))))


def _levels(scale: Scale) -> tuple[int, ...]:
    return parse_scale(scale if isinstance(scale, str) else ",".join(map(str, scale)))


def _wide(ratings: Any, columns: Sequence[str], levels: tuple[int, ...], queries: Any) -> list[Rating]:
    values = np.asarray(ratings, dtype=object)
    if values.ndim != 2:
        raise BadInput(f"ratings: items x raters are wanted, here are {values.ndim} dimensions")
    names = columns or [f"rater {at + 1}" for at in range(values.shape[1])]
    items = _names(ratings, len(values))
    of_item = _queries(queries, len(values))
    grades = [_grades(column, levels, name) for name, column in zip(names, values.T, strict=True)]
    return [
        Rating(item=item, rater=name, grade=given[at], query=of_item[at])
        for name, given in zip(names, grades, strict=True)
        for at, item in enumerate(items)
        if given[at] is not None
    ]


def _long(ratings: Any, levels: tuple[int, ...], queries: Any) -> list[Rating]:
    if queries is not None:
        raise BadInput("queries: a frame of item, rater and grade has a column query instead")
    grades = _grades(ratings["grade"], levels, "grade")
    of_item = _queries(ratings.get("query"), len(grades))
    keys = [(str(item), str(rater)) for item, rater in zip(ratings["item"], ratings["rater"], strict=True)]
    doubles = [key for key, count in Counter(keys).items() if count > 1]
    if doubles:
        raise BadInput([Fault("", f"item {item!r} is graded twice by {rater!r}") for item, rater in doubles])
    return [
        Rating(item=item, rater=rater, grade=grade, query=query)
        for (item, rater), grade, query in zip(keys, grades, of_item, strict=True)
        if grade is not None
    ]


def _judged(golden: Any, grades: Any, levels: tuple[int, ...], queries: Any) -> list[Judged]:
    right = _grades(golden, levels, "golden")
    if None in right:
        raise BadInput("golden: every item needs its grade")
    given = np.asarray(grades, dtype=object)
    columns = given.reshape(len(given), -1).T
    if len(given) != len(right):
        raise BadInput(f"grades: {len(given)} for {len(right)} golden grades")
    draws = [_grades(column, levels, "grades") for column in columns]
    items = _names(golden, len(right))
    of_item = _queries(queries, len(right))
    return [
        Judged(
            item=item,
            cluster=query_key(of_item[at] or "") or item,
            golden=grade,
            answers=tuple(_answer(draw[at]) for draw in draws),
        )
        for at, (item, grade) in enumerate(zip(items, right, strict=True))
        if grade is not None
    ]


def _names(values: Any, n: int) -> list[str]:
    """What the items are called: by a data frame's index, else by their place."""
    index = getattr(values, "index", None)
    names = [str(at) for at in (range(n) if index is None or callable(index) else index)]
    doubles = [name for name, count in Counter(names).items() if count > 1]
    if doubles:
        raise BadInput(f"the index names {len(doubles)} items twice (the first: {doubles[0]})")
    return names


def _answer(grade: int | None) -> Answer:
    return Answer(grade, "graded") if grade is not None else Answer(None, "ungraded", "no_answer")


def _queries(queries: Any, n: int) -> list[str | None]:
    if queries is None:
        return [None] * n
    found = [str(query) for query in queries]
    if len(found) != n:
        raise BadInput(f"queries: {len(found)} for {n} items")
    return list(found)


def _grades(values: Iterable[Any], levels: tuple[int, ...], name: str) -> list[int | None]:
    """Whole numbers on the scale; None for what is missing. BadInput names every other value."""
    found: list[int | None] = []
    faults = []
    for at, value in enumerate(values):
        if value is None or value != value:
            found.append(None)
        elif value in levels:
            found.append(int(value))
        else:
            faults.append(Fault(f"{name}[{at}]", f"{value!r} is not on the scale {scale_text(levels)}"))
    if faults:
        raise BadInput(faults)
    return found


def _text(parts: Iterable[RenderableType]) -> str:
    console = Console(width=WIDTH, file=io.StringIO(), highlight=False, emoji=False, markup=False)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def _html(parts: Iterable[RenderableType]) -> str:
    console = Console(
        width=WIDTH, file=io.StringIO(), record=True, highlight=False, emoji=False, markup=False
    )
    for part in parts:
        console.print(part)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
