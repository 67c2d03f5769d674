"""What people's ratings of a watch's traffic say: the estimates of each day, as one sequence."""

from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.score.watched import TrafficDay
from harness.scorecards.watch import HumanEstimate, HumanSequence
from harness.stats.confidence_sequence import sequence_radius
from harness.stats.tails import normal_quantile

BASELINE_PART = 0.5
"""The part of alpha that the error of the baseline takes; the sequence has the other one."""


def human_sequence(
    before: Sequence[TrafficDay], after: Sequence[TrafficDay], alpha: float, delta: float
) -> HumanSequence | None:
    """The change of the estimate since the baseline days; None where one side has no ratings.

    Alarmed on the first day on which the interval lies beyond `delta` on one side.
    """
    first = [one.estimate for one in before if one.estimate]
    later = [(one.day, one.estimate) for one in after if one.estimate]
    names = {one.name for one in (*first, *(one for _, one in later))}
    if not first or not later or len(names) > 1:
        return None
    then = float(np.mean([one.value for one in first]))
    running = np.cumsum([one.value for _, one in later]) / np.arange(1, len(later) + 1)
    found = HumanSequence(
        name=names.pop(), then=then, now=float(running[-1]), change=float(running[-1]) - then, days=len(later)
    )
    errors = _errors([*first, *(one for _, one in later)])
    if errors is None:
        return found.model_copy(update={"reason": Reason("no interval", "a day's estimate has no error")})
    own, others = errors[: len(first)], errors[len(first) :]
    off = float(np.sqrt((own**2).sum()) / len(own)) * -normal_quantile(alpha * BASELINE_PART / 2)
    radius = sequence_radius(others, alpha * (1 - BASELINE_PART)) + off
    apart = np.abs(running - then) - radius > delta
    at = int(np.argmax(apart)) if apart.any() else None
    change = float(running[-1]) - then
    ci = Interval(change - float(radius[-1]), change + float(radius[-1]))
    return found.model_copy(update={"ci": ci, "alarmed_at": None if at is None else later[at][0]})


def _errors(estimates: Sequence[HumanEstimate]) -> "np.ndarray[tuple[int], np.dtype[np.float64]] | None":
    """The errors; None where one is missing, or 0, which is not an error."""
    found = [one.se for one in estimates]
    return np.array(found, dtype=np.float64) if all(found) else None
