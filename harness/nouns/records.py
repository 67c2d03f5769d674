"""The nouns of a run, frozen, in the order of the flow.

Pair, Example -> Prompt -> Reply -> Grade | Ungraded | Failed -> Record
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from harness.nouns.base import Level, Noun
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


class Usage(Noun):
    """Tokens of one call, counted alike for every API.

    Read from a cache (`cached_tokens`) and written to one (`written_tokens`) are parts of the input,
    and `reasoning_tokens` of the output.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    written_tokens: int = 0
    reasoning_tokens: int = 0


class Reply(Noun):
    """A teacher's answer, untouched.

    `stop` says why the text ends; `probabilities` holds the teacher's own probability of each grade,
    where it gives one.
    """

    text: str
    model: str
    stop: Literal["end", "cut_off", "refused", "filtered"] = "end"
    probabilities: dict[int, float] | None = None
    usage: Usage | None = None


# --- how it ended ----------------------------------------------------------------------------------


class Grade(Noun):
    """The teacher answered, and this is what it said."""

    kind: Literal["grade"] = "grade"
    value: Level
    reasoning: str
    clauses: tuple[str, ...]


Cause = Literal["refused", "filtered", "cut_off", "no_answer", "bad_json", "two_answers", "unknown_grade"]


class Ungraded(Noun):
    """The teacher answered, and no grade can be read from the answer."""

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
    """One line of a run: what became of one example and repeat. The last line of a key counts.

    `unread` is the first reply where it could not be read and another was asked for: `reply`, which counts.
    `cost` is USD for both; None where the price or the tokens are unknown. `cached_reply`: an earlier run
    had asked the same and paid for it.
    """

    example: str
    repeat: int = 0
    pair: str
    outcome: Outcome
    reply: Reply | None = None
    unread: Reply | None = None
    at: str
    seconds: float
    attempts: int
    cost: float | None = Field(default=None, ge=0)
    cached_reply: bool = False

    @property
    def key(self) -> Key:
        """What is unique in a finished run."""
        return self.example, self.repeat


def latest(records: Iterable[Record]) -> dict[Key, Record]:
    """The record that counts for each key: the last one written."""
    return {record.key: record for record in records}
