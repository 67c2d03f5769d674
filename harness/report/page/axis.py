"""Axes for figures that need not lie between 0 and 1: round ends, few ticks."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from harness.nouns.base import Interval

STEPS = 4
"""About how many parts an axis has: more labels would touch each other on a telephone."""


class Tick(NamedTuple):
    """A label of an axis."""

    value: float
    label: str


class Axis(NamedTuple):
    """An axis from `low` to `high`, both of which are ticks."""

    low: float
    high: float
    ticks: tuple[Tick, ...]


def axis_over(drawn: Iterable[tuple[float | None, Interval | None]]) -> Axis:
    """An axis that fits all values and intervals. That of a share is within 0 to 1: every step divides 1."""
    ends = [end for value, ci in drawn for end in (value, *(ci or ())) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    step = _step((high - low) or 0.1)
    first, last = math.floor(round(low / step, 6)), math.ceil(round(high / step, 6))
    if first == last:
        # A single value stands at one end; an axis never begins below 0 for a value of 0.
        first, last = (first - 1, last) if first > 0 else (first, last + 1)
    ticks = tuple(_tick(at * step) for at in range(first, last + 1))
    return Axis(ticks[0].value, ticks[-1].value, ticks)


def _step(width: float) -> float:
    """A distance of 1, 2 or 5 times a power of 10."""
    power = 10.0 ** math.floor(math.log10(width / STEPS))
    return next(power * times for times in (1, 2, 5, 10) if width / (power * times) <= STEPS)


def _tick(value: float) -> Tick:
    value = round(value, 10) + 0.0
    return Tick(value, f"{value:g}")
