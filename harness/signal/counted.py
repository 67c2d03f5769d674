"""What a log says of the graded pairs: counts by pair and position, and what each search was shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault, refuse_faults
from harness.signal.batches import Unfit
from harness.signal.graded import BETWEEN, GradedPairs
from harness.signal.log_table import COUNTS, LogTable, fast_pieces, slow_pieces
from harness.signal.tally import Tally
from harness.stats.agreement import Floats, Integers

MEASURED = (*COUNTS, "dwell")
FARTHEST = 200
"""The last position that is used: behind it there are few views, and each wants clicks of its own."""
MOST_ARMS = 100


@dataclass(frozen=True, slots=True)
class Searches:
    """Searches with an outcome, one entry each: a session's view of the results of a query.

    `queries` and `sessions` are numbered from 0. `dcg`: sum of (grade - lowest) / log2(position + 1);
    `at`: by grade, the same with 1 for this grade or more. `ungraded`: shown results without a grade. `arm`:
    position in `arms`, -1 for none and -2 for several.
    """

    queries: Integers
    sessions: Integers
    outcome: Floats
    dcg: Floats
    at: Mapping[int, Floats]
    ungraded: Integers
    arm: Integers
    arms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of a log. One entry for each graded pair and position: `sums` has views, clicks, and so on.

    `rows` of the log, `ungraded_views` of pairs without a grade; `far_views` behind the last position used.
    """

    rows: int
    pair: Integers
    position: Integers
    sums: Mapping[str, Floats]
    ungraded_views: int
    far_views: int = 0
    searches: Searches | None = None
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class CellCounts:
    """Counts by pair and position, being summed. `names`: what is counted."""

    graded: GradedPairs
    names: tuple[str, ...]
    rows: int = 0
    ungraded_views: int = 0
    far_views: int = 0
    tally: Tally = field(init=False)
    _keys: Any = None

    def __post_init__(self) -> None:
        self.tally = Tally(("pair", "position"), dict.fromkeys(self.names, "sum"))
        self._keys = self.graded.keys()

    def pairs_of(self, queries: Any, items: Any) -> Any:
        """The number of each graded pair; null for others."""
        import pyarrow.compute as pc

        return pc.index_in(pc.binary_join_element_wise(queries, items, BETWEEN), value_set=self._keys)

    def add(self, pairs: Any, positions: Any, counts: Mapping[str, Any]) -> None:
        """Rows, of which `pairs` says the number of the pair."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self.rows += len(pairs)
        near = pc.less_equal(positions, FARTHEST)
        known = pc.is_valid(pairs)
        if "views" in counts:
            self.ungraded_views += _total(pc.filter(counts["views"], pc.invert(known)))
            self.far_views += _total(pc.filter(counts["views"], pc.and_(known, pc.invert(near))))
        zeros = pa.array(np.zeros(len(pairs), dtype=np.int64))
        columns = {name: counts.get(name, zeros) for name in self.names}
        whole = pa.table({"pair": pairs, "position": positions, **columns})
        self.tally.add(whole.filter(pc.and_(known, near)))

    def counted(self, searches: Searches | None = None, warnings: Sequence[str] = ()) -> Counted:
        """All that was counted."""
        found = self.tally.table()
        columns = {name: np.zeros(0) for name in ("pair", "position", *self.names)}
        if found is not None:
            columns = {name: found.column(name).to_numpy() for name in columns}
        return Counted(
            rows=self.rows,
            pair=columns["pair"].astype(np.int64),
            position=columns["position"].astype(np.int64),
            sums={name: columns[name].astype(np.float64) for name in self.names},
            ungraded_views=self.ungraded_views,
            far_views=self.far_views,
            searches=searches,
            warnings=tuple(warnings),
        )


def _total(column: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(column).as_py() or 0)


def count_log(
    log: Sequence[LogTable], graded: GradedPairs, scale: tuple[int, ...], edges: Sequence[int]
) -> Counted:
    """Count the files of a flat log. `edges`: the grades at which searches are told apart.

    BadInput names faulty rows, and files with other columns than the first.
    """
    refuse_faults(
        Fault(str(one.path), f"has other columns than {log[0].path}")
        for one in log
        if set(one.names) != set(log[0].names)
    )
    try:
        return _count(log, graded, scale, edges, fast_pieces)
    except Unfit:
        return _count(log, graded, scale, edges, slow_pieces)


def _count(
    log: Sequence[LogTable],
    graded: GradedPairs,
    scale: tuple[int, ...],
    edges: Sequence[int],
    reader: Callable[[LogTable], Iterator[Any]],
) -> Counted:
    import pyarrow as pa

    there = set(log[0].names)
    names = ("views", *(name for name in MEASURED if name in there and name != "views"))
    cells = CellCounts(graded, names)
    searching = (
        SearchCounts(graded, scale, edges, arms="arm" in there) if {"session", "outcome"} <= there else None
    )
    for piece in chain.from_iterable(map(reader, log)):
        pairs = cells.pairs_of(piece.column("query"), piece.column("item")).combine_chunks()
        ones = pa.array(np.ones(piece.num_rows, dtype=np.int64))
        views = piece.column("views") if "views" in there else ones
        counts = {name: piece.column(name) for name in names if name != "views"} | {"views": views}
        cells.add(pairs, piece.column("position"), counts)
        if searching is not None:
            arm = piece.column("arm") if searching.arms else None
            searching.add(
                piece.column("session"),
                piece.column("query"),
                pairs,
                piece.column("position"),
                piece.column("outcome"),
                arm,
            )
    return cells.counted(searching.searches() if searching else None)


class SearchCounts:
    """What each search was shown, and its outcome, being summed."""

    def __init__(
        self, graded: GradedPairs, scale: tuple[int, ...], edges: Sequence[int], *, arms: bool = False
    ) -> None:
        self.arms, self._edges, self._low = arms, tuple(edges), scale[0]
        self._grade = graded.grade
        self._names: dict[str, int] = {}
        how = {"dcg": "sum", "ungraded": "sum", "outcome": "max", "arm_low": "min", "arm_high": "max"}
        how |= {f"at_{edge}": "sum" for edge in self._edges}
        self._tally = Tally(("session", "query"), how)

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
        self._tally.add(pa.table(columns))

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
        found = self._tally.table()
        if found is None:
            return None
        low, high = (found.column(name).to_numpy() for name in ("arm_low", "arm_high"))
        return Searches(
            queries=_codes(found.column("query")),
            sessions=_codes(found.column("session")),
            outcome=found.column("outcome").to_numpy().astype(np.float64),
            dcg=found.column("dcg").to_numpy(),
            at={edge: found.column(f"at_{edge}").to_numpy() for edge in self._edges},
            ungraded=found.column("ungraded").to_numpy(),
            arm=np.where(low == high, low, -2),
            arms=tuple(self._names),
        )


def _codes(column: Any) -> Integers:
    codes = column.combine_chunks().dictionary_encode()
    return np.asarray(codes.indices.to_numpy(), dtype=np.int64)
