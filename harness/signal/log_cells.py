"""Cells of a flat log, one by one: what each says, or what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.golden.table_faults import shortened
from harness.nouns.pair import one_form
from harness.storage.cells import number_of
from harness.storage.tables import Row, joined

COUNTS = ("views", "clicks", "carts", "purchases", "returns")
TEXTS = ("query", "item", "session", "arm")
WITHIN_VIEWS = ("clicks", "carts", "purchases")
"""Events that happen at most once in a view."""
LAST = 1_000_000_000
"""The largest number that a cell may have."""
_MOST = f"the largest number that is read is {LAST:,}"
_WORDS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class Odd:
    """What is wrong with a cell."""

    what: str


def value_of(row: Row, name: str, headers: tuple[str, ...]) -> Any:
    """The value of a row's cell under one of our names, or an Odd."""
    text = joined(row, headers)
    if name in TEXTS:
        if text or name == "arm":
            return one_form(text) if text else None
        return Odd("is empty")
    if not text:
        return Odd("is empty") if name in ("position", "views") else 0
    return _READ[name](text)


def impossible(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a row counts more often than it has views, by name: swapped columns look like that."""
    views = found.get("views", 1)
    for name in WITHIN_VIEWS:
        count = found.get(name, 0)
        if isinstance(count, int) and isinstance(views, int) and count > views:
            what = f"{count:,} of {views:,} views" if "views" in found else f"{count:,} in a row of one view"
            yield name, f"{what}: count each at most once a view; or are columns swapped?"


def misfit(name: str, kind: Any) -> str | None:
    """What values are allowed under one of our names, beyond what a pyarrow type can say."""
    import pyarrow.types as of

    kind = kind.value_type if of.is_dictionary(kind) else kind
    plain = (
        of.is_string,
        of.is_large_string,
        of.is_string_view,
        of.is_binary,
        of.is_large_binary,
        of.is_integer,
    )
    if of.is_null(kind) or any(one(kind) for one in plain):
        return None
    if name in TEXTS:
        return "text, or whole numbers as ids"
    if (
        of.is_floating(kind)
        or of.is_decimal(kind)
        or (of.is_boolean(kind) and name not in ("position", "dwell"))
    ):
        return None
    return "seconds as a number" if name == "dwell" else "whole numbers"


def _whole(text: str, least: int, wanted: str) -> int | Odd:
    value = _number(text)
    if value is not None and value > LAST:
        return Odd(f"{shortened(text)!r} is too large: {_MOST}")
    if value is None or value < least or value != int(value):
        return Odd(f"{shortened(text)!r} is {wanted}")
    return int(value)


def _seconds(text: str) -> float | Odd:
    value = _number(text)
    if value is not None and value > LAST:
        return Odd(f"{shortened(text)!r} is too large: {_MOST}")
    return Odd(f"{shortened(text)!r} is not a number of seconds") if value is None or value < 0 else value


def _happened(text: str) -> int | Odd:
    value = _number(text)
    return int(value) if value in (0, 1) else Odd(f"{shortened(text)!r} is neither 0 nor 1")


def _number(text: str) -> float | None:
    return _WORDS.get(text.lower(), number_of(text))


_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(COUNTS, partial(_whole, least=0, wanted="not a count; expected a whole number from 0")),
    "position": partial(_whole, least=1, wanted="not a position; expected a whole number from 1"),
    "dwell": _seconds,
    "outcome": _happened,
}
