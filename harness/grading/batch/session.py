"""The session: the shared objects and calls of a run's batches."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from harness.errors import TransientError, Unfinished
from harness.grading.budget import Reservation
from harness.grading.events import EventLog
from harness.grading.job import Answers, Job
from harness.grading.live.ask import is_curable
from harness.grading.stop import DrainedError, Stop
from harness.grading.worker import Worker
from harness.nouns.records import Key, Record
from harness.providers.batches import Batches
from harness.runs.batch_log import BatchLog, LoggedBatch
from harness.runs.manifest import how_to_resume, load_manifest

QUICKEST, SLOWEST, GROWTH = 5.0, 300.0, 1.5
"""Seconds between two polls or tries: at first, at most, and their growth."""
PATIENCE = 20
"""Tries in a row, over more than an hour, before a server counts as gone. The batch is not lost then."""
PATIENT = 3
"""Tries in a row after which the user is told."""
READS = 3
"""How often results are read in which no line is readable: an error page can come in their place."""
CALL = 1800.0
"""Seconds that one call, such as the upload of a batch, may take."""

Done = TypeVar("Done")
Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class BatchSession:
    """The shared objects of a run's batches."""

    job: Job
    batches: Batches
    log: Answers
    sent: BatchLog
    events: EventLog
    worker: Worker
    stop: Stop
    sleep: Sleep
    out: set[Key] = field(default_factory=set)
    """Questions in batches that are not collected yet."""
    rooms: dict[Key, Reservation] = field(default_factory=dict)
    """Their reservations, if the run has a limit."""

    def say(self, text: str) -> None:
        """Tell the user, and write it to the event log."""
        self.job.watch.said(text)
        self.events.note(text)

    @property
    def again(self) -> str:
        """How the user goes on: a labelling is repeated, and has no option for it."""
        return "the same command" if self.job.items else "--resume"

    def refuse_elsewhere(self, logged: LoggedBatch) -> None:
        """Unfinished if an unknown batch was sent to another address: it would be paid for again."""
        if logged.address == self.job.moved_to:
            return
        what = f"the server does not know batch {logged.batch or logged.mark}, sent to another address"
        if self.job.items:
            how = f"the same command with --base-url {logged.address} --retry-failed"
        else:
            own = load_manifest(self.job.folder).asked
            there = own.model_copy(update={"base_url": logged.address or own.base_url})
            how = f"{how_to_resume(self.job.folder, there)} --retry-failed"
        raise Unfinished(f"{what} and may be paid for; ask there: {how}")

    def go_on(self) -> None:
        """DrainedError if the run is ending. Call it before anything that costs money or time."""
        if self.stop.called:
            raise DrainedError


def unread_once(session: BatchSession) -> dict[Key, Record]:
    """The records with an unreadable answer that was not asked for again."""
    found: dict[Key, Record] = {}
    for record in session.log.records():
        if is_curable(record.outcome) and record.attempts == 1:
            found[record.key] = record
        else:
            found.pop(record.key, None)
    return found


def failed_in(session: BatchSession, logged: LoggedBatch) -> set[Key]:
    """The questions of a batch that have a failed record of it: a kill can come before its end is logged."""
    failed = set(filter(session.log.has_failed, logged.keys))
    if logged.step == "short" or not failed:
        return failed
    return failed & {record.key for record in session.log.records() if record.at > logged.meant_at}


def pauses() -> Iterator[float]:
    """The seconds to wait before each further try."""
    pause = QUICKEST
    while True:
        yield pause
        pause = min(pause * GROWTH, SLOWEST)


async def pause_after(session: BatchSession, error: TransientError, pause: float) -> None:
    """Wait as long as the server asks for, at most SLOWEST; else `pause` seconds."""
    await session.sleep(pause if error.retry_after is None else min(error.retry_after, SLOWEST))


async def patiently(session: BatchSession, call: Callable[[], Awaitable[Done]]) -> Done:
    """Make a call that only reads, and repeat it while the server is busy or away."""
    turns = pauses()
    for tries in range(1, PATIENCE + 1):
        try:
            return await once(call())
        except TransientError as error:
            last = error
            if tries == PATIENT:
                session.say(f"the server did not answer {tries} times in a row, and is asked again: {error}")
            await pause_after(session, error, next(turns))
    raise Unfinished(f"the server did not answer {PATIENCE} times in a row: {last}")


async def once(call: Awaitable[Done]) -> Done:
    """Make a call with a deadline."""
    try:
        async with asyncio.timeout(CALL):
            return await call
    except TimeoutError:
        raise TransientError(f"no whole answer within {CALL:.0f} s") from None
