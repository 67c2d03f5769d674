"""Exact tails of the Poisson distribution: are so many events, or so few, too odd for an expected number?"""

import numpy as np
from scipy.special import gammainc, gammaincc

from harness.stats.agreement import Floats


def at_least(events: Floats, expected: Floats) -> Floats:
    """P(X >= x) for X ~ Poisson(expected): the regularised P(x, expected), 1 at x = 0."""
    return np.asarray(
        np.where(events > 0, gammainc(np.maximum(events, 1e-300), expected), 1.0), dtype=np.float64
    )


def at_most(events: Floats, expected: Floats) -> Floats:
    """P(X <= x) for X ~ Poisson(expected): the regularised Q(x + 1, expected)."""
    return np.asarray(gammaincc(events + 1, expected), dtype=np.float64)
