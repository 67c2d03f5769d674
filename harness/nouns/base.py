"""What every noun is made of."""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, Strict
from pydantic_core import CoreSchema, core_schema

MOST = 1_000_000_000
"""The largest grade, and the largest count of one answer: a file with more is damaged."""
Level = Annotated[int, Strict(), Field(ge=-MOST, le=MOST)]
"""A value of the grade scale. Strict: neither "3" nor true is a grade."""
Count = Annotated[int, Field(ge=0, le=MOST)]
Amount = Annotated[float, Field(ge=0, le=1000 * MOST)]
"""Seconds or USD of one answer, or a weight: bounded, so that no sum of them is infinite."""

Split = Literal["shots", "dev", "test"]
Weighting = Literal["none", "linear", "quadratic"]
Band = Literal["strong", "moderate", "weak"]
ReasonKind = Literal["undefined", "no interval", "few_events", "remark"]
Naming = Literal["all", "some", "none"]
"""How many items name their query."""


class Interval(NamedTuple):
    """From `low` to `high`, at 95 % where nothing else is said; a list of the two in JSON."""

    low: float
    high: float

    def within(self, least: float, most: float) -> "Interval":
        """The part between two limits that the figure cannot pass."""
        return Interval(max(least, self.low), min(most, self.high))


class Reason(str):
    """Why a figure or its interval is missing: a sentence for people, with its `kind` for code.

    `undefined`: there is no value. `no interval`: there is a value alone. `few_events`: the interval is of
    the human grades alone. `remark`: anything else about it.
    The sentence begins with the kind, except for a remark; `text` is the sentence without it. JSON has the
    sentence.
    """

    kind: ReasonKind
    text: str

    def __new__(cls, kind: ReasonKind, text: str) -> Self:
        made = super().__new__(cls, text if kind == "remark" else f"{kind}: {text}")
        made.kind, made.text = kind, text
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Reason, (self.kind, self.text)

    @property
    def after_no_interval(self) -> str:
        """What to write behind the words "no interval"."""
        return self.text if self.kind == "no interval" else str(self)

    @classmethod
    def read(cls, sentence: str) -> Self:
        """A reason as a file holds it."""
        head, _, text = sentence.partition(": ")
        kinds: tuple[ReasonKind, ...] = ("undefined", "no interval", "few_events")
        return next((cls(kind, text) for kind in kinds if kind == head), cls("remark", sentence))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        read = core_schema.no_info_after_validator_function(cls.read, core_schema.str_schema())
        made = core_schema.is_instance_schema(cls)
        return core_schema.json_or_python_schema(read, core_schema.union_schema([made, read]))


class Noun(BaseModel):
    """A value: frozen, without unknown keys, without NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def model_post_init(self, context: Any, /) -> None:
        """Drop the set of given fields: nothing uses it, and it is a third of a long golden set."""
        object.__setattr__(self, "__pydantic_fields_set__", _NOT_KEPT)

    def data(self) -> dict[str, Any]:
        """The noun as plain JSON data, without what is at its default: what its digest is made of.

        So a new optional field does not change the digests of older nouns. A default never changes, since
        files that leave the field out rely on it: add another field instead.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


_NOT_KEPT: set[str] = set()
