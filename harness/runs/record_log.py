"""records.jsonl: append-only. A line that a kill cut off is repaired; other damage is an error."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from harness.errors import BadInput, Fault
from harness.nouns.records import Failed, Key, Record
from harness.storage.files import parse, to_line
from harness.storage.locks import alone
from harness.storage.regular import LONGEST_LINE, append_whole, lines_of, open_regular, unreadable

if TYPE_CHECKING:
    from filelock import BaseFileLock

RECORDS, LOCK = "records.jsonl", ".records.lock"
SYNC_EVERY = 64
"""Records between two syncs to the disk. A killed process loses none, a power cut at most these."""
KEPT = 1_000
"""Characters that are kept of a text that is too long to keep."""


def iter_records(folder: Path) -> Iterator[tuple[Record, int]]:
    """Each record with the offset of its end, one by one.

    A last line that a kill cut off is skipped, unless only its line end is missing. BadInput, at the end of
    the file, for any other damage.
    """
    path = folder / RECORDS
    try:
        with open_regular(path, links=False) as file:
            yield from _records_in(file, path)
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error


def _records_in(file: BinaryIO, path: Path) -> Iterator[tuple[Record, int]]:
    faults: list[Fault] = []
    at = 0
    for number, line in enumerate(lines_of(file, path), start=1):
        at += len(line)
        whole = line.endswith(b"\n")
        record, found = parse(Record, line.rstrip(b"\n"), f"{path}, line {number}, not a record")
        faults += found if whole else []
        if record is not None and not faults:
            yield record, at
    if faults:
        damage = "the file is damaged; restore it, or start a new run"
        raise BadInput([*faults, Fault(str(path), damage)])


def writing(folder: Path) -> "BaseFileLock":
    """Lock a run for writing, until `release`. BadInput if another process holds the lock."""
    from filelock import Timeout

    lock = alone(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise BadInput(f"{folder}: another process is writing this run") from None
    return lock


def _without_texts(record: Record, size: int) -> Record:
    """A record that no reader would take, as a failed one: its answer is paid for, and cannot be kept."""
    what = f"the answer is too long to keep: {size >> 20} MB, and a record may have {LONGEST_LINE >> 20} MB"
    short = {
        name: reply.model_copy(
            update={"text": reply.text[:KEPT], "thinking": None, "model": reply.model[:KEPT]}
        )
        for name in ("reply", "unread")
        if (reply := getattr(record, name))
    }
    return record.model_copy(update={"outcome": Failed(detail=what), **short})


class RecordLog:
    """The records of one run, open for appending by one process at a time.

    Opening repairs a line that a kill cut off. `answered`: the keys that had an answer then, which a resume
    does not ask again, and of those appended the ones that may be appended again. `count`: all answers.
    `failed`: the keys that were asked and have no answer. `models`: who answered. Records stay on the disk.
    """

    def __init__(self, folder: Path) -> None:
        self.answered: set[Key] = set()
        self.count = 0
        self.failed: set[Key] = set()
        self.models: set[str] = set()
        self._file: BinaryIO = open_regular(folder / RECORDS, os.O_RDWR, links=False)
        self._lock: BaseFileLock | None = None
        size = 0
        try:
            self._lock = writing(folder)
            for record, end in _records_in(self._file, folder / RECORDS):
                self._note(record, last=False)
                size = end
        except (BadInput, OSError):
            self._close()
            raise
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)
        if size:
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                append_whole(self._file, b"\n")
        self._unsynced = 0

    def append(self, record: Record, *, last: bool = True) -> None:
        """Add one record; after this call a kill does not lose it. `last`: the key is not appended again."""
        line = to_line(record).encode("utf-8")
        if len(line) > LONGEST_LINE:
            record = _without_texts(record, len(line))
            line = to_line(record).encode("utf-8")
        append_whole(self._file, line)
        self._note(record, last=last)
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            self._sync()

    def _note(self, record: Record, *, last: bool) -> None:
        """The last record of a key counts."""
        key = record.key
        counted = key in self.answered
        self.failed.discard(key)
        if isinstance(record.outcome, Failed):
            self.failed.add(key)
            self.answered.discard(key)
            self.count -= counted
        else:
            self.count += not counted
            if not last:
                self.answered.add(key)
        if record.reply and record.reply.model:
            self.models.add(record.reply.model)

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._sync()
        finally:
            self._close()

    def _close(self) -> None:
        self._file.close()
        if self._lock:
            self._lock.release()
