"""Formats of figures, dates and names for pages; undefined values are words."""

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from harness.nouns.base import Interval
from harness.report.formats import ended, number, percent, signed, without_code
from harness.scorecards.money import usd
from harness.storage.plural import plural

UNDEFINED = "undefined"


def _or_undefined(text: Callable[..., str]) -> Callable[..., str]:
    """A format of figures; undefined in words instead of a dash."""
    return lambda value, *places: UNDEFINED if value is None else text(value, *places)


figure, change, share = _or_undefined(number), _or_undefined(signed), _or_undefined(percent)


def span(ci: Interval | None, places: int = 3) -> str:
    """An interval, from low to high; no interval in words."""
    return "no interval" if ci is None else f"{number(ci.low, places)} to {number(ci.high, places)}"


def chance(p: float | None) -> str:
    """A p value; undefined in words."""
    return UNDEFINED if p is None else "under 0.0001" if p < 0.0001 else f"{p:.2g}"


def count(value: float) -> str:
    """A count with thousands separators; a mean over repeats may be a fraction."""
    return f"{value:,.10g}"


def sentence(text: str) -> str:
    """A remark as a sentence. A name at its beginning, such as agent_1, stays as it is."""
    text = without_code(text)
    name = re.search(r"[\d_@/|]", text.partition(" ")[0])
    return (text[:1] if name else text[:1].upper()) + ended(text[1:])


def moment(text: str | None) -> str:
    """An ISO time in words, in its own time zone."""
    if not text:
        return "not yet"
    when = datetime.fromisoformat(text)
    zone = " UTC" if when.utcoffset() is not None and not when.utcoffset() else when.strftime(" %z").rstrip()
    return f"{when.day} {when:%B %Y, %H:%M}{zone}"


def axis_low(drawn: Iterable[tuple[float | None, Interval | None]]) -> float:
    """The lower end of the kappa axis: 0, or less if a kappa or its interval is negative."""
    ends = [end for value, ci in drawn for end in (value, ci.low if ci else None) if end is not None]
    return max(-1.0, math.floor(min([0.0, *ends]) * 5) / 5)


def percent_of_track(value: float, low: float = 0.0, high: float = 1.0) -> str:
    """The position of a value on an axis from low to high, for SVG."""
    inside = min(max((value - low) / (high - low), 0.0), 1.0)
    return f"{100 * inside:.2f}%"


def width_on_track(width: float, low: float = 0.0, high: float = 1.0) -> str:
    """The share of an axis from low to high that a width takes, for SVG."""
    return f"{100 * width / (high - low):.2f}%"


def shade(part: float, whole: float) -> int:
    """0 for nothing, else 1 to 9 by the share."""
    return 0 if not part or not whole else min(9, 1 + int(9 * part / whole))


FILTERS: dict[str, Callable[..., Any]] = {
    "figure": figure,
    "change": change,
    "share": share,
    "span": span,
    "chance": chance,
    "count": count,
    "moment": moment,
    "sentence": sentence,
    "plural": plural,
    "track": percent_of_track,
    "stretch": width_on_track,
    "shade": shade,
    "usd": usd,
}
