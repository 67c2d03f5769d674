"""Sums by graded pair and position: they wait on disk, and a few thousand pairs at a time are held."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from harness.signal.nameless import RecordFile
from harness.stats.agreement import Floats, Integers

FARTHEST = 200
"""The last position that is used: later ones have few views, and each needs clicks of its own."""
WIDTH = FARTHEST + 1
"""A cell is its pair's number times this, plus the position."""
LEAST = 200_000
"""Rows that may wait before they are added up."""
SPAN = 4_096
"""Pairs whose cells are held at a time: 820,000 cells at most."""


class CellBlock(NamedTuple):
    """All cells of some pairs, one entry each. `sums` has views, clicks, and so on."""

    pair: Integers
    position: Integers
    sums: Mapping[str, Floats]


Blocks = Callable[[], Iterator[CellBlock]]
"""Cells a block at a time, again for each pass; no pair is in two blocks."""


class CellSums:
    """Sums of columns by cell, added in any order. On disk are at most twice the different cells, and LEAST.

    Rows that waited are added up and written as a run, in the order of their cells. Once the runs have more
    rows than what is in one already, all become one.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._kind = np.dtype([("cell", np.int64), *((name, np.float64) for name in names)])
        self._waiting: list[Any] = []
        self._rows = self._compact = 0
        self._file, self._runs = RecordFile(self._kind), list[tuple[int, Integers]]()

    def add(self, cells: Integers, columns: Mapping[str, Floats]) -> None:
        """Add rows. Unfinished where the disk is full."""
        rows = np.empty(len(cells), dtype=self._kind)
        rows["cell"] = cells
        for name in self.names:
            rows[name] = columns[name]
        self._waiting.append(rows)
        self._rows += len(cells)
        if self._rows > LEAST:
            self._write()

    @property
    def on_disk(self) -> int:
        """How many rows are written."""
        return len(self._file)

    def _write(self) -> None:
        """Write what waits as a run."""
        if self._rows:
            rows = self._summed(np.concatenate(self._waiting))
            self._waiting, self._rows = [], 0
            edges = np.arange(rows["cell"][-1] // (WIDTH * SPAN) + 2) * (WIDTH * SPAN)
            self._runs.append((len(self._file), np.searchsorted(rows["cell"], edges)))
            self._file.append(rows)
            if len(self._file) - self._compact > max(LEAST, self._compact):
                self.merge()

    def merge(self) -> None:
        """Make one run of all."""
        self._write()
        if len(self._runs) < 2:
            return
        file, edges = RecordFile(self._kind), [0]
        for rows in self._spans():
            file.append(rows)
            edges.append(len(file))
        self._file.close()
        self._file, self._runs, self._compact = file, [(0, np.array(edges))], len(file)

    def blocks(self) -> Iterator[CellBlock]:
        """The sums, in the order of their cells. Nothing is added meanwhile."""
        self.merge()
        for rows in self._spans():
            if len(rows):
                pair, position = np.divmod(rows["cell"], WIDTH)
                yield CellBlock(pair, position, {name: rows[name] for name in self.names})

    def _spans(self) -> Iterator[Any]:
        """The rows of each SPAN pairs, out of all runs."""
        for at in range(max((len(edges) - 1 for _, edges in self._runs), default=0)):
            parts = [
                self._file.read(start + int(edges[at]), int(edges[at + 1] - edges[at]))
                for start, edges in self._runs
                if at + 1 < len(edges) and edges[at + 1] > edges[at]
            ]
            if len(parts) > 1:
                yield self._summed(np.concatenate(parts))
            else:
                yield parts[0] if parts else np.empty(0, dtype=self._kind)

    def _summed(self, rows: Any) -> Any:
        """One row for each different cell, in their order."""
        order = np.argsort(rows["cell"], kind="stable")
        cells = rows["cell"][order]
        starts = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])
        found = np.empty(len(starts), dtype=self._kind)
        found["cell"] = cells[starts]
        for name in self.names:
            found[name] = np.add.reduceat(rows[name][order], starts)
        return found
