"""Cuts that turn scores into positions on a scale of q grades: a score on a cut is above it."""

from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Weighting
from harness.stats.agreement import Floats, Integers, cell_counts, cohen_kappa

TRIED = 200
"""Cuts that are tried for each grade."""
ROUNDS = 20


def matched_cuts(scores: Floats, grades: Integers, q: int) -> tuple[float, ...]:
    """The cuts below which there are as many scores as grades, for each of the q - 1 steps."""
    ordered = np.sort(scores)
    ends = np.concatenate([[ordered[0] - 1], ordered, [ordered[-1] + 1]])
    below = np.cumsum(np.bincount(grades, minlength=q))[:-1]
    return tuple(float((ends[at] + ends[at + 1]) / 2) for at in below)


def best_cuts(
    scores: Floats, grades: Integers, scale: Sequence[int], weighting: Weighting = "none"
) -> tuple[float, ...]:
    """The cuts of n > 0 scores with the highest kappa with the grades, as positions on the scale.

    Begins at `matched_cuts`, and moves one cut after the other to the best place between its neighbours until
    none moves: a local optimum. Of equals, the first one stays.
    """
    cuts = list(matched_cuts(scores, grades, len(scale)))
    places = _places(scores)
    for _ in range(ROUNDS):
        before = list(cuts)
        for at in range(len(cuts)):
            low = cuts[at - 1] if at else -np.inf
            high = cuts[at + 1] if at + 1 < len(cuts) else np.inf
            tried = [cuts[at], *places[(places >= low) & (places <= high)].tolist()]
            found = [_kappa(scores, grades, scale, weighting, _with(cuts, at, one)) for one in tried]
            cuts[at] = tried[int(np.argmax(found))]
        if cuts == before:
            break
    return tuple(cuts)


def placed(scores: Floats, cuts: Sequence[float]) -> Integers:
    """The position of each score: how many cuts are at or below it."""
    return np.asarray(np.searchsorted(np.asarray(cuts), scores, side="right"), dtype=np.int64)


def _places(scores: Floats) -> Floats:
    """The middles between neighbouring scores; of many, TRIED of them, equally far apart in rank."""
    known = np.unique(scores)
    middles = (known[1:] + known[:-1]) / 2
    if len(middles) > TRIED:
        middles = middles[np.linspace(0, len(middles) - 1, TRIED).round().astype(int)]
    return np.asarray(middles, dtype=np.float64)


def _with(cuts: Sequence[float], at: int, value: float) -> list[float]:
    return [value if number == at else cut for number, cut in enumerate(cuts)]


def _kappa(
    scores: Floats, grades: Integers, scale: Sequence[int], weighting: Weighting, cuts: Sequence[float]
) -> float:
    kappa = cohen_kappa(cell_counts(grades, placed(scores, cuts), len(scale)), scale, weighting)
    return -1.0 if kappa.value is None else kappa.value
