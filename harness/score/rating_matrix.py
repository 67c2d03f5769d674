"""Ratings as an array: what every figure of Gate 1 is made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from harness.errors import BadInput, Fault
from harness.nouns.base import Weighting
from harness.nouns.pair import Rating, query_key
from harness.score.threshold import Measured
from harness.stats.agreement import Floats, Integers, mean_kappa
from harness.stats.bootstrap import Bootstrap, cluster_bootstrap
from harness.stats.intervals import KappaTable, kappa_spread, mean_spread
from harness.stats.raters import MISSING

MIN_COMMON = 30
"""A pair of raters with fewer items in common is shown but left out of the mean, if any pair has more."""


@dataclass(frozen=True, slots=True)
class RatingMatrix:
    """Who rated what how.

    `grades` is items x raters, positions on the scale, MISSING where a rating is missing; `clusters`
    holds each item's query, numbered from 0.
    """

    items: tuple[str, ...]
    raters: tuple[str, ...]
    queries: tuple[str, ...]
    grades: Integers
    clusters: Integers
    scale: tuple[int, ...]

    def counted(self) -> list[tuple[int, int]]:
        """The pairs of raters that the mean takes in."""
        sizes = {pair: len(self.common(*pair)) for pair in combinations(range(len(self.raters)), 2)}
        enough = [pair for pair, n in sizes.items() if n >= MIN_COMMON]
        return enough or [pair for pair, n in sizes.items() if n] or list(sizes)

    def common(self, one: int, other: int) -> Integers:
        """The items that both rated."""
        return np.flatnonzero((self.grades[:, one] != MISSING) & (self.grades[:, other] != MISSING))

    def table(self, pair: tuple[int, int], weighting: Weighting) -> KappaTable:
        """Two raters on the items that both rated."""
        at = self.common(*pair)
        one, other = self.grades[at, pair[0]], self.grades[at, pair[1]]
        return KappaTable(one, other, renumbered(self.clusters[at]), self.scale, weighting)

    def pair(self, pair: tuple[int, int], weighting: Weighting) -> Measured:
        """One pair's kappa."""
        table = self.table(pair, weighting)
        return Measured(table.kappa, kappa_spread(table), len(table.rows))

    def mean(self, weighting: Weighting) -> Measured:
        """The mean of the counted pairs' kappas (of all pairs, none missing: Light 1971)."""
        tables, where, clusters = self._tables(weighting)
        spread = mean_spread(tables, where, len(clusters), clusters)
        return Measured(mean_kappa([table.kappa for table in tables]), spread, len(clusters))

    def bootstrap(self, weighting: Weighting) -> Bootstrap:
        """The same mean's cluster bootstrap."""
        return cluster_bootstrap(*self._tables(weighting)[0])

    def _tables(self, weighting: Weighting) -> tuple[list[KappaTable], list[Integers], Integers]:
        """The counted pairs' tables, where their items are among those used, and the clusters of these."""
        pairs = self.counted()
        used = np.unique(np.concatenate([self.common(*pair) for pair in pairs]))
        where = [np.searchsorted(used, self.common(*pair)) for pair in pairs]
        clusters = renumbered(self.clusters[used])
        tables = [
            replace(self.table(pair, weighting), clusters=clusters[at])
            for pair, at in zip(pairs, where, strict=True)
        ]
        return tables, where, clusters

    def at_least(self, at: int) -> "RatingMatrix":
        """The ratings as "below" and "at or above" the grade in position `at` of the scale."""
        grades = np.where(self.grades == MISSING, MISSING, self.grades >= at)
        return replace(self, grades=grades, scale=(0, 1))

    def comparisons(self) -> tuple[Floats, Floats]:
        """For each item, how many pairs of ratings it has, and how many of them agree."""
        counts = np.stack([(self.grades == at).sum(axis=1) for at in range(len(self.scale))], axis=1)
        rated = counts.sum(axis=1)
        return rated * (rated - 1) / 2, (counts * (counts - 1) / 2).sum(axis=1)

    def ratings_of(self, at: int) -> dict[str, int]:
        """Who gave the item in this row which grade."""
        row = self.grades[at]
        return {rater: self.scale[row[j]] for j, rater in enumerate(self.raters) if row[j] != MISSING}

    def with_some(self, keep: Integers) -> "RatingMatrix":
        """Without the raters who rated none of the items to keep."""
        some = [at for at in range(len(self.raters)) if (self.grades[keep, at] != MISSING).any()]
        return replace(self, raters=tuple(self.raters[at] for at in some), grades=self.grades[:, some])

    def of(self, items: Iterable[str]) -> "RatingMatrix":
        """The same raters on these items, in this order; unrated ones have a row of MISSING."""
        row_of = {item: at for at, item in enumerate(self.items)}
        wanted = tuple(items)
        grades = np.full((len(wanted), len(self.raters)), MISSING, dtype=np.int64)
        for at, item in enumerate(wanted):
            if item in row_of:
                grades[at] = self.grades[row_of[item]]
        queries = tuple(self.queries[row_of[item]] if item in row_of else item for item in wanted)
        return replace(self, items=wanted, grades=grades, queries=queries, clusters=numbered(queries))


def rating_matrix_of(ratings: Sequence[Rating], scale: tuple[int, ...]) -> RatingMatrix:
    """Ratings as a panel; an item without a query is a query of its own. BadInput for one rater alone."""
    raters = tuple(sorted({rating.rater for rating in ratings}))
    if len(raters) < 2:
        raise BadInput(f"agreement takes two raters or more; here: {', '.join(raters) or 'none'}")
    queries = _queries(ratings)
    items = tuple(sorted(queries))
    row_of = {item: at for at, item in enumerate(items)}
    column_of = {rater: at for at, rater in enumerate(raters)}
    position = {grade: at for at, grade in enumerate(scale)}
    grades = np.full((len(items), len(raters)), MISSING, dtype=np.int64)
    for rating in ratings:
        grades[row_of[rating.item], column_of[rating.rater]] = position[rating.grade]
    keys = tuple(queries[item] for item in items)
    return RatingMatrix(items, raters, keys, grades, numbered(keys), scale)


def _queries(ratings: Sequence[Rating]) -> dict[str, str]:
    """Each item's query as a key; the item itself where nobody names one. BadInput for two of an item."""
    named: dict[str, dict[str, str]] = {}
    for rating in ratings:
        found = named.setdefault(rating.item, {})
        if rating.query:
            found.setdefault(query_key(rating.query), rating.query)
    several = {item: found for item, found in named.items() if len(found) > 1}
    if several:
        raise BadInput(
            [
                Fault(f"item {item!r}", f"has several queries: {', '.join(found.values())}")
                for item, found in several.items()
            ]
        )
    return {item: next(iter(found), item) for item, found in named.items()}


def numbered(names: Sequence[str]) -> Integers:
    """Names as numbers from 0, the same for the same name, whatever their order."""
    order = {name: at for at, name in enumerate(sorted(set(names)))}
    return np.array([order[name] for name in names], dtype=np.int64)


def renumbered(clusters: Integers) -> Integers:
    """Cluster numbers without gaps."""
    _, numbers = np.unique(clusters, return_inverse=True)
    return np.asarray(numbers, dtype=np.int64)
