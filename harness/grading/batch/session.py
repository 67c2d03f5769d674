"""The desk: all that a run's batches have to do with, and what is done at every turn."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from harness.errors import TransientError, Unfinished
from harness.grading.batch.batch_log import BatchLog
from harness.grading.budget import Reservation
from harness.grading.events import EventLog
from harness.grading.job import Job
from harness.grading.live.ask import is_curable
from harness.grading.stop import DrainedError, Stop
from harness.grading.worker import Worker
from harness.nouns.records import Key, Record
from harness.providers.batches import Batches
from harness.runs.record_log import RecordLog, iter_records

QUICKEST, SLOWEST, GROWTH = 5.0, 300.0, 1.5
"""Seconds between two looks or tries: at first, at most, and how they grow."""
PATIENCE = 20
"""Tries in a row before a server counts as gone: an hour and more. A batch loses nothing by it."""
CALL = 1800.0
"""Seconds that one call may take: the upload of a batch is one."""

Done = TypeVar("Done")
Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class BatchSession:
    """All that a run's batches have to do with."""

    job: Job
    batches: Batches
    log: RecordLog
    sent: BatchLog
    events: EventLog
    worker: Worker
    stop: Stop
    sleep: Sleep
    out: set[Key] = field(default_factory=set)
    """What is in a batch that has still to be taken in."""
    rooms: dict[Key, Reservation] = field(default_factory=dict)
    """What each of these can cost, where the run has a limit."""

    def say(self, text: str) -> None:
        """Tell the user, and whoever wonders later."""
        self.job.watch.said(text)
        self.events.note(text)

    def go_on(self) -> None:
        """DrainedError where the run is to end: before anything that costs money or time."""
        if self.stop.called:
            raise DrainedError


def unread_once(desk: BatchSession) -> dict[Key, Record]:
    """The records whose answer could not be read, and was not asked for again."""
    found: dict[Key, Record] = {}
    for record, _ in iter_records(desk.job.folder):
        if is_curable(record.outcome) and record.attempts == 1:
            found[record.key] = record
        else:
            found.pop(record.key, None)
    return found


def pauses() -> Iterator[float]:
    """How long to wait, again and again."""
    pause = QUICKEST
    while True:
        yield pause
        pause = min(pause * GROWTH, SLOWEST)


async def pause_after(desk: BatchSession, error: TransientError, pause: float) -> None:
    """Wait as long as the server asks for, within reason; else as long as it is our turn to."""
    await desk.sleep(pause if error.retry_after is None else min(error.retry_after, SLOWEST))


async def patiently(desk: BatchSession, call: Callable[[], Awaitable[Done]]) -> Done:
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
