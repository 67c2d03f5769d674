"""Arrays, lists, series and data frames of grades become ratings and graded items.

None, NaN, pandas' NA and masked values are missing.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.scales import parse_scale, scale_text
from harness.nouns.pair import Rating, query_key
from harness.score.indexes import doubles_of, matched
from harness.score.items import GradedItem, bare_answer
from harness.score.shapes import GivenColumns, given, is_missing, refuse_fields, shown, texts

Scale = str | Sequence[int]
LONG = ("item", "rater", "grade")
"""The columns of a data frame that has a row for each rating."""


def levels_of(scale: Scale) -> tuple[int, ...]:
    """A scale as the command line writes it, or as numbers."""
    if isinstance(scale, str):
        return parse_scale(scale)
    side = given(list(scale) if isinstance(scale, Set) else scale, "scale")
    return parse_scale(",".join(map(shown, _flat(side, "scale", "grade"))))


def ratings_from(
    ratings: Any,
    levels: tuple[int, ...],
    queries: Any = None,
    items: Mapping[str, str | None] | None = None,
    *,
    named: bool = True,
) -> list[Rating]:
    """A frame of item, rater, grade[, query], or items x raters. BadInput for grades off the scale.

    `items`: the items that are graded beside them, each with its query. Ratings with an index, or with a
    column item, belong to them by name; rows of a plain array belong to them by place. `named`: whether an
    index named the items; items called by their places take only ratings that are called so too.
    """
    table = given(ratings, "ratings")
    if set(LONG) <= set(table.headers or ()):
        if queries is not None:
            raise BadInput("queries: a frame of item, rater and grade has a column query instead")
        names, found = _long(table, levels)
    else:
        names, found = _wide(table, levels, queries, items)
    if items is None:
        return found
    _refuse_other_places(names, list(items), named)
    return found


def _refuse_other_places(rated: list[str], items: list[str], named: bool) -> None:
    """BadInput for named ratings of items that were called by their places: joined, they could be shifted.

    Row numbers that came as an index, `named`, may be more than are rated, and no fewer.
    """
    if items != _places(len(items)) or (set(rated) <= set(items) if named else rated == items):
        return
    raise BadInput(
        f"ratings: items {', '.join(rated[:3])}..., and what is graded has row numbers alone, 0 to "
        f"{len(items) - 1}: give golden grades as a series with the same ids as its index, or ratings as a "
        "plain array, which goes by place"
    )


def _wide(
    table: GivenColumns, levels: tuple[int, ...], queries: Any, items: Mapping[str, str | None] | None
) -> tuple[list[str], list[Rating]]:
    if table.flat:
        raise BadInput("ratings: items x raters are wanted, here is one value an item")
    asked = {} if queries is None else {"queries": given(queries, "queries")}
    named, sides = matched({"ratings": table, **asked})
    refuse_fields(table.headers or (), "ratings", "raters")
    raters = table.headers or [f"rater {at + 1}" for at in range(len(table.columns))]
    refuse_faults(Fault("ratings", f"two columns are called {name!r}") for name in doubles_of(raters))
    if named is None and items is not None:
        _same_length("ratings", table, len(items), "items")
        named = list(items)
    names = named or _places(len(table))
    of_item = _queries(sides.get("queries"), len(table))
    grades = [_grades(column, levels, name) for name, column in zip(raters, table.columns, strict=True)]
    return names, [
        Rating(item=item, rater=name, grade=grade, query=query)
        for name, own in zip(raters, grades, strict=True)
        for item, grade, query in zip(names, own, of_item, strict=True)
        if grade is not None
    ]


def _long(table: GivenColumns, levels: tuple[int, ...]) -> tuple[list[str], list[Rating]]:
    """The items, row numbers in their order, and their ratings."""
    headers = table.headers or []
    refuse_faults(Fault("ratings", f"two columns are called {name!r}") for name in doubles_of(headers))
    columns = dict(zip(headers, table.columns, strict=True))
    grades = _grades(columns["grade"], levels, "grade")
    items, faults = texts(columns["item"], "item", "empty item")
    raters, more = texts(columns["rater"], "rater", "no rater")
    refuse_faults([*faults, *more])
    of_item = _query_texts(columns.get("query", [None] * len(items)), "query")
    keys = list(zip(items, raters, strict=True))
    refuse_faults(
        Fault("", f"item {item!r} is graded twice by {rater!r}") for item, rater in doubles_of(keys)
    )
    return sorted(set(items), key=lambda item: (len(item), item)), [
        Rating(item=item, rater=rater, grade=grade, query=query)
        for (item, rater), grade, query in zip(keys, grades, of_item, strict=True)
        if grade is not None
    ]


def items_from(
    sides: Mapping[str, Any], levels: tuple[int, ...]
) -> tuple[bool, dict[str, str | None], list[list[GradedItem]]]:
    """Whether an index names the items; each with its query; and each grader's answers beside golden grades.

    `sides` are "golden", "queries" (or None), and each grader's grades by a name for messages: n, or n x
    repeats. BadInput where they do not belong together.
    """
    named, known, graded, _ = items_beside(sides, {}, levels)
    return named, known, graded


def items_beside(
    sides: Mapping[str, Any], beside: Mapping[str, Any], levels: tuple[int, ...]
) -> tuple[bool, dict[str, str | None], list[list[GradedItem]], dict[str, list[Any]]]:
    """As `items_from`, with what else is said of each item: n values by a name, matched as the grades are."""
    both = {**sides, **beside}
    named, placed = matched(
        {name: given(side, name) for name, side in both.items() if name != "queries" or side is not None}
    )
    said = {name: placed.pop(name) for name in beside}
    golden = _grades(_flat(placed.pop("golden"), "golden", "grade"), levels, "golden")
    right = [grade for grade in golden if grade is not None]
    if not golden or len(right) < len(golden):
        raise BadInput("golden: every item needs its grade" if golden else "golden: no item")
    for name, side in {**placed, **said}.items():
        _same_length(name, side, len(golden), "items" if name == "queries" else "golden grades")
    items = named or _places(len(golden))
    of_item = _queries(placed.pop("queries", None), len(right))
    clusters = [query_key(query or "") or item for item, query in zip(items, of_item, strict=True)]
    graded = []
    for name, side in placed.items():
        columns = [_grades(column, levels, name) for column in _repeats(side, name)]
        answers = [tuple(bare_answer(grade)[0] for grade in row) for row in zip(*columns, strict=True)]
        rows = zip(items, clusters, right, answers, of_item, strict=True)
        graded.append(
            [
                GradedItem(item, cluster, grade, said_of, named=bool(query))
                for item, cluster, grade, said_of, query in rows
            ]
        )
    values = {name: _flat(side, name, "value") for name, side in said.items()}
    return named is not None, dict(zip(items, of_item, strict=True)), graded, values


def _repeats(side: GivenColumns, name: str) -> list[list[Any]]:
    """Each repeat's grades. BadInput for a frame with other columns beside them."""
    if len(side.columns) > 1 or side.headers != ["grade"]:
        refuse_fields(side.headers or (), name, "repeats")
    return side.columns


