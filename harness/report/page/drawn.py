"""A figure in a picture of tracks, which the macro `tracks` in parts.html.j2 draws."""

from typing import NamedTuple

from harness.nouns.base import Interval


class DrawnFigure(NamedTuple):
    """A figure on a track, with its interval; `note` says what it is of, or why there is no interval."""

    name: str
    value: float | None
    ci: Interval | None
    note: str = ""
    main: bool = False
    lowest: str = ""
    """The word of a badge on the lowest stratum; empty for the others."""
