"""The data that a template sees: policy, shots and pair as plain data.

A template may be untrusted, and an object exposes its methods: pydantic's read files and run pickles. So a
noun becomes a table of texts, numbers and further tables, with its properties as values.
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
"""The properties to include with a noun's fields."""
_JSON = json.JSONEncoder(ensure_ascii=False, indent=2)


class PlainData(dict[str, Any]):
    """A noun's values by name. `bare` holds the values of its JSON: no defaults and no properties.

    `weight`: the cost of a comparison with an equal table, in short texts.
    """

    __slots__ = ("bare", "kind", "weight")

    def __init__(self, noun: Noun) -> None:
        fields = type(noun).model_fields
        super().__init__((name, plain(getattr(noun, name))) for name in fields)
        self.kind = type(noun).__name__.lower()
        self.bare = {
            name: bare(self[name])
            for name, field in fields.items()
            if self[name] != field.get_default(call_default_factory=True)
        }
        self.update((name, plain(getattr(noun, name))) for name in DERIVED.get(type(noun), ()))
        self.weight = sum(map(_weight, self.values()))


def _weight(value: Any) -> int:
    if isinstance(value, PlainData):
        return value.weight
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return 1 + (len(value) // 64 if isinstance(value, str) else sum(map(_weight, parts)))


def plain(value: Any) -> Any:
    """A value for a template; a set is sorted, since its order differs between processes."""
    if isinstance(value, Noun):
        return PlainData(value)
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def bare(value: Any) -> Any:
    """A value in JSON's types."""
    if isinstance(value, PlainData):
        return value.bare
    if isinstance(value, list | tuple):
        return list(map(bare, value))
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items()}
    return value


def json_parts(value: Any) -> Iterable[str]:
    """JSON for a prompt, piece by piece, without escaping: \\u00e4 costs tokens and is hard to read."""
    if isinstance(value, PlainData) and "json_text" in value:
        return (value["json_text"],)
    return _JSON.iterencode(bare(value))
