"""The records of a run: append-only files, read as one stream.

records.jsonl is the first segment. One that is full is followed by records-2.jsonl and so on, and is not
written again, so that backups of a long run take only what is new. A line that a kill cut off, at the end of
the last segment, is repaired; other damage is an error.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from harness.errors import BadInput, Fault
from harness.nouns.records import Failed, Key, Record
from harness.storage.files import parse, to_line
from harness.storage.locks import alone
from harness.storage.regular import LONGEST_LINE, append_whole, lines_of, open_regular, reading

if TYPE_CHECKING:
    from filelock import BaseFileLock

RECORDS, LOCK = "records.jsonl", ".records.lock"
SYNC_EVERY = 64
"""How many records are written between two syncs. A kill loses none, a power cut at most these."""
SEGMENT = 256 << 20
"""Bytes after which a segment is full."""
KEPT = 1_000
"""Characters that are kept of a text that is too long to keep."""
DAMAGE = "the file is damaged; restore it, or start a new run"


def segment(folder: Path, number: int) -> Path:
    """The file of a segment; the first is number 1."""
    return folder / (RECORDS if number == 1 else f"records-{number}.jsonl")


def segments(folder: Path) -> list[Path]:
    """The files of a run's records in the order of writing. The first is named even where it is missing."""
    later = (segment(folder, number) for number in count(2))
    return [segment(folder, 1), *takewhile(os.path.lexists, later)]


def _unbroken(folder: Path) -> list[Path]:
    """The segments. BadInput if one in the middle is gone: its answers would be asked and paid for again."""
    found = segments(folder)
    if lost := set(folder.glob("records-*.jsonl")) - set(found):
        what = f"no such file, though {min(lost).name} follows it; restore it"
        raise BadInput([Fault(str(segment(folder, len(found) + 1)), what)])
    return found


def iter_records(folder: Path) -> Iterator[Record]:
    """Each record of a run, one by one, as `iter_written` reads them."""
    return (record for record, _ in iter_written(folder))


def iter_written(folder: Path) -> Iterator[tuple[Record, bytes]]:
    """Each record of a run with its line, without the line's end.

    A last line that a kill cut off is skipped, unless only its line end is missing. BadInput, at the end of
    its file, for any other damage.
    """
    *full, last = _unbroken(folder)
    for path in full:
        yield from _full_segment(path)
    with reading(last, links=False) as file:
        yield from ((record, line) for record, line, _ in _records_in(file, last))


def last_record(folder: Path) -> Record | None:
    """The last record of a run that has any, without reading the others."""
    for path in reversed(_unbroken(folder)):
        with reading(path, links=False) as file:
            ends = deque(lines_of(file, path), maxlen=2)
        found = (parse(Record, line, str(path))[0] for line in reversed(ends))
        if record := next((one for one in found if one is not None), None):
            return record
    return None


def _full_segment(path: Path) -> Iterator[tuple[Record, bytes]]:
    """The records of a segment that others follow: nothing writes it any more, so its lines are whole."""
    size = 0
    with reading(path, links=False) as file:
        for record, line, end in _records_in(file, path):
            yield record, line
            size = end
        if size != os.fstat(file.fileno()).st_size:
            raise BadInput([Fault(str(path), f"the last line is cut off; {DAMAGE}")])


def _records_in(file: BinaryIO, path: Path) -> Iterator[tuple[Record, bytes, int]]:
    """Each record with its line and the offset of its end."""
    faults: list[Fault] = []
    at = 0
    for number, line in enumerate(lines_of(file, path), start=1):
        at += len(line)
        whole = line.endswith(b"\n")
        written = line.rstrip(b"\n")
        record, found = parse(Record, written, f"{path}, line {number}, not a record")
        faults += found if whole else []
        if record is not None and not faults:
            yield record, written, at
    if faults:
        raise BadInput([*faults, Fault(str(path), DAMAGE)])


def writing(folder: Path, what: str = "run") -> "BaseFileLock":
    """Lock a run, or another folder, until `release`. BadInput if another process holds the lock."""
    from filelock import Timeout

    lock = alone(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise BadInput.at(folder, f"another process is writing this {what}") from None
    return lock


def stored_text(record: Record) -> str:
    """A record as the store of a label set keeps it; without its texts if they are too long to read again."""
    text = record.model_dump_json(exclude_none=True)
    if len(text) * 4 > LONGEST_LINE and (size := len(text.encode("utf-8"))) > LONGEST_LINE:
        text = without_texts(record, size).model_dump_json(exclude_none=True)
    return text


def without_texts(record: Record, size: int) -> Record:
    """A record that could not be read again, as a failed one: its answer is paid for, but cannot be kept."""
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
    `text`: how a record is written, as a line with its end.
    """

    def __init__(self, folder: Path, text: Callable[[Record], str] = to_line) -> None:
        self._text = text
        self.answered: set[Key] = set()
        self.count = 0
        self.failed: set[Key] = set()
        self.models: set[str] = set()
        self._folder = folder
        self._lock: BaseFileLock = writing(folder)
        try:
            *full, path = _unbroken(folder)
            for record, _ in chain.from_iterable(_full_segment(one) for one in full):
                self._note(record, last=False)
            self._file: BinaryIO = self._mended(path)
        except (BadInput, OSError):
            self._lock.release()
            raise
        self._unsynced = 0

    @property
    def failures(self) -> int:
        """How many questions were asked and have no answer."""
        return len(self.failed)

    def is_answered(self, key: Key) -> bool:
        """Whether a key had an answer when the log was opened."""
        return key in self.answered

    def has_failed(self, key: Key) -> bool:
        """Whether a key was asked and has no answer."""
        return key in self.failed

    def records(self) -> Iterator[Record]:
        """Every record, in the order of writing."""
        return iter_records(self._folder)

    def _mended(self, path: Path) -> BinaryIO:
        """The last segment, open for appending, its records noted, and a line that was cut off removed."""
        file = open_regular(path, os.O_RDWR, links=False)
        try:
            size = 0
            for record, _, end in _records_in(file, path):
                self._note(record, last=False)
                size = end
            file.truncate(size)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    append_whole(file, b"\n")
        except (BadInput, OSError):
            file.close()
            raise
        return file

    def append(self, record: Record, *, last: bool = True) -> None:
        """Add one record; after this call a kill does not lose it. `last`: the key is not appended again."""
        line = self._text(record).encode("utf-8")
        if len(line) > LONGEST_LINE:
            record = without_texts(record, len(line))
            line = self._text(record).encode("utf-8")
        if os.fstat(self._file.fileno()).st_size >= SEGMENT:
            self._begin_segment()
        append_whole(self._file, line)
        self._note(record, last=last)
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            self._sync()

    def _begin_segment(self) -> None:
        """Go on in a new file; a kill right after leaves it empty, which is not damage."""
        self._sync()
        path = segment(self._folder, len(segments(self._folder)) + 1)
        new = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, links=False)
        self._file.close()
        self._file = new

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
            self._file.close()
            self._lock.release()


def answered_in(folder: Path) -> frozenset[Key]:
    """The questions of a run that have an answer, readable or not: the rest is asked by a resume."""
    last = {record.key: isinstance(record.outcome, Failed) for record in iter_records(folder)}
    return frozenset(key for key, failed in last.items() if not failed)
