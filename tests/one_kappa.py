"""One kappa from plain lists, with its spread: what the figures of several pairs are held against."""

from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Weighting
from harness.stats.agreement import positions, renumbered
from harness.stats.intervals import KappaTable, Spread, clustered_spread, influence


def table_of(
    rows: Sequence[int],
    columns: Sequence[int],
    clusters: Sequence[str],
    scale: tuple[int, ...],
    weighting: Weighting,
) -> KappaTable:
    """Grades and names of clusters as a table."""
    levels = np.asarray(scale, dtype=np.int64)
    numbers = renumbered(np.asarray(clusters, dtype=object).astype(str))
    return KappaTable(positions(rows, levels), positions(columns, levels), numbers, scale, weighting)


def kappa_spread(table: KappaTable) -> Spread:
    """The standard error and interval of this kappa alone."""
    kappa = table.kappa
    if kappa.exact is None or kappa.reason is not None:
        return Spread(len(np.unique(table.clusters)), reason=kappa.reason)
    differ, counts = table.rows != table.columns, np.array(table.matrix)
    about = (counts, table.distances(), [table.expected()])
    return clustered_spread(float(kappa.exact), influence(table), table.clusters, differ, *about)
