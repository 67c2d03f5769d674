"""The rows of a label set as arrays, and what is summed over them: all that an estimate is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.nouns.policy import Policy
from harness.scorecards.estimate import Over
from harness.stats.agreement import Floats, Integers
from harness.stats.prediction_powered import ClusterSums
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
        return self.teacher != MISSING

    @property
    def labelled(self) -> Mask:
        """The rows with a grade of both."""
        return self.read & (self.human != MISSING)

    @property
    def coverage(self) -> float:
        """The share of the weight that the teacher graded."""
        return float(self.weight[self.read].sum() / self.weight.sum())

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
    """The figures of a scale, the main one first: of actions, where a policy has them; with `at_least`, one."""
    grades = np.array(scale)
    if at_least is not None:
        return [_at_least(grades, at_least)]
    return [
        *(_actions(scale, policy) if policy else ()),
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


class Part(NamedTuple):
    """The sums of a figure by query, and how many rows they are of."""

    sums: ClusterSums
    n_labelled: int
    n_unlabelled: int


def part_of(
    rows: ProductionRows,
    values: Floats,
    over: Over,
    within: Mask | None = None,
    human: Integers | None = None,
) -> Part:
    """A figure's sums by query, over the rows `within` that the teacher graded.

    `human`: other human grades than the rows' own, such as the lowest.
    """
    said = rows.human if human is None else human
    used = rows.read if within is None else rows.read & within
    labelled, others = used & (said != MISSING), used & (said == MISSING)
    drawn = rows.drawn_weight
    mine = np.array([_sum(rows, labelled, drawn, one) for one in (values[said], values[rows.teacher], None)])
    rest = np.array([_sum(rows, others, rows.weight, one) for one in (values[rows.teacher], None)])
    effective = effective_number(drawn[labelled])
    if over == "queries":
        counts = query_weights(rows, labelled)
        mine = np.array([_mean(mine[0], mine[2], counts), _mean(mine[1], mine[2], counts), counts])
        once = (rest[1] > 0).astype(float)
        rest = np.array([_mean(rest[0], rest[1], once), once])
        effective = effective_number(counts)
    return Part(ClusterSums(*mine, *rest, effective), int(labelled.sum()), int(others.sum()))


def both_good(rows: ProductionRows, values: Floats, within: Mask | None = None) -> Floats:
    """By query, the weight of the labelled rows that both take for good: what sensitivity is made of."""
    used = rows.labelled if within is None else rows.labelled & within
    return _sum(rows, used, rows.drawn_weight, values[rows.human] * values[rows.teacher])


def _sum(rows: ProductionRows, used: Mask, weight: Floats, values: Floats | None) -> Floats:
    weighed = weight[used] if values is None else weight[used] * values[used]
    return np.bincount(rows.queries[used], weights=weighed, minlength=rows.n_queries)


def query_weights(rows: ProductionRows, labelled: Mask) -> Floats:
    """What a labelled query counts: 1, or where the drawing took some more readily, 1 over its probability."""
    count = np.bincount(rows.queries[labelled], minlength=rows.n_queries)
    if rows.pi is None:
        return (count > 0).astype(float)
    total = np.bincount(rows.queries[labelled], weights=1 / rows.pi[labelled], minlength=rows.n_queries)
    return np.asarray(np.divide(total, count, out=np.zeros(rows.n_queries), where=count > 0))


def _mean(top: Floats, bottom: Floats, counts: Floats) -> Floats:
    return np.asarray(np.divide(top * counts, bottom, out=np.zeros_like(top), where=bottom > 0))


def effective_number(weights: Floats) -> float:
    square = float(weights @ weights)
    return float(weights.sum()) ** 2 / square if square else 0.0


def row_weights(rows: ProductionRows, over: Over, within: Mask) -> Floats:
    """By query, what the rows within weigh in production: of a stratum, what its share is made of."""
    weights = _sum(rows, rows.read & within, rows.weight, None)
    return weights if over == "items" else (weights > 0).astype(float)


def strata_of(rows: ProductionRows, by: str, policy: Policy | None) -> Mapping[str, Mask]:
    """The rows of each stratum by its name; empty strata have none."""
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
