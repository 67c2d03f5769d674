"""How many items it takes: for an interval of a given width, or to pass a bar."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from harness.noun import Weighting
from harness.stats.agreement import Floats, distances
from harness.stats.intervals import CONFIDENCE, cell_influence


def mixture(kappa: float, shares: Sequence[float]) -> Floats:
    """The joint distribution kappa diag(p) + (1 - kappa) p p': agreement kappa, margins p on both sides."""
    p = np.asarray(shares, dtype=np.float64)
    return kappa * np.diag(p) + (1 - kappa) * np.outer(p, p)


def variance_per_item(joint: Floats, scale: Sequence[int], weighting: Weighting = "none") -> float:
    """v = sum p phi^2: n independent items have the error sqrt(v/n) (Fleiss, Cohen & Everitt 1969)."""
    return float((joint * cell_influence(joint, distances(scale, weighting)) ** 2).sum())


def items_for_half_width(variance: float, half_width: float, design_effect: float = 1.0) -> int:
    """Items for a 95 % interval of plus or minus `half_width`: deff z^2 v / h^2, rounded up."""
    z = float(ndtri((1 + CONFIDENCE) / 2))
    return math.ceil(design_effect * z**2 * variance / half_width**2)


def items_to_pass(
    variance: float, kappa: float, bar: float, power: float = 0.8, design_effect: float = 1.0
) -> int | None:
    """Items for the interval's lower limit to clear the bar with this power, at a true kappa above it.

    (1.96 + z_power)^2 v deff / (kappa - bar)^2, rounded up; None where the true kappa is not above the bar.
    """
    if kappa <= bar:
        return None
    z = float(ndtri((1 + CONFIDENCE) / 2)) + float(ndtri(power))
    return math.ceil(z**2 * variance * design_effect / (kappa - bar) ** 2)
