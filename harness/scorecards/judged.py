"""What people say of pairs that behaviour contradicts: the object that `harness judged --json` prints."""

from typing import Literal

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.signal import Kind

Side = Literal["users", "grade", "neither", "undecided"]
"""Whom people agree with: users, the label's grade, or neither; or raters differ about it."""
SidedBy = Literal["all", "kind", "clause", "boundary"]


class SidedPair(Noun):
    """A planned pair, its label's `grade`, and what people say of it, each rater's first grade by size.

    `could_not`: raters who could not grade it; `decided`: the author's grade, which counts before theirs.
    `side`: None if it was not judged.
    """

    item: str
    query: str
    kind: Kind
    grade: int
    reference: int
    clauses: tuple[str, ...] = ()
    grades: tuple[int, ...] = ()
    could_not: int = 0
    decided: int | None = None
    side: Side | None = None


class Sided(Noun):
    """Pairs of one kind, clause or boundary (`1|2`: graded 1, against 2), and whom people agree with.

    `judged` of the `planned` pairs; of these `users`, `grade`, `neither` and `undecided`. The shares are of
    the judged pairs, their intervals clustered by query. `people`: the side with surely more than half; None
    if neither is sure.
    """

    by: SidedBy
    name: str
    planned: int
    judged: int
    n_queries: int
    users: int
    grade: int
    neither: int
    undecided: int
    users_share: float | None
    users_ci: Interval | None = None
    grade_share: float | None
    grade_ci: Interval | None = None
    people: Literal["users", "grade"] | None = None
    reason: Reason | None = None


class Judged(Noun):
    """Whether people agree with users or with the labels, on pairs that behaviour contradicts.

    `all`: every pair of the plan; `groups`: by kind, clause and boundary. `policy`: by which they judged;
    `round`: in which round, where the ratings are of one.
    """

    plan: str
    ratings: str
    policy: str | None = None
    round: str | None = None
    raters: tuple[str, ...]
    all: Sided
    groups: tuple[Sided, ...]
    pairs: tuple[SidedPair, ...]
    warnings: tuple[str, ...] = ()
