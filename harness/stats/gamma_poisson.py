"""Rates of few events, drawn towards the rate of their group: the Gamma-Poisson model."""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

from harness.stats.agreement import Floats
from harness.stats.proportions import CONFIDENCE

NO_EVENT = 0.5
"""What counts as the events of a group that has none: its rate is low, and nobody knows that it is 0."""


class Prior(NamedTuple):
    """The rates of a group, as a Gamma distribution: `shape` events in `rate` of exposure."""

    shape: float
    rate: float


def moments_prior(events: Floats, exposure: Floats) -> Prior:
    """The rates of a group by the method of moments (Marshall 1991), from n > 0 members with exposure > 0.

    With m = sum C / sum E and s2 = sum E (C/E - m)^2 / sum E, the variance of the rates is
    A = s2 - m n / sum E: what Poisson does not explain. The shape is m^2 / A and the rate m / A, but the rate
    is at most sum E: the group's rate is known by no more than its own exposure, however alike its members
    look.
    """
    whole = float(exposure.sum())
    mean = max(float(events.sum()), NO_EVENT) / whole
    spread = float(exposure @ (events / exposure - mean) ** 2) / whole
    beyond = spread - mean * len(events) / whole
    rate = min(mean / beyond, whole) if beyond > 0 else whole
    return Prior(mean * rate, rate)


def posterior_mean(prior: Prior, events: Floats, exposure: Floats) -> Floats:
    """Each member's rate: (shape + C) / (rate + E)."""
    return np.asarray((prior.shape + events) / (prior.rate + exposure), dtype=np.float64)


def posterior_interval(
    prior: Prior, events: Floats, exposure: Floats, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """The quantiles of each member's Gamma(shape + C, rate + E) that leave equal tails."""
    tail = (1 - confidence) / 2
    shape, rate = prior.shape + events, prior.rate + exposure
    ends = (np.asarray(gammaincinv(shape, at) / rate, dtype=np.float64) for at in (tail, 1 - tail))
    low, high = ends
    return low, high
