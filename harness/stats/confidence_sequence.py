"""Intervals of a running mean that hold at all times together."""

import numpy as np

from harness.stats.agreement import Floats

TIGHTEST = 10
"""After about so many days the sequence is as tight as it can be made."""


def sequence_radius(errors: Floats, alpha: float) -> Floats:
    """By how far each day's running mean can be off, on all days together with probability 1 - alpha.

    `errors`: the standard error of each day's estimate, above 0. With V the sum of their squares so far and
    g = V rho^2 + 1, it is sqrt(2 g / (t rho)^2 log(sqrt(g) / alpha)): the asymptotic confidence sequence of
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (arXiv 2103.06476), with the rho that is tightest after
    TIGHTEST days such as the first.
    """
    wide = -2 * np.log(alpha)
    rho2 = (wide + np.log(wide + 1)) / (TIGHTEST * errors[0] ** 2)
    days = np.arange(1, len(errors) + 1)
    grown = np.cumsum(errors**2) * rho2 + 1
    return np.asarray(
        np.sqrt(2 * grown / (days**2 * rho2) * np.log(np.sqrt(grown) / alpha)), dtype=np.float64
    )
