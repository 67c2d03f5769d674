"""records.jsonl: append-only, repaired where a kill cut it off, refused where it is damaged."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from harness.errors import BadInput, Fault
from harness.files import build, parse_json, read_bytes, to_line
from harness.records import Record, latest

RECORDS = "records.jsonl"
SYNC_EVERY = 64
"""Records between two syncs to the disk. A killed process loses none; a power cut at most these."""


def read_records(folder: Path) -> tuple[list[Record], int]:
    """Every whole record, and the bytes that they take.

    What follows the last line end is a line that a kill cut off: it is left out, unless it is
    whole but for its line end. Damage anywhere else is refused.
    """
    path = folder / RECORDS
    content = read_bytes(path)
    lines = content.split(b"\n")
    torn = lines.pop()
    records: list[Record] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=1):
        record, found = _record(line, f"{path}, line {number}", path)
        records += [record] if record else []
        faults += found
    if faults:
        damage = "the file is damaged; restore it, or start a new run"
        raise BadInput([*faults, Fault(str(path), damage)])
    last, _ = _record(torn, "", path) if torn else (None, [])
    if last is not None:
        return [*records, last], len(content)
    return records, len(content) - len(torn)


def _record(line: bytes, where: str, path: Path) -> tuple[Record | None, list[Fault]]:
    try:
        return build(Record, parse_json(line.decode("utf-8")), where)
    except (ValueError, RecursionError) as error:
        return None, [Fault(where, f"not a record: {error}")]


class RecordLog:
    """The records of one run, open for appending by one process at a time.

    Opening repairs a line that a kill cut off. `records` holds what was there.
    """

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO = (folder / RECORDS).open("r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise BadInput(f"{folder}: another process is writing this run") from None
        try:
            found, size = read_records(folder)
        except BadInput:
            self._file.close()
            raise
        self.records = latest(found)
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)
        if size and not _ends_in_newline(folder / RECORDS):
            self._file.write(b"\n")
        self._unsynced = 0

    def append(self, record: Record) -> None:
        """Add one record; from here on a kill does not lose it."""
        self._file.write(to_line(record).encode("utf-8"))
        self._file.flush()
        self.records[record.key] = record
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            self._sync()

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
