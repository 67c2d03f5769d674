"""Many kappas at once: the figures of `agreement` and `intervals`, digit for digit, for every pair of raters.

Counts come as an array of pairs x q x q. What is a whole number stays one, so that kappas are exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Reason, Weighting
from harness.stats.agreement import (
    CONSTANT_RATER,
    NO_ITEMS,
    NO_RATERS,
    NO_VARIATION,
    Integers,
    Kappa,
    disagreement,
)


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
        reasons = [self.reasons[at] for at in where.tolist()]
        bottoms = self.bottom[where].tolist()
        if not reasons:
            return Kappa(None, NO_RATERS)
        missing = next((at for at, bottom in enumerate(bottoms) if not bottom), None)
        if missing is not None:
            return Kappa(None, reasons[missing])
        total = _sum(self.top[where].tolist(), bottoms)
        return Kappa(total / len(bottoms), next((reason for reason in reasons if reason), None))


def cohen_kappas(counts: Integers, scale: tuple[int, ...], weighting: Weighting) -> Kappas:
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


def _sum(tops: list[int], bottoms: list[int]) -> Fraction:
    """The exact sum. Added one by one, many fractions would each be added to one with a huge denominator."""
    by_bottom: dict[int, int] = {}
    for top, bottom in zip(tops, bottoms, strict=True):
        by_bottom[bottom] = by_bottom.get(bottom, 0) + top
    parts = [Fraction(top, bottom) for bottom, top in by_bottom.items()]
    while len(parts) > 1:
        parts = list(_halved(parts))
    return parts[0]


def _halved(parts: list[Fraction]) -> Iterator[Fraction]:
    for at in range(0, len(parts), 2):
        yield sum(parts[at : at + 2], Fraction(0))
