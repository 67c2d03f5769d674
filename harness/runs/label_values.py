"""Check the values of a shard as they are read: a label set that somebody sends can hold anything."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from harness.errors import Fault
from harness.nouns.policy import Policy
from harness.nouns.records import Cause

LIGHTEST, HEAVIEST = 1e-12, 1e12
"""The limits of a row's weight: no sum of weights is infinite, and no square is 0."""
DIGEST = "^sha256:[0-9a-f]{64}$"
OUTCOMES = ("grade", "ungraded", "failed")
FILLED = (
    "item", "query", "title", "pair", "digest", "weight", "outcome", "asked", "cached", "shot_query",
)  # fmt: skip
"""The columns that need a value in every row."""
COUNTED = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost")
Check = Callable[[Any], Any]
"""Which values of a column are right."""


def value_faults(path: Path, batch: Any, policy: Policy) -> Iterator[Fault]:
    """One fault for each column of a pyarrow.RecordBatch with values that no labelling writes."""
    import pyarrow.compute as pc

    checks = _checks(policy)
    for name in batch.schema.names:
        column = batch.column(name)
        if name in FILLED and column.null_count:
            yield Fault(str(path), f"{name}: is empty in some rows; restore the shard")
        elif name in checks and not pc.all(checks[name](column), min_count=0).as_py():
            yield Fault(str(path), f"{name}: has values that no label set has; restore the shard")
    if {"outcome", "grade"} <= {*batch.schema.names}:
        graded = pc.equal(batch.column("outcome"), "grade")
        if pc.all(pc.equal(graded, pc.is_valid(batch.column("grade")))).as_py() is False:
            yield Fault(str(path), "grade: does not fit the outcome of some rows; restore the shard")


def _checks(policy: Policy) -> Mapping[str, Check]:
    import pyarrow as pa
    import pyarrow.compute as pc

    scale = pa.array(policy.scale, pa.int32())
    actions, outcomes = pa.array(sorted({*policy.action_of.values()})), pa.array(OUTCOMES)
    causes = pa.array(get_args(Cause))

    def among(values: Any) -> Check:
        return lambda column: pc.is_in(pc.drop_null(column), values)

    def counts(column: Any) -> Any:
        # NaN is not less than infinity.
        return pc.and_(pc.greater_equal(column, 0), pc.less(pc.cast(column, pa.float64()), float("inf")))

    return {
        "weight": lambda column: pc.and_(pc.greater_equal(column, LIGHTEST), pc.less_equal(column, HEAVIEST)),
        "digest": lambda column: pc.match_substring_regex(column, DIGEST),
        "position": lambda column: pc.greater(column, 0),
        "grade": among(scale),
        "action": among(actions),
        "outcome": among(outcomes),
        "cause": among(causes),
        **dict.fromkeys(COUNTED, counts),
    }
