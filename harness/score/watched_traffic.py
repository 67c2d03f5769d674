"""How the traffic of a watch moved: the mix of strata or grades, and what it does to the mean grade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from harness.nouns.base import Reason
from harness.score.watched import TrafficDay, day_order, pooled
from harness.score.watched_humans import human_sequence
from harness.scorecards.watch import HumanSequence, MeanChange, Mix, Process, TrafficPart
from harness.stats.agreement import Floats
from harness.stats.e_process import Drift, drift_process
from harness.stats.mixes import jensen_shannon, kitagawa, stability_index
from harness.storage.plural import plural

RECENT = 7
"""The last days that are held against the baseline: a week, since weekdays differ."""
NO_TRAFFIC = Reason("undefined", "no day has production rows")
FEW_DAYS = "the traffic has {days}, and its baseline takes {baseline}"
OF_TEACHER = Reason(
    "undefined",
    "the rows have no strata, and where the teacher drifted its grades say nothing about the traffic",
)
OF_NOBODY = Reason(
    "undefined",
    "the rows have no strata, and without sentinels it is unknown whether grades moved with the teacher",
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What the traffic did. `by_day`: the evidence after each day that is not of the baseline."""

    process: Process
    by_day: Mapping[str, float] = field(default_factory=dict)
    words: str = ""
    recent: int = 0
    mixes: tuple[Mix, ...] = ()
    change: MeanChange | None = None
    humans: HumanSequence | None = None

    @property
    def alarmed_at(self) -> str | None:
        """The day of the first alarm: that of the mix, or that of people's estimates."""
        people = self.humans.alarmed_at if self.humans else None
        days = [day for day in (self.process.alarmed_at, people) if day]
        return min(days, key=day_order) if days else None


def moved_traffic(
    days: Sequence[TrafficDay],
    scale: Sequence[int],
    baseline: int,
    delta: float,
    alpha: float,
    teacher: Process,
) -> Moved:
    """The evidence that the mix moved: of the strata, or without any, of the teacher's grades.

    Grades move with the teacher, too: they say something of the traffic only while the teacher is quiet.
    """
    threshold = 1 / alpha
    strata = sorted({name for one in days for name in one.weights})
    of: Literal["strata", "grades"] = "strata" if len(strata) > 1 else "grades"
    before, after = days[:baseline], days[baseline:]
    if not days or not after:
        why = NO_TRAFFIC
        if days:
            why = Reason("undefined", FEW_DAYS.format(days=plural(len(days), "day"), baseline=baseline))
        return Moved(Process(e_value=None, threshold=threshold, of=of, reason=why))
    then, now = pooled(before), pooled(after[-RECENT:])
    mixes = [_mix("grades", [str(grade) for grade in scale], then.graded(scale), now.graded(scale))]
    if of == "strata":
        mixes.insert(0, _mix("strata", strata, then.strata(strata), now.strata(strata)))
    process, by_day, words = _process(
        of, strata if of == "strata" else scale, before, after, delta, threshold
    )
    if of == "grades" and (teacher.alarmed_at or teacher.e_value is None):
        why = OF_TEACHER if teacher.alarmed_at else OF_NOBODY
        process, by_day = Process(e_value=None, threshold=threshold, of=of, reason=why), {}
    humans = human_sequence(before, after, alpha / 2, delta)
    if humans and humans.alarmed_at and not process.alarmed_at:
        words = f"people's {humans.name} of the traffic has moved by {humans.change:+.3f}"
    change = _change(then, now, strata)
    return Moved(process, by_day, words, min(len(after), RECENT), tuple(mixes), change, humans)


def _mix(of: Literal["strata", "grades"], names: Sequence[str], then: Floats, now: Floats) -> Mix:
    return Mix(
        of=of,
        psi=stability_index(then, now),
        jensen_shannon=jensen_shannon(then, now),
        parts=tuple(
            TrafficPart(name=name or "(none)", then=float(one), now=float(other))
            for name, one, other in zip(names, then, now, strict=True)
        ),
    )


