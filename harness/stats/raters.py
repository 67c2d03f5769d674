"""Agreement of several raters with ratings missing: Fleiss, Conger, Gwet, Brennan-Prediger, Krippendorff.

Ratings come as an items x raters array of positions on the scale, -1 where a rating is missing. Formulas with
missing ratings as in Gwet (2014); the scale is the rubric's, never what was observed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.nouns.base import Reason, Weighting
from harness.stats.agreement import Floats, Integers, distances

Metric = Literal["nominal", "ordinal", "interval", "ratio"]

MISSING = -1
NO_PAIRS = Reason("undefined", "no item was rated twice")
ONE_VALUE = Reason("undefined", "every rating that could be compared is the same")
BELOW_ZERO = Reason("undefined", "the ratio metric takes no negative grade")


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A chance-corrected agreement, or None with the reason."""

    value: float | None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The agreement of several raters under one weighting, at most 1 each; see each function's source.

    `agreement` is the weighted share of agreeing pairs of ratings, averaged over items with two or more.
    """

    agreement: Coefficient
    fleiss: Coefficient
    conger: Coefficient
    gwet: Coefficient
    brennan_prediger: Coefficient


def coefficients(ratings: Integers, scale: Sequence[int], weighting: Weighting = "none") -> Coefficients:
    """Fleiss 1971, Conger 1980, Gwet's AC1 (AC2 where weighted) 2008, Brennan & Prediger 1981.

    (pa - pe)/(1 - pe) of items x raters positions, each at most 1, with pa over items rated twice or more.
    Undefined without such an item, and where chance alone explains all (pe = 1).
    """
    weights = agreement_weights(scale, weighting)
    counts = grade_counts(ratings, len(scale)).astype(np.float64)
    rated = counts.sum(axis=1)
    twice = rated >= 2
    if not twice.any():
        none = Coefficient(None, NO_PAIRS)
        return Coefficients(none, none, none, none, none)
    agreeing = (counts * (counts @ weights - 1)).sum(axis=1)[twice]
    observed = float((agreeing / (rated * (rated - 1))[twice]).mean())
    share = (counts[rated > 0] / rated[rated > 0, None]).mean(axis=0)
    q, total = len(scale), float(weights.sum())
    chance = {
        "fleiss": float(share @ weights @ share),
        "conger": _conger_chance(ratings, weights),
        "gwet": total / (q * (q - 1)) * float((share * (1 - share)).sum()),
        "brennan_prediger": total / q**2,
    }
    return Coefficients(
        agreement=Coefficient(observed),
        **{name: _corrected(observed, value) for name, value in chance.items()},
    )


def krippendorff_alpha(ratings: Integers, scale: Sequence[int], metric: Metric = "ordinal") -> Coefficient:
    """Krippendorff's alpha (2011): 1 - (N - 1) sum o delta / sum n_c n_k delta.

    Over the N ratings of items rated twice or more; o is the coincidence matrix, the sum over items of
    (n n' - diag n)/(m - 1), and delta the metric's squared
    difference. Undefined where every comparable rating is the same.
    """
    if metric == "ratio" and min(scale) < 0:
        return Coefficient(None, BELOW_ZERO)
    counts = grade_counts(ratings, len(scale)).astype(np.float64)
    rated = counts.sum(axis=1)
    counts, rated = counts[rated >= 2], rated[rated >= 2]
    if not len(counts):
        return Coefficient(None, NO_PAIRS)
    scaled = counts / (rated - 1)[:, None]
    coincidence = counts.T @ scaled - np.diag(scaled.sum(axis=0))
    totals = coincidence.sum(axis=1)
    delta = _delta(totals, np.asarray(scale, dtype=np.float64), metric)
    expected = float(totals @ delta @ totals)
    if expected == 0:
        return Coefficient(None, ONE_VALUE)
    return Coefficient(1 - (float(totals.sum()) - 1) * float((coincidence * delta).sum()) / expected)


def agreement_weights(scale: Sequence[int], weighting: Weighting) -> Floats:
    """1 - d / max d for each two grades: 1 for the same, 0 for the farthest apart."""
    d = distances(scale, weighting)
    return np.asarray(1 - d / d.max(), dtype=np.float64)


def lower_median(ratings: Integers) -> Integers:
    """The lower median of each item's ratings (n x R -> n); MISSING with none."""
    ordered = np.sort(np.where(ratings == MISSING, np.iinfo(np.int64).max, ratings), axis=1)
    rated = (ratings != MISSING).sum(axis=1)
    found = ordered[np.arange(len(ratings)), np.maximum(rated - 1, 0) // 2]
    return np.where(rated > 0, found, MISSING)


def grade_counts(ratings: Integers, q: int) -> Integers:
    """How often each item got each grade: items x q."""
    items, raters = np.nonzero(ratings != MISSING)
    flat = np.bincount(items * q + ratings[items, raters], minlength=len(ratings) * q)
    return flat.reshape(len(ratings), q)


def _conger_chance(ratings: Integers, weights: Floats) -> float:
    """Chance agreement from each rater's own margins, with the covariance between raters taken out."""
    given = [column[column != MISSING] for column in ratings.T]
    margins = np.array([np.bincount(one, minlength=len(weights)) / len(one) for one in given if len(one)])
    r = len(margins)
    if r < 2:
        return float("nan")
    mean = margins.mean(axis=0)
    covariance = (margins.T @ margins - r * np.outer(mean, mean)) / (r - 1)
    return float((weights * (np.outer(mean, mean) - covariance / r)).sum())


def _corrected(observed: float, chance: float) -> Coefficient:
    if not chance < 1:
        return Coefficient(None, ONE_VALUE)
    return Coefficient((observed - chance) / (1 - chance))


def _delta(totals: Floats, values: Floats, metric: Metric) -> Floats:
    """The squared difference of each two grades."""
    if metric == "nominal":
        return 1 - np.eye(len(values))
    gap = values[:, None] - values[None, :]
    if metric == "interval":
        return np.asarray(gap**2, dtype=np.float64)
    if metric == "ratio":
        together = values[:, None] + values[None, :]
        return np.asarray(np.divide(gap, together, out=np.zeros_like(gap), where=together != 0) ** 2)
    below = np.cumsum(totals) - totals / 2
    return np.asarray((below[:, None] - below[None, :]) ** 2, dtype=np.float64)
