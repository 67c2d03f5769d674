"""How much more often users look at one position than at another, from what they click."""

import numpy as np

from harness.stats.agreement import Floats


def propensities(views: Floats, clicks: Floats) -> Floats:
    """Each position's chance to be looked at, beside that of the first, from (..., strata, positions).

    Mantel & Haenszel's (1959) risk ratio of clicks at position k and at position 1, over strata s of results
    that are equally good, such as those of one grade:
    r_k = sum_s C_sk V_s1 / (V_sk + V_s1)  over  sum_s C_s1 V_sk / (V_sk + V_s1), with V views and C clicks.
    r_1 is 1. NaN where no stratum has views at both, or clicks at the first. Only where results of one
    stratum stand at all positions alike is it the position alone: better ones that stand higher lower r_k.
    """
    first, at_first = views[..., :1], clicks[..., :1]
    both = views + first
    share = np.divide(1.0, both, out=np.zeros_like(both), where=(views > 0) & (first > 0))
    above = (clicks * first * share).sum(axis=-2)
    below = (at_first * views * share).sum(axis=-2)
    ratio = np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)
    return np.asarray(ratio, dtype=np.float64)
