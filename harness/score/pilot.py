"""How far the teacher's errors vary in each stratum of a pilot, for optimal allocation."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.errors import BadInput
from harness.nouns.pair import query_key
from harness.runs.labels import LabelSet
from harness.score.frame import name_of, number_of_pair
from harness.score.human_grades import HumanGrades
from harness.score.production_rows import Figure
from harness.stats.agreement import Floats, renumbered
from harness.stats.cluster_sums import ClusterSums
from harness.stats.prediction_powered import moments

LEAST_ROWS = 5
"""A stratum with fewer rated rows is given the spread of all."""
FLOOR = 0.5
"""The least spread of a stratum, as a share of the overall one: a few equal rows do not show that all are."""
NOTHING = "the pilot's grades say nothing of how the strata differ: no {what}; leave --allocation out"
COLUMNS = ("item", "query", "digest", "stratum", "grade", "action", "shot_query")


class _Rated(NamedTuple):
    stratum: str
    query: int
    human: float
    teacher: float


def spread_of(
    labels: LabelSet, people: HumanGrades, by: Sequence[str], figure: Figure, names: Sequence[str]
) -> dict[str, float]:
    """By stratum, the standard deviation of f(human) - lambda f(teacher) over the rated rows.

    lambda is that of the whole pilot, by query. BadInput where nothing is rated, or nothing differs.
    """
    rated = list(_rated(labels, people, by, figure))
    if not rated:
        raise BadInput(NOTHING.format(what="rated item is in the labels"))
    human, teacher = (np.array([one[at] for one in rated], dtype=np.float64) for at in (2, 3))
    left = human - _lambda(rated, human, teacher) * teacher
    pooled = float(left.std())
    if not pooled:
        raise BadInput(NOTHING.format(what="grade differs from another"))
    by_stratum: dict[str, list[float]] = defaultdict(list)
    for one, value in zip(rated, left.tolist(), strict=True):
        by_stratum[one.stratum].append(value)
    return {
        name: max(FLOOR * pooled, float(np.std(mine)))
        if len(mine := by_stratum[name]) >= LEAST_ROWS
        else pooled
        for name in names
    }


def _lambda(rated: Sequence[_Rated], human: Floats, teacher: Floats) -> float:
    queries = renumbered(np.array([one.query for one in rated], dtype=np.int64))
    ones = np.ones(len(rated))
    y, f, n = (
        np.asarray(np.bincount(queries, weights=one), dtype=np.float64) for one in (human, teacher, ones)
    )
    none = np.zeros_like(n)
    return moments(ClusterSums(y, f, n, none, none, float(len(rated)))).best


def _rated(labels: LabelSet, people: HumanGrades, by: Sequence[str], figure: Figure) -> list[_Rated]:
    """The rated rows, each pair once."""
    scale, queries = labels.policy.scale, dict[str, int]()
    found: dict[int, _Rated] = {}
    for one in labels.rows(COLUMNS):
        people_say = people.grades.get(one["item"])
        if people_say is None or one["grade"] is None or one["shot_query"]:
            continue
        query = queries.setdefault(query_key(one["query"]), len(queries))
        human, teacher = (
            float(figure.values[scale.index(grade)]) for grade in (people_say.grade, one["grade"])
        )
        found.setdefault(number_of_pair(one["digest"]), _Rated(name_of(one, by), query, human, teacher))
    return list(found.values())
