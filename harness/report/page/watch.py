"""The page of a watch, as one HTML file: the verdict, the evidence over time, the loss, the traffic."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.report.page.axis import axis_over
from harness.report.page.environment import render_page, save_page
from harness.report.watch import (
    DAY_INTERVALS,
    QUESTION,
    baseline_lines,
    change_words,
    day_cells,
    evidence,
    grades_words,
    humans_words,
    mix_words,
    process_words,
    verdict_word,
    watch_words,
)
from harness.scorecards.watch import Watch, WatchedDay

HEIGHT, TOP, BOTTOM = 220, 12, 190
"""Of a picture, in pixels: its whole, and where the axis has its ends."""
LABELS = 3
"""Days that are named under a picture: more would touch each other on a telephone."""
LOWEST, HIGHEST = -2.0, 6.0
"""Evidence is drawn between these powers of 10: values beyond them decide nothing else."""


class Point(NamedTuple):
    """A day in a picture: x in per cent, y in pixels; `said` is its title, `low` and `high` its interval."""

    x: float
    y: float
    said: str
    low: float | None = None
    high: float | None = None


class DaysPicture(NamedTuple):
    """A figure over the days: a line and its points, labelled levels, and a dashed line."""

    title: str
    note: str
    said: str
    points: Sequence[Point]
    levels: Sequence[tuple[float, str]]
    bar: float | None
    days: Sequence[tuple[float, str, str]]


def write_watch(path: Path, found: Watch) -> None:
    """Write the page atomically."""
    save_page(path, watch_page(found))


def watch_page(found: Watch) -> str:
    """The page."""
    values: dict[str, Any] = {
        "title": QUESTION,
        "about": watch_words(found),
        "found": found,
        "verdict": verdict_word(found).lower(),
        "kind": {"none": "pass", None: "inconclusive"}.get(found.verdict, "fail"),
        "said": list(baseline_lines(found)),
        "processes": [
            (name, one, evidence(one.e_value), evidence(one.highest), process_words(one))
            for name, one in (("teacher", found.teacher), ("traffic", found.traffic))
        ],
        "evidence": [one for one in (_evidence(found, name) for name in ("teacher", "traffic")) if one],
        "loss": _loss(found),
        "mixes": [(mix, mix_words(mix)) for mix in found.mixes],
        "grades": grades_words(found),
        "change": change_words(found.change) if found.change else None,
        "humans": humans_words(found.humans) if found.humans else None,
        "days": [day_cells(one) for one in reversed(found.days)],
        "height": HEIGHT,
    }
    return render_page("watch.html.j2", values, scripts=("tables.js",))


def _evidence(found: Watch, name: str) -> DaysPicture | None:
    """One process over the days, in powers of 10; None where it has no value."""
    days = [one for one in found.days if _e_value(one, name) is not None]
    if len(days) < 2:
        return None
    process = found.teacher if name == "teacher" else found.traffic
    values = [_e_value(one, name) or 0.0 for one in days]
    powers = [max(LOWEST, min(HIGHEST, math.log10(max(value, 1e-300)))) for value in values]
    low = min(-1.0, math.floor(min(powers)))
    high = max(2.0, math.ceil(max(powers)))
    places = [_across(at, len(days)) for at in range(len(days))]
    points = [
        Point(x, _down(power, low, high), f"{one.day}: {evidence(value)}")
        for x, power, value, one in zip(places, powers, values, days, strict=True)
    ]
    alarm = f"alarm on {process.alarmed_at}" if process.alarmed_at else "no alarm"
    return DaysPicture(
        f"Evidence that the {name} drifted",
        f"Of {process.of}. The dashed line is the alarm, {process.threshold:g}; the scale is logarithmic.",
        f"Evidence of a drift of the {name}, from {evidence(values[0])} to {evidence(values[-1])}: {alarm}",
        points,
        [(_down(power, low, high), _power(power)) for power in range(int(low), int(high) + 1)],
        _down(math.log10(process.threshold), low, high),
        _named(days),
    )


def _e_value(one: WatchedDay, name: str) -> float | None:
    return one.teacher_e if name == "teacher" else one.traffic_e


def _power(power: int) -> str:
    return {3: "1k", 4: "10k", 5: "100k", 6: "1M"}.get(power, f"{10.0**power:g}")


def _loss(found: Watch) -> DaysPicture | None:
    """The loss of each day less the baseline, with its interval; None without two days."""
    days = [one for one in found.days if one.loss is not None and one.baseline is not None]
    if len(days) < 2:
        return None
    apart = [(one.loss or 0.0) - (one.baseline or 0.0) for one in days]
    axis = axis_over([(0.0, None), *zip(apart, (one.ci for one in days), strict=True)])
    points = [
        Point(
            _across(at, len(days)),
            _down(value, axis.low, axis.high),
            f"{one.day}: loss {one.loss:.3f}, {value:+.3f} to the baseline",
            _down(one.ci.low, axis.low, axis.high) if one.ci else None,
            _down(one.ci.high, axis.low, axis.high) if one.ci else None,
        )
        for at, (one, value) in enumerate(zip(days, apart, strict=True))
    ]
    return DaysPicture(
        "Loss of the teacher, less the baseline",
        f"Clustered by query; the dashed line is the baseline. {DAY_INTERVALS}",
        f"Loss less the baseline: {apart[0]:+.3f} on {days[0].day}, {apart[-1]:+.3f} on {days[-1].day}",
        points,
        [(_down(tick.value, axis.low, axis.high), tick.label) for tick in axis.ticks],
        _down(0.0, axis.low, axis.high),
        _named(days),
    )


def _across(at: int, count: int) -> float:
    """Per cent from the left; the labels of the levels stand before the first day."""
    return round(10 + 87 * at / max(1, count - 1), 2)


def _down(value: float, low: float, high: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)


def _named(days: Sequence[WatchedDay]) -> list[tuple[float, str, str]]:
    """A few days with their places and the anchors of their texts."""
    last = len(days) - 1
    places = sorted({round(at * last / (LABELS - 1)) for at in range(LABELS)})
    anchors = {0: "start", last: "end"}
    return [(_across(at, len(days)), days[at].day, anchors.get(at, "middle")) for at in places]
