"""Several policies instead of one: each stage's agreement, and how often all stages are right."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from harness.comparison.sides import Side
from harness.errors import BadInput
from harness.score.answer_matrix import answer_matrix_of
from harness.score.rating_matrix import numbered
from harness.scorecards.stages import Rate, Stage, Stages
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import ONE_CLUSTER
from harness.stats.means import clustered_share
from harness.stats.stages import compound


def join_stages(sides: Sequence[Side], unified: Side | None = None) -> Stages:
    """Runs of stage policies on the same pairs. BadInput if they have no pair in common.

    Only items that every run asked about count; an unreadable answer is wrong.
    """
    _refuse_one_policy(sides)
    every = [*sides, unified] if unified else list(sides)
    keys = [key for key in sides[0].items if all(key in side.items for side in every)]
    if not keys:
        raise BadInput("the runs have no pair in common: stages are measured on the same examples")
    clusters = numbered([sides[0].items[key].cluster for key in keys])
    right = [_right(side, keys) for side in sides]
    found = compound([Fraction(int(one.sum()), len(keys)) for one in right])
    asked = {key for side in every for key in side.items}
    return Stages(
        n=len(keys),
        n_clusters=len(np.unique(clusters)),
        left_out=len(asked) - len(keys),
        stages=tuple(_stage(side, keys, one, clusters) for side, one in zip(sides, right, strict=True)),
        product=found.product,
        low=found.low,
        high=found.high,
        joint=_rate(np.prod(right, axis=0), clusters),
        unified=_stage(unified, keys, _right(unified, keys), clusters) if unified else None,
    )


def _refuse_one_policy(sides: Sequence[Side]) -> None:
    seen: dict[str, Side] = {}
    for side in sides:
        name = (side.policy or "").partition("@")[0]
        if name in seen:
            raise BadInput(
                f"{seen[name].name} and {side.name} are runs of one policy, {name}: each stage has its own; "
                "`harness compare` holds runs of one policy against each other"
            )
        seen[name] = side


def _right(side: Side, keys: Sequence[str]) -> Floats:
    """1 for each item of which all answers equal the golden grade."""
    items = [side.items[key] for key in keys]
    return np.array([float(all(a.grade == item.golden for a in item.answers)) for item in items])


def _stage(side: Side, keys: Sequence[str], right: Floats, clusters: Integers) -> Stage:
    """One stage's figures; its kappa is over the readable answers."""
    answers = answer_matrix_of([side.items[key] for key in keys], side.scale)
    return Stage(
        run=side.name,
        policy=side.policy or "",
        right=_rate(right, clusters),
        kappa=answers.measure(side.gates.weighting).estimate(),
    )


def _rate(right: Floats, clusters: Integers) -> Rate:
    ci = clustered_share(right, clusters)
    return Rate(value=float(right.mean()), ci=ci, reason=None if ci else ONE_CLUSTER)
