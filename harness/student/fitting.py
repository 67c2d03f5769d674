"""Fit a student's steps, and choose how strong they are and how probabilities become grades."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from harness.nouns.base import Reason
from harness.providers.overlap import Floats, shares_of
from harness.providers.student import positions_of
from harness.providers.student_file import Weights
from harness.scorecards.training import Tried
from harness.stats.agreement import Integers, cohen_kappa, confusion
from harness.stats.cuts import matched_cuts

FOLDS = 5
TURNS = 100
"""Iterations of the solver at most."""
MOST_TRIED = 5_000
"""Pairs that a strength is tried on."""
CANDIDATES = ((False, 1.0), (True, 0.03), (True, 0.3), (True, 3.0))
"""Whether words count beside their overlaps, and the inverse of the regularisation."""
FEW = Reason("undefined", f"fewer than {FOLDS} queries to hold out: the simplest student was taken")


@dataclass(frozen=True, slots=True)
class Data:
    """Pairs as numbers: how words meet, which words, the position of the grade, the query, the weight."""

    meeting: Floats
    words: Any
    grades: Integers
    clusters: Integers
    weights: Floats

    def where(self, kept: NDArray[Any]) -> "Data":
        """Some of the pairs."""
        return Data(
            self.meeting[kept], self.words[kept], self.grades[kept], self.clusters[kept], self.weights[kept]
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen on held-out queries. `kappa`: with the teacher, on these; None with a reason."""

    words: bool
    strength: float
    cuts: tuple[float, ...] | None
    kappa: float | None
    reason: Reason | None
    tried: tuple[Tried, ...] = ()


def choose(data: Data, q: int) -> Chosen:
    """The candidate and the way to grades that agree best with the teacher on held-out queries.

    Cuts are where the held-out means have as many pairs in each grade as the teacher. Ties: the simpler one.
    """
    if len(np.unique(data.clusters)) < FOLDS:
        return Chosen(*CANDIDATES[0], None, None, FEW)
    some = data.where(_some(data))
    tried: list[tuple[float, Chosen]] = []
    for words, strength in CANDIDATES:
        held = _held_out(some, q, words=words, strength=strength)
        for cuts in (None, matched_cuts(held @ np.arange(q), some.grades, q)):
            kappa = _kappa(some.grades, np.array(positions_of(held, cuts)), q)
            found = Chosen(words, strength, cuts, kappa, None)
            tried.append((-1.0 if kappa is None else kappa, found))
    best = max(tried, key=lambda one: one[0])[1]
    listed = tuple(
        Tried(words=one.words, strength=one.strength, cuts=one.cuts is not None, kappa=one.kappa)
        for _, one in tried
    )
    return replace(best, tried=listed)


def fit(data: Data, q: int, chosen: Chosen, columns: NDArray[np.int32]) -> Weights:
    """The numbers of a student of a scale of q grades, whose words are in these hashed columns."""
    mean, spread = _scaling(data)
    steps = _steps(data, mean, spread, words=chosen.words, strength=chosen.strength, q=q)
    whole, dense = np.stack([weights for weights, _ in steps]), len(mean)
    words = whole[:, dense:].astype(np.float32)
    kept = np.flatnonzero(np.abs(words).max(axis=0)) if words.shape[1] else np.zeros(0, dtype=np.int64)
    return Weights(
        rarity=np.zeros(0, dtype=np.float32),
        mean=mean,
        spread=spread,
        dense=whole[:, :dense],
        intercept=np.array([intercept for _, intercept in steps]),
        columns=columns[kept],
        words=words[:, kept],
        learned=np.zeros(0, dtype=np.uint64),
    )


def _some(data: Data) -> NDArray[Any]:
    """Which pairs a strength is tried on: all, or those of so many queries as they come in a fixed order."""
    if len(data.grades) <= MOST_TRIED:
        return np.ones(len(data.grades), dtype=bool)
    sizes = np.bincount(data.clusters)
    order = np.random.default_rng(0).permutation(len(sizes))
    kept = order[np.cumsum(sizes[order]) <= MOST_TRIED]
    return np.isin(data.clusters, kept)


def _held_out(data: Data, q: int, *, words: bool, strength: float) -> Floats:
    """The probabilities of each pair, by a student that has not seen its query."""
    shares = np.zeros((len(data.grades), q))
    for known, held in GroupKFold(FOLDS).split(data.meeting, groups=data.clusters):
        part, other = data.where(known), data.where(held)
        mean, spread = _scaling(part)
        steps = _steps(part, mean, spread, words=words, strength=strength, q=q)
        x = _matrix(other, mean, spread, words=words)
        logits = np.column_stack([np.asarray(x @ step[0]).reshape(-1) + step[1] for step in steps])
        shares[held] = shares_of(1 / (1 + np.exp(-np.clip(logits, -500, 500))))
    return shares


def _scaling(data: Data) -> tuple[Floats, Floats]:
    mean, spread = data.meeting.mean(axis=0), data.meeting.std(axis=0)
    return mean, np.where(spread > 1e-9, spread, 1.0)


def _matrix(data: Data, mean: Floats, spread: Floats, *, words: bool) -> Any:
    met = (data.meeting - mean) / spread
    return sparse.csr_matrix(sparse.hstack([sparse.csr_matrix(met), data.words])) if words else met


def _steps(
    data: Data, mean: Floats, spread: Floats, *, words: bool, strength: float, q: int
) -> list[tuple[Floats, float]]:
    """Weights and intercept of P(grade >= k) for each k; constant where the pairs hold one answer alone."""
    x = _matrix(data, mean, spread, words=words)
    # The matrices are small: a second thread of BLAS waits for the first, at six times the processor time.
    with threadpool_limits(limits=1):
        return [_step(x, data.grades >= at, data.weights, strength) for at in range(1, q)]


def _step(x: Any, above: NDArray[np.bool_], weights: Floats, strength: float) -> tuple[Floats, float]:
    if above.all() or not above.any():
        # Laplace's rule of succession.
        yes = (above.sum() + 1) / (len(above) + 2)
        return np.zeros(x.shape[1]), float(np.log(yes / (1 - yes)))
    model: Any = LogisticRegression(C=strength, max_iter=TURNS)
    with warnings.catch_warnings():
        # Near enough: the strength, and not the last digit, decides what is learned.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, above, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def _kappa(teacher: Integers, student: Integers, q: int) -> float | None:
    levels = range(q)
    return cohen_kappa(confusion(teacher.tolist(), student.tolist(), levels), levels).value
