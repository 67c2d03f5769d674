"""Many tests at once: how many of those that one takes for found are expected to be false."""

import numpy as np

from harness.stats.agreement import Floats


def benjamini_hochberg(p: Floats) -> Floats:
    """Benjamini & Hochberg's (1995) adjusted p-values, in the order given: q-values.

    For an entry of rank r among m: the minimum over k >= r of p_(k) m / k. What lies at or below q has a
    false discovery rate of at most q, for independent and for positively dependent tests (2001).
    """
    m = len(p)
    order = np.argsort(p, kind="stable")
    # In place: there may be millions.
    ranked = p[order]
    ranked *= m
    ranked /= np.arange(1, m + 1)
    np.minimum.accumulate(ranked[::-1], out=ranked[::-1])
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(1.0, ranked, out=ranked)
    return adjusted


def simes(p: Floats) -> float:
    """Simes' (1986) p of several hypotheses all being true: the minimum over ranks of p_(k) m / k."""
    return float(benjamini_hochberg(p).min())
