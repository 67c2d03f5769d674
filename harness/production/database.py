"""The SQLite file of a label set: what it holds, how it is opened, read and written."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.storage.database_file import DatabaseFile
from harness.storage.regular import LONGEST_LINE

STORE = "answers.sqlite3"
MOST = 1 << 40
"""The most bytes of the file. It is read in pages, so that a long one takes no more memory."""
_TABLES = (
    "CREATE TABLE sources (number INTEGER PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL, "
    "size INTEGER NOT NULL, before INTEGER NOT NULL, rows INTEGER NOT NULL)",
    "CREATE TABLE pairs (number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, item TEXT NOT NULL, "
    "body TEXT NOT NULL, shot_query INTEGER NOT NULL)",
    "CREATE TABLE rows (number INTEGER PRIMARY KEY, item TEXT NOT NULL UNIQUE, pair INTEGER NOT NULL, "
    "first INTEGER NOT NULL, weight REAL NOT NULL, stratum TEXT, position INTEGER)",
    "CREATE TABLE answers (pair INTEGER PRIMARY KEY, failed INTEGER NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE earlier (number INTEGER PRIMARY KEY, body TEXT NOT NULL)",
)


class LabelDatabase(DatabaseFile):
    """The file, open; a context manager. BadInput for a file that this program did not write so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _TABLES, "the answers of a label set", LONGEST_LINE, MOST)
        # The log is synced when it is emptied: a kill loses nothing, a power cut at most the log's answers.
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def damaged(self, what: str) -> BadInput:
        """The error for a value that this program did not write so."""
        return BadInput([Fault(f"{self.path}, {what}", "is damaged; restore the file, or label anew")])

    def write(self, writes: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> None:
        """In one transaction, or as a part of the one that is open."""
        with self.transaction():
            for query, values in writes:
                self._connection.executemany(query, values)

    def insert(self, row: tuple[int, bool, str]) -> bool:
        """Whether a pair's first answer was stored. Outside a transaction, it makes one."""
        try:
            self._connection.execute("INSERT INTO answers VALUES (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            return False
        except sqlite3.Error as error:
            raise self._not_stored(error) from error
        return True
