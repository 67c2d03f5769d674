"""calls.jsonl: each call that may cost money, logged before it is sent; a later process counts what was lost.

A call without an answer may have been billed: it timed out, the connection was lost, or a kill ended its
process. The answers are in the records, so that one line per call is enough.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from harness.errors import BadInput, Fault
from harness.nouns.base import Amount, Count, Noun
from harness.nouns.records import Key
from harness.runs.counts import Counts, DiskCounts
from harness.runs.record_log import SYNC_EVERY
from harness.storage.files import parse, read_text, to_line, write_atomic
from harness.storage.line_log import open_log, whole_lines
from harness.storage.regular import append_whole

CALLS = "calls.jsonl"
TAKEN_AT = "calls.taken-at"
"""The file, in a folder whose calls are taken over, that says how many bytes the log had before."""


DAMAGE = "restore it: it lists the calls that may have been billed"


class Call(Noun):
    """One line: a call about to be sent, or with `free` that the last one of its question cost nothing.

    `worst`: USD that it can cost at most, None where the price is unknown; the tokens are at most, too. With
    `counted`, they are what the server counted of the last call of its question, which brought no answer.
    """

    example: str
    repeat: Count = 0
    input_tokens: Count = 0
    output_tokens: Count = 0
    worst: Amount | None = None
    free: bool = False
    counted: bool = False

    @property
    def key(self) -> Key:
        """Which question it asks."""
        return self.example, self.repeat


class CallLog:
    """The call log of one run, open for appending. The first call creates the file.

    This process holds the lock of the run's records.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / CALLS
        self._file: BinaryIO | None = None
        self._unsynced = 0

    def add(self, call: Call) -> None:
        """Add a line; after this call a kill does not lose it."""
        self._append(to_line(call, sparse=True).encode("utf-8"), 1)

    def take_over(self, folder: Path) -> None:
        """Move the calls that another process logged in a folder into this log, each once.

        After a kill, the next process repeats this before it adds anything else: the folder says how long the
        log was before, and the log is cut to that length.
        """
        if whole := list(whole_lines(folder / CALLS)):
            self._cut_to(folder / TAKEN_AT)
            self._append(b"".join(whole), len(whole))
        (folder / CALLS).unlink(missing_ok=True)

    def _cut_to(self, mark: Path) -> None:
        """Cut the log to the length that a mark says; the first time it is made, with the length as it is."""
        file = self._opened()
        size = os.fstat(file.fileno()).st_size
        if not os.path.lexists(mark):
            write_atomic(mark, f"{size}\n")
            return
        text = read_text(mark, 100, links=False).strip()
        if not text.isascii() or not text.isdigit():
            raise BadInput([Fault(str(mark), f"is damaged; {DAMAGE}")])
        # After a power cut, the log can be shorter than it was.
        file.truncate(min(size, int(text)))

    def _opened(self) -> BinaryIO:
        """The log, without a line that a kill cut off: its call was never sent."""
        if self._file is None:
            self._file = open_log(self._path)
        return self._file

    def _append(self, lines: bytes, count: int) -> None:
        file = self._opened()
        append_whole(file, lines)
        self._unsynced += count
        if self._unsynced >= SYNC_EVERY:
            os.fsync(file.fileno())
            self._unsynced = 0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The calls without an answer that may have been billed, and how many others cost nothing."""

    calls: list[Call]
    free: int


def unanswered_calls(folder: Path, answers: Counts) -> Unanswered:
    """The calls of a run that brought no answer.

    `answers`: how many answers each question got, from which its calls are taken away. The log does not say
    which call was answered: the dearest calls of a question are taken as open. A run of an old version has no
    log. BadInput for a damaged log.
    """
    free, counted = 0, list[Call]()
    for call in _calls(folder / CALLS):
        free += call.free
        counted += [call] if call.counted else []
        answers[call.key] += 1 if call.free or call.counted else -1
    below = answers.below_zero() if isinstance(answers, DiskCounts) else answers.items()
    open_ = {key: -balance for key, balance in below if balance < 0}
    asked: dict[Key, list[Call]] = {key: [] for key in open_}
    for call in _calls(folder / CALLS) if open_ else ():
        if call.key in open_ and not (call.free or call.counted):
            asked[call.key].append(call)
    dearest = (sorted(same, key=_worst, reverse=True)[: open_[key]] for key, same in asked.items())
    return Unanswered([*counted, *chain.from_iterable(dearest)], free)


def _worst(call: Call) -> float:
    return math.inf if call.worst is None else call.worst


def _calls(path: Path) -> Iterator[Call]:
    """The whole lines. BadInput, at the end, for a damaged file."""
    faults: list[Fault] = []
    for number, line in enumerate(whole_lines(path), start=1):
        call, found = parse(Call, line, f"{path}, line {number}, not a call")
        faults += found
        if call is not None:
            yield call
    if faults:
        raise BadInput([*faults, Fault(str(path), f"the file is damaged; {DAMAGE}")])
