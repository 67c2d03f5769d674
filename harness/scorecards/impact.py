"""The impact of a policy change on what users see: the object that `policy impact --json` prints."""

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.shared import Confusion


class MovedShare(Noun):
    """A share of the pairs, weighted by traffic if known, with its interval clustered by query.

    `guarded`: the guard set a limit, because the change occurs in almost no query or in almost every one.
    """

    pairs: int
    share: float | None
    ci: Interval | None
    guarded: bool = False
    reason: Reason | None = None


class ActionMove(Noun):
    """A change from one action to another."""

    before: str
    after: str
    moved: MovedShare


class QueryImpact(Noun):
    """One query: how many of its pairs get another grade or action, its traffic, and the affected traffic."""

    query: str
    pairs: int
    grades: int
    actions: int
    traffic: float
    traffic_moved: float


class MovedPair(Noun):
    """A pair whose grade changed, with both reasonings."""

    id: str
    query: str
    title: str
    weight: float
    before: int
    after: int
    action_before: str
    action_after: str
    reasoning_before: str = ""
    reasoning_after: str = ""


class Impact(Noun):
    """The same teacher under two policy versions on the same pairs, without golden grades.

    `unread` pairs lack a readable answer under one version, and are excluded; `unanswered` questions got no
    answer. `grades` counts pairs by their grade before (rows) and after, if both versions have the same
    scale. `reads_policy`: false for a grader whose answers no rule can move. `undecided`: why the actions
    do not say what people see. `noise`: the pairs whose action changes when the first version is asked twice.
    """

    before: str
    after: str
    runs: tuple[str, str]
    model: str
    prompt: str
    n: int
    n_queries: int
    unread: int
    unanswered: int
    weighted: bool
    grade_moved: MovedShare
    action_moved: MovedShare
    action_moves: tuple[ActionMove, ...]
    noise: MovedShare | None = None
    grades: Confusion | None
    per_query: tuple[QueryImpact, ...]
    moved: tuple[MovedPair, ...]
    reads_policy: bool = True
    undecided: str | None = None
    warnings: tuple[str, ...] = ()
