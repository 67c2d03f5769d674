"""What the rows of every shard hold: a set that somebody sends may have others, which no reader expects."""

from collections.abc import Iterator
from typing import Any, get_args

from harness.nouns.policy import Policy
from harness.nouns.records import Cause

FULL = ("item", "query", "digest", "weight", "outcome", "asked", "cached", "shot_query")
"""Columns in which every row has a value."""
OUTCOMES = ("grade", "ungraded", "failed")
HEAVIEST = 1e12
"""The most that a row may weigh: sums of them stay finite."""
COUNTS = ("position", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost")
"""Numbers from 0, where there are any."""


def strange_rows(batch: Any, policy: Policy) -> Iterator[str]:
    """What a batch of rows has that `harness label` does not write, in the columns that were read."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    if empty := [name for name in FULL if name in columns and columns[name].null_count]:
        yield f"rows without {', '.join(empty)}"
    if "weight" in columns and not _all_between(columns["weight"], HEAVIEST, above=True):
        yield f"weights that are no numbers above 0, up to {HEAVIEST:.0e}"
    for name in COUNTS:
        if name in columns and not _all_between(columns[name], float("inf")):
            yield f"{name} that is no number from 0"
    known = {"outcome": OUTCOMES, "cause": get_args(Cause), "grade": policy.scale}
    for name, values in known.items():
        if name in columns and (odd := _other(columns[name], values)) is not None:
            yield f"{name} {odd!r}"
    if {"outcome", "grade"} <= columns.keys() and not _graded_alone(columns["outcome"], columns["grade"]):
        yield "outcomes that do not fit the grades"


def _all_between(column: Any, most: float, *, above: bool = False) -> bool:
    """Whether all numbers are finite, from 0 (or above it) to `most`; nulls are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = column.cast(pa.float64()) if pa.types.is_integer(column.type) else column
    low = pc.greater(numbers, 0) if above else pc.greater_equal(numbers, 0)
    fits = pc.and_(pc.and_(low, pc.less_equal(numbers, most)), pc.is_finite(numbers))
    return pc.all(fits).as_py() is not False


def _other(column: Any, known: tuple[Any, ...]) -> Any:
    """A value that is not among those known; None where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    strange = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, pa.array(known, column.type))))
    found = column.filter(strange)
    return found[0].as_py() if len(found) else None


def _graded_alone(outcome: Any, grade: Any) -> bool:
    """Whether just the rows with outcome `grade` have one."""
    import pyarrow.compute as pc

    return pc.all(pc.equal(pc.equal(outcome, "grade"), pc.is_valid(grade))).as_py() is not False
