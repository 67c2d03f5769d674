"""The cluster bootstrap: a second estimate of an interval, by resampling whole queries."""

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.scorecards.shared import BootstrapCheck
from harness.stats.agreement import Floats
from harness.stats.intervals import ONE_CLUSTER, KappaTable
from harness.stats.proportions import CONFIDENCE

CHUNK = 1_000
"""Draws per batch, so that memory use is bounded."""
TOO_MANY_UNDEFINED = 0.01
"""With a larger share of undefined draws, the interval is not reported."""


def cluster_bootstrap(*tables: KappaTable, draws: int = 10_000, seed: int = 0) -> BootstrapCheck:
    """The 2.5 % and 97.5 % percentiles of kappa over draws of whole clusters, with replacement.

    Of several tables, whose clusters are numbered alike, of the mean of their kappas. Works on per-cluster
    confusion matrices (G x q^2): a draw is a multinomial over clusters (Efron & Tibshirani 1993). The order
    of the items has no effect, since clusters are numbered by name. No interval with one cluster, or if
    kappa is undefined in more than 1 % of the draws.
    """
    groups = max((int(table.clusters.max()) + 1 for table in tables if len(table.clusters)), default=0)
    if groups < 2:
        return BootstrapCheck(ci=None, draws=0, undefined=0.0, reason=ONE_CLUSTER)
    cells = [_cells(table, groups) for table in tables]
    distances = tables[0].distances()
    random = np.random.default_rng(seed)
    values: list[Floats] = []
    for start in range(0, draws, CHUNK):
        size = min(CHUNK, draws - start)
        weights = random.multinomial(groups, np.full(groups, 1 / groups), size=size)
        values.append(np.mean([_kappas(weights @ flat, distances) for flat in cells], axis=0))
    kappas = np.concatenate(values)
    kept = kappas[~np.isnan(kappas)]
    undefined = 1 - len(kept) / draws
    if undefined > TOO_MANY_UNDEFINED:
        few = Reason("remark", f"{undefined:.1%} of the draws have no kappa")
        return BootstrapCheck(ci=None, draws=draws, undefined=undefined, reason=few)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(kept, [tail, 1 - tail])
    return BootstrapCheck(ci=Interval(float(low), float(high)), draws=draws, undefined=undefined)


def _cells(table: KappaTable, groups: int) -> Floats:
    """Each cluster's confusion matrix, flat."""
    q = len(table.scale)
    at = (table.clusters * q + table.rows) * q + table.columns
    counts = np.bincount(at, minlength=groups * q * q)
    return counts.reshape(groups, q * q).astype(np.float64)


def _kappas(flat: Floats, distances: Floats) -> Floats:
    """Kappa of each flat matrix; NaN (used in this module only) if it is undefined."""
    q = len(distances)
    matrices = flat.reshape(-1, q, q)
    observed = np.einsum("bij,ij->b", matrices, distances)
    expected = np.einsum("bi,ij,bj->b", matrices.sum(axis=2), distances, matrices.sum(axis=1))
    n = flat.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - n * observed / expected, np.nan)
