"""Parse JSON strictly: no duplicate key, no NaN, no half character."""

import json
from collections import Counter
from typing import Any


def parse_json(text: str) -> Any:
    """Parse strict JSON: ValueError for a duplicate key, NaN and infinity."""
    if text.startswith("\ufeff"):
        json.loads(text)  # its message names the byte order mark
    return _STRICT.decode(text)


def parse_whole(text: str) -> Any:
    """Parse strict JSON of whole characters: ValueError for half a surrogate pair too."""
    value = parse_json(text)
    if "\\ud" in text or "\\uD" in text:
        plain = json.dumps(value, ensure_ascii=False)
        if whole_text(plain) != plain:
            raise ValueError("contains half a surrogate pair, which is not a character")
    return value


def single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's pairs as a dict; ValueError for a duplicate key."""
    result = dict(pairs)
    if len(result) < len(pairs):
        # Counted once: a reply may hold tens of thousands of keys.
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"key {twice!r} given twice")
    return result


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=single_keys, parse_constant=_no_constant)


def whole_text(text: str) -> str:
    """Text without lone surrogates, which JSON can escape but UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")
