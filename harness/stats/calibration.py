"""Calibration of a teacher's probabilities.

Probabilities are an items x grades array over the scale in order. Rows are renormalised: they need not sum
to 1, because the probability of other tokens is lost. Grades are positions on the scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.nouns.base import Reason
from harness.scorecards.confidence import BinScore
from harness.stats.agreement import Floats, Integers, renumbered
from harness.stats.means import clustered_share
from harness.storage.plural import plural

BINS = 15

NO_ITEMS = Reason("undefined", "there are no items with probabilities")
ZERO = "log loss is undefined: the golden grade has probability 0 in {count} of {items}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well probabilities predict golden grades. `reason` says why a figure is None.

    `lost` is the mean probability outside the grades. `brier` is from 0 to 2, `log_loss` from 0 up in nats,
    `rps` from 0 to q - 1; less is better. `ece_width` and `ece_mass` are from 0 to 1, over `width_bins` and
    `mass_bins`.
    """

    n: int
    lost: float | None
    ece_width: float | None
    ece_mass: float | None
    brier: float | None
    log_loss: float | None
    rps: float | None
    width_bins: tuple[BinScore, ...] = ()
    mass_bins: tuple[BinScore, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """Answers: the confidence of each, whether it is right, and its query's number."""

    confidence: Floats
    right: NDArray[np.bool_]
    clusters: Integers

    def where(self, kept: NDArray[np.bool_]) -> "_Said":
        return _Said(self.confidence[kept], self.right[kept], self.clusters[kept])


def calibration(
    probabilities: ArrayLike,
    chosen: ArrayLike,
    golden: ArrayLike,
    scale: Sequence[int],
    clusters: Integers | None = None,
) -> Calibration:
    """The calibration of n items' probabilities (n x q) for the grades `chosen`, against the `golden` ones.

    Confidence is the probability of the grade given, which need not be the likeliest. ECE is the sum over
    bins of n_b/n |accuracy - confidence|, with 15 bins of equal width (Naeini et al. 2015, Guo et al. 2017)
    or of equal mass (Nguyen & O'Connor 2015). It is biased upwards for small n, because chance alone moves
    a bin off the diagonal: show it, never gate on it. A bin's interval is clustered by `clusters`, the
    items' queries as numbers; without them, items are independent.

    With p renormalised and y golden, means over the items: Brier (1950) sum_k (p_k - 1[y=k])^2; log loss
    -ln p_y, undefined where a golden grade has probability 0; ranked probability score (Epstein 1969)
    sum_k (F_k - 1[y<=k])^2 over the q - 1 cut points, not divided by q - 1, which takes the grades' order
    and not their values. Everything is undefined without items. A row that is negative, not finite or all
    zero is the caller's mistake.
    """
    given = _checked(probabilities, scale)
    grades, gold = _positions(chosen, given), _positions(golden, given)
    n = len(given)
    if n == 0:
        return Calibration(0, *(None,) * 6, reason=NO_ITEMS)
    p = np.asarray(given / given.sum(axis=1, keepdims=True), dtype=np.float64)
    said = _Said(p[np.arange(n), grades], grades == gold, np.arange(n) if clusters is None else clusters)
    width, mass = _width_bins(said), _mass_bins(said)
    return Calibration(
        n=n,
        lost=float(np.maximum(0.0, 1 - given.sum(axis=1)).mean()),
        ece_width=_ece(width),
        ece_mass=_ece(mass),
        **_scores(p, gold),
        width_bins=width,
        mass_bins=mass,
    )


def _scores(p: Floats, gold: Integers) -> dict[str, Any]:
    """The scores of whole distributions: Brier, RPS and log loss, or why there is none."""
    difference = p - np.eye(p.shape[1])[gold]
    likely = p[np.arange(len(p)), gold]
    zeros = int((likely == 0).sum())
    items = plural(len(p), "item")
    return {
        "brier": float((difference**2).sum(axis=1).mean()),
        "rps": float((difference.cumsum(axis=1)[:, :-1] ** 2).sum(axis=1).mean()),
        "log_loss": None if zeros else float(np.abs(np.log(likely)).mean()),
        "reason": Reason("remark", ZERO.format(count=zeros, items=items)) if zeros else None,
    }


def _checked(probabilities: ArrayLike, scale: Sequence[int]) -> Floats:
    given = np.asarray(probabilities, dtype=np.float64)
    if len(given) == 0:
        return np.empty((0, len(scale)))
    assert given.ndim == 2, "a row per item"
    assert given.shape[1] == len(scale), "a probability per grade"
    assert bool(np.isfinite(given).all()), "a probability that is not a number"
    assert bool((given >= 0).all()), "a negative probability"
    assert bool((given.sum(axis=1) > 0).all()), "an item without any probability"
    return given


def _positions(grades: ArrayLike, given: Floats) -> Integers:
    found = np.asarray(grades, dtype=np.int64)
    assert found.shape == given.shape[:1], "a grade per item"
    assert bool(((found >= 0) & (found < given.shape[1])).all()), "a position off the scale"
    return found


def _width_bins(said: _Said) -> tuple[BinScore, ...]:
    at = np.minimum((said.confidence * BINS).astype(np.int64), BINS - 1)
    return tuple(
        _bin(number / BINS, (number + 1) / BINS, said.where(at == number))
        for number in np.unique(at).tolist()
    )


def _mass_bins(said: _Said) -> tuple[BinScore, ...]:
    """Bins of equal mass, by rank. Equal confidences share their middle rank, and so a bin."""
    ranked = np.sort(said.confidence)
    twice_rank = np.searchsorted(ranked, said.confidence) + np.searchsorted(ranked, said.confidence, "right")
    at = twice_rank * BINS // (2 * len(ranked))
    found = []
    for number in np.unique(at):
        mine = said.where(at == number)
        found.append(_bin(float(mine.confidence.min()), float(mine.confidence.max()), mine))
    return tuple(found)


def _bin(low: float, high: float, said: _Said) -> BinScore:
    return BinScore(
        low=low,
        high=high,
        n=len(said.right),
        confidence=float(said.confidence.mean()),
        accuracy=float(said.right.mean()),
        ci=clustered_share(said.right.astype(np.float64), renumbered(said.clusters)),
    )


def _ece(bins: Sequence[BinScore]) -> float:
    return sum(one.n * abs(one.accuracy - one.confidence) for one in bins) / sum(one.n for one in bins)