def _flat(side: GivenColumns, name: str, what: str) -> list[Any]:
    if not side.flat:
        raise BadInput(f"{name}: one {what} an item is wanted, here are rows of {len(side.columns)}")
    return side.columns[0]


def _queries(queries: GivenColumns | None, n: int) -> list[str | None]:
    if queries is None:
        return [None] * n
    _same_length("queries", queries, n, "items")
    return _query_texts(_flat(queries, "queries", "query"), "queries")


def _query_texts(values: Iterable[Any], name: str) -> list[str | None]:
    found, faults = texts(values, name, None)
    refuse_faults(faults)
    return [text or None for text in found]


def _places(n: int) -> list[str]:
    """What items are called that have no name."""
    return [str(at) for at in range(n)]


def _same_length(name: str, side: GivenColumns, n: int, what: str) -> None:
    if len(side) != n:
        raise BadInput(f"{name}: {len(side):,} for {n:,} {what}")


def _grades(values: Iterable[Any], levels: tuple[int, ...], name: str) -> list[int | None]:
    """Whole numbers on the scale; None for what is missing. BadInput names every other value."""
    found: list[int | None] = []
    faults = []
    for at, value in enumerate(values):
        if is_missing(value):
            found.append(None)
        elif _is_number(value) and value in levels:
            found.append(int(value))
        else:
            faults.append(Fault(f"{name}[{at}]", f"{shown(value)} is not on the scale {scale_text(levels)}"))
    refuse_faults(faults)
    return found


def _is_number(value: Any) -> bool:
    """Whether a value can be a grade: true and false are not numbers, and no files have them as grades."""
    return isinstance(value, Real | Decimal) and not isinstance(value, bool | np.timedelta64)
