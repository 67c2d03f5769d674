"""How an outcome changes with a feature, within strata, with an interval clustered by query."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import FEW, NO_SPREAD, ROUNDING, Tested, t_test

CONSTANT = Reason("undefined", "it does not vary among items of one golden grade")
TOO_FEW = Reason("undefined", f"fewer than {FEW} queries decide it")


def within_slope(feature: Floats, outcome: Floats, strata: Integers, clusters: Integers) -> Tested:
    """The least-squares slope of `outcome` on `feature`, beside one intercept for each stratum.

    beta = sum (x - x_s)(y - y_s) / sum (x - x_s)^2, with x_s, y_s the means of the item's stratum s (Frisch &
    Waugh 1933): what differs between strata says nothing. `strata` and `clusters` are numbered from 0. The
    error is the jackknife's over clusters, sqrt((G - 1)/G sum_g (beta_-g - beta)^2), with beta_-g the slope
    without cluster g (CV3; MacKinnon, Nielsen & Webb 2023); t on G* - 1 degrees of freedom, with G* Kish's
    effective number of clusters by their share of sum (x - x_s)^2 (after Carter, Schnepel & Steigerwald
    2017). Undefined where the feature does not vary within a stratum, or G* is below FEW.
    """
    if not len(feature):
        return Tested(None, reason=CONSTANT)
    x, y = (np.asarray(one - one.mean(), dtype=np.float64) for one in (feature, outcome))
    groups, spread = int(clusters.max()) + 1, _within(x, strata) ** 2
    if float(spread.sum()) <= ROUNDING * len(x) * max(1.0, float(np.abs(feature).max()) ** 2):
        return Tested(None, reason=CONSTANT)
    share = np.bincount(clusters, weights=spread, minlength=groups)
    effective = float(share.sum() ** 2 / (share @ share))
    if effective < FEW:
        return Tested(None, reason=TOO_FEW)
    slope, without = _slopes(x, y, strata, clusters)
    se = float(np.sqrt((groups - 1) / groups * ((without - slope) ** 2).sum()))
    if se < ROUNDING:
        return replace(Tested(slope), reason=NO_SPREAD)
    return t_test(slope, se, effective)


def _within(values: Floats, strata: Integers) -> Floats:
    """Each value less the mean of its stratum."""
    means = np.bincount(strata, weights=values) / np.maximum(np.bincount(strata), 1)
    return np.asarray(values - means[strata], dtype=np.float64)


def _slopes(x: Floats, y: Floats, strata: Integers, clusters: Integers) -> tuple[float, Floats]:
    """The slope of all items, and the slope without each cluster, from the sums of each cluster's strata."""
    shape = (int(clusters.max()) + 1, int(strata.max()) + 1)
    cell = clusters * shape[1] + strata

    def sums(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        counted = np.bincount(cell, weights=weights, minlength=shape[0] * shape[1])
        return np.asarray(counted.reshape(shape), dtype=np.float64)

    parts = [sums(one) for one in (np.ones(len(x)), x, y, x * x, x * y)]
    whole = _slope(*(part.sum(axis=0, keepdims=True) for part in parts))
    left = _slope(*(part.sum(axis=0) - part for part in parts))
    return float(whole[0]), left


def _slope(n: Floats, x: Floats, y: Floats, xx: Floats, xy: Floats) -> Floats:
    """The slopes from sums by stratum, a row for each set of items."""
    held = np.maximum(n, 1)  # without items the sums are 0 too, but for rounding
    top = (xy - x * y / held).sum(axis=1)
    return np.asarray(top / (xx - x * x / held).sum(axis=1), dtype=np.float64)
