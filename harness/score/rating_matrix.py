"""Ratings as an array: the input of every figure of Gate 1."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.base import Weighting
from harness.nouns.pair import Rating, query_key
from harness.scorecards.shared import BootstrapCheck
from harness.stats.agreement import Floats, Integers, renumbered
from harness.stats.bootstrap import cluster_bootstrap
from harness.stats.intervals import KappaTable
from harness.stats.raters import MISSING, grade_counts
from harness.storage.plural import plural

MIN_COMMON = 30
"""A pair of raters with fewer items in common is shown but left out of the mean, if any pair has more."""
MOST_RATERS = 2_000
"""Two million pairs take a minute and 2 GB; twice as many raters take four times that."""


@dataclass(frozen=True, slots=True)
class RatingMatrix:
    """The grade of each rater for each item.

    `grades` is items x raters, positions on the scale, MISSING where a rating is missing; `clusters` holds
    each item's query, numbered from 0.
    """

    items: tuple[str, ...]
    raters: tuple[str, ...]
    queries: tuple[str, ...]
    grades: Integers
    clusters: Integers
    scale: tuple[int, ...]

    def counted(self) -> list[tuple[int, int]]:
        """The pairs of raters that the mean takes in."""
        pairs = combinations(range(len(self.raters)), 2)
        return [pair for pair, counted in zip(pairs, self.shared()[1].tolist(), strict=True) if counted]

    def shared(self) -> tuple[Integers, NDArray[np.bool_]]:
        """How many items each pair shares, in the order of `combinations`, and which pairs are counted."""
        alone = [(self.beside(first)[1] != MISSING).sum(axis=0) for first in range(len(self.raters) - 1)]
        n = np.concatenate([np.zeros(0, dtype=np.int64), *alone])
        enough = n >= MIN_COMMON if (n >= MIN_COMMON).any() else n > 0
        return n, enough if enough.any() else np.ones(len(n), dtype=np.bool_)

    def beside(self, first: int) -> tuple[Integers, Integers]:
        """The rows of the items that a rater rated, and the grades of all later raters there."""
        rows = np.flatnonzero(self.grades[:, first] != MISSING)
        return rows, self.grades[rows, first + 1 :]

    def used(self, counted: NDArray[np.bool_]) -> Integers:
        """The rows of the items of the counted pairs."""
        taken, start = np.zeros(len(self.items), dtype=np.bool_), 0
        for first in range(len(self.raters) - 1):
            rows, later = self.beside(first)
            taken[rows] |= (later[:, counted[start : start + later.shape[1]]] != MISSING).any(axis=1)
            start += later.shape[1]
        return np.flatnonzero(taken)

    def common(self, one: int, other: int) -> Integers:
        """The items that both rated."""
        return np.flatnonzero((self.grades[:, one] != MISSING) & (self.grades[:, other] != MISSING))

    def bootstrap(self, weighting: Weighting) -> BootstrapCheck:
        """The cluster bootstrap of the mean of the counted pairs' kappas."""
        pairs = [(self.common(*pair), *pair) for pair in self.counted()]
        used = self.used(self.shared()[1])
        whole = np.zeros(len(self.items), dtype=np.int64)
        whole[used] = renumbered(self.clusters[used])
        return cluster_bootstrap(
            *(
                KappaTable(self.grades[at, one], self.grades[at, other], whole[at], self.scale, weighting)
                for at, one, other in pairs
            )
        )

    def comparisons(self) -> tuple[Floats, Floats]:
        """For each item, how many pairs of ratings it has, and how many of them agree."""
        counts = grade_counts(self.grades, len(self.scale))
        rated = counts.sum(axis=1)
        return rated * (rated - 1) / 2, (counts * (counts - 1) / 2).sum(axis=1)

    def ratings_of(self, at: int) -> dict[str, int]:
        """Who gave the item in this row which grade."""
        row = self.grades[at]
        return {self.raters[j]: self.scale[row[j]] for j in np.flatnonzero(row != MISSING).tolist()}

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


def readings(ratings: Sequence[Rating]) -> tuple[Sequence[Rating], list[tuple[Rating, Rating]]]:
    """Each rater's first grade of an item, by which raters are compared; and each later one beside it."""
    if not any(rating.repeat for rating in ratings):
        return ratings, []
    found: dict[tuple[str, str], list[Rating]] = defaultdict(list)
    for rating in sorted(ratings, key=lambda one: one.repeat):
        found[rating.rater, rating.item].append(rating)
    given = found.values()
    return [first for first, *_ in given], [(first, later) for first, *more in given for later in more]


def rating_matrix_of(ratings: Sequence[Rating], scale: tuple[int, ...]) -> RatingMatrix:
    """Ratings as a panel; an item without a query is a query of its own. BadInput for one rater alone.

    Where a rater graded an item again, the first grade is taken.
    """
    ratings, _ = readings(ratings)
    raters = tuple(sorted({rating.rater for rating in ratings}))
    if len(raters) > MOST_RATERS:
        what = f"{plural(len(raters), 'rater')}, and every two are compared: {MOST_RATERS:,} at most"
        raise BadInput(
            f"{what}; if that column does not name people (a session, a task), map another to `rater`"
        )
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
    """Each item's query as a key; the item itself if none is named. BadInput for two queries of an item."""
    named: dict[str, dict[str, str]] = {}
    for rating in ratings:
        found = named.setdefault(rating.item, {})
        if rating.query:
            found.setdefault(query_key(rating.query), rating.query)
    refuse_faults(
        Fault(f"item {item!r}", f"has several queries: {', '.join(found.values())}")
        for item, found in named.items()
        if len(found) > 1
    )
    return {item: next(iter(found), item) for item, found in named.items()}


def numbered(names: Sequence[str]) -> Integers:
    """Names as numbers from 0, the same for the same name, whatever their order."""
    order = {name: at for at, name in enumerate(sorted(set(names)))}
    return np.array([order[name] for name in names], dtype=np.int64)


def rows_by_name(names: Sequence[Sequence[str]]) -> dict[str, Integers]:
    """The rows of the items with each name, by name; `names` holds those of each item."""
    rows: dict[str, list[int]] = defaultdict(list)
    for at, of_item in enumerate(names):
        for name in dict.fromkeys(of_item):
            rows[name].append(at)
    return {name: np.array(rows[name], dtype=np.int64) for name in sorted(rows)}
