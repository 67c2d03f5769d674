"""Recover a batch that may have been sent: if it arrived, it is paid for."""

from collections.abc import Collection
from datetime import datetime

from harness.errors import RejectedError
from harness.grading.batch.session import BatchSession, patiently
from harness.grading.questions import each_question, key_of
from harness.nouns.records import Key
from harness.providers.wire import MissingError
from harness.runs.batch_log import FOUND, LoggedBatch
from harness.storage.plural import plural


async def find(session: BatchSession, logged: LoggedBatch) -> LoggedBatch | None:
    """The batch with the server's id; None if the server lists no candidate."""
    since = datetime.fromisoformat(logged.meant_at)
    try:
        named = await patiently(session, lambda: session.batches.find(logged.mark, len(logged.keys), since))
    except (MissingError, RejectedError) as error:
        count = f"{plural(len(logged.keys), 'question')} may be paid twice"
        session.say(f"{count}: they were being sent, and the server lists no batches ({error})")
        _count(session, frozenset(logged.keys))
        return None
    unknown = [batch for batch in named if batch not in session.sent.named]
    return session.sent.sent(logged, unknown[0], FOUND) if unknown else None


def _count(session: BatchSession, keys: Collection[Key]) -> None:
    """Count questions that may be paid for, though this cannot be known."""
    budget = session.job.budget
    for question in each_question(session.job):
        if key_of(question) in keys:
            session.worker.note_batched(question)
            if budget:
                worst = budget.worst(session.worker.prompt(question), batch=True)
                budget.settle(budget.hold(worst, batch=True), None)


async def find_or_lose(session: BatchSession, logged: LoggedBatch) -> LoggedBatch | None:
    """Like `find`; logs a batch without a candidate as lost, so that its questions are asked again."""
    found = await find(session, logged)
    if found is None:
        session.refuse_elsewhere(logged)
        count = plural(len(logged.keys), "question was", "questions were")
        session.say(f"{count} being sent, but the server has no batch with them")
        session.sent.ended(logged, "lost", "the server has no such batch")
    return found
