"""Arrays, lists, series and data frames of grades become ratings and graded items.

None, NaN and pandas' NA are missing.
"""

from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.grade_tables import parse_scale, scale_text
from harness.nouns.pair import Rating, query_key
from harness.score.indexes import doubles_of, is_missing, matched
from harness.score.items import GradedItem, bare_answer

Scale = str | Sequence[int]


def levels_of(scale: Scale) -> tuple[int, ...]:
    """A scale as the command line writes it, or as numbers."""
    return parse_scale(scale if isinstance(scale, str) else ",".join(map(str, scale)))


def ratings_from(
    ratings: Any,
    levels: tuple[int, ...],
    queries: Any = None,
    items: Mapping[str, str | None] | None = None,
) -> list[Rating]:
    """A frame of item, rater, grade[, query], or items x raters. BadInput for grades off the scale.

    `items`: the items that are graded beside them, each with its query. Ratings with an index, or with a
    column item, belong to them by name, and some must; rows of a plain array belong to them by place.
    """
    # A data frame with these columns has a row for each rating.
    if {"item", "rater", "grade"} <= {str(name) for name in getattr(ratings, "columns", ())}:
        if queries is not None:
            raise BadInput("queries: a frame of item, rater and grade has a column query instead")
        found = _long(ratings, levels)
    else:
        found = _wide(ratings, levels, queries, items)
    if items is None:
        return found
    if found and not any(rating.item in items for rating in found):
        raise BadInput(
            f"ratings: no item in common with what is graded ({found[0].item!r} there, "
            f"{next(iter(items), '')!r} here): name both by the same ids"
        )
    return [
        rating.model_copy(update={"query": items.get(rating.item)}) if rating.query is None else rating
        for rating in found
    ]


def _wide(
    ratings: Any, levels: tuple[int, ...], queries: Any, items: Mapping[str, str | None] | None
) -> list[Rating]:
    named, sides = matched({"ratings": ratings, "queries": queries})
    values = np.asarray(sides["ratings"], dtype=object)
    if values.ndim != 2:
        raise BadInput(f"ratings: items x raters are wanted, here are {values.ndim} dimensions")
    raters = _raters(ratings, values.shape[1])
    if named is None and items is not None:
        _same_length("ratings", values, list(items), "items")
        named = list(items)
    names = named or _places(len(values))
    of_item = _queries(sides["queries"], len(values))
    grades = [_grades(column, levels, name) for name, column in zip(raters, values.T, strict=True)]
    return [
        Rating(item=item, rater=name, grade=given[at], query=of_item[at])
        for name, given in zip(raters, grades, strict=True)
        for at, item in enumerate(names)
        if given[at] is not None
    ]


def _raters(ratings: Any, n: int) -> list[str]:
    """Who the columns are: by a data frame's headers, else by their place."""
    columns = getattr(ratings, "columns", None)
    if columns is None:
        return [f"rater {at + 1}" for at in range(n)]
    raters, faults = _texts(columns, "ratings, column", "no rater")
    refuse_faults(faults)
    refuse_faults(Fault("ratings", f"two columns are called {name!r}") for name in doubles_of(raters))
    return raters


def _long(ratings: Any, levels: tuple[int, ...]) -> list[Rating]:
    grades = _grades(ratings["grade"], levels, "grade")
    of_item = _queries(ratings.get("query"), len(grades))
    items, faults = _texts(ratings["item"], "item", "empty item")
    raters, more = _texts(ratings["rater"], "rater", "no rater")
    refuse_faults([*faults, *more])
    keys = list(zip(items, raters, strict=True))
    refuse_faults(
        Fault("", f"item {item!r} is graded twice by {rater!r}") for item, rater in doubles_of(keys)
    )
    return [
        Rating(item=item, rater=rater, grade=grade, query=query)
        for (item, rater), grade, query in zip(keys, grades, of_item, strict=True)
        if grade is not None
    ]


def items_from(
    sides: Mapping[str, Any], levels: tuple[int, ...]
) -> tuple[dict[str, str | None], list[list[GradedItem]]]:
    """Each item with its query, and each grader's answers beside the golden grades.

    `sides` are "golden", "queries" (or None), and each grader's grades by a name for messages: n, or n x
    repeats. BadInput where they do not belong together.
    """
    named, placed = matched(sides)
    golden = _grades(placed.pop("golden"), levels, "golden")
    if None in golden:
        raise BadInput("golden: every item needs its grade")
    items = named or _places(len(golden))
    right = [grade for grade in golden if grade is not None]
    queries = placed.pop("queries")
    for name, values in placed.items():
        _same_length(name, values, right, "golden grades")
    of_item = _queries(queries, len(right))
    clusters = [query_key(query or "") or item for item, query in zip(items, of_item, strict=True)]
    graded = []
    for name, values in placed.items():
        given = np.asarray(values, dtype=object)
        columns = [_grades(column, levels, name) for column in given.reshape(len(given), -1).T]
        answers = [tuple(bare_answer(grade)[0] for grade in row) for row in zip(*columns, strict=True)]
        graded.append([GradedItem(*row) for row in zip(items, clusters, right, answers, strict=True)])
    return dict(zip(items, of_item, strict=True)), graded


def _queries(queries: Any, n: int) -> list[str | None]:
    if queries is None:
        return [None] * n
    found = [None if is_missing(query) else str(query) for query in queries]
    _same_length("queries", found, range(n), "items")
    return found


def _texts(values: Iterable[Any], name: str, missing: str) -> tuple[list[str], list[Fault]]:
    """Names as text, and a fault for each that is missing or empty."""
    found = ["" if is_missing(value) else str(value) for value in values]
    return found, [Fault(f"{name}[{at}]", missing) for at, text in enumerate(found) if not text.strip()]


def _places(n: int) -> list[str]:
    """What items are called that have no name."""
    return [str(at) for at in range(n)]


def _same_length(name: str, values: Sized, others: Sized, what: str) -> None:
    if len(values) != len(others):
        raise BadInput(f"{name}: {len(values):,} for {len(others):,} {what}")


def _grades(values: Any, levels: tuple[int, ...], name: str) -> list[int | None]:
    """Whole numbers on the scale; None for what is missing. BadInput names every other value."""
    if np.ndim(values) != 1:
        raise BadInput(f"{name}: one grade an item is wanted, here are {np.ndim(values)} dimensions")
    found: list[int | None] = []
    faults = []
    for at, value in enumerate(values):
        if is_missing(value):
            found.append(None)
        elif value in levels:
            found.append(int(value))
        else:
            faults.append(Fault(f"{name}[{at}]", f"{value!r} is not on the scale {scale_text(levels)}"))
    refuse_faults(faults)
    return found
