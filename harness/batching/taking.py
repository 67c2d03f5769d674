"""Taking in: wait until a batch is over, and make a record of all that became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from harness.batching.desk import Desk, is_open, keep, patiently, pauses, second
from harness.batching.finding import find_or_lose
from harness.batching.log import Parcel
from harness.errors import CallError, RejectedError, Unfinished
from harness.grading import read_grade
from harness.providers.batches import Standing
from harness.providers.wire import MissingError
from harness.recording import now
from harness.records import Failed, Key, Outcome, Reply


async def wait_for(desk: Desk, out: Sequence[Parcel]) -> None:
    """Look at the batches, less and less often, until all are over and taken in."""
    shown: dict[str, str] = {}
    turns = pauses()
    left = list(out)
    while left:
        left = [open_ for parcel in left if (open_ := await _look(desk, parcel, shown))]
        if left:
            await desk.sleep(next(turns))


async def _look(desk: Desk, parcel: Parcel, shown: dict[str, str]) -> Parcel | None:
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
        desk.watch.said(words)
    return await _take_in(desk, parcel, standing) if standing.over else parcel


async def _take_in(desk: Desk, parcel: Parcel, standing: Standing) -> Parcel | None:
    """Every answer of a batch as a record, and a Failed for each that has none."""
    batch = parcel.batch or ""
    lacking = f"batch {batch} is {standing.word}, and has no answer for it"
    answers: dict[str, Reply | CallError] = {}
    if standing.failure is not None:
        lacking = f"batch {batch} was refused as a whole: {standing.failure}"
        desk.watch.said(lacking)
    else:
        try:
            answers = dict(await patiently(desk, lambda: desk.batches.results(batch)))
        except MissingError as error:
            lacking = f"the results of batch {batch} are gone: {error}"
            desk.watch.said(f"{lacking}; its {len(parcel.keys)} questions have to be paid again")
    if answers and not any(id.startswith(f"{parcel.mark}-") for id in answers):
        return await _mistaken(desk, parcel)
    for number, key in enumerate(parcel.keys):
        _take(desk, parcel, key, answers.get(parcel.id(number), RejectedError(lacking)))
    desk.sent.over(parcel, standing.word)
    return None


async def _mistaken(desk: Desk, parcel: Parcel) -> Parcel | None:
    """The batch that was found for a parcel is somebody else's: look on, for the next that may be it."""
    found = await find_or_lose(desk, parcel)
    if found is None:
        for key in parcel.keys:
            _take(desk, parcel, key, RejectedError("its batch was lost when the run stopped"))
    return found


def _take(desk: Desk, parcel: Parcel, key: Key, answer: Reply | CallError) -> None:
    """One answer of a batch, unless a session that was killed has taken it in already."""
    before = desk.log.records.get(key)
    question = desk.questions.get(key)
    if question is None or not is_open(before, again=parcel.again):
        return
    outcome: Outcome = Failed(detail=str(answer))
    reply = None
    if isinstance(answer, Reply):
        outcome, reply = read_grade(answer, desk.plan.policy.scale), answer
    waited = datetime.fromisoformat(now()) - datetime.fromisoformat(parcel.meant_at)
    seconds = waited / timedelta(seconds=1)
    record = desk.record(question, outcome, reply=reply, seconds=seconds, attempts=1)
    keep(desk, second(before, record) if parcel.again and before is not None else record)
