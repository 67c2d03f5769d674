"""The rows of a label set as arrays, and the sums over them that estimates are made from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.nouns.policy import Policy
from harness.scorecards.estimate import Over
from harness.stats.agreement import Floats, Integers
from harness.stats.cluster_sums import ClusterSums
from harness.stats.raters import MISSING

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ProductionRows:
    """Rows of production, one entry each. Grades are positions on the scale, MISSING where there is none.

    `queries` are numbered from 0, alike in the label sets that are compared; `n_queries` counts them all.
    `lowest` and `highest`: the human grades if of several raters' the lowest, or highest, counted. `pi`: the
    inclusion probabilities of rows with a human grade; None where all are alike. `stratum`: positions in
    `strata`. `position`: the rank, 0 where unknown; None where no row has one. Rows that the teacher could
    not grade are there, with MISSING; those whose query a shot has are not.
    """

    scale: tuple[int, ...]
    queries: Integers
    n_queries: int
    teacher: Integers
    human: Integers
    lowest: Integers
    highest: Integers
    weight: Floats
    pi: Floats | None = None
    stratum: Integers | None = None
    strata: tuple[str, ...] = ()
    position: Integers | None = None
    shots: int = 0

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def read(self) -> Mask:
        """The rows that the teacher graded."""
        return np.asarray(self.teacher != MISSING)

    @property
    def labelled(self) -> Mask:
        """The rows with a grade of both."""
        return np.asarray(self.read & (self.human != MISSING))

    @property
    def coverage(self) -> float:
        """The share of the weight that the teacher graded."""
        return float(self.weight[self.read].sum() / self.weight.sum())

    def by_query(self, used: Mask, weights: Floats | None = None) -> Floats:
        """The sum of the weights of some rows in each query; without weights, how many rows that are."""
        some = None if weights is None else weights[used]
        sums = np.bincount(self.queries[used], weights=some, minlength=self.n_queries)
        return np.asarray(sums, dtype=np.float64)

    @property
    def drawn_weight(self) -> Floats:
        """The weight of a labelled row: its own over its inclusion probability."""
        return self.weight if self.pi is None else self.weight / self.pi


class Figure(NamedTuple):
    """What is averaged: a value for each grade of the scale. `values` are on [0, 1], from `low` to `high`."""

    name: str
    words: str
    values: Floats
    low: float = 0.0
    high: float = 1.0

    @property
    def binary(self) -> bool:
        """Whether it is a share."""
        return bool(np.isin(self.values, (0.0, 1.0)).all()) and (self.low, self.high) == (0.0, 1.0)


def figures_of(scale: tuple[int, ...], policy: Policy | None, at_least: int | None) -> list[Figure]:
    """The figures of a scale, the main one first; with `at_least`, that share alone.

    No figure of actions where the policy has not decided on them.
    """
    grades = np.array(scale)
    if at_least is not None:
        return [_at_least(grades, at_least)]
    return [
        *(_actions(scale, policy) if policy and policy.decided_actions else ()),
        *(_at_least(grades, grade) for grade in reversed(scale[1:])),
        *(Figure(f"grade:{grade}", f"graded {grade}", (grades == grade).astype(float)) for grade in scale),
        Figure(
            "gain",
            "mean gain: a grade's gain is the grade itself",
            (grades - scale[0]) / (scale[-1] - scale[0]),
            float(scale[0]),
            float(scale[-1]),
        ),
    ]


def _at_least(grades: Integers, least: int) -> Figure:
    return Figure(f"grade>={least}", f"graded {least} or more", (grades >= least).astype(float))


def _actions(scale: tuple[int, ...], policy: Policy) -> Iterator[Figure]:
    """The actions, that of the highest grade first, and defects: what has the action of the lowest grade."""
    names = dict.fromkeys(policy.action_of[grade] for grade in reversed(scale))
    for name in names:
        yield _action(f"action:{name}", f"to {name}, by the policy", name, scale, policy)
    worst = policy.action_of[scale[0]]
    yield _action("defect", f"defects: {worst} is the right action", worst, scale, policy)


def _action(name: str, words: str, action: str, scale: tuple[int, ...], policy: Policy) -> Figure:
    return Figure(name, words, np.array([float(policy.action_of[grade] == action) for grade in scale]))


@dataclass(frozen=True)
class Cells:
    """By query and grade, the weight of the rows that the teacher graded: Q x q each.

    `human`, `teacher`: of the labelled rows, by the human grade and by the teacher's, each over its inclusion
    probability; `unseen`: of the others, by the teacher's. Every figure is a sum of these. `rows`, `sizes`:
    the effective number of labelled rows, and that in each query. `counts`: what each labelled query counts
    where queries are averaged.
    """

    human: Floats
    teacher: Floats
    unseen: Floats
    rows: float
    sizes: Floats
    counts: Floats
    n_labelled: int
    n_unlabelled: int

    def sums(self, values: Floats, over: Over) -> ClusterSums:
        """A figure's sums by query."""
        mine, rest = self.human.sum(axis=1), self.unseen.sum(axis=1)
        human, teacher, unseen = (cells @ values for cells in (self.human, self.teacher, self.unseen))
        if over == "items":
            return ClusterSums(human, teacher, mine, unseen, rest, self.rows, self.sizes)
        once = (rest > 0).astype(np.float64)
        means = [_mean(top, bottom) for top, bottom in ((human, mine), (teacher, mine), (unseen, rest))]
        counts = self.counts
        return ClusterSums(
            means[0] * counts, means[1] * counts, counts, means[2], once, effective_number(counts)
        )


