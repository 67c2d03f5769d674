"""Several runs against the first, with the selection bias of the best."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from harness.comparison.paired import compare_sides
from harness.comparison.sides import Side
from harness.nouns.base import Weighting
from harness.scorecards.comparison import Ranking
from harness.stats.paired import holm


def rank_sides(sides: Sequence[Side], weighting: Weighting | None = None) -> Ranking:
    """Every further side against the first, Holm-corrected over them by the gated kappa's p."""
    base = sides[0]
    found = tuple(compare_sides(base, side, weighting) for side in sides[1:])
    values = {base.name: found[0].gated_change.base}
    values |= {one.candidate: one.gated_change.candidate for one in found}
    errors = [one.gated_change.se for one in found if one.gated_change.se]
    return Ranking(
        base=base.name,
        comparisons=found,
        p_holm=tuple(holm([one.gated_change.p for one in found])),
        best=max(values, key=lambda name: -math.inf if values[name] is None else values[name] or 0.0),
        flattery=_flattery(errors, len(sides)),
    )


def _flattery(errors: Sequence[float], m: int) -> float | None:
    """The selection bias, about SE E[max of m]: how much the best of m equal runs overstates its kappa.

    The errors are those of differences of two runs: sqrt(2) times one run's.
    """
    if not errors:
        return None
    return float(np.mean(errors)) / math.sqrt(2) * expected_maximum(m)


def expected_maximum(m: int) -> float:
    """The mean of the largest of m standard normal values: the integral of x d(Phi(x)^m)."""
    x = np.linspace(-8, 8, 4001)
    return float(np.trapezoid(x * np.gradient(ndtr(x) ** m, x), x))
