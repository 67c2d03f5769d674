"""Two mixes of the same kinds, such as the strata of traffic then and now: how far apart they are."""

from typing import NamedTuple

import numpy as np

from harness.stats.agreement import Floats

SMALLEST = 1e-4
"""A share below this counts as this in PSI, which has no value where a kind is missing on one side."""


def stability_index(then: Floats, now: Floats) -> float:
    """The population stability index, sum (now - then) ln(now / then); at least 0, without an upper end.

    By custom, below .1 is stable and above .25 moved (Siddiqi 2006, Credit Risk Scorecards). It is the sum of
    both Kullback-Leibler divergences (Jeffreys 1946).
    """
    p, q = np.maximum(then, SMALLEST), np.maximum(now, SMALLEST)
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(then: Floats, now: Floats) -> float:
    """The Jensen-Shannon divergence in bits (Lin 1991): 0 for the same mix, 1 for none in common."""
    middle = (then + now) / 2
    return max(0.0, (_bits(then, middle) + _bits(now, middle)) / 2)


def _bits(one: Floats, other: Floats) -> float:
    """The Kullback-Leibler divergence in bits; a share of 0 adds nothing."""
    there = one > 0
    return float((one[there] * np.log2(one[there] / other[there])).sum())


class Decomposed(NamedTuple):
    """A change of a mean: by the mix of the parts, and within them. Their sum is the whole change."""

    mix: float
    within: float


def kitagawa(then: Floats, now: Floats, means_then: Floats, means_now: Floats) -> Decomposed:
    """A change of a mean, split into mix and within-part change (Kitagawa 1955, JASA 50, 1168).

    mix = sum (now - then) (m_then + m_now) / 2, within = sum (m_now - m_then) (then + now) / 2. A part that
    is missing on one side has no mean there (NaN): it takes that of the other, so that its coming or going is
    a change of the mix. One that is missing on both sides changes nothing.
    """
    first = np.nan_to_num(np.where(np.isnan(means_then), means_now, means_then))
    second = np.nan_to_num(np.where(np.isnan(means_now), means_then, means_now))
    mix = float(((now - then) * (first + second) / 2).sum())
    return Decomposed(mix, float(((second - first) * (then + now) / 2).sum()))
