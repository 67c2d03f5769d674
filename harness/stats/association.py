"""How an outcome that happens or not goes with a number, where observations are alike in clusters."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr, ndtri

from harness.nouns.base import Interval, Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import FEW, Tested
from harness.stats.proportions import CONFIDENCE

CONSTANT = Reason("undefined", "it is the same everywhere")
ONE_OUTCOME = Reason("undefined", "the outcome is the same everywhere")
TOO_FEW = Reason("undefined", f"fewer than {FEW} queries")
NO_ERROR = Reason("undefined", "its error over both kinds of clusters at once cannot be computed from so few")
SEPARATED = Reason("undefined", "it foretells the outcome without an error, or nearly so")
STEPS, SMALL_STEP = 100, 1e-8
"""Newton's steps at most, and the change of both coefficients at which they end."""
STEEPEST = 20
"""The log odds for a standard deviation above which the outcome is foretold."""


class Observed(NamedTuple):
    """Some observations: a number, the outcome (0 or 1), and the cluster, numbered from 0.

    `second`: another cluster of each, all of whose observations are here.
    """

    feature: Floats
    outcome: Floats
    clusters: Integers
    second: Integers | None = None


Observations = Callable[[], Iterator[Observed]]
"""All observations some at a time, again for each pass, so that they need not be held."""


class _Scale(NamedTuple):
    """What one pass says: the number, its mean and standard deviation, and which clusters there are."""

    n: int
    mean: float
    sd: float
    constant: bool
    one_outcome: bool
    present: Integers


def log_odds(observed: Observations) -> tuple[Tested, float]:
    """The change of the outcome's log odds per unit of the feature, and the feature's standard deviation.

    log(p / (1 - p)) = a + b x by maximum likelihood, with Newton's steps; the error is the sandwich over
    clusters (Liang & Zeger 1986), with G/(G - 1) (n - 1)/(n - 2); over two clusters Cameron, Gelbach &
    Miller's (2011). Interval and p by the normal distribution. Each step is a pass over the observations.
    """
    scale = _scale(observed)
    if scale.one_outcome:
        return Tested(None, reason=ONE_OUTCOME), scale.sd
    if scale.constant:
        return Tested(None, reason=CONSTANT), scale.sd
    if int(scale.present.sum()) < FEW:
        return Tested(None, reason=TOO_FEW), scale.sd
    return _fitted(observed, scale), scale.sd


def _scale(observed: Observations) -> _Scale:
    n, total = 0, 0.0
    ends = {"feature": (np.inf, -np.inf), "outcome": (np.inf, -np.inf)}
    present = np.zeros(0, dtype=bool)
    for part in observed():
        if not len(part.feature):
            continue
        n, total = n + len(part.feature), total + float(part.feature.sum())
        for name, (low, high) in ends.items():
            values = getattr(part, name)
            ends[name] = min(low, values.min()), max(high, values.max())
        more = int(part.clusters.max()) + 1 - len(present)
        present = np.pad(present, (0, max(0, more)))
        present[part.clusters] = True
    mean = total / max(n, 1)
    squares = sum(float(((part.feature - mean) ** 2).sum()) for part in observed())
    constant, one_outcome = (low >= high for low, high in ends.values())
    return _Scale(n, mean, float(np.sqrt(squares / max(n, 1))), constant, one_outcome, present)


def _fitted(observed: Observations, scale: _Scale) -> Tested:
    beta = np.zeros(2)
    for _ in range(STEPS):
        slope, curve = _derivatives(observed, scale, beta)
        try:
            step = np.linalg.solve(curve, slope)
        except np.linalg.LinAlgError:
            return Tested(None, reason=SEPARATED)
        beta = beta + step
        if not np.abs(beta[1]) <= 2 * STEEPEST:
            return Tested(None, reason=SEPARATED)
        if (np.abs(step) <= SMALL_STEP).all():
            break
    else:
        return Tested(None, reason=SEPARATED)
    if abs(beta[1]) > STEEPEST:
        return Tested(None, reason=SEPARATED)
    variance = _sandwich(observed, scale, beta)
    if not variance > 0:
        return Tested(None, reason=NO_ERROR)
    value, se = float(beta[1]) / scale.sd, float(np.sqrt(variance)) / scale.sd
    half = float(ndtri((1 + CONFIDENCE) / 2)) * se
    return Tested(value, se, Interval(value - half, value + half), 2 * float(ndtr(-abs(value) / se)))


def _residuals(part: Observed, scale: _Scale, beta: Floats) -> tuple[Floats, Floats, Floats]:
    """The standardized feature, the chance of the outcome, and what is left of the outcome."""
    x = (part.feature - scale.mean) / scale.sd
    chance = expit(beta[0] + beta[1] * x)
    return x, chance, part.outcome - chance


def _derivatives(observed: Observations, scale: _Scale, beta: Floats) -> tuple[Floats, Floats]:
    """The slope of the log-likelihood (2) and its curvature, turned round (2 x 2)."""
    slope, curve = np.zeros(2), np.zeros((2, 2))
    for part in observed():
        x, chance, left = _residuals(part, scale, beta)
        weight = chance * (1 - chance)
        slope += (left.sum(), (left * x).sum())
        across = (weight * x).sum()
        curve += ((weight.sum(), across), (across, (weight * x * x).sum()))
    return slope, curve


def _sandwich(observed: Observations, scale: _Scale, beta: Floats) -> float:
    """The variance of the coefficient of the standardized feature."""
    first = np.zeros((2, len(scale.present)))
    second, both, two_ways = _Meat(), _Meat(), False
    for part in observed():
        x, _, left = _residuals(part, scale, beta)
        scores = np.stack([left, left * x])
        first += _summed(scores, part.clusters, len(scale.present))
        if part.second is not None and len(x):
            two_ways = True
            inner = np.unique(part.second, return_inverse=True)[1]
            second.add(scores, inner)
            pairs = inner * np.int64(first.shape[1]) + part.clusters
            both.add(scores, np.unique(pairs, return_inverse=True)[1])
    meat = _corrected(first @ first.T, int(scale.present.sum()), scale.n)
    if two_ways:
        meat += _corrected(second.squares, second.groups, scale.n)
        meat -= _corrected(both.squares, both.groups, scale.n)
    bread = np.linalg.inv(_derivatives(observed, scale, beta)[1])
    return float((bread @ meat @ bread)[1, 1])


class _Meat:
    """Sums of clusters, squared and added up (2 x 2)."""

    def __init__(self) -> None:
        self.squares, self.groups = np.zeros((2, 2)), 0

    def add(self, scores: Floats, clusters: Integers) -> None:
        """Add clusters, numbered from 0, that are whole here."""
        count = int(clusters.max()) + 1
        sums = _summed(scores, clusters, count)
        self.squares += sums @ sums.T
        self.groups += count


def _summed(scores: Floats, clusters: Integers, count: int) -> Floats:
    """The sums of both scores over each cluster (2 x G)."""
    return np.stack([np.bincount(clusters, weights=one, minlength=count) for one in scores])


def _corrected(squares: Floats, groups: int, n: int) -> Floats:
    """The middle of the sandwich with its correction for few clusters."""
    factor = groups / (groups - 1) if groups > 1 else np.nan
    return np.asarray(squares * factor * (n - 1) / (n - 2), dtype=np.float64)
