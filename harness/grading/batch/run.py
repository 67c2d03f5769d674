"""One run, graded in batches from whatever an earlier session left to its end."""

from collections.abc import Callable, Iterator, Mapping

from harness.grading.batch.batch_log import BatchLog, LoggedBatch
from harness.grading.batch.collect import wait_for
from harness.grading.batch.recover import find_or_lose
from harness.grading.batch.session import BatchSession, Sleep, unread_once
from harness.grading.batch.submit import hand_over
from harness.grading.events import EventLog
from harness.grading.job import Job, Question
from harness.grading.live.pace import Pace
from harness.grading.questions import each_question, key_of
from harness.grading.signals import draining
from harness.grading.stop import DrainedError, Stop
from harness.grading.worker import Worker
from harness.nouns.records import Key, Record
from harness.providers import batches_of
from harness.providers.base import Teacher
from harness.runs.record_log import RecordLog


class Batched:
    """The executor that hands many questions over at once, to be answered within a day.

    As in a live run, what ends without an answer is Failed, and what could not be read is asked once more.
    """

    def __init__(self, sleep: Sleep | None = None) -> None:
        self._sleep = sleep

    def check(self, model: str, teacher: Teacher) -> None:
        """BadInput where the provider has no batch API."""
        batches_of(model, teacher)

    async def answer(self, job: Job, log: RecordLog) -> None:
        """Ask every open question by batches."""
        stop, out = Stop(), set[Key]()
        batches = batches_of(job.plan.asked.model, job.teacher)
        with (
            EventLog(job.folder) as events,
            BatchLog(job.folder) as sent,
            Worker(job, log, stop, Pace(1), lambda: len(out)) as worker,
        ):
            desk = BatchSession(job, batches, log, sent, events, worker, stop, self._sleep or stop.sleep, out)
            try:
                with draining(stop, lambda: desk.say("stopping: what is handed over goes on at the server")):
                    await _all_rounds(desk)
            except DrainedError:
                assert stop.why is not None, "only a run that is to end is drained"
                raise stop.why from None


async def _all_rounds(desk: BatchSession) -> None:
    """Everything once, what is out already included, and then what could not be read."""
    out = await _take_up(desk)
    # What fails now is for the next session, not for this one.
    tried, failed = set(desk.out), frozenset(desk.log.failed)

    def is_open(key: Key) -> bool:
        wanted = key in failed if desk.job.limits.only_failed else key not in desk.log.answered
        return wanted and key not in tried

    await _round(desk, out, is_open, tried)
    unread = unread_once(desk)
    tried.clear()
    await _round(desk, [], lambda key: key in unread and key not in tried, tried, unread)


async def _round(
    desk: BatchSession,
    out: list[LoggedBatch],
    is_open: Callable[[Key], bool],
    tried: set[Key],
    before: Mapping[Key, Record] | None = None,
) -> None:
    """Hand over what is open and wait for it; in several goes, where a budget holds no more at once."""
    while True:
        handed, full = await hand_over(desk, _asked(desk, is_open, tried), before)
        out = [*out, *handed]
        if full and not out:
            raise full
        await wait_for(desk, out)
        if not full:
            return
        out = []


def _asked(desk: BatchSession, is_open: Callable[[Key], bool], tried: set[Key]) -> Iterator[Question]:
    """What is open, each question once."""
    for question in each_question(desk.job):
        if is_open(key_of(question)):
            yield question
            # Only what got further than the asking for it was tried: a full budget lets the last one lie.
            tried.add(key_of(question))


async def _take_up(desk: BatchSession) -> list[LoggedBatch]:
    """The batches of an earlier session that may still bring answers."""
    out = []
    for parcel in desk.sent.parcels:
        if parcel.step == "sent" or (parcel.step == "over" and _lacks_records(desk, parcel)):
            out.append(parcel)
        elif parcel.step == "meant":
            found = await find_or_lose(desk, parcel)
            out += [found] if found else []
    for parcel in out:
        desk.out.update(parcel.keys)
        desk.say(f"batch {parcel.batch}: {len(parcel.keys)} questions are out already")
    _hold(desk)
    return out


def _lacks_records(desk: BatchSession, parcel: LoggedBatch) -> bool:
    """A power cut can lose the last records of a batch that was taken in."""
    return any(key not in desk.log.answered and key not in desk.log.failed for key in parcel.keys)


def _hold(desk: BatchSession) -> None:
    """What is out may cost its worst, whatever the limit says."""
    budget = desk.job.budget
    if budget is None or not desk.out:
        return
    for question in each_question(desk.job):
        if key_of(question) in desk.out:
            worst = budget.worst(desk.worker.prompt(question), batch=True)
            desk.rooms[key_of(question)] = budget.hold(worst, batch=True)
