"""Recover a batch that may have been sent: if it arrived, it is paid for."""

from datetime import datetime

from harness.errors import RejectedError
from harness.grading.batch.batch_log import LoggedBatch
from harness.grading.batch.session import BatchSession, patiently
from harness.providers.wire import MissingError


async def find(session: BatchSession, parcel: LoggedBatch) -> LoggedBatch | None:
    """The parcel with the server's id; None if the server lists no candidate."""
    since = datetime.fromisoformat(parcel.meant_at)
    try:
        named = await patiently(session, lambda: session.batches.find(parcel.mark, len(parcel.keys), since))
    except (MissingError, RejectedError) as error:
        count = f"{len(parcel.keys)} questions may be paid twice"
        session.say(f"{count}: the run stopped while it sent them, and the server lists no batches ({error})")
        return None
    unknown = [batch for batch in named if batch not in session.sent.named]
    return session.sent.sent(parcel, unknown[0], "found at the server") if unknown else None


async def find_or_lose(session: BatchSession, parcel: LoggedBatch) -> LoggedBatch | None:
    """Like `find`; logs a parcel without a candidate as lost, so that its questions are asked again."""
    found = await find(session, parcel)
    if found is None:
        session.say(f"{len(parcel.keys)} questions are asked again: the server has no batch with them")
        session.sent.lost(parcel, "the server has no such batch")
    return found
