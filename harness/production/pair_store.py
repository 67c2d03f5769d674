"""The rows of a label set and its distinct pairs, on the disk, with the files that they come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.production.database import LabelDatabase
from harness.runs.label_manifest import PairsFile


class PairStore(LabelDatabase):
    """The part of the answer store that is filled before anything is asked.

    When it is opened, rows and pairs of a source that was not accepted (after a kill) are removed.
    """

    def __init__(self, path: Path, *, look: bool = False) -> None:
        """`look`: only read, beside the process that writes, and remove nothing."""
        super().__init__(path)
        try:
            self.rows, self.pairs = self._accepted()
            if not look:
                self.take_back()
        except BaseException:
            self.close()
            raise

    def sources(self) -> tuple[PairsFile, ...]:
        """The files whose pairs are in the set, in the order of adding."""
        query = "SELECT path, digest, size, before, rows FROM sources ORDER BY number"
        names = ("path", "digest", "size", "before", "rows")
        found = self.fetch(query)
        try:
            return tuple(PairsFile(**dict(zip(names, row, strict=True))) for row in found)
        except ValidationError as error:
            raise self.damaged("a source") from error

    def take_back(self) -> None:
        """Remove the rows and pairs of a source that was not accepted."""
        self.rows, self.pairs = self._accepted()
        self.write(
            [
                ("DELETE FROM rows WHERE number > ?", [(self.rows,)]),
                ("DELETE FROM pairs WHERE number > ?", [(self.pairs,)]),
            ]
        )

    def _accepted(self) -> tuple[int, int]:
        """The rows and pairs of the sources that were accepted."""
        ((rows,),) = self.fetch("SELECT COALESCE(SUM(rows), 0) FROM sources")
        ((pairs,),) = self.fetch("SELECT MAX(pair) FROM rows WHERE number <= ?", rows)
        return rows, pairs or 0

    def accept(self, sources: Sequence[PairsFile]) -> None:
        """Accept what was added since the last call: it comes from these files."""
        added = [(one.path, one.digest, one.size, one.before, one.rows) for one in sources]
        query = "INSERT INTO sources (path, digest, size, before, rows) VALUES (?, ?, ?, ?, ?)"
        self.write([(query, added)])

    def numbers_of(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        """The numbers of those pairs that are there; looked up in their order, as the file has them."""
        query = "SELECT number FROM pairs WHERE digest = ?"
        found = ((one, self.fetch(query, one)) for one in sorted(digests))
        return {one: rows[0][0] for one, rows in found if rows}

    def row_of(self, item: str) -> tuple[int, int, float, str | None, int | None] | None:
        """A row's number, pair, weight, stratum and position, by its item; None where there is none."""
        query = "SELECT number, pair, weight, stratum, position FROM rows WHERE item = ?"
        found = self.fetch(query, item)
        return found[0] if found else None

    def add(self, pairs: Sequence[tuple[Any, ...]], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add pairs and rows, each as the values of its table."""
        self.write(
            [
                ("INSERT INTO pairs VALUES (?, ?, ?, ?, ?)", sorted(pairs, key=lambda one: one[1])),
                ("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", sorted(rows, key=lambda one: one[1])),
            ]
        )
        self.rows, self.pairs = self.rows + len(rows), self.pairs + len(pairs)
