"""Every pair of raters, counted once: what Gate 1's figures are made of.

One rater is taken beside all later ones at a time, in arrays: the work grows with the items that pairs share,
and the memory with the pairs of one rater.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Reason, Weighting
from harness.score.rating_matrix import RatingMatrix
from harness.score.threshold import WEIGHTINGS, Measured
from harness.stats.agreement import (
    Floats,
    Integers,
    Kappa,
    Kappas,
    Matrix,
    cohen_kappas,
    distances,
    joined,
    renumbered,
)
from harness.stats.intervals import (
    FEW,
    ONE_CLUSTER,
    Spread,
    cell_influences,
    clustered_spread,
    guard,
    mean_distances,
    spread_of,
)
from harness.stats.raters import MISSING
from harness.storage.plural import plural

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RaterPairs:
    """The pairs of raters in the order of `combinations`, and the means over those that are counted.

    `n` are the items that both rated, `same` those with the same grade. `kappas` holds every pair's under
    each weighting, `spreads` those of the gated one, and `boundaries` the mean kappa of "at least this grade"
    for each grade but the lowest. `matrix` counts the grades of all pairs in both orders, `of_rater` those
    of each rater's counted pairs.
    """

    pairs: list[tuple[int, int]]
    n: list[int]
    same: list[int]
    counted: Mask
    kappas: dict[Weighting, Kappas]
    spreads: list[Spread]
    means: dict[Weighting, Measured]
    boundaries: list[Kappa]
    matrix: Matrix
    of_rater: Integers

    def linear_of(self, rater: int) -> Kappa:
        """The mean of a rater's counted pairs' kappas under linear weights."""
        raters = len(self.of_rater)
        first, later = np.triu_indices(raters, 1)
        return self.kappas["linear"].mean(
            np.flatnonzero(self.counted & ((first == rater) | (later == rater)))
        )


@dataclass(frozen=True, slots=True)
class _Beside:
    """One rater beside each later one: an entry for each item that both rated, pair by pair.

    `pair` numbers the later raters from 0, `item` is the item's row, `cluster` its query's number among this
    rater's, and `cell` the two grades' place in a flat q x q matrix.
    """

    first: int
    pair: Integers
    item: Integers
    cluster: Integers
    cell: Integers
    counts: Integers
    counted: Mask


def rater_pairs(panel: RatingMatrix, gated: Weighting) -> RaterPairs:
    """All figures of pairs of raters, with the interval of each one's gated kappa."""
    n, counted = panel.shared()
    used = panel.used(counted)
    q, raters = len(panel.scale), len(panel.raters)
    sums = {weighting: _Mean(panel, counted, used, weighting) for weighting in WEIGHTINGS}
    lots: dict[Any, list[Kappas]] = {key: [] for key in (*WEIGHTINGS, *range(1, q))}
    spreads: list[Spread] = []
    same: list[int] = []
    of_rater = np.zeros((raters, q, q), dtype=np.int64)
    every = np.zeros((q, q), dtype=np.int64)
    for beside in _each(panel, counted):
        for weighting, mean in sums.items():
            kappas = cohen_kappas(beside.counts, panel.scale, weighting)
            cells = _Cells.of(beside.counts, kappas, panel.scale, weighting)
            mean.add(beside, cells)
            lots[weighting].append(kappas)
            if weighting == gated:
                spreads += _spreads(beside, kappas, cells, q)
        for at in range(1, q):
            lots[at].append(cohen_kappas(_dichotomies(beside.counts, at), (0, 1), "none"))
        same += np.trace(beside.counts, axis1=1, axis2=2).tolist()
        both = beside.counts + beside.counts.transpose(0, 2, 1)
        every += both.sum(axis=0)
        of_rater[beside.first] += both[beside.counted].sum(axis=0)
        of_rater[beside.first + 1 :] += both * beside.counted[:, None, None]
    found = {key: joined(lot) for key, lot in lots.items()}
    return RaterPairs(
        pairs=list(combinations(range(raters), 2)),
        n=n.tolist(),
        same=same,
        counted=counted,
        kappas={weighting: found[weighting] for weighting in WEIGHTINGS},
        spreads=spreads,
        means={weighting: mean.measured(found[weighting]) for weighting, mean in sums.items()},
        boundaries=[found[at].mean(np.flatnonzero(counted)) for at in range(1, q)],
        matrix=tuple(tuple(line) for line in every.tolist()),
        of_rater=of_rater,
    )


def _each(panel: RatingMatrix, counted: Mask) -> Iterator[_Beside]:
    q, start = len(panel.scale), 0
    for first in range(len(panel.raters) - 1):
        rows, later = panel.beside(first)
        pair, at = np.nonzero(later.T != MISSING)
        item, cluster = rows[at], renumbered(panel.clusters[rows])[at]
        cell = panel.grades[item, first] * q + later[at, pair]
        flat = np.bincount(pair * q * q + cell, minlength=later.shape[1] * q * q)
        counts = flat.reshape(-1, q, q)
        yield _Beside(first, pair, item, cluster, cell, counts, counted[start : start + len(counts)])
        start += len(counts)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Each pair's influence cells and its expected disagreement, 0 where they are undefined."""

    d: Floats
    influence: Floats
    expected: Floats

    @classmethod
    def of(cls, counts: Integers, kappas: Kappas, scale: tuple[int, ...], weighting: Weighting) -> "_Cells":
        d = distances(scale, weighting)
        usable = np.array([bottom != 0 for bottom in kappas.bottom.tolist()], dtype=np.bool_)
        influence, expected = np.zeros(counts.shape), np.zeros(len(counts))
        p = counts[usable].astype(np.float64)
        influence[usable], expected[usable] = cell_influences(p / p.sum(axis=(1, 2))[:, None, None], d)
        return cls(d, influence, expected)


