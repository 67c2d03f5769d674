"""Who drifted: the days of a watch become evidence and a verdict (PPI and e-processes; docs/watch.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.errors import BadInput
from harness.nouns.base import Reason, Weighting
from harness.score.watched import BaselineLooks, SentinelDay, TrafficDay, day_order
from harness.score.watched_traffic import Moved, moved_traffic
from harness.scorecards.watch import Drifted, Process, Watch, WatchBaseline, WatchedDay
from harness.stats.agreement import Floats
from harness.stats.e_process import drift_process, first_at
from harness.storage.plural import plural

LEAST_REPEATS = 5
"""Looks that a baseline is the mean of at least."""
WHY_FIVE = (
    f"a baseline takes {LEAST_REPEATS} repeats or more: one look is itself off by more than the drift that "
    "is looked for, so that watches alarm though nothing has drifted"
)
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


class About(NamedTuple):
    """What is watched, for the head of what is shown."""

    watch: str
    grader: str | None = None
    policy: str | None = None
    warnings: tuple[str, ...] = ()


def refuse_few(repeats: int, where: str) -> None:
    """BadInput for a baseline of too few repeats, with the reason."""
    if repeats < LEAST_REPEATS:
        raise BadInput(f"{where}: {WHY_FIVE}")


def watched(
    about: About,
    scale: Sequence[int],
    settings: Settings,
    looks: BaselineLooks | None,
    days: Sequence[SentinelDay],
    traffic: Sequence[TrafficDay],
) -> Watch:
    """The evidence of each day and the verdict; days are in their order."""
    threshold = 2 / settings.alpha
    evidence, teacher = _teacher(looks, days, settings, threshold)
    half = settings.alpha / 2
    moved = moved_traffic(traffic, scale, settings.baseline, settings.delta, half, teacher)
    verdict, reason = _verdict(teacher, moved)
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
        days=_days(days, evidence, traffic, moved),
        recent=moved.recent,
        mixes=moved.mixes,
        change=moved.change,
        humans=moved.humans,
        model_changes=tuple(_model_changes(looks, days)),
        warnings=(*about.warnings, *_few_repeats(looks, settings)),
    )


def _teacher(
    looks: BaselineLooks | None, days: Sequence[SentinelDay], settings: Settings, threshold: float
) -> tuple[Floats, Process]:
    if looks is None or not days:
        return np.empty(0), Process(e_value=None, threshold=threshold, of=LOSS, reason=NO_DAY)
    losses = np.array([one.loss for one in days])
    before = np.array([one.baseline for one in days])
    # A mean of so many answers cannot tell a smaller loss from none.
    drift = drift_process(losses, before, settings.delta, 1 / (looks.n * len(looks.losses) + 1))
    at = first_at(drift.both, settings.alpha / 2)
    return drift.both, Process(
        e_value=float(drift.both[-1]),
        highest=float(drift.both.max()),
        alarmed_at=None if at is None else days[at].day,
        threshold=threshold,
        of=LOSS,
        # Without an alarm a direction would be read as a finding.
        direction=None if at is None else "worse" if drift.higher[at] > drift.lower[at] else "better",
    )


def _baseline(looks: BaselineLooks | None) -> WatchBaseline | None:
    if looks is None:
        return None
    losses = np.array(looks.losses)
    return WatchBaseline(
        loss=float(losses.mean()),
        se=float(losses.std(ddof=1) / np.sqrt(len(losses))) if len(losses) > 1 else 0.0,
        repeats=len(losses),
        n=looks.n,
        n_queries=looks.n_queries,
    )


def _few_repeats(looks: BaselineLooks | None, settings: Settings) -> list[str]:
    """A warning where the baseline is so noisy that its own error may pass for a drift."""
    found = _baseline(looks)
    if found is None or found.se <= settings.delta:
        return []
    return [
        f"the baseline's error is {found.se:.3f}, more than delta ({settings.delta:g}): an alarm may come "
        "of the baseline; take more repeats, or more sentinels"
    ]


def _verdict(teacher: Process, moved: Moved) -> tuple[Drifted | None, str]:
    by_teacher, by_traffic = teacher.alarmed_at, moved.alarmed_at
    if by_teacher and by_traffic:
        return (
            "both",
            f"the teacher drifted (alarm on {by_teacher}), and so did the traffic (on {by_traffic})",
        )
    if by_teacher:
        said = f"the teacher is {teacher.direction} on the sentinels (alarm on {by_teacher})"
        return "teacher", said if moved.process.e_value is None else f"{said}; the traffic is quiet"
    if by_traffic:
        quiet = "the teacher is quiet" if teacher.e_value is not None else "no sentinel says otherwise"
        return "traffic", f"{moved.words}, alarm on {by_traffic}; {quiet}"
    if teacher.e_value is None and moved.process.e_value is None:
        return None, "no day after the baseline says anything yet"
    if moved.process.e_value is None:
        return "none", "no drift of the teacher is shown; the traffic is not watched yet"
    if teacher.e_value is None:
        return "none", "no drift of the traffic is shown; the teacher is not watched yet"
    return "none", "no drift is shown: neither process reached its threshold"


def _days(
    days: Sequence[SentinelDay], evidence: Floats, traffic: Sequence[TrafficDay], moved: Moved
) -> tuple[WatchedDay, ...]:
    """Every day that has sentinels or traffic."""
    found: dict[str, WatchedDay] = {}
    for one, e_value in zip(days, evidence, strict=True):
        found[one.day] = WatchedDay(
            day=one.day,
            loss=one.loss,
            baseline=one.baseline,
            ci=one.ci,
            n=one.n,
            n_queries=one.n_queries,
            unread=one.unread,
            teacher_e=float(e_value),
            models=one.models,
        )
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
