"""Who drifted: the days of a watch become evidence and a verdict (docs/watch.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.errors import BadInput
from harness.nouns.base import Reason, Weighting
from harness.score.watch_power import power_of
from harness.score.watch_verdict import verdict_of
from harness.score.watched import BaselineLooks, SentinelDay, TrafficDay, day_order
from harness.score.watched_traffic import Moved, moved_traffic
from harness.scorecards.watch import Direction, Process, Watch, WatchBaseline, WatchedDay
from harness.stats.agreement import Floats
from harness.stats.e_process import first_at
from harness.storage.plural import plural

LEAST_REPEATS = 5
"""Looks that a baseline is the mean of at least."""
LEAST_SENTINELS = 2
"""Golden pairs that a watch is of at least."""
WHY_FIVE = (
    f"a baseline takes {LEAST_REPEATS} repeats or more: one look is itself off by more than the drift that "
    "is looked for, and few cannot say by how much"
)
MOSTLY_WRONG = 0.5
"""A baseline's loss above this gives a warning: the watch of a bad teacher is as quiet as any."""
LOSS = "the teacher's loss on the sentinels"
NO_DAY = Reason("undefined", "no day after the baseline")
ALPHA, DELTA = 0.05, 0.02


@dataclass(frozen=True, slots=True)
class Settings:
    """What counts as a drift. `baseline`: the first days that are the baseline of traffic, and of a table."""

    alpha: float = ALPHA
    delta: float = DELTA
    weighting: Weighting = "none"
    baseline: int = LEAST_REPEATS


class WatchHead(NamedTuple):
    """What is watched, for the head of a report."""

    watch: str
    grader: str | None = None
    policy: str | None = None
    warnings: tuple[str, ...] = ()


def refuse_few(repeats: int, where: str) -> None:
    """BadInput for a baseline of too few repeats, with the reason."""
    if repeats < LEAST_REPEATS:
        raise BadInput(f"{where}: {WHY_FIVE}")


def watched(
    about: WatchHead,
    scale: Sequence[int],
    settings: Settings,
    looks: BaselineLooks | None,
    days: Sequence[SentinelDay],
    traffic: Sequence[TrafficDay],
) -> Watch:
    """The evidence of each day and the verdict; days are in their order."""
    threshold = 2 / settings.alpha
    half = settings.alpha / 2
    evidence, teacher, leans = _teacher(looks, days, settings, threshold)
    finds = None if looks is None else power_of(looks, settings.delta, half)
    moved = moved_traffic(traffic, scale, settings.baseline, settings.delta, half, teacher)
    verdict, reason = verdict_of(teacher, moved, leans, finds)
    return Watch(
        verdict=verdict,
        reason=reason,
        watch=about.watch,
        grader=about.grader,
        policy=about.policy,
        weighting=settings.weighting,
        alpha=settings.alpha,
        delta=settings.delta,
        teacher=teacher,
        traffic=moved.process,
        baseline=_baseline(looks),
        finds=finds,
        days=_days(days, evidence, traffic, moved),
        recent=moved.recent,
        mixes=moved.mixes,
        change=moved.change,
        humans=moved.humans,
        model_changes=tuple(_model_changes(looks, days)),
        warnings=(*about.warnings, *_of_baseline(looks)),
    )


def _teacher(
    looks: BaselineLooks | None, days: Sequence[SentinelDay], settings: Settings, threshold: float
) -> tuple[Floats, Process, Direction | None]:
    """The evidence after each day, the process, and where the evidence of the last day points."""
    if looks is None or not days:
        return np.empty(0), Process(e_value=None, threshold=threshold, of=LOSS, reason=NO_DAY), None
    losses = np.array([one.loss for one in days])
    drift = looks.drift(losses, settings.delta, np.array([one.n for one in days], dtype=np.float64))
    sides: list[Direction] = ["worse" if more else "better" for more in drift.higher > drift.lower]
    at = first_at(drift.both, settings.alpha / 2)
    process = Process(
        e_value=float(drift.both[-1]),
        highest=float(drift.both.max()),
        alarmed_at=None if at is None else days[at].day,
        threshold=threshold,
        of=LOSS,
        # Without an alarm a direction would be read as a finding.
        direction=None if at is None else sides[at],
    )
    return drift.both, process, sides[-1]


def _baseline(looks: BaselineLooks | None) -> WatchBaseline | None:
    if looks is None:
        return None
    losses = np.array(looks.losses)
    return WatchBaseline(
        loss=looks.loss,
        se=float(losses.std(ddof=1) / np.sqrt(len(losses))) if len(losses) > 1 else 0.0,
        ci=looks.known.interval(looks.loss),
        repeats=len(losses),
        n=looks.n,
        n_queries=looks.n_queries,
        never_read=looks.never_read,
    )


def _of_baseline(looks: BaselineLooks | None) -> list[str]:
    """Warnings about the baseline itself: a watch does not show that a teacher was right on its first day."""
    if looks is None:
        return []
    found = []
    if looks.loss > MOSTLY_WRONG:
        found.append(
            f"the loss of the baseline is {looks.loss:.2f}: the teacher was mostly wrong from the beginning, "
            "and can hardly be worse; unless you know it as such, the baseline failed: look at its answers"
        )
    if looks.never_read:
        pairs = plural(looks.never_read, "sentinel was", "sentinels were")
        found.append(
            f"{pairs} never read in the baseline: a loss of 1 from the beginning cannot rise, so that a "
            "worse teacher does not show in them"
        )
    return found


def _days(
    days: Sequence[SentinelDay], evidence: Floats, traffic: Sequence[TrafficDay], moved: Moved
) -> tuple[WatchedDay, ...]:
    """Every day that has sentinels or traffic."""
    found: dict[str, WatchedDay] = {}
    for one, e_value in zip(days, evidence, strict=True):
        line = WatchedDay.model_validate(one, from_attributes=True)
        found[one.day] = line.model_copy(update={"teacher_e": float(e_value)})
    for day in traffic:
        update = {"rows": day.rows, "traffic_e": moved.by_day.get(day.day), "estimate": day.estimate}
        found[day.day] = found.get(day.day, WatchedDay(day=day.day)).model_copy(update=update)
    return tuple(found[day] for day in sorted(found, key=day_order))


def _model_changes(looks: BaselineLooks | None, days: Sequence[SentinelDay]) -> list[str]:
    """Where a name answered that never had before, in words: another model behind the name asked for."""
    known = set(looks.models) if looks else set[str]()
    found = []
    for one in days:
        new = [name for name in one.models if name not in known]
        if known and new:
            found.append(f"on {one.day} {_named(new)} answered; before, {_named(sorted(known))}")
        known |= set(one.models)
    return found


def _named(models: Sequence[str]) -> str:
    return " and ".join(models) if len(models) < 4 else plural(len(models), "other name")
