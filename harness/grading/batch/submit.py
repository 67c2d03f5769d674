"""Handing over: the questions as batches, each written down before it goes out, and named after."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import FatalError, RejectedError, TransientError, Unfinished
from harness.grading.batch.batch_log import LoggedBatch
from harness.grading.batch.collect import second_of
from harness.grading.batch.recover import find
from harness.grading.batch.session import BatchSession, once, pause_after, pauses
from harness.grading.budget import OverBudget
from harness.grading.job import Question
from harness.grading.questions import key_of
from harness.nouns.records import Failed, Key, Prompt, Record

LARGEST = 16 * 1024**2
MOST = 10_000
"""Bytes and requests of one batch. OpenAI takes 200 MB and 50,000, Anthropic 256 MB and 100,000: with less,
memory stays flat, and a limit on what may be enqueued stops a part and not the whole."""
TRIES = 6
WARM_UPS = 3


@dataclass(slots=True)
class _OpenBatch:
    """Requests that are to be one batch."""

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    keys: list[Key] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def takes(self, line: bytes) -> bool:
        """Whether there is room for one more."""
        return not self.keys or (len(self.keys) < MOST and self.size + len(line) <= LARGEST)

    def add(self, key: Key, line: bytes) -> None:
        """One more."""
        self.keys.append(key)
        self.lines.append(line)
        self.size += len(line) + 1


async def hand_over(
    desk: BatchSession, questions: Iterator[Question], before: Mapping[Key, Record] | None = None
) -> tuple[list[LoggedBatch], OverBudget | None]:
    """The batches that now hold the questions, and what keeps the rest back, where something does.

    `before`: the records of questions that are asked again. What an earlier run was answered is found in the
    cache. Until it is known what the server takes, questions are asked live, and their answers count.
    """
    out: list[LoggedBatch] = []
    pile, tried = _OpenBatch(), 0
    for question in questions:
        # Reading and rendering must not keep Ctrl-C waiting.
        await asyncio.sleep(0)
        desk.go_on()
        prompt = desk.worker.prompt(question)
        if before is None and (known := desk.worker.known(prompt)):
            desk.worker.keep(question, known)
        elif (full := _reserve(desk, question, prompt)) is not None:
            return [*out, *await _submit(desk, pile, before)], full
        elif not desk.batches.settled:
            tried += 1
            await _ask_live(desk, question, prompt, before, tried)
        else:
            if not pile.takes(desk.batches.line(f"{pile.mark}-{len(pile.keys)}", prompt)):
                out += await _submit(desk, pile, before)
                pile = _OpenBatch()
            pile.add(key_of(question), desk.batches.line(f"{pile.mark}-{len(pile.keys)}", prompt))
    return [*out, *await _submit(desk, pile, before)], None


async def _ask_live(
    desk: BatchSession, question: Question, prompt: Prompt, before: Mapping[Key, Record] | None, tried: int
) -> None:
    found = await desk.worker.ask(prompt)
    desk.worker.keep(question, second_of(before[key_of(question)], found) if before else found)
    desk.worker.remember(prompt, found)
    if tried >= WARM_UPS and not desk.batches.settled:
        why = found.outcome.detail if isinstance(found.outcome, Failed) else "no answer"
        raise Unfinished(f"the first {tried} questions got no answer, and none was handed over: {why}")


def _reserve(desk: BatchSession, question: Question, prompt: Prompt) -> OverBudget | None:
    """Room in the budget for a question, where there is a budget; or why there is none.

    A live call takes its room itself, and would wait for what is out; here it is only looked for.
    """
    budget, batch = desk.job.budget, desk.batches.settled
    if budget is None:
        return None
    try:
        room = budget.take(budget.worst(prompt, batch=batch), batch=batch)
    except OverBudget as error:
        return error
    if batch:
        desk.rooms[key_of(question)] = room
    else:
        budget.release(room)
    return None


async def _submit(
    desk: BatchSession, pile: _OpenBatch, before: Mapping[Key, Record] | None
) -> list[LoggedBatch]:
    """The pile as a parcel that has gone out; nothing where it is empty."""
    if not pile.keys:
        return []
    parcel = desk.sent.mean(pile.mark, pile.keys, again=before is not None)
    parcel = await _send(desk, parcel, pile.lines)
    desk.out.update(parcel.keys)
    desk.say(f"batch {parcel.batch}: {len(parcel.keys)} questions handed over")
    return [parcel]


async def _send(desk: BatchSession, parcel: LoggedBatch, lines: Sequence[bytes]) -> LoggedBatch:
    """The parcel with the server's name for it. It is looked for before every other try: it may be there."""
    turns = pauses()
    for attempt in range(TRIES):
        if attempt and (found := await find(desk, parcel)):
            return found
        try:
            return desk.sent.sent(parcel, await once(desk.batches.submit(lines, parcel.mark)))
        except TransientError as error:
            last = error
            await pause_after(desk, error, next(turns))
        except (RejectedError, FatalError) as error:
            if not attempt:
                desk.sent.lost(parcel, f"refused: {error}")
            raise Unfinished(f"the server took no batch: {error}") from error
    raise Unfinished(f"a batch could not be handed over in {TRIES} tries: {last}")
