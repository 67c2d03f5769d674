"""Open SQLite files that somebody else may have written.

SQLite trusts files beside a database: a rollback journal can name any other file, which SQLite then deletes.
So a database of ours is whole and in WAL mode from its first byte, and never has a rollback journal: one that
lies beside it is foreign. The log and its index (-wal, -shm), which a killed process leaves, name no other
file.
"""

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from harness.errors import BadInput
from harness.storage.files import write_atomic
from harness.storage.locks import alone
from harness.storage.regular import LARGEST, open_regular, unreadable

JOURNAL = "-journal"
ENDINGS = ("", "-wal", "-shm", JOURNAL)
"""The endings of a database's files."""
_HEADER, _VERSIONS, _WAL = b"SQLite format 3\0", slice(18, 20), b"\2\2"
"""The bytes of a database that name its kind of journal, and their value for WAL."""
_FOREIGN = (
    "is a rollback journal, which this program never writes, and which can make SQLite delete other files: "
    "delete it, and take the folder from a source that you trust"
)
_SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
Schema = set[tuple[str, str, str]]


def open_database(
    path: Path, tables: Sequence[str], *, wait: float, most: int = LARGEST
) -> sqlite3.Connection:
    """Open a database; create it with its tables if it is missing. Several processes may do so at once.

    BadInput for what this program does not write: a link, a rollback journal, another mode, another schema.
    sqlite3.Error where it is damaged, or held by others for `wait` seconds. `most`: the bytes of a file.
    """
    _check_files(path, most)
    empty, schema = _empty(tables)
    if not _content(path):
        with alone(path.with_name(f".{path.name}.lock")):
            # Another process may have made it, and have answers in it.
            if not _content(path):
                write_atomic(path, empty)
    head = _content(path)
    if head.startswith(_HEADER) and head[_VERSIONS] != _WAL:
        raise BadInput.at(path, "is not in WAL mode, as this program writes it; restore it")
    return _patient(path, schema, wait)


def _check_files(path: Path, most: int) -> None:
    """BadInput where a file that SQLite would open is foreign or too large."""
    for ending in ENDINGS:
        file = path.with_name(path.name + ending)
        try:
            with open_regular(file, links=False) as found:
                size = os.fstat(found.fileno()).st_size
        except FileNotFoundError:
            continue
        except OSError as error:
            raise BadInput([unreadable(file, error)]) from error
        if ending == JOURNAL:
            raise BadInput.at(file, _FOREIGN)
        if size > most:
            raise BadInput.at(file, f"larger than {most >> 20:,} MB, the most that is opened")


def _content(path: Path) -> bytes:
    """The first bytes of a file; empty without one."""
    try:
        with open_regular(path, links=False) as file:
            return file.read(100)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error


def _empty(tables: Sequence[str]) -> tuple[bytes, Schema]:
    """A database without rows, as a file, and its schema.

    SQLite would make it in rollback mode first, and a kill would leave a journal like a foreign one.
    """
    with closing(sqlite3.connect(":memory:")) as memory:
        for table in tables:
            memory.execute(table)
        content = bytearray(memory.serialize())
        content[_VERSIONS] = _WAL
        return bytes(content), set(memory.execute(_SCHEMA))


def _patient(path: Path, schema: Schema, wait: float) -> sqlite3.Connection:
    ends = time.monotonic() + wait
    while True:
        try:
            return _connect(path, schema, wait)
        except sqlite3.OperationalError as error:
            # SQLite's time-out does not cover two processes that recover the log at the same time.
            if "locked" not in str(error) or time.monotonic() >= ends:
                raise
        time.sleep(0.02)


def _connect(path: Path, schema: Schema, wait: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        # A received file's views and triggers call no function, pages are checked, no file is made elsewhere.
        for pragma in (
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "mmap_size = 0",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        _check_schema(connection, path, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_schema(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    """BadInput for any other table, view, trigger or index than ours."""
    found = set(connection.execute(_SCHEMA))
    if found != schema:
        odd = ", ".join(sorted(f"{kind} {name}" for kind, name, _ in found - schema))
        what = f"is not a file that this program wrote ({odd or 'a table is missing'}); restore it"
        raise BadInput.at(path, what)
