"""Collecting: wait until a batch is over, and turn its answers into records."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from harness.errors import CallError, RejectedError, Unfinished
from harness.grading.answered import Answered
from harness.grading.batch.batch_log import LoggedBatch
from harness.grading.batch.recover import find_or_lose
from harness.grading.batch.session import BatchSession, patiently, pauses, unread_once
from harness.grading.job import Question
from harness.grading.live.ask import is_curable
from harness.grading.questions import each_question, key_of
from harness.nouns.records import Failed, Key, Record, Reply
from harness.pricing.prices import cost_of
from harness.prompting.answer import read_grade
from harness.providers.batches import BatchStatus
from harness.providers.wire import MissingError
from harness.storage.plural import plural


async def wait_for(session: BatchSession, out: Sequence[LoggedBatch]) -> None:
    """Poll the batches, less and less often, until all are over and collected."""
    shown: dict[str, str] = {}
    turns = pauses()
    left = list(out)
    while left:
        left = [open_ for logged in left if (open_ := await _look(session, logged, shown))]
        if left:
            await session.sleep(next(turns))


async def _look(session: BatchSession, logged: LoggedBatch, shown: dict[str, str]) -> LoggedBatch | None:
    """The batch while it is open; None once its answers are in the records."""
    batch = logged.batch
    assert batch is not None, "only what was sent is waited for"
    try:
        standing = await patiently(session, lambda: session.batches.standing(batch))
    except MissingError as error:
        raise Unfinished(
            f"the server does not know batch {batch}; use the key and address that sent it ({error})"
        ) from error
    words = f"batch {batch}: {standing.word}, {standing.done} of {standing.total} done"
    if words != shown.get(batch):
        shown[batch] = words
        session.say(words)
    return await _take_in(session, logged, standing) if standing.over else logged


async def _take_in(session: BatchSession, logged: LoggedBatch, standing: BatchStatus) -> LoggedBatch | None:
    """Write a record for every answer of a batch, and a Failed for each question without one."""
    batch = logged.batch or ""
    lacking = f"batch {batch} is {standing.word} without an answer to it"
    answers: dict[str, Reply | CallError] = {}
    if standing.failure is not None:
        lacking = f"batch {batch} was refused as a whole: {standing.failure}"
        session.say(lacking)
    else:
        try:
            answers = dict(await patiently(session, lambda: session.batches.results(batch)))
        except MissingError as error:
            lacking = f"the results of batch {batch} are gone: {error}"
            session.say(
                f"{lacking}; {plural(len(logged.keys), 'question has', 'questions have')} to be paid again"
            )
    if answers and not any(id.startswith(f"{logged.mark}-") for id in answers):
        return await _mistaken(session, logged)
    await _record(session, logged, answers, lacking)
    session.sent.over(logged, standing.word)
    return None


async def _mistaken(session: BatchSession, logged: LoggedBatch) -> LoggedBatch | None:
    """The batch found for a batch belongs to another run: try the next candidate."""
    found = await find_or_lose(session, logged)
    if found is None:
        await _record(session, logged, {}, "its batch was lost when the run stopped")
    return found


async def _record(
    session: BatchSession, logged: LoggedBatch, answers: Mapping[str, Reply | CallError], lacking: str
) -> None:
    """Write a record for each question of a batch, except those that a killed session has written."""
    number_of = {key: number for number, key in enumerate(logged.keys)}
    before = unread_once(session) if logged.again else {}
    for question in each_question(session.job):
        key = key_of(question)
        if key not in number_of:
            continue
        answer = answers.get(logged.id(number_of[key]), RejectedError(lacking))
        _settle(session, key, answer)
        if key in before or not (logged.again or key in session.log.answered):
            _keep(session, question, _answered(session, logged, answer), before.get(key))
        await asyncio.sleep(0)


def _settle(session: BatchSession, key: Key, answer: Reply | CallError) -> None:
    """Release the question and its reservation. Questions without an answer are not billed."""
    session.out.discard(key)
    room = session.rooms.pop(key, None)
    if session.job.budget and room:
        if isinstance(answer, Reply):
            session.job.budget.settle(room, answer.usage)
        else:
            session.job.budget.release(room)


def _answered(session: BatchSession, logged: LoggedBatch, answer: Reply | CallError) -> Answered:
    """How a question ended in a batch; its seconds count from the submission."""
    waited = (datetime.now(UTC) - datetime.fromisoformat(logged.meant_at)) / timedelta(seconds=1)
    found = Answered(Failed(detail=str(answer)), attempts=1, seconds=round(waited, 3))
    if not isinstance(answer, Reply):
        return found
    outcome = read_grade(answer, session.job.plan.policy.scale)
    cost = cost_of([answer], session.job.price, batch=True)
    return replace(found, outcome=outcome, reply=answer, cost=cost)


def _keep(session: BatchSession, question: Question, found: Answered, before: Record | None) -> None:
    """Write the record of an answer. One to be asked for again is not the last of its question."""
    last = before is not None or not is_curable(found.outcome)
    found = second_of(before, found) if before else found
    if last:
        session.worker.remember(session.worker.prompt(question), found)
    session.worker.keep(question, found, last=last)


def second_of(before: Record, found: Answered) -> Answered:
    """How a question ended after a second request: its answer counts, and the first is kept as unread."""
    costs = [cost for cost in (before.cost, found.cost) if cost is not None]
    found = replace(
        found,
        attempts=before.attempts + found.attempts,
        seconds=round(before.seconds + found.seconds, 3),
        cost=sum(costs) if len(costs) == 1 + (found.reply is not None) else None,
    )
    if found.reply is None:
        return replace(found, outcome=before.outcome, reply=before.reply)
    return replace(found, unread=before.reply)
