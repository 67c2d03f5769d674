"""The nouns of a run, frozen, in the order of the flow.

Pair, Example, Rating -> Prompt -> Reply -> Grade | Ungraded | Failed -> Record
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from harness.digest import digest
from harness.noun import Level, Noun, Split

# --- what is graded ------------------------------------------------------------------------------


class Result(Noun):
    """What the surface shows of one result."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    title: str = Field(min_length=1)
    brand: str | None = None
    category: str | None = None
    price: str | None = None
    description: str | None = None
    attributes: dict[str, str] = Field(default={})


class Pair(Noun):
    """A query, one result for it, and who asks where that matters."""

    query: str = Field(min_length=1)
    result: Result
    context: dict[str, str] | None = None

    @cached_property
    def digest(self) -> str:
        """Identity across files and runs: covers query, result and context, and no grade."""
        return digest(self.data())

    @cached_property
    def json_text(self) -> str:
        """The pair as a prompt shows it. Kept, since a template and two checks of its text ask for it."""
        return indented_json(self.data())


def indented_json(value: Any) -> str:
    """JSON as people write it, with every letter as it is."""
    return json.dumps(value, ensure_ascii=False, indent=2)


class Provenance(Noun):
    """Where an example comes from."""

    source: str
    digest: str | None = None
    line: int | None = None
    licence: str | None = None


class PastGrade(Noun):
    """The grade that an example had under an earlier policy version, and why it changed.

    `stands`: the judgement after it took it over as it was, so that its reasoning and clauses are there.
    """

    policy_version: str
    grade: Level
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    stands: bool = False
    changed_at: str = ""
    why: str = ""


def judged_under(
    version: str, history: Sequence[PastGrade], reasoning: str, clauses: tuple[str, ...]
) -> dict[str, Any] | None:
    """What was said under an earlier version; None where it never judged.

    `reasoning` and `clauses` are today's: a judgement that stands is worded as the one after it.
    """
    worded = {"reasoning": reasoning, "clauses": clauses}
    for past in reversed(history):
        if not past.stands:
            worded = {"reasoning": past.reasoning, "clauses": past.clauses}
        if past.policy_version == version:
            return {"policy_version": version, "grade": past.grade, **worded}
    return None


class Example(Noun):
    """A pair with its right grade and the chain of thought that leads there."""

    id: str = Field(min_length=1)
    query: str = Field(min_length=1)
    result: Result
    context: dict[str, str] | None = None
    grade: Level
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    policy_version: str
    history: tuple[PastGrade, ...] = ()
    split: Split
    tags: tuple[str, ...] = ()
    provenance: Provenance | None = None

    @property
    def pair(self) -> Pair:
        """What a teacher may see of the example: no grade, no reasoning. Made anew, since sets are long."""
        return Pair(query=self.query, result=self.result, context=self.context)

    @property
    def cluster(self) -> str:
        """The query as a key: spellings that differ in case, spaces or punctuation are one query."""
        return query_key(self.query)

    def under(self, version: str) -> "Example":
        """The example as graded under a policy version; as it is where that version never graded it."""
        if version == self.policy_version:
            return self
        then = judged_under(version, self.history, self.reasoning, self.clauses)
        return self.model_copy(update=then) if then else self


@lru_cache(maxsize=100_000)
def query_key(query: str) -> str:
    """A query without differences in case, white space, punctuation and Unicode form."""
    return " ".join(words(query)) or query.strip()


def words(text: str) -> list[str]:
    """The words of a text in any script, without case: letters with their marks, numbers, c++ and 5.5."""
    if text.isascii():
        # The same words; most products are described in these letters, and there are many of them.
        return _ASCII_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(letter if _is_word(letter) else " " for letter in _POINT.sub(_POINT_KEPT, folded))
    return kept.replace(_POINT_KEPT, ".").split()


_ASCII_WORD = re.compile(r"(?:[a-z0-9+#]|(?<=[0-9])\.(?=[0-9]))+")
_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_POINT_KEPT = "\uf8ff"
"""A private letter that stands for a decimal point while the other points go."""


def _is_word(letter: str) -> bool:
    return letter in ("+", "#", _POINT_KEPT) or unicodedata.category(letter)[0] in "LMN"


class Rating(Noun):
    """One rater's grade for one item."""

    item: str = Field(min_length=1)
    rater: str = Field(min_length=1)
    grade: Level
    reasoning: str = ""
    policy_version: str = ""
    at: str = ""
    query: str | None = None


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
