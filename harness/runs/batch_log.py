"""batches.jsonl: each step of a batch, logged so that a killed run knows which batches may be out.

Steps: "meant" (logged before the upload), "sent" (with the server's id), then "over" (its answers are in the
records), "short" (those that can be read are; its results are read again when the run is resumed) or "lost".
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, Self

from pydantic import Field

from harness.errors import BadInput, Fault
from harness.nouns.base import Noun
from harness.nouns.records import Key
from harness.storage.files import build, read_bytes, to_line
from harness.storage.regular import append_whole, open_to_append
from harness.storage.strict_json import json_fault, parse_whole

BATCHES = "batches.jsonl"
Ending = Literal["over", "short", "lost"]
FOUND = "found at the server"
"""The detail of a batch whose id was looked up: it may be another run's."""


class Entry(Noun):
    """One line. `mark`: our id of the batch, also in the ids of its requests; `batch`: the server's id.

    `worst`: USD that each of its questions can cost at most, None where that is unknown. `address`: where it
    is sent, if not to that of the manifest.
    """

    mark: str
    step: Literal["meant", "sent", "over", "short", "lost"]
    at: str
    keys: tuple[Key, ...] = ()
    again: bool = False
    batch: str | None = None
    detail: str = ""
    worst: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """A batch by its log. `again`: each of its questions has an answer that could not be read.

    `found`: it was looked up at the server.
    """

    mark: str
    keys: tuple[Key, ...]
    again: bool
    meant_at: str
    batch: str | None = None
    step: str = "meant"
    found: bool = False
    worst: float | None = None
    address: str | None = None

    def id(self, number: int) -> str:
        """The id of a request by its number."""
        return f"{self.mark}-{number}"


class BatchLog:
    """The batch log of one run. This process holds the lock of the run's records."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / BATCHES
        self._batches: dict[str, LoggedBatch] = {}
        self.named: set[str] = set()
        """The server's ids of all batches of this run."""
        entries, size = _read(self._path)
        for entry in entries:
            self._take(entry)
        self._file: BinaryIO = open_to_append(self._path)
        self._file.truncate(size)
        _sync_folder(folder)

    @property
    def batches(self) -> list[LoggedBatch]:
        """Every batch in its latest step."""
        return list(self._batches.values())

    def meant(
        self,
        mark: str,
        keys: Sequence[Key],
        *,
        again: bool,
        worst: float | None = None,
        address: str | None = None,
    ) -> LoggedBatch:
        """A batch is about to be sent."""
        how = {"again": again, "worst": worst, "address": address}
        return self._add(Entry(mark=mark, step="meant", at=_now(), keys=tuple(keys), **how))

    def sent(self, logged: LoggedBatch, batch: str, detail: str = "") -> LoggedBatch:
        """The server has the batch under the id `batch`."""
        return self._add(Entry(mark=logged.mark, step="sent", at=_now(), batch=batch, detail=detail))

    def ended(self, logged: LoggedBatch, step: Ending, detail: str) -> LoggedBatch:
        """The batch is not waited for any more, for now or for good."""
        return self._add(Entry(mark=logged.mark, step=step, at=_now(), detail=detail))

    def _add(self, entry: Entry) -> LoggedBatch:
        append_whole(self._file, to_line(entry, sparse=True).encode("utf-8"))
        os.fsync(self._file.fileno())
        return self._take(entry)

    def _take(self, entry: Entry) -> LoggedBatch:
        self._batches[entry.mark] = logged = _after(entry, self._batches.get(entry.mark))
        if entry.batch is not None:
            self.named.add(entry.batch)
        return logged

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def batches_out(folder: Path) -> list[LoggedBatch]:
    """The batches of a run that may be at the server, in whole or in part. BadInput for a damaged log."""
    batches: dict[str, LoggedBatch] = {}
    for entry in _read(folder / BATCHES)[0]:
        batches[entry.mark] = _after(entry, batches.get(entry.mark))
    return [logged for logged in batches.values() if logged.step in ("meant", "sent", "short")]


def _after(entry: Entry, before: LoggedBatch | None) -> LoggedBatch:
    """The batch after a further step."""
    if entry.step == "meant" or before is None:
        logged = LoggedBatch(
            entry.mark, entry.keys, entry.again, entry.at, worst=entry.worst, address=entry.address
        )
    else:
        logged = replace(before, step=entry.step)
    return logged if entry.batch is None else replace(logged, batch=entry.batch, found=entry.detail == FOUND)


def _read(path: Path) -> tuple[list[Entry], int]:
    """The entries, and the length of the whole lines: a kill can cut off the last one."""
    content = read_bytes(path, links=False) if os.path.lexists(path) else b""
    *lines, torn = content.split(b"\n")
    entries, marks = list[Entry](), set[str]()
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        try:
            entry, faults = build(Entry, parse_whole(line.decode("utf-8")), where)
        except (ValueError, RecursionError) as error:
            entry, faults = None, [Fault(where, f"not JSON: {json_fault(error, lines=False)}")]
        if entry is None or (entry.step != "meant" and entry.mark not in marks):
            damage = "the file is damaged; restore it: it lists the batches that are paid for"
            raise BadInput([*faults, Fault(str(path), damage)])
        marks.add(entry.mark)
        entries.append(entry)
    return entries, len(content) - len(torn)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _sync_folder(folder: Path) -> None:
    """A new file's name is safe only once its folder is synced too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
