"""The nouns of a run, frozen, in the order of the flow.

Pair, Example -> Prompt -> Reply -> Grade | Ungraded | Failed -> Record
"""

import hashlib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Annotated, Literal

from pydantic import Field

from harness.nouns.base import Amount, Count, Level, Noun
from harness.nouns.pair import Pair

# --- asking a teacher ----------------------------------------------------------------------------


class Message(Noun):
    """One turn of a prompt."""

    role: Literal["system", "user"]
    content: str


class Prompt(Noun):
    """What a teacher is asked about one pair. `repeat` counts from 0."""

    item: str
    repeat: int
    messages: tuple[Message, ...]
    pair: Pair

    @cached_property
    def said(self) -> tuple[tuple[str, str], ...]:
        """The role and the SHA-256 of each message: what a reply is looked up by, and kept."""
        return tuple((message.role, _digest_of(message.content)) for message in self.messages)


@lru_cache(maxsize=64)
def _digest_of(text: str) -> str:
    """Cached, since all pairs of a run share the system message."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Usage(Noun):
    """Tokens of one call, with the same meaning for every API.

    `input_tokens` includes those read from a cache (`cached_tokens`) and written to one (`written_tokens`);
    `output_tokens` includes `reasoning_tokens`.
    """

    input_tokens: Count
    output_tokens: Count
    cached_tokens: Count = 0
    written_tokens: Count = 0
    reasoning_tokens: Count = 0


class Reply(Noun):
    """A teacher's answer, unchanged.

    `stop`: why the text ends. `probabilities`: the teacher's own probability of each grade, if it gives any.
    `thinking`: what came beside the text, where that is empty: it is kept, and never graded.
    `fingerprint`: the server's own mark of what stands behind the model's name, where it gives one.
    """

    text: str
    model: str
    stop: Literal["end", "cut_off", "refused", "filtered"] = "end"
    probabilities: dict[Level, Amount] | None = None
    usage: Usage | None = None
    thinking: str | None = None
    fingerprint: str | None = None


# --- how it ended ----------------------------------------------------------------------------------


class Grade(Noun):
    """The teacher answered with a readable grade."""

    kind: Literal["grade"] = "grade"
    value: Level
    reasoning: str
    clauses: tuple[str, ...]


Cause = Literal["refused", "filtered", "cut_off", "no_answer", "bad_json", "two_answers", "unknown_grade"]


class Ungraded(Noun):
    """The teacher answered, but the answer cannot be read as a grade."""

    kind: Literal["ungraded"] = "ungraded"
    cause: Cause
    detail: str = ""


class Failed(Noun):
    """The teacher never answered."""

    kind: Literal["failed"] = "failed"
    detail: str


Outcome = Annotated[Grade | Ungraded | Failed, Field(discriminator="kind")]
Key = tuple[str, int]


class Record(Noun):
    """One line of a run: the outcome of one example and repeat. The last line of a key counts.

    `unread`: an unreadable first reply, after which `reply` was asked for; `reply` counts. `cost`: USD for
    both; None where the price or the tokens are unknown. `cached_reply`: the reply comes from an earlier run,
    which paid for it. `address`: where the reply comes from, if not from that of the manifest. A record
    of a failure has a reply where the server that gave it cannot be used.
    """

    example: str
    repeat: Count = 0
    pair: str
    outcome: Outcome
    reply: Reply | None = None
    unread: Reply | None = None
    at: str
    seconds: Amount
    attempts: Count
    cost: Amount | None = None
    cached_reply: bool = False
    address: str | None = None

    @property
    def key(self) -> Key:
        """Unique in a finished run: example and repeat."""
        return self.example, self.repeat


def latest(records: Iterable[Record]) -> dict[Key, Record]:
    """The record that counts for each key: the last one written."""
    return {record.key: record for record in records}
