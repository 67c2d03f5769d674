"""Has a daily figure drifted? An e-process that may be looked at every day (Ville 1939).

Waudby-Smith & Ramdas 2024 (JRSS B 86, 1) bet on a bounded mean in this way; sums over the day of the change
are those of an e-detector (Shin, Ramdas & Rinaldo 2022, arXiv 2203.03532), here weighted so that the whole is
an e-process.
"""

from typing import NamedTuple

import numpy as np

from harness.stats.agreement import Floats

FRACTIONS = (1.0, 0.5, 0.25, 0.125)
"""The grid of bets, as parts of the largest one. Small bets alone find nothing in a daily mean, so that a bet
has a weight in proportion to its size."""
WEIGHTS = np.array(FRACTIONS) / sum(FRACTIONS)
LARGEST = 0.95
"""The part of what a bet could lose at most that is staked."""
START = 30.0
"""Days after which a product that begins has half of the weight given away: changes come late, too."""
MOST = 1e300
"""Larger values are this: they would overflow, and decide nothing more."""


class Drift(NamedTuple):
    """The evidence of a drift after each day: of a higher figure, of a lower one, and their average."""

    higher: Floats
    lower: Floats

    @property
    def both(self) -> Floats:
        """The e-process against a drift in either direction."""
        return np.asarray((self.higher + self.lower) / 2, dtype=np.float64)


def drift_process(values: Floats, baseline: Floats, delta: float, least: float = 0.0) -> Drift:
    """The e-process against "the mean of each day lies within `delta` of its baseline".

    `values`: a figure in [0, 1] a day; `baseline`: what it was before, known before the day. With b the
    baseline and d = value - b, a bet eta multiplies 1 + eta (d - delta) over the days for a higher figure,
    eta in (0, .95 / (b + delta)], and 1 + eta (d + delta) for a lower one, eta in
    [-.95 / (1 - b + delta), 0): no factor can reach 0, whatever a day brings. Products are averaged: over
    the grid with the weights WEIGHTS, and over the day that they begin with, day s with the weight START /
    ((s + START - 1) (s + START)); one that begins later counts 1. A product's mean is at most 1 while the
    figure has not drifted, and so is the average's: it reaches 1/alpha ever with probability alpha at most.
    `least`: the smallest b + delta and 1 - b + delta that a bet reckons with, for a baseline of 0 or 1.

    Both may have further axes, for several baselines at once: days come first.
    """
    apart = values - baseline
    up = LARGEST / np.maximum(baseline + delta, least)
    down = LARGEST / np.maximum(1 - baseline + delta, least)
    return Drift(
        _averaged(np.stack([1 + part * up * (apart - delta) for part in FRACTIONS])),
        _averaged(np.stack([1 - part * down * (apart + delta) for part in FRACTIONS])),
    )


def _averaged(factors: Floats) -> Floats:
    """The average after each day of products of the factors (bets x days x ...) that begin on any day."""
    running = np.zeros((factors.shape[0], *factors.shape[2:]))
    found = np.empty(factors.shape[1:])
    for at in range(factors.shape[1]):
        factor = factors[:, at]
        day = at + 1.0
        begins = START / ((day + START - 1) * (day + START))
        running = np.minimum((running + begins) * np.maximum(factor, 0.0), MOST)
        found[at] = np.tensordot(WEIGHTS, running, 1) + START / (day + START)
    return found


def first_at(evidence: Floats, alpha: float) -> int | None:
    """The first day, from 0, on which the evidence reaches 1 / alpha; None if it never does."""
    over = np.flatnonzero(evidence >= 1 / alpha)
    return int(over[0]) if len(over) else None
