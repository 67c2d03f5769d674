"""Collecting: wait until a batch is over, and turn its answers into records."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from harness.errors import CallError, FatalError, RejectedError, Unfinished
from harness.grading.answered import Answered
from harness.grading.batch.recover import find_or_lose
from harness.grading.batch.results import SortedAnswers, about, sort_out
from harness.grading.batch.session import READS, BatchSession, failed_in, patiently, pauses, unread_once
from harness.grading.job import Question
from harness.grading.live.ask import is_curable
from harness.grading.questions import each_question, key_of
from harness.nouns.records import Failed, Key, Outcome, Record, Reply
from harness.pricing.prices import cost_of
from harness.prompting.answer import read_grade
from harness.providers.batches import BatchResult, BatchStatus, UnreadError
from harness.providers.served import check_whole
from harness.providers.wire import MissingError
from harness.runs.batch_log import LoggedBatch
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
        session.refuse_elsewhere(logged)
        if not (logged.step == "short" and session.job.limits.only_failed):
            raise Unfinished(
                f"the server does not know batch {batch}; use the key and address that sent it ({error})"
            ) from error
        standing = BatchStatus("no longer known to the server", True, 0, len(logged.keys))
    words = f"batch {batch}: {standing.word}, {standing.done:,} of {standing.total:,} done"
    if words != shown.get(batch):
        shown[batch] = words
        session.say(words)
    return await _take_in(session, logged, standing) if standing.over else logged


async def _take_in(session: BatchSession, logged: LoggedBatch, standing: BatchStatus) -> LoggedBatch | None:
    """Write a record for every answer of a batch, and a Failed for each question without one.

    FatalError or Unfinished, once all is written, if the answers show that asking more is useless.
    """
    found = await _read(session, logged, standing)
    if logged.found and _is_of_others(logged, found):
        return await _mistaken(session, logged)
    for sentence in about(logged, found, session.again):
        session.say(sentence)
    answers, cut = _without_cut(session, found)
    await _record(session, logged, answers)
    if found.unread and not logged.again:
        unread = plural(len(found.unread), "answer")
        session.sent.ended(logged, "short", f"{standing.word}, with {unread} that cannot be read")
    else:
        session.sent.ended(logged, "over", standing.word)
    if cut:
        raise cut
    session.worker.check_limit()
    return None


async def _read(session: BatchSession, logged: LoggedBatch, standing: BatchStatus) -> SortedAnswers:
    """What the results of a batch say. Where the server has answers that cannot be read, they are read again.

    A page of an error, half a file or a file that is missing can be whole the next time.
    """
    batch, turns, readings = logged.batch or "", pauses(), list[SortedAnswers]()
    unasked = len(logged.keys) if standing.unasked is None else standing.unasked
    lacking = RejectedError(f"batch {batch} ended without an answer to it: {standing.word}")
    while True:
        try:
            lines = await patiently(session, lambda: session.batches.results(batch))
        except (MissingError, RejectedError) as error:
            lines = [BatchResult("results", None, UnreadError(f"they are missing: {error}"))]
        found = sort_out(logged, lines, unasked, lacking)
        readings.append(found)
        if not found.unread or len(readings) == READS or _is_of_others(logged, found):
            return min(readings, key=lambda one: len(one.unread))
        why = found.answers[found.unread[0]].answer
        session.say(f"batch {batch}: not all of its results can be read; they are read again: {why}")
        await session.sleep(next(turns))


def _is_of_others(logged: LoggedBatch, found: SortedAnswers) -> bool:
    """Whether all results are those of another run."""
    ids = [line.id for line in (*found.answers.values(), *found.strays) if line.id]
    return bool(ids) and not any(id.startswith(f"{logged.mark}-") for id in ids)


async def _mistaken(session: BatchSession, logged: LoggedBatch) -> LoggedBatch | None:
    """The batch that was found for a lost one belongs to another run: try the next candidate."""
    found = await find_or_lose(session, logged)
    if found is None:
        lost = RejectedError("its batch was lost when the run stopped")
        await _record(session, logged, sort_out(logged, [], len(logged.keys), lost).answers)
    return found


def _without_cut(
    session: BatchSession, found: SortedAnswers
) -> tuple[Mapping[Key, BatchResult], FatalError | None]:
    """The answers, and the error if the server cut the prompts: such answers are kept, and count as none.

    The answer that read most decides: some servers count only what was not in their cache.
    """
    try:
        if found.replies:
            read, reply = max(((_input(one), one) for one in found.replies), key=lambda pair: pair[0])
            check_whole(session.worker.prompt(next(each_question(session.job))), reply, read)
    except FatalError as error:
        return {key: _uncounted(one, error) for key, one in found.answers.items()}, error
    return found.answers, None


def _input(reply: Reply) -> int:
    return reply.usage.input_tokens if reply.usage else 0


def _uncounted(one: BatchResult, why: FatalError) -> BatchResult:
    return replace(one, answer=UnreadError(str(why), (one.answer,))) if isinstance(one.answer, Reply) else one


async def _record(session: BatchSession, logged: LoggedBatch, answers: Mapping[Key, BatchResult]) -> None:
    """Write a record for each question of a batch, except those that a killed session has written."""
    before = unread_once(session) if logged.again else {}
    known = failed_in(session, logged)
    for question in each_question(session.job):
        key = key_of(question)
        if key not in answers:
            continue
        one = answers[key]
        _settle(session, key, one.answer)
        # Failed for the same reason already: the results were read once more.
        still = isinstance(one.answer, UnreadError) and key in known
        if key in before or not (still or logged.again or session.log.is_answered(key)):
            # An answer that could not be read was logged when it was read first.
            if _is_paid(one.answer) and key not in known:
                session.worker.note_batched(question, None if _replies(one.answer) else one.answer.usage)
            _keep(session, question, _answered(session, logged, one), before.get(key))
        await asyncio.sleep(0)


def _settle(session: BatchSession, key: Key, answer: Reply | CallError) -> None:
    """Release the question and its reservation. What may be paid for without an answer counts as lost."""
    session.out.discard(key)
    room = session.rooms.pop(key, None)
    if not (session.job.budget and room):
        return
    if replies := _replies(answer):
        session.job.budget.settle(room, replies[0].usage if len(replies) == 1 else None)
    elif isinstance(answer, CallError) and answer.may_be_billed:
        session.job.budget.settle(room, answer.usage)
    else:
        session.job.budget.release(room)


def _is_paid(answer: Reply | CallError) -> bool:
    """Whether a question was billed, or may have been."""
    return isinstance(answer, Reply) or answer.may_be_billed


def _replies(answer: Reply | CallError) -> tuple[Reply, ...]:
    """What is kept of an answer, whether it counts or not."""
    return (
        (answer,) if isinstance(answer, Reply) else answer.replies if isinstance(answer, UnreadError) else ()
    )


def _answered(session: BatchSession, logged: LoggedBatch, one: BatchResult) -> Answered:
    """How a question ended in a batch; its seconds count from the submission."""
    waited = (datetime.now(UTC) - datetime.fromisoformat(logged.meant_at)) / timedelta(seconds=1)
    answer = one.answer
    outcome: Outcome = Failed(detail=f"{one.where}: {answer}" if one.where else str(answer))
    if isinstance(answer, Reply):
        outcome = read_grade(answer, session.job.plan.policy.scale)
    replies = _replies(answer)
    reply, unread = (*replies, None, None)[:2]
    cost = cost_of(replies, session.job.price, batch=True) if replies else None
    return Answered(outcome, reply, unread, attempts=1, seconds=max(0.0, round(waited, 3)), cost=cost)


def _keep(session: BatchSession, question: Question, found: Answered, before: Record | None) -> None:
    """Write the record of an answer. If it is to be asked for again, it is not the last of its question."""
    last = before is not None or not is_curable(found.outcome)
    found = second_of(before, found) if before else found
    if last:
        session.worker.remember(session.worker.prompt(question), found)
    session.worker.keep(question, found, last=last)


def second_of(before: Record, found: Answered) -> Answered:
    """How a question ended after a second request: its answer counts, and the first is kept as unread."""
    costs = [cost for cost in (before.cost, found.cost) if cost is not None]
    found = found._replace(
        attempts=before.attempts + found.attempts,
        seconds=round(before.seconds + found.seconds, 3),
        cost=sum(costs) if len(costs) == 1 + (found.reply is not None) else None,
    )
    if isinstance(found.outcome, Failed):
        return found._replace(outcome=before.outcome, reply=before.reply)
    return found._replace(unread=before.reply)
