"""records.jsonl: append-only, repaired where a kill cut it off, refused where it is damaged."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from harness.errors import BadInput, Fault
from harness.nouns.records import Failed, Key, Record
from harness.storage.files import parse, to_line, unreadable

RECORDS = "records.jsonl"
SYNC_EVERY = 64
"""Records between two syncs to the disk. A killed process loses none; a power cut at most these."""


def read_records(folder: Path) -> tuple[list[Record], int]:
    """Every whole record, and the bytes that they take. BadInput where the file is damaged."""
    records: list[Record] = []
    size = 0
    for record, end in iter_records(folder):
        records.append(record)
        size = end
    return records, size


def iter_records(folder: Path) -> Iterator[tuple[Record, int]]:
    """Each whole record with the byte that it ends at, one by one.

    What follows the last line end is a line that a kill cut off: it is left out, unless it is
    whole but for its line end. Damage anywhere else is refused, when the file has been gone through.
    """
    path = folder / RECORDS
    try:
        with path.open("rb") as file:
            yield from _records_in(file, path)
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error


def _records_in(file: BinaryIO, path: Path) -> Iterator[tuple[Record, int]]:
    faults: list[Fault] = []
    at = 0
    for number, line in enumerate(file, start=1):
        at += len(line)
        whole = line.endswith(b"\n")
        record, found = parse(Record, line.rstrip(b"\n"), f"{path}, line {number}, not a record")
        faults += found if whole else []
        if record is not None and not faults:
            yield record, at
    if faults:
        damage = "the file is damaged; restore it, or start a new run"
        raise BadInput([*faults, Fault(str(path), damage)])


class RecordLog:
    """The records of one run, open for appending by one process at a time.

    Opening repairs a line that a kill cut off. `answered` and `failed` hold the keys of what is there,
    `models` who answered; the records themselves stay on the disk.
    """

    def __init__(self, folder: Path) -> None:
        self.answered: set[Key] = set()
        self.failed: set[Key] = set()
        self.models: set[str] = set()
        self._file: BinaryIO = (folder / RECORDS).open("r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise BadInput(f"{folder}: another process is writing this run") from None
        size = 0
        try:
            for record, end in _records_in(self._file, folder / RECORDS):
                self._note(record)
                size = end
        except BadInput:
            self._file.close()
            raise
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)
        if size and not _ends_in_newline(folder / RECORDS):
            self._file.write(b"\n")
        self._unsynced = 0

    def append(self, record: Record) -> None:
        """Add one record; from here on a kill does not lose it."""
        self._file.write(to_line(record).encode("utf-8"))
        self._file.flush()
        self._note(record)
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            self._sync()

    def _note(self, record: Record) -> None:
        """The last record of a key counts."""
        kept, other = self.answered, self.failed
        if isinstance(record.outcome, Failed):
            kept, other = other, kept
        kept.add(record.key)
        other.discard(record.key)
        if record.reply and record.reply.model:
            self.models.add(record.reply.model)

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        self._sync()
        self._file.close()


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
