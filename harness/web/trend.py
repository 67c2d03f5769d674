"""Kappa over time by prompt version: a chart per policy and split, with a point per run."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from harness.report import trend
from harness.report.formats import number
from harness.runs.listing import ListedRun
from harness.storage.plural import plural
from harness.web.words import begun

HEIGHT, TOP, BOTTOM = 320, 18, 30
LEFT, RIGHT = 9.0, 93.0
"""The x of the first and the last run, in per cent. Heights are pixels, so that text keeps its size."""
SHAPES = 6
"""The number of shapes and colours; they repeat from the seventh prompt version on."""
TICKS, STEP = 5, 0.2
"""The number of time labels, and the distance in kappa of two grid lines."""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A run in the chart: `x` in per cent of the width, `y` and the whisker's ends in pixels.

    `apart` says why it is not comparable with the others.
    """

    run: str
    model: str
    when: str
    said: str
    covers: str
    apart: str | None
    x: float
    y: float
    high: float | None
    low: float | None


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """The runs of one prompt version, in order; `shape` distinguishes it."""

    prompt: str
    shape: int
    points: tuple[TrendPoint, ...]
    joined: tuple[tuple[TrendPoint, TrendPoint], ...]
    """The lines: each run with the previous comparable one by the same model."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The chart of one policy and split."""

    title: str
    series: tuple[TrendSeries, ...]
    levels: tuple[tuple[float, float], ...]
    """Kappas on the left edge, with their y."""
    times: tuple[tuple[str, float], ...]
    """Days or hours on the lower edge, with their x."""
    bar: float
    """The threshold of the newest run."""
    bar_y: float
    runs: int

    @property
    def said(self) -> str:
        """The chart in a sentence."""
        latest = "; ".join(f"{one.prompt} {one.points[-1].said}" for one in self.series)
        return (
            f"Kappa of {plural(self.runs, 'run')} over time, {self.title}. "
            f"The latest of each prompt version: {latest}."
        )


@dataclass(frozen=True, slots=True)
class _Scale:
    """The position of a time and a kappa in the chart."""

    first: float
    last: float
    floor: float

    def x(self, time: float) -> float:
        share = (time - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return round(LEFT + share * (RIGHT - LEFT), 2)

    def y(self, kappa: float) -> float:
        return round(TOP + (1 - kappa) / (1 - self.floor) * (HEIGHT - TOP - BOTTOM), 1)


def pictures(runs: Sequence[ListedRun]) -> list[Picture]:
    """The chart of every policy and split with a kappa, the one with the newest run first."""
    groups: dict[str, list[ListedRun]] = {}
    for run in runs:
        if run.manifest and run.kappa is not None:
            asked = run.manifest.asked
            groups.setdefault(f"{asked.policy} ({asked.part})", []).append(run)
    newest = sorted(groups.items(), key=lambda group: group[1][-1].name, reverse=True)
    return [_picture(title, members) for title, members in newest]


def _picture(title: str, runs: Sequence[ListedRun]) -> Picture:
    found = trend.series_of(runs)
    points = sorted((point for one in found for point in one.points), key=lambda point: point.at)
    lowest = min(point.ci.low if point.ci else point.kappa for point in points)
    scale = _Scale(points[0].at, points[-1].at, min(math.floor(lowest / STEP) * STEP, 0.0))
    series = tuple(_series(one, at % SHAPES, scale) for at, one in enumerate(found))
    newest = next(run.headline for run in runs if run.name == points[-1].run)
    bar = newest.bar if newest else 0.8
    kappas = [round(1 - STEP * at, 1) + 0.0 for at in range(round((1 - scale.floor) / STEP) + 1)]
    return Picture(
        title=title,
        series=series,
        levels=tuple((kappa, scale.y(kappa)) for kappa in kappas),
        times=tuple((label, scale.x(time)) for label, time in _marks(scale.first, scale.last)),
        bar=bar,
        bar_y=scale.y(bar),
        runs=len(runs),
    )


def _series(one: trend.Series, shape: int, scale: _Scale) -> TrendSeries:
    points = {point.run: _point(point, scale) for point in one.points}
    steps = (step for own in one.lines for step in pairwise(own))
    joined = tuple((points[before.run], points[after.run]) for before, after in steps)
    return TrendSeries(one.prompt, shape, tuple(points.values()), joined)


def _point(point: trend.KappaPoint, scale: _Scale) -> TrendPoint:
    low, high = point.ci or (None, None)
    ends = f" [{number(low)}, {number(high)}]" if point.ci else ", without an interval"
    return TrendPoint(
        run=point.run,
        model=point.model,
        when=begun(point.run, point.manifest.created_at),
        said=number(point.kappa) + ends,
        covers=f"{plural(point.n, 'example')}, coverage {point.coverage:.1%}",
        apart=point.apart,
        x=scale.x(point.at),
        y=scale.y(point.kappa),
        high=None if high is None else scale.y(high),
        low=None if low is None else scale.y(low),
    )


def _marks(first: float, last: float) -> Iterator[tuple[str, float]]:
    """Times for the lower edge: the first, the last, and some between."""
    count = TICKS if last > first else 1
    hours = last - first < 86_400
    for at in range(count):
        time = first + (last - first) * at / max(count - 1, 1)
        when = datetime.fromtimestamp(time, UTC)
        day = f"{when.day} {when:%b}"
        yield (f"{when:%H:%M}" + (f", {day}" if at == 0 else "") if hours else day), time
