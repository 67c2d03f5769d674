"""What a policy change does to what people see: the object that `policy impact --json` prints."""

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.shared import Confusion


class MovedShare(Noun):
    """A share of the pairs, weighted by traffic where there is any, with its interval clustered by query.

    `guarded`: a limit is the guard's, for what happens in hardly any query, or in nearly every one.
    """

    pairs: int
    share: float | None
    ci: Interval | None
    guarded: bool = False
    reason: Reason | None = None


class ActionMove(Noun):
    """One way that what people see changes."""

    before: str
    after: str
    moved: MovedShare


class QueryImpact(Noun):
    """One query: how many of its pairs get another grade, and another action; its traffic, and what of it."""

    query: str
    pairs: int
    grades: int
    actions: int
    traffic: float
    traffic_moved: float


class MovedPair(Noun):
    """A pair whose grade moved, with both reasonings."""

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
    """The same teacher under two policy versions on the same pairs, without any golden grade.

    `unread` pairs have no readable answer under one of the two, and are left out; `unanswered` questions
    were never answered at all. `grades` counts pairs by their grade before (rows) and after, where both
    versions have one scale. `noise`: the pairs whose action changes when the first version is asked twice.
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
    warnings: tuple[str, ...] = ()
