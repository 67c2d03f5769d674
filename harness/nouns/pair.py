"""What is graded: pairs, golden examples and ratings, and when two queries are one."""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticSerializationError

from harness.nouns.base import Count, Level, Noun, Split
from harness.storage.digest import digest

ALMOST = "differ in capitals, spaces or marks alone"


class Result(Noun):
    """The parts of one result that the surface shows."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    title: str = Field(min_length=1)
    brand: str | None = None
    category: str | None = None
    price: str | None = None
    description: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)


class Pair(Noun):
    """A query, one result for it, and the context of the user, if it matters."""

    query: str = Field(min_length=1)
    result: Result
    context: dict[str, str] | None = None

    @cached_property
    def digest(self) -> str:
        """Identity across files and runs: covers query, result and context, and no grade."""
        return digest(self.data())

    def with_digest(self, known: str) -> "Pair":
        """This pair with a known digest: making it takes as long as everything else."""
        self.__dict__["digest"] = known
        return self

    @cached_property
    def json_text(self) -> str:
        """The pair as a prompt shows it. Kept, since a template and two checks of its text ask for it."""
        try:
            # The same text, byte for byte, in a tenth of the time.
            return self.model_dump_json(indent=2, exclude_defaults=True)
        except PydanticSerializationError:
            # Half a surrogate pair, which no file can hold.
            return indented_json(self.data())


def indented_json(value: Any) -> str:
    """JSON as people write it, with every letter as it is."""
    return json.dumps(value, ensure_ascii=False, indent=2)


class Provenance(Noun):
    """Where an example comes from.

    `round`: of production pairs, in which `raters` gave it its grade, or about which `decided_by` did.
    """

    source: str
    digest: str | None = None
    line: int | None = None
    licence: str | None = None
    round: str | None = None
    raters: tuple[str, ...] = ()
    decided_by: str | None = None


class PastGrade(Noun):
    """The grade that an example had under an earlier policy version, and why it changed.

    `stands`: the judgement after it took it over as it was, so that its reasoning and clauses are there.
    `rules`: `Policy.rules` of the version as it read then; None where that was not noted.
    """

    policy_version: str
    grade: Level
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    stands: bool = False
    rules: str | None = None
    changed_at: str = ""
    why: str = ""


def judged_under(
    version: str, history: Sequence[PastGrade], reasoning: str, clauses: tuple[str, ...]
) -> dict[str, Any] | None:
    """What was said under an earlier version; None if that version never graded it.

    `reasoning` and `clauses` are today's: a judgement that stands is worded as the one after it.
    """
    worded = {"reasoning": reasoning, "clauses": clauses}
    for past in reversed(history):
        if not past.stands:
            worded = {"reasoning": past.reasoning, "clauses": past.clauses}
        if past.policy_version == version:
            return {"policy_version": version, "grade": past.grade, "rules": past.rules, **worded}
    return None


class NamedPair(Noun):
    """A pair with its id in a file."""

    id: str = Field(min_length=1)
    query: str = Field(min_length=1)
    result: Result
    context: dict[str, str] | None = None

    @property
    def pair(self) -> Pair:
        """What a teacher may see: no grade, no reasoning. Made at each call, since files are long."""
        return Pair(query=self.query, result=self.result, context=self.context)

    @property
    def cluster(self) -> str:
        """The query as a key: spellings that differ in case, spaces or punctuation are one query."""
        return query_key(self.query)


class Example(NamedPair):
    """A pair with its right grade and the chain of thought that leads there.

    `rules`: `Policy.rules` of the version as it read when the pair was judged; None where that was not noted.
    """

    grade: Level
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    policy_version: str
    rules: str | None = None
    history: tuple[PastGrade, ...] = ()
    split: Split
    tags: tuple[str, ...] = ()
    provenance: Provenance | None = None

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


def namesakes(names: Iterable[str]) -> list[list[str]]:
    """Names that differ only in capitals, spaces and marks, perhaps of the same person."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        spellings["".join(filter(str.isalnum, name.casefold())) or name].append(name)
    return [alike for alike in spellings.values() if len(alike) > 1]


def one_form(id_: str) -> str:
    """An id in one Unicode form: macOS and Windows write the same accented letter differently."""
    return id_ if id_.isascii() else unicodedata.normalize("NFC", id_)


def words(text: str) -> list[str]:
    """The words of a text in any script, without case: letters with their marks, numbers, c++ and 5.5."""
    if text.isascii():
        # The same words; most products are described in these letters, and there are many of them.
        return _ASCII_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _POINT.sub(_POINT_KEPT, folded).translate(_IN_WORDS).replace(_POINT_KEPT, ".").split()


_ASCII_WORD = re.compile(r"(?:[a-z0-9+#]|(?<=[0-9])\.(?=[0-9]))+")
_POINT = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_POINT_KEPT = "\uf8ff"
"""A private letter in place of a decimal point while other points are removed."""


class _InWords(dict[int, str]):
    """For str.translate: a letter of words as it is, any other as a space; each is looked up once."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        is_word = letter in ("+", "#", _POINT_KEPT) or unicodedata.category(letter)[0] in "LMN"
        return self.setdefault(code, letter if is_word else " ")


_IN_WORDS = _InWords()


Cannot = Literal["ambiguous_text", "policy_silent", "not_enough_shown"]
"""Why a rater could not grade a pair."""
Drawn = Literal["random", "hunted"]
"""How a pair came into a round: at random, or because something about it made it worth a look."""
Chance = Annotated[float, Field(gt=0, le=1)]
"""The probability that a drawing takes a pair."""
RaterName = Annotated[str, AfterValidator(one_form), Field(min_length=1)]


class Rating(Noun):
    """One rater's grade for one item; `repeat` counts the rater's grades of the item, the first lowest.

    `policy_digest`: of the policy as the rater read it; "" where that was not noted. `drawn`, `pi`: how the
    item came into a round, and its inclusion probability where it was drawn at random.
    """

    item: str = Field(min_length=1)
    rater: RaterName
    grade: Level
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    policy_version: str = ""
    policy_digest: str = ""
    at: str = ""
    milliseconds: Count | None = None
    repeat: int = Field(default=0, ge=0)
    drawn: Drawn | None = None
    pi: Chance | None = None
    query: str | None = None


class Unrated(Noun):
    """A rater looked at an item and could not grade it: never a grade. Other fields as in `Rating`."""

    item: str = Field(min_length=1)
    rater: RaterName
    cannot: Cannot
    reasoning: str = ""
    policy_version: str = ""
    policy_digest: str = ""
    at: str = ""
    milliseconds: Count | None = None
    repeat: int = Field(default=0, ge=0)
    drawn: Drawn | None = None
    pi: Chance | None = None
