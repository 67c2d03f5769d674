"""What each search was shown, and its outcome: one session's view of the results of one query."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from harness.errors import BadInput
from harness.signal.graded import GradedPairs
from harness.signal.nameless import RecordFile
from harness.signal.spill import Spill
from harness.signal.tally import Tally, grouped
from harness.stats.agreement import Floats, Integers

MOST_ARMS = 100
AT_ONCE = 50_000
"""How many searches are held at a time, apart from the rest of the last one's session."""


class SearchPart(NamedTuple):
    """Some searches with an outcome, all of a session together: its view of the results of a query.

    `query` is numbered as in the graded pairs, -1 without a graded pair; `session` from 0. `dcg`: sum of
    (grade - lowest) / log2(position + 1); `at`: by grade, the same with 1 for this grade or more. `ungraded`:
    shown results without a grade. `arm`: position in `arms`, -1 for none and -2 for several.
    """

    query: Integers
    session: Integers
    outcome: Floats
    dcg: Floats
    at: Mapping[int, Floats]
    ungraded: Integers
    arm: Integers


@dataclass(frozen=True, slots=True)
class Searches:
    """All searches, some at a time, again for each pass. `edges`: the grades of each part's `at`."""

    parts: Callable[[], Iterator[SearchPart]]
    edges: tuple[int, ...] = ()
    arms: tuple[str, ...] = ()


class SearchCounts:
    """Sums up searches; a context manager. The rows of a session wait until all of them are there."""

    def __init__(
        self, graded: GradedPairs, scale: tuple[int, ...], edges: Sequence[int], *, arms: bool = False
    ) -> None:
        self.arms, self._edges, self._low = arms, tuple(edges), scale[0]
        self._graded = graded
        self._names: dict[str, int] = {}
        how = {"dcg": "sum", "ungraded": "sum", "outcome": "max", "arm_low": "min", "arm_high": "max"}
        self._how = how | {"number": "max", **{f"at_{edge}": "sum" for edge in self._edges}}
        self._rows = Spill("session")
        self._found, self._lengths = RecordFile(self._kind), list[int]()

    @property
    def _kind(self) -> Any:
        """A search as a record."""
        whole = (("query", np.int32), ("session", np.int64), ("ungraded", np.int32), ("arm", np.int16))
        return np.dtype([*whole, *((name, np.float64) for name in self._figures)])

    @property
    def _figures(self) -> list[str]:
        return ["outcome", "dcg", *(f"at_{edge}" for edge in self._edges)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._rows.__exit__(*error)

    def add(
        self, sessions: Any, queries: Any, pairs: Any, positions: Any, outcome: Any, arm: Any = None
    ) -> None:
        """Add rows; each is a result that a search showed."""
        import pyarrow as pa

        number = pairs.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        known = number >= 0
        of, pair = self._graded, np.maximum(number, 0)
        grade = np.where(known, of.grade[pair], self._low) if len(of) else number
        discount = 1 / np.log2(np.asarray(positions.to_numpy(), dtype=np.float64) + 1)
        arms = self._numbered(arm, len(number))
        columns = {
            "session": sessions,
            "query": pa.array(of.query_hashes(queries)),
            "number": pa.array(np.where(known, of.query[pair], -1) if len(of) else number),
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
        """All searches; None if there is none."""
        sessions = 0
        for rows in self._rows.parts():
            if rows is not None:
                sessions = self._keep(rows, sessions)
        if not len(self._found):
            return None
        return Searches(self._parts, self._edges, tuple(self._names))

    def _keep(self, rows: Any, before: int) -> int:
        """Keep the searches of some sessions, numbered from `before`; returns how many there are by now."""
        once = Tally(("session", "query"), self._how)
        once.add(rows)
        found = once.table()
        records = np.empty(found.num_rows, dtype=self._kind)
        low, high = (found.column(name).to_numpy() for name in ("arm_low", "arm_high"))
        # They come in the order of their sessions.
        session = found.column("session").combine_chunks().dictionary_encode().indices.to_numpy()
        records["session"] = session + np.int64(before)
        records["query"], records["arm"] = found.column("number").to_numpy(), np.where(low == high, low, -2)
        for name in ("ungraded", *self._figures):
            records[name] = found.column(name).to_numpy()
        self._found.append(records)
        # A session's searches stay together: `ends` is behind the last one of each session.
        ends = np.flatnonzero(np.r_[session[1:] != session[:-1], True]) + 1
        start = 0
        while start < len(records):
            stop = int(ends[np.searchsorted(ends, min(start + AT_ONCE, len(records)))])
            self._lengths.append(stop - start)
            start = stop
        return before + int(session[-1]) + 1

    def _parts(self) -> Iterator[SearchPart]:
        start = 0
        for length in self._lengths:
            one = self._found.read(start, length)
            start += length
            at = {edge: one[f"at_{edge}"] for edge in self._edges}
            yield SearchPart(
                one["query"], one["session"], one["outcome"], one["dcg"], at, one["ungraded"], one["arm"]
            )
