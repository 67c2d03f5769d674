"""Several stages that must all be right: how often they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Compound:
    """How often k stages are all right: `product` if they are independent, `low` and `high` in any case."""

    product: float
    low: float
    high: float


def compound(rates: Sequence[Fraction]) -> Compound:
    """The product of k rates in [0, 1], with Frechet's bounds max(0, sum p - k + 1) and min p.

    Computed in fractions: in floats 0.8 x 0.8 x 0.8 is 0.5120000000000001. k is 1 or more.
    """
    least = max(Fraction(0), sum(rates, Fraction(0)) - len(rates) + 1)
    return Compound(float(math.prod(rates, start=Fraction(1))), float(least), float(min(rates)))
