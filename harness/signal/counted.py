"""What a log says of the graded pairs: counts by pair and position, and what each search was shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.errors import Fault, refuse_faults
from harness.signal.batches import Unfit
from harness.signal.cells import FARTHEST, WIDTH, Blocks, CellSums
from harness.signal.doubtful import Doubtful
from harness.signal.graded import GradedPairs
from harness.signal.log_cells import COUNTS
from harness.signal.log_table import LogTable, fast_pieces, slow_pieces
from harness.signal.searches import SearchCounts, Searches

MEASURED = (*COUNTS, "dwell")


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of a log. `blocks`: those of each graded pair and position; `names`: what they count.

    `rows` of the log, `ungraded_views` of pairs without a grade; `far_views` behind the last position used.
    """

    rows: int
    blocks: Blocks
    names: tuple[str, ...]
    ungraded_views: int
    far_views: int = 0
    searches: Searches | None = None
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class CellCounts:
    """Sums up counts by pair and position. `names`: what is counted."""

    graded: GradedPairs
    names: tuple[str, ...]
    rows: int = 0
    ungraded_views: int = 0
    far_views: int = 0
    sums: CellSums = field(init=False)

    def __post_init__(self) -> None:
        self.sums = CellSums(self.names)

    def pairs_of(self, queries: Any, items: Any) -> Any:
        """The number of each graded pair; null for others."""
        import pyarrow as pa

        found = self.graded.find(queries, items)
        return pa.array(found, mask=found < 0)

    def add(self, pairs: Any, positions: Any, counts: Mapping[str, Any]) -> None:
        """Add rows; `pairs` has the pair's number for each."""
        import pyarrow.compute as pc

        self.rows += len(pairs)
        near = pc.less_equal(positions, FARTHEST)
        known = pc.is_valid(pairs)
        if "views" in counts:
            self.ungraded_views += total(pc.filter(counts["views"], pc.invert(known)))
            self.far_views += total(pc.filter(counts["views"], pc.and_(known, pc.invert(near))))
        used = pc.and_(known, near)
        number, place = (_array(pc.filter(one, used)) for one in (pairs, positions))
        columns = {
            name: _array(pc.filter(counts[name], used)).astype(np.float64)
            if name in counts
            else np.zeros(len(number))
            for name in self.names
        }
        self.sums.add(number.astype(np.int64) * WIDTH + place, columns)

    def counted(self, searches: Searches | None = None, warnings: Sequence[str] = ()) -> Counted:
        """Everything that was counted."""
        self.sums.merge()
        return Counted(
            rows=self.rows,
            blocks=self.sums.blocks,
            names=self.names,
            ungraded_views=self.ungraded_views,
            far_views=self.far_views,
            searches=searches,
            warnings=tuple(warnings),
        )


def _array(column: Any) -> Any:
    return column.to_numpy() if hasattr(column, "chunks") else column.to_numpy(zero_copy_only=False)


def total(column: Any) -> int:
    """The sum of a column, or how many of its values are true."""
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
    cells, doubtful = CellCounts(graded, names), Doubtful()
    with ExitStack() as files:
        searching = (
            files.enter_context(SearchCounts(graded, scale, edges, arms="arm" in there))
            if {"session", "outcome"} <= there
            else None
        )
        for piece in _looked_at(log, reader, doubtful):
            pairs = cells.pairs_of(piece.column("query"), piece.column("item"))
            ones = pa.array(np.ones(piece.num_rows, dtype=np.int64))
            views = piece.column("views") if "views" in there else ones
            counts = {name: piece.column(name) for name in names if name != "views"} | {"views": views}
            cells.add(pairs, piece.column("position"), counts)
            if searching is not None:
                of = [piece.column(name) for name in ("session", "query", "position", "outcome")]
                arm = piece.column("arm") if searching.arms else None
                searching.add(of[0], of[1], pairs, of[2], of[3], arm)
        doubtful.refuse_swapped()
        found = searching.searches() if searching else None
    return cells.counted(found, tuple(doubtful.warnings()))


def _looked_at(
    log: Sequence[LogTable], reader: Callable[[LogTable], Iterator[Any]], doubtful: Doubtful
) -> Iterator[Any]:
    """The pieces of all files; each is checked as it passes."""
    for file in log:
        before = 0
        for piece in reader(file):
            doubtful.look(file.path, before, piece)
            before += piece.num_rows
            yield piece
