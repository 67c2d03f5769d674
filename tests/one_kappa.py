"""One kappa from plain lists, its spread, and margins of independent items."""

from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Weighting
from harness.scorecards.shared import Statistic
from harness.stats.agreement import positions, renumbered
from harness.stats.intervals import KappaTable, Spread, clustered_spread, influence
from harness.stats.paired import stuart_maxwell


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


def margins(matrix: Sequence[Sequence[int]]) -> Statistic:
    """Stuart and Maxwell's test as published: of independent items, by how many have which two grades."""
    counts = np.asarray(matrix, dtype=np.int64)
    before, after = (np.repeat(grades.ravel(), counts.ravel()) for grades in np.indices(counts.shape))
    return stuart_maxwell(before, after, np.arange(len(before)), len(counts))
