"""Sample sizes: the items needed for an interval of a given width, or to pass a threshold."""

import math
from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Weighting
from harness.stats.agreement import Floats, distances
from harness.stats.intervals import cell_influence
from harness.stats.proportions import CONFIDENCE
from harness.stats.tails import normal_quantile


def mixture(kappa: float, shares: Sequence[float]) -> Floats:
    """The joint distribution kappa diag(p) + (1 - kappa) p p', q x q: margins p on both sides.

    `shares` holds q shares that sum to 1; kappa is in [0, 1], and is the kappa of the result under every
    weighting. Donner & Eliasziw's (1992) common correlation model, for q grades.
    """
    p = np.asarray(shares, dtype=np.float64)
    return kappa * np.diag(p) + (1 - kappa) * np.outer(p, p)


def variance_per_item(joint: Floats, scale: Sequence[int], weighting: Weighting = "none") -> float:
    """v = sum p phi^2: n independent items have the error sqrt(v/n) (Fleiss, Cohen & Everitt 1969).

    `joint` holds q x q shares that sum to 1, over a `scale` of q grades. At least 0, and 0 at perfect
    agreement. Must not be called if both give all items the same grade: kappa is undefined.
    """
    return float((joint * cell_influence(joint, distances(scale, weighting)) ** 2).sum())


def items_for_half_width(variance: float, half_width: float, design_effect: float = 1.0) -> int:
    """Items for a 95 % interval of plus or minus `half_width` > 0: deff z^2 v / h^2, rounded up.

    The width of the normal interval, solved for n; v is `variance_per_item` (Fleiss, Cohen & Everitt 1969).
    """
    z = normal_quantile((1 + CONFIDENCE) / 2)
    return math.ceil(design_effect * z**2 * variance / half_width**2)


def half_width(variance: float, items: int, design_effect: float = 1.0) -> float:
    """Half the 95 % interval from n > 0 items: z sqrt(deff v / n), at least 0; `items_for_half_width` solved.

    v is `variance_per_item` (Fleiss, Cohen & Everitt 1969).
    """
    return normal_quantile((1 + CONFIDENCE) / 2) * math.sqrt(design_effect * variance / items)


def items_to_pass(
    variance: float, kappa: float, bar: float, power: float = 0.8, design_effect: float = 1.0
) -> int | None:
    """Items for the interval's lower limit to reach the threshold with this power, at a true kappa above it.

    (1.96 + z_power)^2 v deff / ((atanh kappa - atanh bar)(1 - kappa^2))^2, rounded up: Cantor's (1996)
    formula with the variance at the true kappa only, on the scale on which the gate's interval is symmetric.
    Kappa's own scale would give too few: planned for 80 % power at a kappa of 0.9, 46 % pass
    (benchmarks/coverage.py). None if the true kappa is not above the threshold, or either is 1 or -1.
    """
    if kappa <= bar or abs(kappa) >= 1 or abs(bar) >= 1:
        return None
    distance = (math.atanh(kappa) - math.atanh(bar)) * (1 - kappa**2)
    return _items(variance, distance, power, design_effect)


def items_for_delta(
    variance: float, difference: float, power: float = 0.8, design_effect: float = 1.0
) -> int | None:
    """Items for a paired 95 % interval of kappa_B - kappa_A to exclude 0 with this power.

    (1.96 + z_power)^2 v deff / difference^2, rounded up (Miller 2024, arXiv 2411.00640), for a true
    `difference` in [-2, 2] of either sign and a power in (0, 1). `variance` is that of the difference for
    each item: v = n SE^2 of a pilot's `delta_kappa`. That SE is clustered, so v includes the design effect:
    give one only with a v from independent items. None if no number is defined: for a difference of 0,
    and if the pilot's two runs never differ (v = 0).
    """
    if difference == 0 or variance == 0:
        return None
    return _items(variance, difference, power, design_effect)


def _items(variance: float, distance: float, power: float, design_effect: float) -> int:
    z = normal_quantile((1 + CONFIDENCE) / 2) + normal_quantile(power)
    return math.ceil(z**2 * variance * design_effect / distance**2)
