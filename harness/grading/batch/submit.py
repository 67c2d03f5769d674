"""Submitting: questions as batches, each logged before it is sent, and again with the server's id."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import FatalError, RejectedError, TransientError, Unfinished
from harness.grading.batch.collect import second_of
from harness.grading.batch.recover import find
from harness.grading.batch.session import BatchSession, once, pause_after, pauses
from harness.grading.budget import OverBudget
from harness.grading.job import Question
from harness.grading.questions import key_of
from harness.nouns.records import Failed, Key, Prompt, Record
from harness.runs.batch_log import LoggedBatch
from harness.storage.plural import plural

LARGEST = 16 * 1024**2
MOST = 10_000
"""Bytes and requests of one batch. OpenAI takes 200 MB and 50,000, Anthropic 256 MB and 100,000; smaller
batches keep memory flat, and a limit on queued requests stops only a part of the run."""
TRIES = 6
WARM_UPS = 3


@dataclass(slots=True)
class _OpenBatch:
    """Requests that become one batch."""

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    keys: list[Key] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    worst: list[float | None] = field(default_factory=list)
    size: int = 0

    def takes(self, line: bytes) -> bool:
        """Whether there is room for one more."""
        return not self.keys or (len(self.keys) < MOST and self.size + len(line) <= LARGEST)

    def add(self, key: Key, line: bytes, worst: float | None) -> None:
        """Add one request."""
        self.keys.append(key)
        self.lines.append(line)
        self.worst.append(worst)
        self.size += len(line) + 1


async def hand_over(
    session: BatchSession, questions: Iterator[Question], before: Mapping[Key, Record] | None = None
) -> tuple[list[LoggedBatch], OverBudget | None]:
    """Submit questions. The batches, and the error that stopped the rest if the budget is full.

    `before`: the records of questions that are asked again; other answers may come from the cache. Until it
    is known what the server accepts, questions are asked live, and their answers count.
    """
    out: list[LoggedBatch] = []
    pile, tried = _OpenBatch(), 0
    for question in questions:
        # Reading and rendering must not keep Ctrl-C waiting.
        await asyncio.sleep(0)
        session.go_on()
        prompt = session.worker.prompt(question)
        if before is None and (known := session.worker.known(prompt)):
            session.worker.keep(question, known)
        elif (full := _reserve(session, question, prompt)) is not None:
            return [*out, *await _submit(session, pile, before)], full
        elif not session.batches.settled:
            tried += 1
            await _ask_live(session, question, prompt, before, tried)
        else:
            if not pile.takes(session.batches.line(f"{pile.mark}-{len(pile.keys)}", prompt)):
                out += await _submit(session, pile, before)
                pile = _OpenBatch()
            line = session.batches.line(f"{pile.mark}-{len(pile.keys)}", prompt)
            pile.add(key_of(question), line, session.worker.worst_batched(prompt))
    return [*out, *await _submit(session, pile, before)], None


async def _ask_live(
    session: BatchSession, question: Question, prompt: Prompt, before: Mapping[Key, Record] | None, tried: int
) -> None:
    found = await session.worker.ask(prompt)
    session.worker.keep(question, second_of(before[key_of(question)], found) if before else found)
    session.worker.remember(prompt, found)
    session.worker.check_limit()
    if tried >= WARM_UPS and isinstance(found.outcome, Failed) and not session.batches.settled:
        why = found.outcome.detail
        raise Unfinished(f"the first {tried} questions got no answer, and no batch was sent: {why}")


def _reserve(session: BatchSession, question: Question, prompt: Prompt) -> OverBudget | None:
    """Reserve the cost of a question, if there is a budget; the error if it does not fit.

    A live call makes its own reservation, and would wait for open batches; this only checks that it fits.
    """
    budget, batch = session.job.budget, session.batches.settled
    if budget is None:
        return None
    try:
        room = budget.take(budget.worst(prompt, batch=batch), batch=batch)
    except OverBudget as error:
        return error
    if batch:
        session.rooms[key_of(question)] = room
    else:
        budget.release(room)
    return None


async def _submit(
    session: BatchSession, pile: _OpenBatch, before: Mapping[Key, Record] | None
) -> list[LoggedBatch]:
    """Send the pile, unless it is empty."""
    if not pile.keys:
        return []
    known = [worst for worst in pile.worst if worst is not None]
    worst = max(known) if len(known) == len(pile.keys) else None
    again, address = before is not None, session.job.moved_to
    logged = session.sent.meant(pile.mark, pile.keys, again=again, worst=worst, address=address)
    logged = await _send(session, logged, pile.lines)
    session.out.update(logged.keys)
    session.say(f"batch {logged.batch}: {plural(len(logged.keys), 'question')} submitted")
    return [logged]


async def _send(session: BatchSession, logged: LoggedBatch, lines: Sequence[bytes]) -> LoggedBatch:
    """The batch with the server's id. Before each further try, check whether the last one arrived."""
    turns = pauses()
    for attempt in range(TRIES):
        if attempt and (found := await find(session, logged)):
            return found
        try:
            return session.sent.sent(logged, await once(session.batches.submit(lines, logged.mark)))
        except TransientError as error:
            last = error
            await pause_after(session, error, next(turns))
        except (RejectedError, FatalError) as error:
            if not attempt:
                session.sent.ended(logged, "lost", f"refused: {error}")
            raise Unfinished(f"the server refused the batch: {error}") from error
    raise Unfinished(f"could not submit a batch in {TRIES} tries: {last}")
