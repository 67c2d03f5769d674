"""By what a grader is scored, and beside whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.nouns.policy import Gates
from harness.score.bar import Bar
from harness.score.rating_matrix import Panel
from harness.scorecards.gate2 import Aggregate


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a grader is scored.

    `action_of` maps each grade to what the user then sees, and `clause_ids` are the clauses there are; None
    where no policy says it. `aggregate` says
    what several answers to one item count for: each its share, or their vote. `bootstrap`: on request.
    """

    scale: tuple[int, ...]
    bar: Bar
    gates: Gates = field(default_factory=Gates)
    action_of: Mapping[int, str] | None = None
    clause_ids: frozenset[str] | None = None
    aggregate: Aggregate = "mean"
    bootstrap: bool = False


@dataclass(frozen=True, slots=True)
class Raters:
    """Who else graded the items. `provisional`: why these are not known to be people, where they are not."""

    panel: Panel
    provisional: str | None = None
