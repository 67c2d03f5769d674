"""The SQLite file of a label set: what it holds, how it is opened, read and written."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from harness.errors import BadInput, Fault, Unfinished
from harness.storage.databases import open_database
from harness.storage.regular import LONGEST_LINE

STORE = "answers.sqlite3"
WAIT = 10.0
"""Seconds to wait for another process that reads the file."""
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


class LabelDatabase:
    """The file, open; a context manager. BadInput for a file that this program did not write so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def damaged(self, what: str) -> BadInput:
        """The error for a value that this program did not write so."""
        return BadInput([Fault(f"{self.path}, {what}", "is damaged; restore the file, or label anew")])

    def _not_stored(self, error: sqlite3.Error) -> Unfinished:
        return Unfinished(f"{self.path}: the answers were not stored ({error})")

    def fetch(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        try:
            return self._connection.execute(query, values).fetchall()
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            if "locked" in str(error):
                raise Unfinished(f"{self.path}: another process holds the file; try again") from error
            raise _refused(self.path, error) from error

    def write(self, writes: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> None:
        """In one transaction, or as a part of the one that is open."""
        with self.transaction():
            for query, values in writes:
                self._connection.executemany(query, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Store all that is written in the block, or nothing; a nested block is a part of the outer one.

        In WAL mode a commit survives a kill without a sync of its own.
        """
        if self._connection.in_transaction:
            yield
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._not_stored(error) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def insert(self, row: tuple[int, bool, str]) -> bool:
        """Whether a pair's first answer was stored. Outside a transaction, it makes one."""
        try:
            self._connection.execute("INSERT INTO answers VALUES (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            return False
        except sqlite3.Error as error:
            raise self._not_stored(error) from error
        return True


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = open_database(path, _TABLES, wait=WAIT, most=MOST)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged name in a message is not valid UTF-8
        raise _refused(path, error) from error
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_LINE)
    # The log is synced when it is emptied: a kill loses nothing, a power cut at most the log's answers.
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _refused(path: Path, error: Exception) -> BadInput:
    return BadInput([Fault(str(path), f"cannot be read as the answers of a label set ({error}); restore it")])
