"""Each rater against the others: higher or lower, and how far apart."""

import numpy as np

from harness.nouns.base import Reason
from harness.score.rater_pairs import RaterPairs
from harness.score.rating_matrix import MIN_COMMON, RatingMatrix
from harness.scorecards.gate1 import RaterBias
from harness.stats.agreement import NO_RATERS, Floats, Integers, crossing, renumbered
from harness.stats.intervals import Tested
from harness.stats.means import clustered_mean
from harness.stats.paired import holm_against_rest
from harness.stats.raters import MISSING

ALONE = Reason("undefined", f"fewer than {MIN_COMMON} items in common with every other rater")


def biases(panel: RatingMatrix, pairs: RaterPairs) -> tuple[RaterBias, ...]:
    """What Gate 1 says of each rater."""
    rated = panel.grades != MISSING
    values = np.array([*panel.scale, 0], dtype=np.float64)
    # Grades are whole numbers, so that their sum is exact, and a rater's own can be taken out again.
    sums, counts = values[panel.grades].sum(axis=1), rated.sum(axis=1)
    leans = [_lean(panel, at, values, sums, counts) for at in range(len(panel.raters))]
    p = [lean.p for lean in leans]
    corrected = holm_against_rest(p)
    with_others = [int((rated[:, at] & (counts > 1)).sum()) for at in range(len(panel.raters))]
    return tuple(
        _bias(panel, pairs, at, with_others[at], lean, corrected[at]) for at, lean in enumerate(leans)
    )


def _lean(panel: RatingMatrix, at: int, values: Floats, sums: Floats, counts: Integers) -> Tested:
    """How much higher a rater grades than the mean of the others; all raters' sums and counts by item.

    Not their median: of two others the lower median is the lower grade, and everybody would look lenient.
    """
    both = np.flatnonzero((panel.grades[:, at] != MISSING) & (counts > 1))
    own = values[panel.grades[both, at]]
    rest = (sums[both] - own) / (counts[both] - 1)
    return clustered_mean(own - rest, renumbered(panel.clusters[both]))


def _bias(
    panel: RatingMatrix, pairs: RaterPairs, at: int, n: int, lean: Tested, p: float | None
) -> RaterBias:
    kappa = pairs.linear_of(at)
    matrix = tuple(tuple(line) for line in pairs.of_rater[at].tolist())
    crossings = {panel.scale[k]: crossing(matrix, k) for k in range(1, len(panel.scale))}
    worst = max(crossings, key=lambda grade: crossings[grade])
    return RaterBias(
        rater=panel.raters[at],
        n=n,
        bias=lean.value,
        kappa_vs_rest=kappa.value,
        p=p,
        worst_boundary=worst if crossings[worst] else None,
        reason=(ALONE if kappa.reason is NO_RATERS else kappa.reason) or lean.reason,
    )
