"""batches.jsonl: what a run hands over to a batch API, on the disk before it is done.

A line says that a batch is meant, one that it was sent and what the server calls it, one that it is over and
its answers are records, or that it is lost. So that a run that was killed between any two of these knows
what may be out there.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from harness.errors import BadInput, Fault
from harness.nouns.base import Noun
from harness.nouns.records import Key
from harness.storage.files import build, parse_json, read_bytes, to_line
from harness.storage.regular import open_to_append

BATCHES = "batches.jsonl"


class Entry(Noun):
    """One line. `mark` names the batch, here and in the ids of its requests; `batch` is the server's name."""

    mark: str
    step: Literal["meant", "sent", "over", "lost"]
    at: str
    keys: tuple[Key, ...] = ()
    again: bool = False
    batch: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """A batch as the log tells it. `again`: its questions were answered once, and not readably."""

    mark: str
    keys: tuple[Key, ...]
    again: bool
    meant_at: str
    batch: str | None = None
    step: str = "meant"

    def id(self, number: int) -> str:
        """The id of its request of that number."""
        return f"{self.mark}-{number}"


class BatchLog:
    """The log of one run, whose records are open for this process alone."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / BATCHES
        self._parcels: dict[str, LoggedBatch] = {}
        self.named: set[str] = set()
        """Every batch that the server has named for this run."""
        size = self._read()
        self._file: BinaryIO = open_to_append(self._path)
        self._file.truncate(size)
        _sync_folder(folder)

    @property
    def parcels(self) -> list[LoggedBatch]:
        """Every batch, as it stands."""
        return list(self._parcels.values())

    def mean(self, mark: str, keys: Sequence[Key], *, again: bool) -> LoggedBatch:
        """A batch is about to be sent."""
        return self._add(Entry(mark=mark, step="meant", at=_now(), keys=tuple(keys), again=again))

    def sent(self, parcel: LoggedBatch, batch: str, detail: str = "") -> LoggedBatch:
        """The server has it, and calls it so."""
        return self._add(Entry(mark=parcel.mark, step="sent", at=_now(), batch=batch, detail=detail))

    def over(self, parcel: LoggedBatch, detail: str) -> LoggedBatch:
        """All that became of it is in the records."""
        return self._add(Entry(mark=parcel.mark, step="over", at=_now(), detail=detail))

    def lost(self, parcel: LoggedBatch, detail: str) -> LoggedBatch:
        """It is not at the server, or cannot be found there."""
        return self._add(Entry(mark=parcel.mark, step="lost", at=_now(), detail=detail))

    def _add(self, entry: Entry) -> LoggedBatch:
        self._file.write(to_line(entry, sparse=True).encode("utf-8"))
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._take(entry)

    def _take(self, entry: Entry) -> LoggedBatch:
        if entry.step == "meant":
            parcel = LoggedBatch(entry.mark, entry.keys, entry.again, entry.at)
        else:
            parcel = replace(self._parcels[entry.mark], step=entry.step)
        if entry.batch is not None:
            parcel = replace(parcel, batch=entry.batch)
            self.named.add(entry.batch)
        self._parcels[entry.mark] = parcel
        return parcel

    def _read(self) -> int:
        """Take in what is there, and how many bytes of it are whole: a kill can cut off the last line."""
        there = os.path.lexists(self._path)
        content = read_bytes(self._path, links=False) if there else b""
        *lines, torn = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            where = f"{self._path}, line {number}"
            try:
                entry, faults = build(Entry, parse_json(line.decode("utf-8")), where)
            except (ValueError, RecursionError) as error:
                entry, faults = None, [Fault(where, f"not JSON: {error}")]
            if entry is None or (entry.step != "meant" and entry.mark not in self._parcels):
                damage = "the file is damaged; restore it: it says which batches are paid for"
                raise BadInput([*faults, Fault(str(self._path), damage)])
            self._take(entry)
        return len(content) - len(torn)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _sync_folder(folder: Path) -> None:
    """A new file's name is safe only once its folder is synced too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
