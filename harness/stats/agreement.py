"""Cohen's kappa over a declared scale, exact.

Everything is computed from the confusion matrix in integers and divided once: the usual (po - pe)/(1 - pe)
in floats puts [[28, 2], [2, 4]], whose kappa is exactly 3/5, below 0.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Band, Reason, Weighting

Matrix = tuple[tuple[int, ...], ...]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

NO_ITEMS = Reason("undefined", "no item was graded by both")
NO_VARIATION = Reason("undefined", "both gave every item the same one grade, so chance alone explains it")
NO_RATERS = Reason("undefined", "there are fewer than two raters")
CONSTANT_RATER = Reason(
    "remark", "one of the two gave every item the same grade, so kappa is 0 whatever the other did"
)


@dataclass(frozen=True, slots=True)
class Kappa:
    """An exact kappa, or None with the reason. A defined value may carry a reason to distrust it."""

    exact: Fraction | None
    reason: Reason | None = None

    @property
    def value(self) -> float | None:
        """The nearest float."""
        return None if self.exact is None else float(self.exact)


def confusion(rows: Sequence[int], columns: Sequence[int], scale: Sequence[int]) -> Matrix:
    """Counts of (row grade, column grade) over the whole scale, in its order.

    `rows` and `columns` hold one grade per item, equally many. A grade off the scale is the
    caller's mistake.
    """
    assert len(rows) == len(columns), "two graders of the same items"
    levels = np.asarray(scale, dtype=np.int64)
    return cell_counts(positions(rows, levels), positions(columns, levels), len(levels))


def cell_counts(at_row: Integers, at_column: Integers, size: int) -> Matrix:
    """How many items are in each cell of a size x size matrix."""
    counts = np.bincount(at_row * size + at_column, minlength=size * size).reshape(size, size)
    return tuple(tuple(int(count) for count in line) for line in counts)


def positions(grades: Sequence[int], levels: Integers) -> Integers:
    """Where each grade stands on the scale. A grade off it is the caller's mistake."""
    values = np.asarray(grades, dtype=np.int64)
    found = np.minimum(np.searchsorted(levels, values), len(levels) - 1)
    assert bool(np.all(levels[found] == values)), "a grade off the scale"
    return found


def cohen_kappa(matrix: Matrix, scale: Sequence[int], weighting: Weighting = "none") -> Kappa:
    """Cohen's kappa (1960), weighted (1968): (E - nO) / E, in [-1, 1].

    With disagreement weights d = 1[i != j], |i - j| or (i - j)^2 on the grade values, O = sum d n_ij
    over the matrix and E = sum d r_i c_j over its margins. Undefined where there are no items, and
    where E = 0: no variation at all. A constant rater makes it 0, and says so.
    """
    rows = [sum(line) for line in matrix]
    columns = [sum(column) for column in zip(*matrix, strict=True)]
    n = sum(rows)
    if n == 0:
        return Kappa(None, NO_ITEMS)
    cells = [(i, j, disagreement(a, b, weighting)) for i, a in enumerate(scale) for j, b in enumerate(scale)]
    observed = sum(d * matrix[i][j] for i, j, d in cells)
    expected = sum(d * rows[i] * columns[j] for i, j, d in cells)
    if expected == 0:
        return Kappa(None, NO_VARIATION)
    constant = max(rows) == n or max(columns) == n
    return Kappa(Fraction(expected - n * observed, expected), CONSTANT_RATER if constant else None)


def disagreement(one: int, other: int, weighting: Weighting) -> int:
    """How far apart two grades are."""
    if weighting == "none":
        return int(one != other)
    distance = abs(one - other)
    return distance if weighting == "linear" else distance**2


def distances(scale: Sequence[int], weighting: Weighting) -> Floats:
    """The disagreement of each two grades of a scale: q x q."""
    return np.array([[disagreement(a, b, weighting) for b in scale] for a in scale], dtype=np.float64)


def mean_kappa(kappas: Sequence[Kappa]) -> Kappa:
    """The mean of several kappas (of all pairs of raters: Light 1971); undefined where one of them is."""
    missing = next((kappa for kappa in kappas if kappa.exact is None), None)
    if not kappas:
        return Kappa(None, NO_RATERS)
    if missing is not None:
        return Kappa(None, missing.reason)
    values = [kappa.exact for kappa in kappas if kappa.exact is not None]
    return Kappa(sum(values, Fraction(0)) / len(values), next((k.reason for k in kappas if k.reason), None))


def band(kappa: Kappa) -> Band | None:
    """Strong above 0.8, weak below 0.6, moderate from 0.6 to 0.8 with both edges; None where undefined."""
    if kappa.exact is None:
        return None
    if kappa.exact > Fraction(8, 10):
        return "strong"
    return "weak" if kappa.exact < Fraction(6, 10) else "moderate"


def crossing(matrix: Matrix, at: int) -> int:
    """How many counts are on different sides of the line below the grade in position `at`."""
    return sum(
        count for i, line in enumerate(matrix) for j, count in enumerate(line) if (i >= at) != (j >= at)
    )


def renumbered(clusters: Integers) -> Integers:
    """Cluster numbers without gaps: clusters without an item here must not count."""
    _, numbers = np.unique(clusters, return_inverse=True)
    return np.asarray(numbers, dtype=np.int64)
