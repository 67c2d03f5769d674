"""Counts by question that may be more than memory should hold: SQLite has them, in a temporary file."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from harness.nouns.records import Key

HELD = 10_000
"""How many counts are held before they are written together."""


class DiskCounts:
    """Counts like a Counter; its file vanishes with it."""

    def __init__(self) -> None:
        import sqlite3  # imported here: it takes 5 ms, and most gates count nothing on disk

        # Without a name, SQLite makes a private file, and deletes it when it is closed.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute(
            "CREATE TABLE counts (example TEXT, repeat INTEGER, count INTEGER, "
            "PRIMARY KEY (example, repeat)) WITHOUT ROWID"
        )
        self._held: dict[Key, int] = {}

    def __getitem__(self, key: Key) -> int:
        if key in self._held:
            return self._held[key]
        found = self._file.execute(
            "SELECT count FROM counts WHERE example = ? AND repeat = ?", key
        ).fetchone()
        return found[0] if found else 0

    def __setitem__(self, key: Key, count: int) -> None:
        self._held[key] = count
        if len(self._held) >= HELD:
            self._write()

    def _write(self) -> None:
        rows = ((*key, count) for key, count in sorted(self._held.items()))
        self._file.execute("BEGIN")
        self._file.executemany("REPLACE INTO counts VALUES (?, ?, ?)", rows)
        self._file.execute("COMMIT")
        self._held.clear()

    def below_zero(self) -> Iterator[tuple[Key, int]]:
        """Every key whose count is below zero, with the count."""
        self._write()
        with closing(self._file.execute("SELECT example, repeat, count FROM counts WHERE count < 0")) as rows:
            yield from (((example, repeat), count) for example, repeat, count in rows)

    def close(self) -> None:
        """Close and delete the file."""
        self._file.close()


Counts = Counter[Key] | DiskCounts
"""Counts by question, in memory or on the disk."""