def _change(then: TrafficDay, now: TrafficDay, strata: Sequence[str]) -> MeanChange | None:
    """The change of the mean grade; None where no grade was read on one side.

    The weights are those of the rows that were read, so that mix and within add up to the change.
    """
    weights = [np.array([sum(day.grades.get(name, {}).values()) for name in strata]) for day in (then, now)]
    if not all(one.sum() for one in weights):
        return None
    first, second = (one / one.sum() for one in weights)
    means = [day.means(strata) for day in (then, now)]
    before, after = (
        float(np.nansum(share * mean)) for share, mean in zip((first, second), means, strict=True)
    )
    # Without strata, they have no mix.
    parts = kitagawa(first, second, *means) if len(strata) > 1 else None
    return MeanChange(
        then=before,
        now=after,
        change=after - before,
        mix=parts and parts.mix,
        within=parts and parts.within,
    )


def _process(
    of: Literal["strata", "grades"],
    kinds: Sequence[str] | Sequence[int],
    before: Sequence[TrafficDay],
    after: Sequence[TrafficDay],
    delta: float,
    threshold: float,
) -> tuple[Process, dict[str, float], str]:
    """The average over the kinds of the e-process of each one's share.

    Its mean is at most 1 while no share has drifted. The tolerance of a share is `delta` and what the days of
    its baseline leave open (`_unknown`): traffic differs from day to day, and few days say little of what is
    usual.
    """
    each_before, each_after = (
        np.array([one.strata(kinds) if of == "strata" else one.graded(kinds) for one in days])  # type: ignore[arg-type]  # the kinds fit `of`
        for days in (before, after)
    )
    shares = each_before.mean(axis=0)
    rows = sum(one.rows for one in before)
    errors = _unknown(each_before, rows)
    drifts = [
        drift_process(each_after[:, at], np.full(len(after), share), delta + error, 1 / (rows + 1))
        for at, (share, error) in enumerate(zip(shares, errors, strict=True))
    ]
    evidence = np.mean([one.both for one in drifts], axis=0)
    over = np.flatnonzero(evidence >= threshold)
    at = int(over[0]) if len(over) else None
    direction, name = (None, None) if at is None else _moved_most(drifts, kinds, at)
    kind = "stratum" if of == "strata" else "grade"
    process = Process(
        e_value=float(evidence[-1]),
        highest=float(evidence.max()),
        alarmed_at=None if at is None else after[at].day,
        threshold=threshold,
        of=of,
        moved=name,
        direction=direction,
    )
    by_day = {one.day: float(value) for one, value in zip(after, evidence, strict=True)}
    return process, by_day, f"{direction} of {kind} {name} is seen"


def _unknown(shares: Floats, rows: int) -> Floats:
    """How far the mean of each share (days x kinds) may be off: half of Student's 95 % interval.

    The error is that between days, and at least that of independent rows at Laplace's estimate of the share,
    (sum + 1) / (rows + 2): days that are alike, or a kind that was not seen, are not certain.
    """
    days = len(shares)
    mean = (shares.mean(axis=0) * rows + 1) / (rows + 2)
    least = np.sqrt(mean * (1 - mean) / max(rows, 1))
    between = shares.std(axis=0, ddof=1) / np.sqrt(days)
    return np.asarray(stdtrit(days - 1, 0.975) * np.maximum(between, least), dtype=np.float64)


def _moved_most(
    drifts: Sequence[Drift], kinds: Sequence[object], at: int
) -> tuple[Literal["more", "less"], str]:
    """The kind with the most evidence on a day, and the direction of its share."""
    most = int(np.argmax([one.both[at] for one in drifts]))
    more = bool(drifts[most].higher[at] > drifts[most].lower[at])
    return "more" if more else "less", str(kinds[most]) or "(none)"
