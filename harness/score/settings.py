"""Scoring settings: scale, threshold, actions, aggregation, and the other raters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.nouns.policy import UNDECIDED, Gates, Policy
from harness.score.rating_matrix import RatingMatrix
from harness.score.threshold import Threshold
from harness.scorecards.gate2 import Aggregate

NO_POLICY = "no policy defines actions"


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """The settings of a score.

    `action_of` maps each grade to its action. It is None if none was decided on; `undecided` then names the
    policy, if there is one. `clause_ids` holds the policy's clauses; None without a policy. `aggregate`:
    whether each of several answers to an item counts its share (`mean`), or their vote counts. `bootstrap`:
    whether to compute it. `names` holds each grade's name, if a policy names them.
    """

    scale: tuple[int, ...]
    bar: Threshold
    gates: Gates = field(default_factory=Gates)
    action_of: Mapping[int, str] | None = None
    clause_ids: frozenset[str] | None = None
    aggregate: Aggregate = "mean"
    bootstrap: bool = False
    names: Mapping[int, str] = field(default_factory=dict)
    undecided: str | None = None


def settings_of(
    policy: Policy | None,
    scale: tuple[int, ...],
    gates: Gates,
    bar: Threshold,
    *,
    aggregate: Aggregate = "mean",
    bootstrap: bool = False,
) -> ScoreSettings:
    """The settings of a policy, or of a bare scale without one."""
    actions, clauses = (policy.decided_actions, policy.clause_ids) if policy else (None, None)
    names = grade_names(policy)
    undecided = None if policy is None or actions is not None else f"{policy.label} {UNDECIDED}"
    return ScoreSettings(scale, bar, gates, actions, clauses, aggregate, bootstrap, names, undecided)


def grade_names(policy: Policy | None) -> dict[int, str]:
    """The grades' names; empty without a policy."""
    return {level.value: level.name for level in policy.grades} if policy else {}


def gate1_bar(gates: Gates) -> Threshold:
    """Gate 1's threshold."""
    return Threshold(gates.weighting, gates.gate1.bar)


def gate2_bar(gates: Gates) -> Threshold:
    """Gate 2's threshold."""
    return Threshold(gates.weighting, gates.gate2.bar)


@dataclass(frozen=True, slots=True)
class Raters:
    """The other raters of the items. `provisional`: why they are not known to be people, if so."""

    ratings: RatingMatrix
    provisional: str | None = None
