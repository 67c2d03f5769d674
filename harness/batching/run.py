"""One run, graded in batches from whatever an earlier session left to its end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from harness.batching.desk import Desk, Sleep, Watch, is_open, key_of
from harness.batching.finding import find_or_lose
from harness.batching.log import BatchLog, Parcel
from harness.batching.sending import hand_over
from harness.batching.taking import wait_for
from harness.journal import RecordLog
from harness.plan import Plan
from harness.providers.batches import Batches
from harness.recording import Question, Recorder, record_of
from harness.records import Record


async def grade_in_batches(
    todo: Sequence[Question],
    plan: Plan,
    batches: Batches,
    log: RecordLog,
    watch: Watch,
    folder: Path,
    *,
    first: Callable[[Question], Awaitable[Record]],
    record: Recorder = record_of,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """An outcome for each question, by batches, and what was unreadable asked once more.

    `first` grades one question live: before anything is handed over, that finds out what the server takes,
    and whether key, model and quota are good. What ends without an answer is Failed, as in a live run.
    """
    repeats = range(plan.asked.repeats)
    questions = {(example.id, at): (example, at) for example in plan.examples for at in repeats}
    with BatchLog(folder) as sent:
        desk = Desk(plan, batches, log, watch, sent, first, record, sleep, questions)
        out = await _take_up(desk)
        busy = {key for parcel in out for key in parcel.keys}
        fresh = [question for question in todo if key_of(question) not in busy]
        await wait_for(desk, [*out, *await hand_over(desk, fresh, again=False)])
        unread = [questions[key] for key, found in log.records.items() if is_open(found, again=True)]
        await wait_for(desk, await hand_over(desk, unread, again=True))


async def _take_up(desk: Desk) -> list[Parcel]:
    """The batches of an earlier session that may still bring answers."""
    out = []
    for parcel in desk.sent.parcels:
        if parcel.step == "sent" or (parcel.step == "over" and _lacks_records(desk, parcel)):
            out.append(parcel)
        elif parcel.step == "meant":
            found = await find_or_lose(desk, parcel)
            out += [found] if found else []
    for parcel in out:
        desk.watch.said(f"batch {parcel.batch}: {len(parcel.keys)} questions are out already")
    return out


def _lacks_records(desk: Desk, parcel: Parcel) -> bool:
    """A power cut can lose the last records of a batch that was taken in."""
    return any(key not in desk.log.records for key in parcel.keys)
