"""How often a stack is right: a student, and a filter and a ranker that use its grades.

Three independent stages that are each right on 80 % are all right on 51 %. Here they use the same grades, so
that the share where all are right is measured.
"""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from harness.scorecards.student import Stack, StackStage
from harness.stats.agreement import Integers
from harness.stats.distillation import Mask
from harness.stats.means import clustered_share
from harness.stats.stages import compound
from harness.student.both import Both

WORDS = {
    "learned": "the teacher's grade",
    "filter": "the golden grade's action",
    "ranker": "no wrong order in its query",
}


def stack_of(both: Both, action_of: Mapping[int, str] | None) -> Stack | None:
    """How often each stage is right, and all of them; None where no policy says what a filter does."""
    if action_of is None:
        return None
    actions = np.array([action_of[grade] for grade in both.scale])
    right = {
        "learned": both.student == both.teacher,
        "filter": actions[both.student] == actions[both.golden],
        "ranker": in_order(both.student, both.golden, both.clusters),
    }
    n = len(both.golden)
    found = compound([Fraction(int(one.sum()), n) for one in right.values()])
    kept = np.logical_and.reduce(list(right.values())).astype(np.float64)
    return Stack(
        stages=tuple(
            StackStage(
                name=name,
                words=WORDS[name],
                value=float(one.mean()),
                ci=clustered_share(one.astype(np.float64), both.clusters),
            )
            for name, one in right.items()
        ),
        kept=float(kept.mean()),
        ci=clustered_share(kept, both.clusters),
        product=found.product,
        low=found.low,
        high=found.high,
    )


def in_order(given: Integers, golden: Integers, clusters: Integers) -> Mask:
    """Whether no other item of the same query is on the wrong side of an item.

    Wrong side: the golden grades order the two strictly, and the given grades order them the other way round.
    By the extremes of each grade within a query, so that long queries take no time.
    """
    fine = np.ones(len(given), dtype=bool)
    for query in np.unique(clusters):
        rows = np.flatnonzero(clusters == query)
        mine, right = given[rows], golden[rows]
        for grade in np.unique(right):
            worse, better = mine[right < grade], mine[right > grade]
            at = rows[right == grade]
            if len(worse):
                fine[at] &= given[at] >= worse.max()
            if len(better):
                fine[at] &= given[at] <= better.min()
    return fine
