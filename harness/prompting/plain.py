"""What a template sees: the policy, the shots and the pair as plain data.

A template may come from a stranger, and an object leads to its methods: pydantic's read files and run
pickles. So a noun becomes a table of texts, numbers and further tables, in which its properties stand as
values.
"""

import json
from collections.abc import Iterable
from typing import Any

from harness.nouns.base import Noun
from harness.nouns.pair import Example, Pair
from harness.nouns.policy import Policy

DERIVED: dict[type[Noun], tuple[str, ...]] = {
    Policy: ("label", "scale", "clause_ids", "action_of"),
    Pair: ("json_text",),
    Example: ("pair", "cluster"),
}
"""The properties that stand beside a noun's fields."""
_JSON = json.JSONEncoder(ensure_ascii=False, indent=2)


class Data(dict[str, Any]):
    """A noun's values by name. `bare` is what its JSON holds: no defaults, and nothing derived."""

    __slots__ = ("bare", "kind")

    def __init__(self, noun: Noun) -> None:
        fields = type(noun).model_fields
        super().__init__((name, plain(getattr(noun, name))) for name in fields)
        self.kind = type(noun).__name__.lower()
        self.bare = {name: bare(self[name]) for name, field in fields.items() if self[name] != field.default}
        self.update((name, plain(getattr(noun, name))) for name in DERIVED.get(type(noun), ()))


def plain(value: Any) -> Any:
    """A value that a template may be given; a set in order, since its own is another in every process."""
    if isinstance(value, Noun):
        return Data(value)
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def bare(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, Data):
        return value.bare
    if isinstance(value, list | tuple):
        return list(map(bare, value))
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items()}
    return value


def json_parts(value: Any) -> Iterable[str]:
    """JSON for a prompt, piece by piece, with its letters as they are: \\u00e4 costs tokens and sense."""
    if isinstance(value, Data) and "json_text" in value:
        return (value["json_text"],)
    return _JSON.iterencode(bare(value))