class _Mean:
    """The mean of the counted pairs' kappas and its spread (Light 1971), added up rater by rater."""

    def __init__(self, panel: RatingMatrix, counted: Mask, used: Integers, weighting: Weighting) -> None:
        self._panel, self._counted, self._used = panel, counted, used
        self._phi = np.zeros(len(panel.items))
        self._differ = np.zeros(len(panel.items), dtype=np.bool_)
        self._expected: list[float] = []
        self._counts = np.zeros((len(panel.scale),) * 2, dtype=np.int64)
        self._d = distances(panel.scale, weighting)

    def add(self, beside: _Beside, cells: _Cells) -> None:
        """One rater's pairs, in order: an item's influence is added up pair by pair."""
        n = np.maximum(beside.counts.sum(axis=(1, 2)), 1)[:, None, None]
        scaled = cells.influence * len(self._used) / n / int(self._counted.sum())
        scaled[~beside.counted] = 0
        at = beside.pair * self._d.size + beside.cell
        np.add.at(self._phi, beside.item, scaled.reshape(-1)[at])
        q = len(self._d)
        apart = (beside.cell // q != beside.cell % q) & beside.counted[beside.pair]
        self._differ[beside.item[apart]] = True
        self._expected += cells.expected[beside.counted].tolist()
        self._counts += beside.counts[beside.counted].sum(axis=0)

    def measured(self, kappas: Kappas) -> Measured:
        """The mean and its spread; a pair's reason says of how many it holds, where there are several."""
        mean, spread = kappas.mean(np.flatnonzero(self._counted)), self._spread(kappas)
        of_pairs = partial(_of_pairs, [kappas.reasons[at] for at in np.flatnonzero(self._counted).tolist()])
        mean = replace(mean, reason=of_pairs(mean.reason))
        return Measured(mean, replace(spread, reason=of_pairs(spread.reason)), len(self._used))

    def _spread(self, kappas: Kappas) -> Spread:
        used, counted = self._used, self._counted
        clusters = renumbered(self._panel.clusters[used])
        groups = int(clusters.max()) + 1 if len(clusters) else 0
        taken = counted.tolist()
        reason = next((r for r, t in zip(kappas.reasons, taken, strict=True) if t and r), None)
        if reason:
            return Spread(groups, reason=reason)
        values = [value for value, t in zip(kappas.values(), taken, strict=True) if t and value is not None]
        phi, differ = self._phi[used], self._differ[used]
        return clustered_spread(
            float(np.mean(values)), phi, clusters, differ, self._counts, self._d, self._expected
        )


def _of_pairs(all_: Sequence[Reason | None], one: Reason | None) -> Reason | None:
    """A reason of some pairs, worded for the mean of all, since the number of raters in it would be wrong."""
    if len(all_) < 2 or one not in all_ or one is None:
        return one
    return Reason(one.kind, f"in {all_.count(one):,} of {plural(len(all_), 'pair')} of raters {one.text}")


def _spreads(beside: _Beside, kappas: Kappas, cells: _Cells, q: int) -> Iterator[Spread]:
    """Each pair's own error and interval."""
    shape = (len(beside.counts), int(beside.cluster.max(initial=-1)) + 1)
    key = beside.pair * shape[1] + beside.cluster
    size = shape[0] * shape[1]
    phi = cells.influence.reshape(-1)[beside.pair * q * q + beside.cell]
    sums = np.bincount(key, weights=phi, minlength=size).reshape(shape)
    present = np.bincount(key, minlength=size).reshape(shape) > 0
    apart = beside.cell // q != beside.cell % q
    touched = (np.bincount(key[apart], minlength=size).reshape(shape) > 0).sum(axis=1).tolist()
    ends = np.cumsum(beside.counts.sum(axis=(1, 2))).tolist()
    sizes = mean_distances(beside.counts, cells.d)
    groups, start = present.sum(axis=1).tolist(), 0
    for at, (end, value) in enumerate(zip(ends, kappas.values(), strict=True)):
        own, start = phi[start:end], end
        reason = kappas.reasons[at]
        if value is None or reason or groups[at] < 2:
            yield Spread(groups[at], reason=reason or ONE_CLUSTER)
            continue
        limit = None
        if touched[at] < FEW:
            expected = float(cells.expected[at])
            limit = guard(groups[at], touched[at], sizes[at], expected)
        yield spread_of(value, sums[at][present[at]], float(own @ own), len(own), limit)


def _dichotomies(counts: Integers, at: int) -> Integers:
    """Matrices of "below" and "at or above" the grade in position `at`."""
    sides = (slice(None, at), slice(at, None))
    cells = [[counts[:, one, other].sum(axis=(1, 2)) for other in sides] for one in sides]
    return np.asarray(np.moveaxis(np.array(cells), 2, 0))
