"""What a watch can see: the smallest rise of the loss that it finds within a month."""

import numpy as np

from harness.score.watched import BaselineLooks
from harness.scorecards.watch import WatchPower
from harness.stats.e_process import first_at
from harness.stats.tails import normal_quantile

DAYS, POWER, QUANTILE = 30, 0.7, 0.8
"""POWER is below the QUANTILE that the calculation uses: the approximation leaves out a few per cent."""
STEPS = 100
"""Rises that are told apart: hundredths of the loss."""


def power_of(looks: BaselineLooks, delta: float, alpha: float) -> WatchPower:
    """The smallest rise, in hundredths, from the first day on, that alarms within DAYS with chance POWER.

    Days lie one standard error above and below a mean that is at its lower QUANTILE, where that of the
    baseline is as far off. The variance of an answer is that within the pairs of the baseline and that of new
    errors, at most the binomial one. An approximation: tests/test_baseline_evidence.py holds it against
    simulated streams.
    """
    low, high = 1, round((1 - looks.loss) * STEPS) + 1
    while low < high:
        middle = (low + high) // 2
        found = _finds(looks, middle / STEPS, delta, alpha)
        low, high = (low, middle) if found else (middle + 1, high)
    shift = low / STEPS
    return WatchPower(shift=shift if looks.loss + shift <= 1 else None, days=DAYS, power=POWER)


def _finds(looks: BaselineLooks, shift: float, delta: float, alpha: float) -> bool:
    loss = min(1.0, looks.loss + shift)
    within = looks.known.surprise / max(looks.known.n, 1)
    day = min(loss * (1 - loss), within + shift * (1 - shift)) / looks.n
    first = min(looks.loss * (1 - looks.loss), within) / (looks.n * len(looks.losses))
    low = loss - normal_quantile(QUANTILE) * np.sqrt(day / DAYS + first)
    path = np.clip(low + np.sqrt(day) * np.resize([1.0, -1.0], DAYS), 0.0, 1.0)
    return first_at(looks.drift(path, delta).both, alpha) is not None
