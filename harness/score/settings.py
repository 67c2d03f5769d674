"""By what a grader is scored, and beside whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.nouns.policy import Gates, Policy
from harness.score.rating_matrix import RatingMatrix
from harness.score.threshold import Threshold
from harness.scorecards.gate2 import Aggregate


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """By what a grader is scored.

    `action_of` maps each grade to what the user then sees, and `clause_ids` are the clauses there are; None
    where no policy says it. `aggregate` says what several answers to one item count for: each its share, or
    their vote. `bootstrap`: on request. `names` holds each grade's name, where a policy names them.
    """

    scale: tuple[int, ...]
    bar: Threshold
    gates: Gates = field(default_factory=Gates)
    action_of: Mapping[int, str] | None = None
    clause_ids: frozenset[str] | None = None
    aggregate: Aggregate = "mean"
    bootstrap: bool = False
    names: Mapping[int, str] = field(default_factory=dict)


def settings_of(
    policy: Policy | None,
    scale: tuple[int, ...],
    gates: Gates,
    bar: Threshold,
    *,
    aggregate: Aggregate = "mean",
    bootstrap: bool = False,
) -> ScoreSettings:
    """The terms of a policy, or of a bare scale where there is none."""
    if policy is None:
        return ScoreSettings(scale, bar, gates, aggregate=aggregate, bootstrap=bootstrap)
    known = policy.action_of, policy.clause_ids, aggregate, bootstrap
    return ScoreSettings(scale, bar, gates, *known, names=grade_names(policy))


def grade_names(policy: Policy | None) -> dict[int, str]:
    """What the grades are called; nothing where no policy says it."""
    return {level.value: level.name for level in policy.grades} if policy else {}


def gate1_bar(gates: Gates) -> Threshold:
    """What the raters are held to."""
    return Threshold(gates.weighting, gates.gate1.bar)


def gate2_bar(gates: Gates) -> Threshold:
    """What a grader is held to."""
    return Threshold(gates.weighting, gates.gate2.bar)


@dataclass(frozen=True, slots=True)
class Raters:
    """Who else graded the items. `provisional`: why these are not known to be people, where they are not."""

    panel: RatingMatrix
    provisional: str | None = None
