"""Parts of a label set's questions, which other processes ask: each a folder of its own in `parts`.

pairs.jsonl      what is asked
records.jsonl    the answers, each of them on the disk before it counts
calls.jsonl      the calls that may have been billed

One process at a time answers a part, as it would a run; the process that has the store takes the answers
over, and deletes the part. So a kill of either loses no answer: what is left in `parts` is taken over by the
next command.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.errors import BadInput, Fault, Unfinished, refuse_faults
from harness.grading.job import Job
from harness.grading.questions import open_questions
from harness.nouns.records import Record
from harness.production.store import AnswerStore
from harness.runs.call_log import CallLog
from harness.runs.folder import PAIRS
from harness.runs.pairs import ShownPair
from harness.runs.record_log import LOCK, RECORDS, iter_records
from harness.storage.files import iter_nouns, write_lines
from harness.storage.locks import alone
from harness.storage.regular import odd_files

PARTS = "parts"
WAIT = 60.0
"""Seconds to wait for a process that still answers a part."""
_NAME = re.compile(r"[0-9]{8,12}")


@dataclass(frozen=True, slots=True)
class PartItems:
    """What a part asks."""

    folder: Path

    def __iter__(self) -> Iterator[ShownPair]:
        """Every pair of the part."""
        return iter_nouns(self.folder / PAIRS, ShownPair)

    def open(self) -> Iterator[ShownPair]:
        """The same: its record log says which have an answer."""
        return iter(self)


def part_folder(folder: Path, number: int) -> Path:
    """The folder of a part; the first is number 0."""
    return folder / PARTS / f"{number:08d}"


def lay_out(job: Job, store: AnswerStore, size: int) -> int:
    """Write the open questions as parts of `size` pairs; how many parts there are."""
    count, questions = 0, open_questions(job, store)
    while piece := [item for item, _ in islice(questions, size)]:
        for item in piece:
            store.forget(item.id)
        part = part_folder(job.folder, count)
        part.mkdir(parents=True)
        write_lines(part / PAIRS, (_shown(item.id, item.pair.data()) for item in piece))
        (part / RECORDS).touch()
        count += 1
    return count


def _shown(item: str, pair: dict[str, object]) -> ShownPair:
    return ShownPair.model_validate({"id": item, **pair})


def join_part(part: Path, store: AnswerStore, calls: CallLog) -> Iterator[Record]:
    """Take a part's answers over into the store, and delete the part; each record that was new.

    A kill on the way takes none over twice. Calls can then count twice as perhaps billed: the dear side.
    """
    refuse_faults(odd_files(part))
    with _alone(part):
        for record in iter_records(part) if (part / RECORDS).exists() else ():
            if not store.holds(record):
                store.append(record)
                yield record
        calls.add_all(part)
        shutil.rmtree(part)


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Wait until no process answers the part: one whose job was killed can live a little longer."""
    from filelock import Timeout

    try:
        with alone(part / LOCK).acquire(timeout=WAIT):
            yield
    except Timeout as error:
        what = f"{part}: a process of an earlier command still answers it; wait for its end, and try again"
        raise Unfinished(what) from error


def join_parts(folder: Path, store: AnswerStore) -> int:
    """Take over what an earlier command left in `parts`; how many answers. BadInput for anything odd."""
    parts = folder / PARTS
    if not parts.is_dir():
        return 0
    refuse_faults(odd_files(parts))
    calls, count = CallLog(folder), 0
    try:
        for part in sorted(parts.iterdir()):
            if not _NAME.fullmatch(part.name):
                raise BadInput([Fault(str(part), "is no part of a label set: take it out")])
            count += sum(1 for _ in join_part(part, store, calls))
    finally:
        calls.close()
    parts.rmdir()
    return count
