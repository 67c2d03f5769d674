"""An interval against a threshold: pass, fail or inconclusive, and how many items would decide it."""

import math
from typing import Literal

from harness.nouns.base import Interval
from harness.stats.proportions import CONFIDENCE
from harness.stats.tails import t_quantile


def three_way(ci: Interval, bar: float) -> Literal["pass", "fail", "inconclusive"]:
    """Pass if the whole interval reaches the threshold, fail if all of it is below."""
    if ci.low >= bar:
        return "pass"
    return "fail" if ci.high < bar else "inconclusive"


def items_needed(n: int, kappa: float, se: float, clusters: int, bar: float) -> int | None:
    """Items after which the Fisher-z interval would exclude the threshold.

    n ((t SE / (1 - kappa^2)) / |atanh kappa - atanh bar|)^2, rounded up, with t on `clusters` - 1 degrees
    of freedom: at the observed kappa and design effect. None if no number of items is enough, or if the
    formula has no value: kappa at the threshold, or either of them at 1 or -1.
    """
    if clusters < 2 or abs(kappa) >= 1 or abs(bar) >= 1 or kappa == bar:
        return None
    half = t_quantile(clusters - 1, (1 + CONFIDENCE) / 2) * se / (1 - kappa**2)
    return math.ceil(n * (half / abs(math.atanh(kappa) - math.atanh(bar))) ** 2)
