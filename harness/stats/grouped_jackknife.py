"""Errors of anything that can be computed again without a group of queries."""

import math

import numpy as np

from harness.nouns.base import Reason
from harness.stats.agreement import Floats
from harness.stats.intervals import FEW, NO_SPREAD, ROUNDING, Tested, t_test
from harness.stats.prediction_powered import jackknife

TOO_FEW = Reason("no interval", f"fewer than {FEW} queries decide it")


def jackknifed(value: float, without: Floats) -> Tested:
    """A figure with the delete-a-group jackknife's error (Kott 2001), from its values without each group.

    SE^2 = (G - 1)/G sum_g (theta_-g - mean)^2, t on G - 1 degrees of freedom. Groups are whole queries, so
    that the interval is clustered by query. Values that are not defined (NaN) are left out, and without FEW
    others there is no interval.
    """
    known = without[np.isfinite(without)]
    if len(known) < FEW:
        return Tested(value, reason=TOO_FEW)
    se = math.sqrt(jackknife(known))
    if se < ROUNDING:
        return Tested(value, reason=NO_SPREAD)
    return t_test(value, se, len(known))
