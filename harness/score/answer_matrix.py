"""Golden grades and a grader's answers as arrays: the input of every figure of Gate 2."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Weighting
from harness.score.items import GradedItem
from harness.score.rating_matrix import numbered
from harness.score.threshold import Measured
from harness.scorecards.shared import BootstrapCheck
from harness.stats.agreement import Floats, Integers, Matrix, cell_counts, mean_kappa, renumbered
from harness.stats.bootstrap import cluster_bootstrap
from harness.stats.intervals import KappaTable, mean_influence, mean_spread
from harness.stats.raters import MISSING


@dataclass(frozen=True, slots=True)
class AnswerMatrix:
    """`golden` (n) and `grades` (n x K repeats) as positions on the scale; MISSING if unreadable.

    `clusters` holds each item's query, numbered.
    """

    golden: Integers
    grades: Integers
    clusters: Integers
    scale: tuple[int, ...]

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which answers are readable: n x K."""
        return np.asarray(self.grades != MISSING, dtype=np.bool_)

    def matrix(self) -> Matrix:
        """Counts of all readable answers, rows golden."""
        rows, repeats = np.nonzero(self.answered)
        return cell_counts(self.golden[rows], self.grades[rows, repeats], len(self.scale))

    def measure(self, weighting: Weighting) -> Measured:
        """Kappa averaged over the repeats, with the error of that mean, clustered by query."""
        tables, where, clusters = self._tables(weighting)
        kappa = mean_kappa([table.kappa for table in tables])
        return Measured(kappa, mean_spread(tables, where, len(clusters), clusters), len(clusters))

    def bootstrap(self, weighting: Weighting) -> BootstrapCheck:
        """The same mean's cluster bootstrap."""
        return cluster_bootstrap(*self._tables(weighting)[0])

    def _tables(self, weighting: Weighting) -> tuple[list[KappaTable], list[Integers], Integers]:
        """A table per repeat, its items' positions among the answered ones, and the clusters of these."""
        used = np.flatnonzero(self.answered.any(axis=1))
        clusters = renumbered(self.clusters[used])
        tables, where = [], []
        for column in self.grades.T:
            at = np.flatnonzero(column[used] != MISSING)
            if not len(at) and len(used):
                continue  # skip a repeat without any answer
            given = column[used][at]
            tables.append(KappaTable(self.golden[used][at], given, clusters[at], self.scale, weighting))
            where.append(at)
        return tables, where, clusters

    def influence(self, weighting: Weighting) -> Floats:
        """Each item's influence on the kappa averaged over the repeats; 0 without a readable answer."""
        tables, where, _ = self._tables(weighting)
        used, n = np.flatnonzero(self.answered.any(axis=1)), len(self.golden)
        return mean_influence(tables, [used[at] for at in where], n, n)

    def errors(self) -> Integers:
        """Grade minus golden grade of every readable answer."""
        rows, repeats = np.nonzero(self.answered)
        values = np.asarray(self.scale, dtype=np.int64)
        return np.asarray(values[self.grades[rows, repeats]] - values[self.golden[rows]])

    def worst(self) -> "AnswerMatrix":
        """With every missing answer set to the grade farthest from the golden one; of two, the lower."""
        values = np.asarray(self.scale, dtype=np.int64)
        # argmax returns the first of equals, and the scale ascends.
        farthest = np.abs(values[None, :] - values[:, None]).argmax(axis=1)
        grades = np.where(self.answered, self.grades, farthest[self.golden][:, None])
        return replace(self, grades=grades)

    def where(self, keep: NDArray[Any]) -> "AnswerMatrix":
        """The matrix of these items only, by mask or by position."""
        return replace(self, golden=self.golden[keep], grades=self.grades[keep], clusters=self.clusters[keep])

    def regrouped(self, groups: Sequence[int]) -> "AnswerMatrix":
        """The matrix with grades merged: `groups` holds the group of each position, numbered from 0."""
        to = np.asarray(groups, dtype=np.int64)
        grades = np.where(self.answered, to[self.grades], MISSING)
        return replace(self, golden=to[self.golden], grades=grades, scale=tuple(range(max(groups) + 1)))

    def at_least(self, at: int) -> "AnswerMatrix":
        """The matrix of "below" and "at or above" the grade in position `at` of the scale."""
        return self.regrouped([int(position >= at) for position in range(len(self.scale))])


def answer_matrix_of(items: Sequence[GradedItem], scale: tuple[int, ...]) -> AnswerMatrix:
    """Graded items as arrays; all have the same number of answers."""
    position: dict[int | None, int] = {grade: at for at, grade in enumerate(scale)} | {None: MISSING}
    given = (position[answer.grade] for item in items for answer in item.answers)
    return AnswerMatrix(
        golden=np.fromiter((position[item.golden] for item in items), dtype=np.int64, count=len(items)),
        grades=np.fromiter(given, dtype=np.int64).reshape(len(items), -1),
        clusters=numbered([item.cluster for item in items]),
        scale=scale,
    )
