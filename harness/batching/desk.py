"""The desk: all that a run's batches have to do with, and what is done at every turn."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from harness.batching.log import BatchLog
from harness.errors import TransientError, Unfinished
from harness.journal import RecordLog
from harness.plan import Plan
from harness.providers.batches import Batches
from harness.recording import Question, Recorder, is_curable
from harness.records import Failed, Key, Record

QUICKEST, SLOWEST, GROWTH = 5.0, 300.0, 1.5
"""Seconds between two looks or tries: at first, at most, and how they grow."""
PATIENCE = 20
"""Tries in a row before a server counts as gone: an hour and more. A batch loses nothing by it."""
CALL = 1800.0
"""Seconds that one call may take: the upload of a batch is one."""

Done = TypeVar("Done")
Sleep = Callable[[float], Awaitable[object]]


class Watch(Protocol):
    """What the caller is told."""

    @property
    def recorded(self) -> Callable[[Record], None]:
        """A question has its outcome."""

    @property
    def said(self) -> Callable[[str], None]:
        """A sentence for the user about the batches."""


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a run's batches have to do with. `first` grades one question live."""

    plan: Plan
    batches: Batches
    log: RecordLog
    watch: Watch
    sent: BatchLog
    first: Callable[[Question], Awaitable[Record]]
    record: Recorder
    sleep: Sleep
    questions: dict[Key, Question]


def key_of(question: Question) -> Key:
    """A question's key in the records."""
    return question[0].id, question[1]


def is_open(record: Record | None, *, again: bool) -> bool:
    """Whether an answer is still wanted: the first one, or another for one that could not be read."""
    if again:
        return record is not None and is_curable(record.outcome) and record.attempts == 1
    return record is None or isinstance(record.outcome, Failed)


def second(before: Record, record: Record) -> Record:
    """The record after another answer was asked for: it counts where it came, and the first one is kept."""
    spent = {
        "attempts": before.attempts + record.attempts,
        "seconds": round(before.seconds + record.seconds, 3),
    }
    if record.reply is None:
        return before.model_copy(update=spent)
    return record.model_copy(update={**spent, "unread": before.reply})


def keep(desk: Desk, record: Record) -> None:
    """Append a record, and tell of it where it is the last word on its question."""
    desk.log.append(record)
    if not is_open(record, again=True):
        desk.watch.recorded(record)


def pauses() -> Iterator[float]:
    """How long to wait, again and again."""
    pause = QUICKEST
    while True:
        yield pause
        pause = min(pause * GROWTH, SLOWEST)


async def pause_after(desk: Desk, error: TransientError, pause: float) -> None:
    """Wait as long as the server asks for, within reason; else as long as it is our turn to."""
    await desk.sleep(pause if error.retry_after is None else min(error.retry_after, SLOWEST))


async def patiently(desk: Desk, call: Callable[[], Awaitable[Done]]) -> Done:
    """A call that only reads, tried again while the server is busy or away."""
    turns = pauses()
    for _ in range(PATIENCE):
        try:
            return await once(call())
        except TransientError as error:
            last = error
            await pause_after(desk, error, next(turns))
    raise Unfinished(f"the server did not answer {PATIENCE} times in a row: {last}")


async def once(call: Awaitable[Done]) -> Done:
    """A call that ends in time."""
    try:
        async with asyncio.timeout(CALL):
            return await call
    except TimeoutError:
        raise TransientError(f"no whole answer within {CALL:.0f} s") from None