def cells_of(rows: ProductionRows, within: Mask | None = None) -> Cells:
    """The cells of the rows `within`, or of all."""
    used = rows.read if within is None else rows.read & within
    labelled, others = used & (rows.human != MISSING), used & (rows.human == MISSING)
    drawn = rows.drawn_weight
    return Cells(
        human=_cells(rows, labelled, drawn, rows.human),
        teacher=_cells(rows, labelled, drawn, rows.teacher),
        unseen=_cells(rows, others, rows.weight, rows.teacher),
        rows=effective_number(drawn[labelled]),
        # The effective number of rows of each query; 0 for one without rows.
        sizes=_mean(rows.by_query(labelled, drawn) ** 2, rows.by_query(labelled, drawn**2)),
        counts=query_counts(rows, labelled, used),
        n_labelled=int(labelled.sum()),
        n_unlabelled=int(others.sum()),
    )


def _cells(rows: ProductionRows, used: Mask, weight: Floats, grades: Integers) -> Floats:
    q = len(rows.scale)
    at = rows.queries[used] * q + grades[used]
    flat = np.bincount(at, weights=weight[used], minlength=rows.n_queries * q)
    return np.asarray(flat.reshape(rows.n_queries, q), dtype=np.float64)


def both_good(rows: ProductionRows, values: Floats) -> Floats:
    """By query, the weight of the labelled rows that both call good: the numerator of sensitivity."""
    return rows.by_query(rows.labelled, rows.drawn_weight * values[rows.human] * values[rows.teacher])


def query_counts(rows: ProductionRows, labelled: Mask, used: Mask) -> Floats:
    """What a labelled query counts where queries are averaged: 1; where some were drawn more readily, the
    labelled rows' sum of 1 over the probability, over how many rows it has: of each query, 1 is expected.

    Where a part of its rows is drawn, the mean of 1 over theirs would count a large query for several.
    """
    if rows.pi is None:
        return query_weights(rows, labelled)
    return _mean(rows.by_query(labelled, 1 / rows.pi), rows.by_query(used))


def query_weights(rows: ProductionRows, labelled: Mask) -> Floats:
    """What a query counts whose list is labelled: 1; where some were drawn more readily, 1 over that."""
    count = rows.by_query(labelled)
    if rows.pi is None:
        return (count > 0).astype(np.float64)
    return _mean(rows.by_query(labelled, 1 / rows.pi), count)


def _mean(top: Floats, bottom: Floats) -> Floats:
    return np.asarray(np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0), dtype=np.float64)


def effective_number(weights: Floats) -> float:
    """Kish's effective number: how many equally weighted rows would say as much."""
    square = float(weights @ weights)
    return float(weights.sum()) ** 2 / square if square else 0.0


def row_weights(rows: ProductionRows, over: Over, within: Mask) -> Floats:
    """By query, the weight in production of the rows `within`, such as those of a stratum."""
    weights = rows.by_query(rows.read & within, rows.weight)
    return weights if over == "items" else (weights > 0).astype(np.float64)


def strata_of(rows: ProductionRows, by: Sequence[str], policy: Policy | None) -> Mapping[str, Mask]:
    """The rows of each stratum by its name; of several parts, those that occur together."""
    found: dict[str, Mask] = {"": rows.read}
    for part in by:
        parts = _strata_of(rows, part, policy)
        found = {
            f"{name}, {more}" if name else more: mask & also
            for name, mask in found.items()
            for more, also in parts.items()
            if (mask & also).any()
        }
    return found


def _strata_of(rows: ProductionRows, by: str, policy: Policy | None) -> Mapping[str, Mask]:
    if by == "stratum":
        codes, names = rows.stratum, rows.strata
        assert codes is not None, "the caller looked"
        return {name: codes == at for at, name in enumerate(names) if (rows.read & (codes == at)).any()}
    found: dict[str, Mask] = {}
    for at, grade in enumerate(rows.scale):
        name = policy.action_of[grade] if by == "action" and policy else f"grade {grade}"
        here = rows.teacher == at
        found[name] = found.get(name, np.zeros(len(rows), dtype=np.bool_)) | here
    return {name: mask for name, mask in reversed(found.items()) if mask.any()}
