"""A batch that was meant and has no name: it may have arrived, and then it is paid for."""

from datetime import datetime

from harness.errors import RejectedError
from harness.grading.batch.batch_log import LoggedBatch
from harness.grading.batch.session import BatchSession, patiently
from harness.providers.wire import MissingError


async def find(desk: BatchSession, parcel: LoggedBatch) -> LoggedBatch | None:
    """The parcel with the server's name for it; None where the server has none that may be it."""
    since = datetime.fromisoformat(parcel.meant_at)
    try:
        named = await patiently(desk, lambda: desk.batches.find(parcel.mark, len(parcel.keys), since))
    except (MissingError, RejectedError) as error:
        count = f"{len(parcel.keys)} questions may be paid twice"
        desk.say(f"{count}: they were being handed over, and the server lists no batches ({error})")
        return None
    unknown = [batch for batch in named if batch not in desk.sent.named]
    return desk.sent.sent(parcel, unknown[0], "found at the server") if unknown else None


async def find_or_lose(desk: BatchSession, parcel: LoggedBatch) -> LoggedBatch | None:
    """The same, and written down where there is none: then its questions are asked again."""
    found = await find(desk, parcel)
    if found is None:
        desk.say(f"{len(parcel.keys)} questions were being handed over, and are at no batch of the server")
        desk.sent.lost(parcel, "the server has no such batch")
    return found
