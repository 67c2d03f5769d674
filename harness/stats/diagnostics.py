"""Diagnostics that explain why the kappa of two raters is high or low.

None of them is gated: AC1 and PABAK depend on the number of grades and rise if one grade dominates.
"""

import numpy as np

from harness.scorecards.gate2 import Diagnostics
from harness.stats.agreement import Matrix


def diagnostics(matrix: Matrix) -> Diagnostics:
    """The diagnostics of a q x q matrix over the whole scale; all None if it is empty."""
    counts = np.array(matrix, dtype=np.float64)
    n, q = counts.sum(), len(matrix)
    if n == 0:
        return Diagnostics(**dict.fromkeys(Diagnostics.model_fields))
    p = counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.trace(p)), float(rows @ columns)
    share = (rows + columns) / 2
    chance = float((share * (1 - share)).sum() / (q - 1))
    return Diagnostics(
        observed=observed,
        expected=expected,
        kappa_max=_corrected(float(np.minimum(rows, columns).sum()), expected),
        pabak=(q * observed - 1) / (q - 1),
        ac1=_corrected(observed, chance),
        prevalence=float(abs(p[0, 0] - p[1, 1])) if q == 2 else None,
        bias=float(abs(p[0, 1] - p[1, 0])) if q == 2 else None,
    )


def _corrected(observed: float, chance: float) -> float | None:
    return (observed - chance) / (1 - chance) if chance < 1 else None
