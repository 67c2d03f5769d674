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
    except (ValueError, RecursionError) as error:
        # Python's message about a long number names a function of Python.
        if isinstance(error, RecursionError) or "digits" in str(error):
            raise ValueError(json_fault(error)) from None
        raise


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


_WORDS = {
    "Expecting property name": "a key in double quotes is wanted, and no comma after the last value",
    "Expecting ':'": "the colon after a key is missing",
    "Expecting ','": "a comma or a closing bracket is missing",
    "Expecting value": "a value is missing",
    "Extra data": "more follows after its end",
    "Unterminated string": "a text in double quotes is never closed",
    "Invalid control character": "a text has a line end, a tab or the like as it is, not as \\n or \\t",
    "Invalid \\escape": "a backslash stands before a letter that it does not go with; \\\\ is a backslash",
    "Invalid \\uXXXX": "four hexadecimal digits are missing after \\u",
    "Illegal trailing comma": "a comma stands after the last value",
    "Unexpected UTF-8 BOM": "it begins with two byte order marks",
}
"""The error of Python's parser, in plain words."""


def json_fault(error: Exception, *, lines: bool = True) -> str:
    """What is wrong with a text that is not JSON, and where; `lines`: whether the text has several."""
    said = str(error)
    if isinstance(error, RecursionError):
        return "lists or objects lie too deep in each other"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte 0x{error.object[error.start]:02x})"
    if "integer string conversion" in said:
        return "a number has more digits than any value that could be meant"
    if not isinstance(error, json.JSONDecodeError):
        return said
    words = next((words for sign, words in _WORDS.items() if error.msg.startswith(sign)), error.msg)
    line = f"line {error.lineno}, " if lines else ""
    return f"{words}, at {line}letter {error.colno}"


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=single_keys, parse_constant=_no_constant)


def whole_text(text: str) -> str:
    """Text without lone surrogates, which JSON can escape but UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")
