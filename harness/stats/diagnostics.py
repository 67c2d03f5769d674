"""Diagnostics that explain why the kappa of two raters is high or low.

None of them is gated: AC1 and PABAK depend on the number of grades and rise if one grade dominates.
"""

from dataclasses import dataclass

import numpy as np

from harness.stats.agreement import Matrix


@dataclass(frozen=True, slots=True)
class KappaDiagnostics:
    """Diagnostics of one confusion matrix; None for an undefined figure.

    `observed` (po) and `expected` (pe) are shares of exact agreement. `kappa_max` is the kappa that the
    margins allow. `pabak` is Brennan and Prediger's: kappa with uniform chance, (q po - 1)/(q - 1).
    `ac1` is Gwet's (2008). `prevalence` and `bias` (Byrt, Bishop & Carlin 1993) are for two grades only.
    `specific` is each grade's 2 n_ii / (r_i + c_i).
    """

    observed: float | None
    expected: float | None
    kappa_max: float | None
    pabak: float | None
    ac1: float | None
    prevalence: float | None
    bias: float | None
    specific: tuple[float | None, ...]


def diagnostics(matrix: Matrix) -> KappaDiagnostics:
    """The diagnostics of a q x q matrix over the whole scale; all None if it is empty."""
    counts = np.array(matrix, dtype=np.float64)
    n, q = counts.sum(), len(matrix)
    if n == 0:
        return KappaDiagnostics(None, None, None, None, None, None, None, (None,) * q)
    p = counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.trace(p)), float(rows @ columns)
    share = (rows + columns) / 2
    chance = float((share * (1 - share)).sum() / (q - 1))
    margins = rows + columns
    return KappaDiagnostics(
        observed=observed,
        expected=expected,
        kappa_max=_corrected(float(np.minimum(rows, columns).sum()), expected),
        pabak=(q * observed - 1) / (q - 1),
        ac1=_corrected(observed, chance),
        prevalence=float(abs(p[0, 0] - p[1, 1])) if q == 2 else None,
        bias=float(abs(p[0, 1] - p[1, 0])) if q == 2 else None,
        specific=tuple(float(2 * p[at, at] / margins[at]) if margins[at] else None for at in range(q)),
    )


def _corrected(observed: float, chance: float) -> float | None:
    return (observed - chance) / (1 - chance) if chance < 1 else None
