"""How a question ended, as the record that a run keeps."""

from dataclasses import dataclass
from datetime import UTC, datetime

from harness.nouns.records import Outcome, Record, Reply


@dataclass(frozen=True, slots=True)
class Answered:
    """How one question ended. `unread`: a first reply that could not be read. `attempts`: calls made."""

    outcome: Outcome
    reply: Reply | None = None
    unread: Reply | None = None
    attempts: int = 0
    seconds: float = 0.0
    cost: float | None = None
    cached_reply: bool = False


def record_of(example: str, repeat: int, pair: str, found: Answered, address: str | None = None) -> Record:
    """The record of one answer, as of now; `pair` is the digest of what was asked about.

    `address`: where the teacher is, if not at the address in the manifest.
    """
    return Record(
        example=example,
        repeat=repeat,
        pair=pair,
        outcome=found.outcome,
        reply=found.reply,
        unread=found.unread,
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=found.seconds,
        attempts=found.attempts,
        cost=found.cost,
        cached_reply=found.cached_reply,
        address=address if found.reply else None,
    )
