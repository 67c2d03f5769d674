"""Kappa over time by prompt version: the points, and the lines that join them."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.nouns.base import Interval
from harness.runs.leaderboard import groups_of, own_reason, terms_of, unlike
from harness.runs.listing import ListedRun
from harness.runs.manifest import Manifest


@dataclass(frozen=True, slots=True)
class KappaPoint:
    """A run with a kappa; `at` is when it began, in seconds. `n` and `coverage` are those of its examples.

    `apart` says why it is not comparable with the main group of the chart. A line joins runs of one `line`.
    """

    run: str
    manifest: Manifest
    at: float
    kappa: float
    ci: Interval | None
    n: int
    coverage: float
    apart: str | None
    line: Hashable

    @property
    def model(self) -> str:
        """The grader."""
        return self.manifest.graded_by


@dataclass(frozen=True, slots=True)
class Series:
    """The runs of one prompt version, the oldest first."""

    prompt: str
    points: tuple[KappaPoint, ...]

    @property
    def lines(self) -> list[list[KappaPoint]]:
        """The runs that a line joins: of one model and one text of the prompt, like with like."""
        lines = dict.fromkeys(point.line for point in self.points)
        return [[point for point in self.points if point.line == line] for line in lines]


def series_of(runs: Sequence[ListedRun], main: ListedRun | None = None) -> list[Series]:
    """A series for each prompt version, of the runs of one policy version and split that have a kappa.

    `main`: a run of the main group; by default the group with the most examples, of several the newest.
    """
    drawn = [run for run in runs if run.kappa is not None]
    groups = groups_of(drawn)
    beside = main or (groups[0][0] if groups else None)
    points = sorted((_point(run, beside) for run in drawn), key=lambda one: one.at)
    prompts = sorted({point.manifest.asked.prompt for point in points})
    return [Series(name, tuple(p for p in points if p.manifest.asked.prompt == name)) for name in prompts]


def _point(run: ListedRun, beside: ListedRun | None) -> KappaPoint:
    assert run.manifest is not None, "a run with a kappa has a manifest"
    assert run.headline is not None, "a run with a kappa has a scorecard"
    assert run.kappa is not None, "only runs with a kappa are drawn"
    at = datetime.fromisoformat(run.manifest.created_at).timestamp()
    own, digests = own_reason(run), run.manifest.digests
    alone = (run.name,) if own else ()
    return KappaPoint(
        run=run.name,
        manifest=run.manifest,
        at=at,
        kappa=run.kappa,
        ci=run.ci,
        n=run.headline.n,
        coverage=run.headline.coverage,
        apart=own or (unlike(run, beside) if beside else None),
        line=(terms_of(run), run.manifest.graded_by, digests.prompt, digests.shots, *alone),
    )
