"""One run, graded in batches; continues where an earlier session stopped."""

from collections.abc import Callable, Iterator, Mapping, Set

from harness.grading.batch.collect import wait_for
from harness.grading.batch.recover import find_or_lose
from harness.grading.batch.session import BatchSession, Sleep, failed_in, unread_once
from harness.grading.batch.submit import hand_over
from harness.grading.events import EventLog
from harness.grading.job import Answers, Job, Question
from harness.grading.live.pace import Pace
from harness.grading.questions import each_question, key_of
from harness.grading.signals import draining
from harness.grading.stop import DrainedError, Stop
from harness.grading.worker import Worker
from harness.nouns.records import Key, Record
from harness.providers import batches_of
from harness.providers.base import Teacher
from harness.runs.batch_log import BatchLog, LoggedBatch
from harness.scorecards.money import usd
from harness.storage.plural import plural


class Batched:
    """The executor that submits many questions at once, to be answered within a day.

    As in a live run, a question without an answer is Failed, and an unreadable answer is asked for again.
    """

    priced_as_batch = waits = True

    def __init__(self, sleep: Sleep | None = None) -> None:
        self._sleep = sleep

    def check(self, model: str, teacher: Teacher) -> None:
        """BadInput if the provider has no batch API."""
        batches_of(model, teacher)

    async def answer(self, job: Job, log: Answers) -> None:
        """Ask every open question by batches."""
        stop, out = Stop(), set[Key]()
        batches = batches_of(job.plan.asked.model, job.teacher)
        with (
            EventLog(job.folder) as events,
            BatchLog(job.folder) as sent,
            Worker(job, log, stop, Pace(1), lambda: len(out)) as worker,
        ):
            session = BatchSession(
                job, batches, log, sent, events, worker, stop, self._sleep or stop.sleep, out
            )
            try:
                with draining(
                    stop, lambda: session.say("stopping: the server goes on with submitted batches")
                ):
                    await _all_rounds(session)
            except DrainedError:
                assert stop.why is not None, "only a stopped run is drained"
                raise stop.why from None


async def _all_rounds(session: BatchSession) -> None:
    """Every open question once, including those already sent, then the unreadable answers again."""
    out = await _take_up(session)
    if session.job.limits.only_failed:
        out = await _give_up_short(session, out)
    # The next session repeats what fails in this one.
    tried = set(session.out)

    def is_open(key: Key) -> bool:
        failed_alone = session.job.limits.only_failed
        wanted = session.log.has_failed(key) if failed_alone else not session.log.is_answered(key)
        return wanted and key not in tried

    await _round(session, out, is_open, tried)
    unread = unread_once(session)
    tried.clear()
    await _round(session, [], lambda key: key in unread and key not in tried, tried, unread)


async def _round(
    session: BatchSession,
    out: list[LoggedBatch],
    is_open: Callable[[Key], bool],
    tried: set[Key],
    before: Mapping[Key, Record] | None = None,
) -> None:
    """Submit the open questions and wait; in several turns if the budget cannot hold all at once."""
    while True:
        handed, full = await hand_over(session, _asked(session, is_open, tried), before)
        out = [*out, *handed]
        if full and not out:
            raise full
        await wait_for(session, out)
        if not full:
            return
        out = []


def _asked(session: BatchSession, is_open: Callable[[Key], bool], tried: set[Key]) -> Iterator[Question]:
    """The open questions, each once."""
    for question in each_question(session.job):
        if is_open(key_of(question)):
            yield question
            # After the yield: a full budget stops the consumer before it tries the last question.
            tried.add(key_of(question))


async def _take_up(session: BatchSession) -> list[LoggedBatch]:
    """The batches of an earlier session that may still have answers."""
    out = []
    for logged in session.sent.batches:
        if logged.step in ("sent", "short") or (logged.step == "over" and _lacks_records(session, logged)):
            out.append(logged)
        elif logged.step == "meant":
            found = await find_or_lose(session, logged)
            out += [found] if found else []
    for logged in out:
        session.out.update(key for key in logged.keys if logged.again or not session.log.is_answered(key))
        session.say(
            f"batch {logged.batch}: {plural(len(logged.keys), 'question was', 'questions were')} sent before"
        )
    # An unreadable answer is counted already, by its line in the log of calls.
    _hold(session, session.out.difference(*(failed_in(session, logged) for logged in out)))
    return out


async def _give_up_short(session: BatchSession, out: list[LoggedBatch]) -> list[LoggedBatch]:
    """Read incomplete results a last time; missing answers are asked again. Returns the other batches."""
    short = [logged for logged in out if logged.step == "short"]
    await wait_for(session, short)
    for logged in session.sent.batches:
        if logged.step == "short":
            session.sent.ended(logged, "over", "what its results lack is asked again")
    return [logged for logged in out if logged not in short]


def _lacks_records(session: BatchSession, logged: LoggedBatch) -> bool:
    """A power cut can lose the last records of a collected batch."""
    log = session.log
    return any(not log.is_answered(key) and not log.has_failed(key) for key in logged.keys)


def _hold(session: BatchSession, out: Set[Key]) -> None:
    """Reserve the worst cost of what is already sent, even over the limit."""
    budget = session.job.budget
    if budget is None or not out:
        return
    for question in each_question(session.job):
        if key_of(question) in out:
            worst = budget.worst(session.worker.prompt(question), batch=True)
            session.rooms[key_of(question)] = budget.hold(worst, batch=True)
    if not budget.fits(0.0):
        most = usd(budget.spent + budget.lost + budget.in_flight)
        session.say(
            f"--max-cost {usd(budget.limit)}: what is spent and sent already can cost up to {most}; "
            "nothing more is sent until that is known to be less"
        )
