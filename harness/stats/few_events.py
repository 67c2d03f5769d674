"""Where a share is so rare that a t interval does not hold, and the exact interval that takes its place."""

import math

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.stats.cluster_sums import ClusterSums
from harness.stats.intervals import ROUNDING
from harness.stats.means import effective_clusters, guarded
from harness.stats.proportions import adjusted_share, effective_rows
from harness.storage.plural import plural

FEW_EVENTS = 10
"""Where fewer labelled queries hold a 1, or a 0, the human grades alone are taken, with an exact interval."""
SKEWED = 25.0
"""So too where n / deff < 25 (1 - 2p)^2 / (p (1 - p)), with n / deff the effective number of rows.

Cochran's (1977, p. 42) rule for when a normal interval holds: n > 25 G^2, G the skewness. Found by simulation
(benchmarks/estimate_coverage.py --thresholds): with the count alone, t intervals of a share of .05 at 200
labelled queries of unequal size hold the truth in 88 %. It does not touch shares near a half.
"""
FEW_SPREAD = 2
"""Where fewer queries hold a 1, or a 0, nothing says how much such queries differ, and the guard widens."""


def few_events(
    sums: ClusterSums, se: float, least: int = FEW_EVENTS, skewed: float = SKEWED
) -> Reason | None:
    """Why a t interval is not to be trusted, if it is not; `se` is that of the mean of the human grades."""
    human, whole = sums.human[sums.has_labels], sums.labelled[sums.has_labels]
    # A weighted sum of ones is its weight but for rounding.
    ones, zeros = int((human > ROUNDING * whole).sum()), int((whole - human > ROUNDING * whole).sum())
    count = min(ones, zeros)
    held = "a row that counts" if ones <= zeros else "a row that does not count"
    what = f"{count:,} of {plural(len(whole), 'labelled query', 'labelled queries')} hold {held}"
    then = "humans only, with the exact interval"
    if count < least:
        return Reason("few_events", f"{what}, and {least} are needed: {then}")
    share = float(sums.human.sum() / sums.labelled.sum())
    # What is not a share differs less than one: then its rows are worth more than their number.
    kept = share * (1 - share) / se**2 if se else math.inf
    wanted = skewed * (1 - 2 * share) ** 2 / (share * (1 - share))
    if kept >= wanted:
        return None
    counts = f"{plural(round(kept), 'independent row')}, and a share of {share:.2g} needs {wanted:,.0f}"
    return Reason("few_events", f"{what}; they are worth {counts}: {then}")


def exact_interval(sums: ClusterSums, value: float, se: float) -> Interval:
    """Clopper and Pearson's at the effective number of rows (Korn & Graubard 1998), with t on G - 1.

    Where hardly a query holds a 1, or a 0, it is as wide as `guarded` asks.
    """
    whole = sums.labelled[sums.has_labels]
    share = sums.human[sums.has_labels] / whole
    kept = sums.rows / design_effect(sums, value, se)
    ci = adjusted_share(value, sums.rows, kept, len(whole) - 1)
    return guarded(ci, share, whole, np.arange(len(whole)), few=FEW_SPREAD)


def design_effect(sums: ClusterSums, value: float, se: float) -> float:
    """How many times as many rows are needed because those of a query are alike; at least 1.

    The geometric mean of two estimates. That of the jackknife, SE^2 over the error of independent rows, is
    right on average, but with few events it is noisy, and small in just those samples whose share is low,
    since no large query happened to hold an event. Kish's (1965), 1 + rho (rows / clusters - 1), both
    effective numbers, is steady, but takes rho as the same in queries of all sizes. In queries of one size
    they agree. Found by simulation (benchmarks/estimate_coverage.py).
    """
    by_spread = sums.rows / effective_rows(value, sums.rows, se)
    if sums.sizes is None:
        return by_spread
    clusters = effective_clusters(sums.labelled[sums.has_labels])
    by_rho = 1 + rows_alike(sums) * max(0.0, sums.rows / clusters - 1)
    return math.sqrt(by_spread * by_rho)


def rows_alike(sums: ClusterSums) -> float:
    """rho, how alike the human grades of a query's rows are, in [0, 1]; 0 where nothing tells.

    1 - sum W_g p_g (1 - p_g) / (p (1 - p) sum W_g (1 - 1/n_g)) (Fleiss & Cuzick 1979), W_g the weight of a
    query's labelled rows, n_g their effective number, p_g their mean and p that of all.
    """
    assert sums.sizes is not None, "of a figure over rows"
    at = sums.has_labels
    whole, sizes = sums.labelled[at], sums.sizes[at]
    share = sums.human[at] / whole
    every = float(sums.human.sum() / sums.labelled.sum())
    there = every * (1 - every) * float(whole @ (1 - 1 / sizes))
    if there < ROUNDING * float(whole.sum()):
        return 0.0
    return min(1.0, max(0.0, 1 - float(whole @ (share * (1 - share))) / there))
