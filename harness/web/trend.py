"""Kappa over time by prompt version: a picture for each policy and split, in it a point for every run."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.report.parts import number
from harness.runs.listing import Listed
from harness.web.words import begun

HEIGHT, TOP, BOTTOM = 320, 18, 30
LEFT, RIGHT = 9.0, 95.0
"""Where the first and the last run lie, in per cent: heights are pixels, so that text keeps its size."""
SHAPES = 6
"""Shapes and colours there are; the seventh prompt version has the first one's again."""
TICKS, STEP = 5, 0.2
"""Times on the lower edge, and kappa between two lines."""


@dataclass(frozen=True, slots=True)
class Point:
    """A run in the picture: `x` in per cent of the width, `y` and the whisker's ends in pixels."""

    run: str
    model: str
    when: str
    said: str
    x: float
    y: float
    high: float | None
    low: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of one prompt version, in their order; `shape` tells it from the others."""

    prompt: str
    shape: int
    points: tuple[Point, ...]

    @property
    def joined(self) -> Iterator[tuple[Point, Point]]:
        """Each run with the one before it by the same model: another model's is no step of the prompt."""
        last: dict[str, Point] = {}
        for point in self.points:
            if point.model in last:
                yield last[point.model], point
            last[point.model] = point


@dataclass(frozen=True, slots=True)
class Picture:
    """One policy and split: kappas of other examples, or under another policy, are another picture."""

    title: str
    series: tuple[Series, ...]
    levels: tuple[tuple[float, float], ...]
    """Kappas on the left edge, with their y."""
    times: tuple[tuple[str, float], ...]
    """Days or hours on the lower edge, with their x."""
    bar: float
    """The kappa that the newest run is asked for."""
    bar_y: float
    runs: int

    @property
    def said(self) -> str:
        """The picture in a sentence."""
        latest = "; ".join(f"{one.prompt} {one.points[-1].said}" for one in self.series)
        return (
            f"Kappa of {self.runs} runs over time, {self.title}. The latest of each prompt version: {latest}."
        )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a time and a kappa lie in the picture."""

    first: float
    last: float
    floor: float

    def x(self, time: float) -> float:
        share = (time - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return round(LEFT + share * (RIGHT - LEFT), 2)

    def y(self, kappa: float) -> float:
        return round(TOP + (1 - kappa) / (1 - self.floor) * (HEIGHT - TOP - BOTTOM), 1)


def pictures(runs: Sequence[Listed]) -> list[Picture]:
    """Every policy and split with a kappa, those with the newest run first."""
    groups: dict[str, list[Listed]] = {}
    for run in runs:
        if run.manifest and run.kappa is not None:
            asked = run.manifest.asked
            groups.setdefault(f"{asked.policy} ({asked.part})", []).append(run)
    newest = sorted(groups.items(), key=lambda group: group[1][-1].name, reverse=True)
    return [_picture(title, members) for title, members in newest]


def _picture(title: str, runs: Sequence[Listed]) -> Picture:
    runs = sorted(runs, key=_when)
    times = [_when(run) for run in runs]
    lowest = min(run.ci.low if run.ci else run.kappa or 0.0 for run in runs)
    scale = _Scale(min(times), max(times), min(math.floor(lowest / STEP) * STEP, 0.0))
    prompts = sorted({_prompt(run) for run in runs})
    series = tuple(
        Series(prompt, at % SHAPES, tuple(_point(run, scale) for run in runs if _prompt(run) == prompt))
        for at, prompt in enumerate(prompts)
    )
    bar = runs[-1].headline.bar if runs[-1].headline else 0.8
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


def _point(run: Listed, scale: _Scale) -> Point:
    assert run.kappa is not None and run.manifest is not None, "only runs with a kappa are drawn"
    low, high = run.ci or (None, None)
    said = number(run.kappa) + (f" [{number(low)}, {number(high)}]" if run.ci else ", without an interval")
    return Point(
        run=run.name,
        model=run.manifest.asked.model,
        when=begun(run.name, run.manifest.created_at),
        said=said,
        x=scale.x(_when(run)),
        y=scale.y(run.kappa),
        high=None if high is None else scale.y(high),
        low=None if low is None else scale.y(low),
    )


def _marks(first: float, last: float) -> Iterator[tuple[str, float]]:
    """Times for the lower edge: the first and the last, and some between them."""
    count = TICKS if last > first else 1
    hours = last - first < 86_400
    for at in range(count):
        time = first + (last - first) * at / max(count - 1, 1)
        when = datetime.fromtimestamp(time, UTC)
        day = f"{when.day} {when:%b}"
        yield (f"{when:%H:%M}" + (f", {day}" if at == 0 else "") if hours else day), time


def _when(run: Listed) -> float:
    assert run.manifest is not None, "a run with a scorecard that was listed has a manifest"
    return datetime.fromisoformat(run.manifest.created_at).timestamp()


def _prompt(run: Listed) -> str:
    return run.manifest.asked.prompt if run.manifest else ""
