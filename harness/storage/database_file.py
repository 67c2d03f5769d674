"""A SQLite file of answers, open: queries and transactions, with their errors in words."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from harness.errors import BadInput, Unfinished
from harness.storage.databases import open_database
from harness.storage.regular import LARGEST

WAIT = 10.0
"""Seconds to wait for another process that writes."""


class DatabaseFile:
    """A file of answers, open; a context manager. Several processes may write at once.

    BadInput for a file that this program did not write so: another schema, a link, too long a value. `holds`:
    what is in it, in words. `longest`: the bytes of a value; `most`: of the file.
    """

    def __init__(
        self, path: Path, tables: Sequence[str], holds: str, longest: int, most: int = LARGEST
    ) -> None:
        self.path, self._holds = path, holds
        try:
            self._connection = open_database(path, tables, wait=WAIT, most=most)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged name in a message is not valid UTF-8
            raise self._refused(error) from error
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
        # The threads of a server share the connection, and a connection has one transaction.
        self._alone = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def fetch(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        try:
            with self._alone:
                return self._connection.execute(query, values).fetchall()
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            if "locked" in str(error):
                raise Unfinished(f"{self.path}: another process holds the file; try again") from error
            raise self._refused(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Store all that is written in the block, or nothing; a nested block is a part of the outer one.

        In WAL mode a commit survives a kill without a sync of its own.
        """
        with self._alone:
            if self._connection.in_transaction:
                yield
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                # A full disk, or another process held the file for too long: nothing was stored.
                raise self._not_stored(error) from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _not_stored(self, error: sqlite3.Error) -> Unfinished:
        return Unfinished(f"{self.path}: the answers were not stored ({error})")

    def _refused(self, error: Exception) -> BadInput:
        return BadInput.at(self.path, f"cannot be read as {self._holds} ({error}); restore it")
