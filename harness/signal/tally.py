"""Sums over rows by their keys: what is held grows with the different keys, not with the rows."""

from collections.abc import Mapping, Sequence
from typing import Any

LEAST = 200_000
"""How many rows of sums may wait before they are added up."""


class Tally:
    """Sums (or the largest) of columns of pyarrow tables, by key columns."""

    def __init__(self, keys: Sequence[str], how: Mapping[str, str]) -> None:
        self._keys, self._how = list(keys), dict(how)
        self._parts: list[Any] = []
        self._held = self._waiting = 0

    def add(self, piece: Any) -> None:
        """Add the rows of a piece."""
        part = grouped(piece, self._keys, self._how)
        self._parts.append(part)
        self._waiting += part.num_rows
        if self._waiting > max(LEAST, self._held):
            self._merge()

    def table(self) -> Any:
        """The sums, in the order of their keys; None where nothing was added."""
        if not self._parts:
            return None
        self._merge()
        return self._parts[0].sort_by([(name, "ascending") for name in self._keys])

    def _merge(self) -> None:
        import pyarrow as pa

        whole = grouped(pa.concat_tables(self._parts), self._keys, self._how)
        self._parts, self._held, self._waiting = [whole], whole.num_rows, 0


def grouped(piece: Any, keys: Sequence[str], how: Mapping[str, str]) -> Any:
    """The sums (or the largest, or least) of a table's columns by key columns."""
    # In one thread, so that sums of fractions are the same every time.
    made = piece.group_by(list(keys), use_threads=False).aggregate(list(how.items()))
    names = [*keys, *(f"{name}_{each}" for name, each in how.items())]
    return made.select(names).rename_columns([*keys, *how])
