"""What each search was shown, and its outcome: one session's view of the results of one query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from harness.errors import BadInput
from harness.signal.graded import GradedPairs
from harness.signal.spill import Spill
from harness.signal.tally import Tally, grouped
from harness.stats.agreement import Floats, Integers

MOST_ARMS = 100


@dataclass(frozen=True, slots=True)
class Searches:
    """Searches with an outcome, one entry each: a session's view of the results of a query.

    `queries` and `sessions` are numbered from 0, a query without a graded pair is -1. `dcg`: sum of
    (grade - lowest) / log2(position + 1); `at`: by grade, the same with 1 for this grade or more. `ungraded`:
    shown results without a grade. `arm`: position in `arms`, -1 for none and -2 for several.
    """

    queries: Integers
    sessions: Integers
    outcome: Floats
    dcg: Floats
    at: Mapping[int, Floats]
    ungraded: Integers
    arm: Integers
    arms: tuple[str, ...] = ()


class SearchCounts:
    """Searches, being summed; a context manager. The rows of a session wait until all of them are there."""

    def __init__(
        self, graded: GradedPairs, scale: tuple[int, ...], edges: Sequence[int], *, arms: bool = False
    ) -> None:
        self.arms, self._edges, self._low = arms, tuple(edges), scale[0]
        self._grade = graded.grade
        self._queries = graded.query_texts()
        self._names: dict[str, int] = {}
        how = {"dcg": "sum", "ungraded": "sum", "outcome": "max", "arm_low": "min", "arm_high": "max"}
        self._how = how | {f"at_{edge}": "sum" for edge in self._edges}
        self._rows = Spill("session")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._rows.__exit__(*error)

    def add(
        self, sessions: Any, queries: Any, pairs: Any, positions: Any, outcome: Any, arm: Any = None
    ) -> None:
        """Rows, each a result that a search was shown."""
        import pyarrow as pa

        number = pairs.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        known = number >= 0
        grade = np.where(known, self._grade[np.maximum(number, 0)], self._low) if len(self._grade) else number
        discount = 1 / np.log2(np.asarray(positions.to_numpy(), dtype=np.float64) + 1)
        arms = self._numbered(arm, len(number))
        columns = {
            "session": sessions,
            "query": queries,
            "dcg": pa.array(np.where(known, (grade - self._low) * discount, 0.0)),
            "ungraded": pa.array((~known).astype(np.int64)),
            "outcome": outcome,
            "arm_low": arms,
            "arm_high": arms,
        }
        for edge in self._edges:
            columns[f"at_{edge}"] = pa.array(np.where(known & (grade >= edge), discount, 0.0))
        found = grouped(pa.table(columns), ("session", "query"), self._how)
        self._rows.add(found)

    def _numbered(self, arm: Any, rows: int) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        if arm is None:
            return pa.array(np.full(rows, -1, dtype=np.int64))
        for name in pc.unique(arm).to_pylist():
            if name is not None:
                self._names.setdefault(name, len(self._names))
        if len(self._names) > MOST_ARMS:
            raise BadInput(
                f"more than {MOST_ARMS} arms: is the column an id? Map another one with --columns arm="
            )
        found = pc.index_in(arm, value_set=pa.array(list(self._names), pa.string()))
        return found.fill_null(-1).cast(pa.int64())

    def searches(self) -> Searches | None:
        """All of them; None without any."""
        parts: list[dict[str, Any]] = []
        sessions = 0
        for rows in self._rows.parts():
            if rows is not None:
                parts.append(self._part(rows, sessions))
                sessions = int(parts[-1]["sessions"].max()) + 1
        if not parts:
            return None
        whole = {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
        at = {edge: whole.pop(f"at_{edge}") for edge in self._edges}
        return Searches(**whole, at=at, arms=tuple(self._names))

    def _part(self, rows: Any, before: int) -> dict[str, Any]:
        """The searches of some sessions, which are numbered from `before`."""
        import pyarrow.compute as pc

        once = Tally(("session", "query"), self._how)
        once.add(rows)
        found = once.table()
        low, high = (found.column(name).to_numpy() for name in ("arm_low", "arm_high"))
        query = pc.index_in(found.column("query"), value_set=self._queries).fill_null(-1)
        session = found.column("session").combine_chunks().dictionary_encode().indices
        return {
            "queries": query.to_numpy().astype(np.int32),
            "sessions": session.to_numpy().astype(np.int32) + np.int32(before),
            "outcome": found.column("outcome").to_numpy().astype(np.float64),
            "dcg": found.column("dcg").to_numpy(),
            "ungraded": found.column("ungraded").to_numpy().astype(np.int32),
            "arm": np.where(low == high, low, -2).astype(np.int16),
            **{f"at_{edge}": found.column(f"at_{edge}").to_numpy() for edge in self._edges},
        }
