"""Kappa over time by prompt version: the points, and the lines that join them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.nouns.base import Interval
from harness.runs.listing import ListedRun
from harness.runs.manifest import Manifest


@dataclass(frozen=True, slots=True)
class KappaPoint:
    """A run with a kappa; `at` is when it began, in seconds."""

    run: str
    manifest: Manifest
    at: float
    kappa: float
    ci: Interval | None

    @property
    def model(self) -> str:
        """The grader."""
        return self.manifest.asked.model


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of one prompt version, the oldest first."""

    prompt: str
    points: tuple[KappaPoint, ...]

    @property
    def by_model(self) -> list[list[KappaPoint]]:
        """The runs that a line joins: another model's run is not a step of the prompt."""
        models = dict.fromkeys(point.model for point in self.points)
        return [[point for point in self.points if point.model == model] for model in models]


def series_of(runs: Sequence[ListedRun]) -> list[Series]:
    """A series for each prompt version, of the runs that have a kappa."""
    points = sorted(map(_point, (run for run in runs if run.kappa is not None)), key=lambda one: one.at)
    prompts = sorted({point.manifest.asked.prompt for point in points})
    return [Series(name, tuple(p for p in points if p.manifest.asked.prompt == name)) for name in prompts]


def _point(run: ListedRun) -> KappaPoint:
    assert run.manifest is not None, "a run with a kappa has a manifest"
    assert run.kappa is not None, "only runs with a kappa are drawn"
    at = datetime.fromisoformat(run.manifest.created_at).timestamp()
    return KappaPoint(run.name, run.manifest, at, run.kappa, run.ci)
