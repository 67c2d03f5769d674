"""Arrays, lists, series and data frames of grades become ratings and judged items.

None, NaN and pandas' NA are missing.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault
from harness.golden.grade_tables import parse_scale, scale_text
from harness.nouns.pair import Rating, query_key
from harness.score.items import Answer, GradedItem

Scale = str | Sequence[int]


def levels_of(scale: Scale) -> tuple[int, ...]:
    """A scale as the command line writes it, or as numbers."""
    return parse_scale(scale if isinstance(scale, str) else ",".join(map(str, scale)))


def is_long(ratings: Any) -> bool:
    """Whether a data frame has a row for each rating."""
    return {"item", "rater", "grade"} <= {str(name) for name in getattr(ratings, "columns", ())}


def ratings_from(ratings: Any, levels: tuple[int, ...], queries: Any) -> list[Rating]:
    """A frame of item, rater, grade[, query], or items x raters. BadInput for grades off the scale."""
    if is_long(ratings):
        return _long(ratings, levels, queries)
    columns = [str(name) for name in getattr(ratings, "columns", ())]
    return _wide(ratings, columns, levels, queries)


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


def judged_from(golden: Any, grades: Any, levels: tuple[int, ...], queries: Any) -> list[GradedItem]:
    """Golden grades with a grader's: n, or n x repeats. BadInput where they do not belong together."""
    right = _grades(golden, levels, "golden")
    if None in right:
        raise BadInput("golden: every item needs its grade")
    given = np.asarray(grades, dtype=object)
    columns = given.reshape(len(given), -1).T
    if len(given) != len(right):
        raise BadInput(f"grades: {len(given)} for {len(right)} golden grades")
    repeats = [_grades(column, levels, "grades") for column in columns]
    items = _names(golden, len(right))
    of_item = _queries(queries, len(right))
    return [
        GradedItem(
            item=item,
            cluster=query_key(of_item[at] or "") or item,
            golden=grade,
            answers=tuple(_answer(draw[at]) for draw in repeats),
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
    found = [None if _is_missing(query) else str(query) for query in queries]
    if len(found) != n:
        raise BadInput(f"queries: {len(found)} for {n} items")
    return found


def _grades(values: Any, levels: tuple[int, ...], name: str) -> list[int | None]:
    """Whole numbers on the scale; None for what is missing. BadInput names every other value."""
    if np.ndim(values) != 1:
        raise BadInput(f"{name}: one grade an item is wanted, here are {np.ndim(values)} dimensions")
    found: list[int | None] = []
    faults = []
    for at, value in enumerate(values):
        if _is_missing(value):
            found.append(None)
        elif value in levels:
            found.append(int(value))
        else:
            faults.append(Fault(f"{name}[{at}]", f"{value!r} is not on the scale {scale_text(levels)}"))
    if faults:
        raise BadInput(faults)
    return found


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:
        return True  # pandas' NA, which says neither yes nor no
