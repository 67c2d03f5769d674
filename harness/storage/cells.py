"""Cells: which are empty, which are numbers, and how they go to a spreadsheet and back unchanged."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any

FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula; a quote before it makes it text."""
_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters: no text of a product has them; they cut texts off, or control a terminal."""


_ESCAPED = ("\\u00", "\\b", "\\f", "\x7f")
"""How a line of JSON writes control characters; other texts can look the same."""


_KINDS = {
    datetime: "a time",
    date: "a date",
    time: "a time",
    timedelta: "a length of time",
    bool: "true or false",
}
"""Values in typed columns that are not numbers. A datetime is also a date, so it comes first."""


def control_words(text: str) -> str | None:
    """Why a text is refused that has a control character; None for one without."""
    found = CONTROL.search(text)
    return f"the control character {found[0]!r} is not text; remove it" if found else None


def may_hold_controls(line: str) -> bool:
    """Whether texts in a line of JSON may have control characters, which few have."""
    return any(mark in line for mark in _ESCAPED)


def controls_of(value: Any) -> Iterator[str]:
    """Why each text and key of plain data is refused that has a control character, in their order."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            yield from filter(None, [control_words(one)])
        elif isinstance(one, dict | list):
            parts = chain.from_iterable(one.items()) if isinstance(one, dict) else one
            todo += reversed([*parts])


def present(value: Any) -> Any:
    """A value unchanged; None for the missing values of data frames and Parquet: NaN, NaT, NA.

    Bytes, as some programs write strings into Parquet, become text. ValueError if they are not UTF-8.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, list):
        return [present(part) for part in value]
    # NaN and NaT differ from themselves, and pandas' NA refuses to say whether it does.
    return (
        None if type(value).__name__ == "NAType" or (not isinstance(value, str) and value != value) else value
    )


def kind_of(value: Any) -> str:
    """The kind of a value that is neither a text nor a number, in words; else empty."""
    if isinstance(value, list):
        return "a map" if value and isinstance(value[0], tuple) else "a list"
    return next((words for kind, words in _KINDS.items() if isinstance(value, kind)), "")


def number_of(text: str) -> float | None:
    """A cell as a number, with a decimal point or a decimal comma; else None.

    `1,000` is not a number here: some people read it as one, others as a thousand.
    """
    if not _NUMBER.fullmatch(text) or _THOUSANDS.fullmatch(text):
        return None
    return float(text.replace(",", "."))


def harmless(cell: str) -> str:
    """A cell with a quote before it, if a spreadsheet might take it for a formula; `unquoted` removes it.

    A number's minus stays. White space before the sign does not make it text, nor do full-width signs.
    """
    return f"'{cell}" if _is_risky(cell) and not cell.removeprefix("-").isdigit() else cell


def unquoted(cell: str) -> str:
    """A cell without the quote that marks it as text for a spreadsheet."""
    return cell[1:] if cell.startswith("'") and _is_risky(cell) else cell


def _is_risky(cell: str) -> bool:
    """Whether a spreadsheet may see a formula, or a white space that it drops before one."""
    bare = cell.lstrip("'")
    first = next((letter for letter in unicodedata.normalize("NFKC", bare) if not _is_unseen(letter)), "")
    return first in FORMULA or bare.startswith(("\t", "\r", "\n"))


def _is_unseen(letter: str) -> bool:
    """Whether a program may drop a letter before a sign: a quote, white space, controls, marks of layout."""
    return letter == "'" or unicodedata.category(letter)[0] in "ZC"
