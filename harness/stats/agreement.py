"""Cohen's kappa over a declared scale, exact.

Everything is computed from the confusion matrix in integers and divided once: the usual (po - pe)/(1 - pe)
in floats puts [[28, 2], [2, 4]], whose kappa is exactly 3/5, below 0.6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Kappas:
    """Kappas as exact fractions `top`/`bottom`, whose `reasons` are those of `cohen_kappa`.

    `top` and `bottom` hold int64, or Python's whole numbers where products are larger.
    """

    top: NDArray[Any]
    bottom: NDArray[Any]
    reasons: list[Reason | None]

    def values(self) -> list[float | None]:
        """The nearest floats; None where undefined."""
        fractions = zip(self.top.tolist(), self.bottom.tolist(), strict=True)
        return [top / bottom if bottom else None for top, bottom in fractions]

    def mean(self, where: Integers) -> Kappa:
        """The mean of those in these places, as `mean_kappa` has it."""
        tops, bottoms = self.top[where].tolist(), self.bottom[where].tolist()
        return _mean(tops, bottoms, [self.reasons[at] for at in where.tolist()])


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
    alone = cohen_kappas(np.array([matrix], dtype=np.int64), scale, weighting)
    return alone.mean(np.arange(1))


def cohen_kappas(counts: Integers, scale: Sequence[int], weighting: Weighting) -> Kappas:
    """Cohen's kappa of each of the matrices (pairs x q x q); see `cohen_kappa`."""
    d = np.array([[disagreement(a, b, weighting) for b in scale] for a in scale], dtype=object)
    n = counts.sum(axis=(1, 2))
    fits = int(n.max(initial=0)) ** 2 * int(d.max()) < 2**62
    m, d = (counts, d.astype(np.int64)) if fits else (counts.astype(object), d)
    rows, columns = m.sum(axis=2), m.sum(axis=1)
    expected = ((rows @ d) * columns).sum(axis=1)
    top = expected - n * (m * d).sum(axis=(1, 2))
    constant = (rows.max(axis=1) == n) | (columns.max(axis=1) == n)
    facts = zip(n.tolist(), expected.tolist(), constant.tolist(), strict=True)
    return Kappas(top, expected, [_reason(*one) for one in facts])


def joined(parts: list[Kappas]) -> Kappas:
    """Several lots as one."""
    tops, bottoms = ([getattr(part, name) for part in parts] for name in ("top", "bottom"))
    return Kappas(np.concatenate(tops), np.concatenate(bottoms), [r for part in parts for r in part.reasons])


def _reason(n: int, expected: int, constant: bool) -> Reason | None:
    if not n:
        return NO_ITEMS
    if not expected:
        return NO_VARIATION
    return CONSTANT_RATER if constant else None


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
    tops = [kappa.exact.numerator if kappa.exact is not None else 0 for kappa in kappas]
    bottoms = [kappa.exact.denominator if kappa.exact is not None else 0 for kappa in kappas]
    return _mean(tops, bottoms, [kappa.reason for kappa in kappas])


def _mean(tops: Sequence[int], bottoms: Sequence[int], reasons: Sequence[Reason | None]) -> Kappa:
    """The exact mean of top/bottom; a bottom of 0 is an undefined one."""
    if not reasons:
        return Kappa(None, NO_RATERS)
    if 0 in bottoms:
        return Kappa(None, reasons[bottoms.index(0)])
    return Kappa(_sum(tops, bottoms) / len(bottoms), next((reason for reason in reasons if reason), None))


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


def _sum(tops: Sequence[int], bottoms: Sequence[int]) -> Fraction:
    """The exact sum. Added one by one, many fractions would each be added to one with a huge denominator."""
    by_bottom: dict[int, int] = {}
    for top, bottom in zip(tops, bottoms, strict=True):
        by_bottom[bottom] = by_bottom.get(bottom, 0) + top
    parts = [Fraction(top, bottom) for bottom, top in by_bottom.items()]
    while len(parts) > 1:
        parts = [sum(parts[at : at + 2], Fraction(0)) for at in range(0, len(parts), 2)]
    return parts[0]
