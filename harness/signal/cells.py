"""Sums by graded pair and position, in arrays: what is held grows with the different cells alone."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.stats.agreement import Floats, Integers

LEAST = 200_000
"""Rows that may wait before they are added up."""


class CellSums:
    """Sums of columns by a number, the cell. `cells`: the different ones, in order."""

    def __init__(self, names: Sequence[str]) -> None:
        self.cells: Integers = np.zeros(0, dtype=np.int64)
        self.sums: dict[str, Floats] = {name: np.zeros(0) for name in names}
        self._waiting: list[tuple[Integers, Mapping[str, Floats]]] = []
        self._rows = 0

    def add(self, cells: Integers, columns: Mapping[str, Floats]) -> None:
        """Add rows."""
        self._waiting.append((cells, columns))
        self._rows += len(cells)
        if self._rows > LEAST:
            self.merge()

    def merge(self) -> None:
        """Add what waits."""
        if not self._rows:
            return
        cells = np.concatenate([each for each, _ in self._waiting])
        different, number = np.unique(cells, return_inverse=True)
        # Cells that were not there yet are put in with 0; most rows of a long log are of cells that were.
        new = ~np.isin(different, self.cells, assume_unique=True)
        places = np.searchsorted(self.cells, different[new])
        self.cells = np.insert(self.cells, places, different[new])
        at = np.searchsorted(self.cells, different)
        for name, held in self.sums.items():
            more = np.concatenate([columns[name] for _, columns in self._waiting])
            grown = np.insert(held, places, 0.0)
            grown[at] += np.bincount(number, weights=more, minlength=len(different))
            self.sums[name] = grown
        self._waiting, self._rows = [], 0
