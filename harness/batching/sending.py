"""Handing over: the questions as batches, each written down before it goes out, and named after."""

import secrets
from collections.abc import Iterator, Sequence

from harness.batching.desk import Desk, keep, key_of, once, pause_after, pauses, second
from harness.batching.finding import find
from harness.batching.log import Parcel
from harness.errors import FatalError, RejectedError, TransientError, Unfinished
from harness.recording import Question
from harness.records import Failed, Key

LARGEST = 16 * 1024**2
MOST = 10_000
"""Bytes and requests of one batch. OpenAI takes 200 MB and 50,000, Anthropic 256 MB and 100,000: with less,
memory stays flat, and a limit on what may be enqueued stops a part and not the whole."""
TRIES = 6
WARM_UPS = 3


async def hand_over(desk: Desk, questions: Sequence[Question], *, again: bool) -> list[Parcel]:
    """The batches that now hold the questions."""
    left = questions if desk.batches.settled else await _warm_up(desk, questions, again=again)
    out = []
    for mark, keys, lines in _pieces(desk, left):
        parcel = await _submit(desk, desk.sent.mean(mark, keys, again=again), lines)
        desk.watch.said(f"batch {parcel.batch}: {len(keys)} questions handed over")
        out.append(parcel)
    return out


async def _warm_up(desk: Desk, questions: Sequence[Question], *, again: bool) -> Sequence[Question]:
    """Ask the first question live, whose answer counts, and give back the others."""
    for number, question in enumerate(questions, start=1):
        record = await desk.first(question)
        before = desk.log.records.get(key_of(question))
        keep(desk, second(before, record) if again and before is not None else record)
        if desk.batches.settled:
            return questions[number:]
        if number == WARM_UPS:
            why = record.outcome.detail if isinstance(record.outcome, Failed) else "no answer"
            raise Unfinished(f"the first {number} questions got no answer, and none was handed over: {why}")
    return ()


def _pieces(desk: Desk, questions: Sequence[Question]) -> Iterator[tuple[str, list[Key], list[bytes]]]:
    """The questions as batches of a size that the API takes: mark, keys, and the requests' lines."""
    mark, keys, lines, size = secrets.token_hex(8), list[Key](), list[bytes](), 0
    for question in questions:
        example, repeat = question
        prompt = desk.plan.writer.prompt(example.id, example.pair, repeat)
        line = desk.batches.line(f"{mark}-{len(keys)}", prompt)
        if keys and (len(keys) == MOST or size + len(line) > LARGEST):
            yield mark, keys, lines
            mark, keys, lines, size = secrets.token_hex(8), [], [], 0
            line = desk.batches.line(f"{mark}-0", prompt)
        keys.append(key_of(question))
        lines.append(line)
        size += len(line) + 1
    if keys:
        yield mark, keys, lines


async def _submit(desk: Desk, parcel: Parcel, lines: Sequence[bytes]) -> Parcel:
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
