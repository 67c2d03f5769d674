"""Parse JSON strictly: no duplicate key, no NaN, no half character."""

import json
from collections import Counter
from typing import Any


def parse_json(text: str) -> Any:
    """Parse strict JSON: ValueError for a duplicate key, NaN, infinity, a long number, a deep nesting."""
    if text.startswith("\ufeff"):
        json.loads(text)  # its message names the byte order mark
    try:
        return _STRICT.decode(text)
    except RecursionError:
        raise ValueError("lists or objects within each other are too deep") from None
    except ValueError as error:
        # Python's own message names a function of its own to call.
        if "digits" in str(error):
            raise ValueError("a number has more than 4,300 digits") from None
        raise


def json_words(error: Exception) -> str:
    """What is wrong with a JSON text, and where in it."""
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    return f"{error.msg} at line {error.lineno}, letter {error.colno}"


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
