"""How a question ended, as the record that a run keeps."""

from datetime import UTC, datetime
from typing import NamedTuple

from harness.nouns.records import Outcome, Record, Reply


class Answered(NamedTuple):
    """How one question ended: the fields of its record that say so.

    `unread`: a first reply that could not be read. `attempts`: calls made.
    """

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
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        address=address if found.reply else None,
        **found._asdict(),
    )
