"""Each rater against the others: higher or lower, and how far apart."""

import numpy as np

from harness.nouns.base import Reason
from harness.score.rating_matrix import MIN_COMMON, RatingMatrix, renumbered
from harness.scorecards.gate1 import RaterBias
from harness.stats.agreement import crossing, mean_kappa, pooled
from harness.stats.intervals import Tested
from harness.stats.means import clustered_mean
from harness.stats.paired import holm
from harness.stats.raters import MISSING

ALONE = Reason("undefined", f"fewer than {MIN_COMMON} items in common with every other rater")


def biases(panel: RatingMatrix) -> tuple[RaterBias, ...]:
    """What Gate 1 says of each rater."""
    leans = [_lean(panel, at) for at in range(len(panel.raters))]
    tested = [at for at, lean in enumerate(leans) if lean.p is not None]
    found = [p for lean in leans if (p := lean.p) is not None]
    # Of two raters, one's lean is the other's turned round: that is one test.
    corrected = dict(zip(tested, found if len(panel.raters) == 2 else holm(found), strict=True))
    return tuple(_bias(panel, at, lean, corrected.get(at)) for at, lean in enumerate(leans))


def _lean(panel: RatingMatrix, at: int) -> Tested:
    """How much higher a rater grades than the mean of the others.

    Not their median: of two others the lower median is the lower grade, and everybody would look lenient.
    """
    values = np.array([*panel.scale, 0], dtype=np.float64)[panel.grades]
    rated = panel.grades != MISSING
    others = np.delete(rated, at, axis=1).sum(axis=1)
    both = np.flatnonzero(rated[:, at] & (others > 0))
    rest = (np.where(rated, values, 0).sum(axis=1) - values[:, at])[both] / others[both]
    return clustered_mean(values[both, at] - rest, renumbered(panel.clusters[both]))


def _bias(panel: RatingMatrix, at: int, lean: Tested, p: float | None) -> RaterBias:
    rated = panel.grades != MISSING
    pairs = [pair for pair in panel.counted() if at in pair]
    tables = [panel.table(pair, "linear") for pair in pairs]
    kappa = mean_kappa([table.kappa for table in tables])
    matrix = pooled([table.matrix for table in tables], len(panel.scale))
    crossings = {panel.scale[k]: crossing(matrix, k) for k in range(1, len(panel.scale))}
    worst = max(crossings, key=lambda grade: crossings[grade])
    return RaterBias(
        rater=panel.raters[at],
        n=int((rated[:, at] & (rated.sum(axis=1) > 1)).sum()),
        bias=lean.value,
        kappa_vs_rest=kappa.value,
        p=p,
        worst_boundary=worst if crossings[worst] else None,
        reason=(kappa.reason if pairs else ALONE) or lean.reason,
    )
