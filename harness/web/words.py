"""The viewer's formats for times and addresses."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape


def duration(seconds: float | None) -> str:
    """A duration in a suitable unit."""
    if seconds is None:
        return "unknown"
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}s"
    whole = round(seconds)
    return "1 second" if whole == 1 else f"{whole} seconds"


def begun(name: str, created: str | None) -> str:
    """When a run began, in short form; from its name if it has no manifest."""
    with suppress(ValueError):
        when = datetime.fromisoformat(created or f"{name[:15]}+00:00")
        return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"
    return name


def segment(name: str) -> str:
    """A name as one segment of an address."""
    return quote(name, safe="")


def address(path: str, **parameters: Any) -> str:
    """A path with its parameters; a list repeats its parameter."""
    given = {name: value for name, value in parameters.items() if value not in (None, "", ())}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def breakable(name: str) -> Markup:
    """A name as HTML that a browser breaks between its words."""
    return Markup(re.sub(r"(?<=[/_:])|(?=@)", "<wbr>", escape(name)))


FILTERS: dict[str, Callable[..., Any]] = {
    "breakable": breakable,
    "duration": duration,
    "begun": begun,
    "segment": segment,
}
