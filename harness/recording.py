"""From an answer to its Record, whichever way the answer came."""

from datetime import UTC, datetime
from typing import Final, Protocol

from harness.records import Example, Outcome, Record, Reply, Ungraded

REASKED: Final = ("bad_json", "no_answer", "two_answers")
"""Causes that another answer may cure. It is asked for once, and is what counts, readable or not."""

Question = tuple[Example, int]
"""An example, and which repeat of it: all examples are asked once before any is asked again."""


class Recorder(Protocol):
    """Makes the record of what became of a question."""

    def __call__(
        self,
        question: Question,
        outcome: Outcome,
        *,
        reply: Reply | None,
        unread: Reply | None = None,
        seconds: float,
        attempts: int,
    ) -> Record:
        """`unread` is the first reply where another one was asked for; `seconds` all that it took."""


def record_of(
    question: Question,
    outcome: Outcome,
    *,
    reply: Reply | None,
    unread: Reply | None = None,
    seconds: float,
    attempts: int,
) -> Record:
    """The record of what became of a question, made now."""
    example, repeat = question
    return Record(
        example=example.id,
        repeat=repeat,
        pair=example.pair.digest,
        outcome=outcome,
        reply=reply,
        unread=unread,
        at=now(),
        seconds=round(seconds, 3),
        attempts=attempts,
    )


def is_curable(outcome: Outcome) -> bool:
    """Whether another answer may be one that can be read."""
    return isinstance(outcome, Ungraded) and outcome.cause in REASKED


def now() -> str:
    """This moment, as records say it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
