"""Parts of a label set's questions, which other processes ask: each a folder of its own in `parts`.

pairs.jsonl      what is asked, as the store has it
records.jsonl    the answers as the store will have them, each of them on the disk before it counts
calls.jsonl      the calls that may have been billed

One process at a time answers a part, as it would a run; the process that has the store takes the answers
over, and deletes the part. So a kill of either loses no answer: what is left in `parts` is taken over by the
next command.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.errors import BadInput, Fault, Unfinished, refuse_faults
from harness.nouns.base import Noun
from harness.nouns.pair import Pair
from harness.nouns.records import Record
from harness.production.store import AnswerStore, PairText, StoredPair
from harness.runs.call_log import TAKEN_AT, CallLog
from harness.runs.folder import PAIRS
from harness.runs.record_log import LOCK, RECORDS, RecordLog, iter_written, last_record, stored_text
from harness.storage.files import iter_nouns, too_long, write_atomic
from harness.storage.locks import alone
from harness.storage.regular import odd_files

PARTS = "parts"
WAIT = 60.0
"""Seconds to wait for a process that still answers a part."""
_NAME = re.compile(r"[0-9]{8,12}")


class PartPair(Noun):
    """A line of what is asked. `digest`: that of the pair, which takes as long to make as a prompt."""

    id: str
    digest: str
    pair: Pair


@dataclass(frozen=True, slots=True)
class PartItems:
    """What a part asks."""

    folder: Path

    def __iter__(self) -> Iterator[StoredPair]:
        """All pairs of the part."""
        for one in iter_nouns(self.folder / PAIRS, PartPair):
            yield StoredPair(one.id, one.pair.with_digest(one.digest))

    def open(self) -> Iterator[StoredPair]:
        """All pairs too: the record log says which have an answer."""
        return iter(self)


def part_folder(folder: Path, number: int) -> Path:
    """The folder of a part; the first is number 0."""
    return folder / PARTS / f"{number:08d}"


def lay_out(folder: Path, store: AnswerStore, size: int, *, only_failed: bool = False) -> int:
    """Write the pairs without an answer as parts of `size` pairs; how many parts there are.

    The texts are those of the store, byte for byte: nothing is read that an actor reads again.
    """
    count, open_ = 0, store.open_texts(only_failed=only_failed)
    while piece := list(islice(open_, size)):
        part = part_folder(folder, count)
        part.mkdir(parents=True)
        write_atomic(part / PAIRS, _lines(piece))
        (part / RECORDS).touch()
        count += 1
    return count


def _lines(piece: Iterable[PairText]) -> Iterator[str]:
    """A line for `PartPair`. BadInput for a line that it could not read."""
    for one in piece:
        head = json.dumps({"id": one.item, "digest": f"sha256:{one.digest.hex()}"}, ensure_ascii=False)
        line = f'{head[:-1]}, "pair": {one.body}}}\n'
        refuse_faults(too_long(line, one.item))
        yield line


def part_log(part: Path) -> RecordLog:
    """The answers of a part, open for appending by the process that asks it."""
    return RecordLog(part, lambda record: stored_text(record) + "\n")


def join_part(
    part: Path, store: AnswerStore, calls: CallLog, kept: Callable[[Record], None] | None = None
) -> int:
    """Take a part's answers over into the store, and delete the part; returns how many there were.

    `kept` is told of each. After a kill, no answer and no call is taken over twice: all answers of a part are
    taken over in one step, so its last answer shows whether they were; then come the calls.
    """
    refuse_faults(odd_files(part))
    with _alone(part):
        count, there = 0, (part / RECORDS).exists()
        last = last_record(part) if there else None
        if there and not (last and store.holds(last)):
            count = store.take_over(iter_written(part), kept)
        calls.take_over(part)
        shutil.rmtree(part)
    return count


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Wait until no process answers the part: one can live on a little after its job was killed."""
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
        for part in sorted(parts.iterdir(), key=_begun_first):
            if not _NAME.fullmatch(part.name):
                raise BadInput([Fault(str(part), "is not a part of a label set: remove it")])
            count += join_part(part, store, calls)
    finally:
        calls.close()
    parts.rmdir()
    return count


def _begun_first(part: Path) -> tuple[bool, str]:
    """A part whose calls a killed process began to take over comes before any other call is added."""
    return not os.path.lexists(part / TAKEN_AT), part.name
