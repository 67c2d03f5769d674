"""Taking in: wait until a batch is over, and make a record of all that became of it."""

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


async def wait_for(desk: BatchSession, out: Sequence[LoggedBatch]) -> None:
    """Look at the batches, less and less often, until all are over and taken in."""
    shown: dict[str, str] = {}
    turns = pauses()
    left = list(out)
    while left:
        left = [open_ for parcel in left if (open_ := await _look(desk, parcel, shown))]
        if left:
            await desk.sleep(next(turns))


async def _look(desk: BatchSession, parcel: LoggedBatch, shown: dict[str, str]) -> LoggedBatch | None:
    """The parcel, where it has still to be waited for; None once what became of it is in the records."""
    batch = parcel.batch
    assert batch is not None, "only what was sent is waited for"
    try:
        standing = await patiently(desk, lambda: desk.batches.standing(batch))
    except MissingError as error:
        raise Unfinished(
            f"batch {batch} is unknown there: is it the key and the address that it was sent with? {error}"
        ) from error
    words = f"batch {batch}: {standing.word}, {standing.done} of {standing.total} done"
    if words != shown.get(batch):
        shown[batch] = words
        desk.say(words)
    return await _take_in(desk, parcel, standing) if standing.over else parcel


async def _take_in(desk: BatchSession, parcel: LoggedBatch, standing: BatchStatus) -> LoggedBatch | None:
    """Every answer of a batch as a record, and a Failed for each that has none."""
    batch = parcel.batch or ""
    lacking = f"batch {batch} is {standing.word}, and has no answer for it"
    answers: dict[str, Reply | CallError] = {}
    if standing.failure is not None:
        lacking = f"batch {batch} was refused as a whole: {standing.failure}"
        desk.say(lacking)
    else:
        try:
            answers = dict(await patiently(desk, lambda: desk.batches.results(batch)))
        except MissingError as error:
            lacking = f"the results of batch {batch} are gone: {error}"
            desk.say(f"{lacking}; its {len(parcel.keys)} questions have to be paid again")
    if answers and not any(id.startswith(f"{parcel.mark}-") for id in answers):
        return await _mistaken(desk, parcel)
    await _record(desk, parcel, answers, lacking)
    desk.sent.over(parcel, standing.word)
    return None


async def _mistaken(desk: BatchSession, parcel: LoggedBatch) -> LoggedBatch | None:
    """The batch that was found for a parcel is somebody else's: look on, for the next that may be it."""
    found = await find_or_lose(desk, parcel)
    if found is None:
        await _record(desk, parcel, {}, "its batch was lost when the run stopped")
    return found


async def _record(
    desk: BatchSession, parcel: LoggedBatch, answers: Mapping[str, Reply | CallError], lacking: str
) -> None:
    """A record for each question of a parcel, but for what a killed session has taken in already."""
    number_of = {key: number for number, key in enumerate(parcel.keys)}
    before = unread_once(desk) if parcel.again else {}
    for question in each_question(desk.job):
        key = key_of(question)
        if key not in number_of:
            continue
        answer = answers.get(parcel.id(number_of[key]), RejectedError(lacking))
        _settle(desk, key, answer)
        if key in before or not (parcel.again or key in desk.log.answered):
            _keep(desk, question, _answered(desk, parcel, answer), before.get(key))
        await asyncio.sleep(0)


def _settle(desk: BatchSession, key: Key, answer: Reply | CallError) -> None:
    """It is in no batch any more. What was not answered is not billed."""
    desk.out.discard(key)
    room = desk.rooms.pop(key, None)
    if desk.job.budget and room:
        if isinstance(answer, Reply):
            desk.job.budget.settle(room, answer.usage)
        else:
            desk.job.budget.release(room)


def _answered(desk: BatchSession, parcel: LoggedBatch, answer: Reply | CallError) -> Answered:
    """How a question ended in a batch; its seconds count from the handing over."""
    waited = (datetime.now(UTC) - datetime.fromisoformat(parcel.meant_at)) / timedelta(seconds=1)
    found = Answered(Failed(detail=str(answer)), attempts=1, seconds=round(waited, 3))
    if not isinstance(answer, Reply):
        return found
    outcome = read_grade(answer, desk.job.plan.policy.scale)
    cost = cost_of([answer], desk.job.price, batch=True)
    return replace(found, outcome=outcome, reply=answer, cost=cost)


def _keep(desk: BatchSession, question: Question, found: Answered, before: Record | None) -> None:
    """The record of an answer. One that can be cured by another answer is not the last word."""
    last = before is not None or not is_curable(found.outcome)
    found = second_of(before, found) if before else found
    if last:
        desk.worker.remember(desk.worker.prompt(question), found)
    desk.worker.keep(question, found, last=last)


def second_of(before: Record, found: Answered) -> Answered:
    """How a question ended after another answer was asked for: it counts, and the first one is kept."""
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
