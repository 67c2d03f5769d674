"""The rows of a long table of grades by item, in a private file that is gone when the process ends."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from harness.errors import Fault, Unfinished, refuse_faults
from harness.golden.grade_rows import GradedRow, Placed, RowNotes

PIECE = 10_000
"""Rows that are added at a time, sorted, so that neighbours in the file are written together."""
MOST_DOUBLES = 1_000
"""The most items that come twice whose lines are named."""


class StoredGrades(Mapping[str, GradedRow]):
    """Rows by item. BadInput for every item that comes twice."""

    def __init__(
        self, rows: Iterable[Placed], place: str, remedy: Callable[[], Sequence[Fault]] = list
    ) -> None:
        # An empty name is SQLite's own: a file without a name, in the system's folder for such files.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(
            "CREATE TABLE grades (item TEXT PRIMARY KEY, line INTEGER, body TEXT) WITHOUT ROWID"
        )
        try:
            doubles = self._fill(iter(rows), place)
        except sqlite3.Error as error:
            what = f"its rows cannot be kept in the folder of temporary files ({error})"
            raise Unfinished(f"{place}: {what}; free some space and start again") from error
        refuse_faults([*remedy(), *doubles] if doubles else ())
        self._count = int(self._connection.execute("SELECT COUNT(*) FROM grades").fetchone()[0])

    def _fill(self, rows: Iterator[Placed], place: str) -> list[Fault]:
        """Add the rows; those that come twice are faults."""
        doubles: list[Fault] = []
        while piece := sorted(islice(rows, PIECE), key=lambda one: (one[1], one[0])):
            self._connection.execute("BEGIN")
            doubles += [fault for one in piece if (fault := self._add(one, place))]
            self._connection.execute("COMMIT")
            del doubles[MOST_DOUBLES:]
        return doubles

    def _add(self, placed: Placed, place: str) -> Fault | None:
        line, item, row = placed
        body = json.dumps([*row[:3], list(row.notes)] if row.notes.told else row[:3])
        query = "INSERT OR IGNORE INTO grades VALUES (?, ?, ?)"
        if self._connection.execute(query, (item, line, body)).rowcount:
            return None
        ((first,),) = self._connection.execute("SELECT line FROM grades WHERE item = ?", (item,)).fetchall()
        one, other = sorted((line, first))
        what = f"item {item!r} is graded twice (first: {place} {one})"
        return Fault(f"{place} {other}", what, "twice")

    def __getitem__(self, item: str) -> GradedRow:
        found = self._connection.execute("SELECT body FROM grades WHERE item = ?", (item,)).fetchone()
        if found is None:
            raise KeyError(item)
        rater, query, grade, *told = json.loads(found[0])
        if not told:
            return GradedRow(rater, query, grade)
        values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in told[0]]
        return GradedRow(rater, query, grade, RowNotes(*values))

    def __iter__(self) -> Iterator[str]:
        return (item for (item,) in self._connection.execute("SELECT item FROM grades ORDER BY item"))

    def __len__(self) -> int:
        return self._count
