"""Where behaviour contradicts the policy: the object that `harness signal --json` prints."""

from typing import Literal

from harness.nouns.base import Interval, Noun, Reason

Kind = Literal["wanted_and_hidden", "shown_and_refused", "better_than_graded", "worse_than_graded"]
WANTED: Kind = "wanted_and_hidden"
REFUSED: Kind = "shown_and_refused"
BETTER: Kind = "better_than_graded"
WORSE: Kind = "worse_than_graded"
Measure = Literal["clicks", "carts", "purchases", "returns", "dwell"]
GroupedBy = Literal["boundary", "stratum", "tag"]


class Propensity(Noun):
    """How often a position is looked at, beside the first: `value`, over results of equal grade.

    `same_pair`: the same over pairs that stood at both positions, as a check. Undefined is None, with the
    reason; views there are left out.
    """

    position: int
    value: float | None
    ci: Interval | None = None
    same_pair: float | None = None
    views: int
    clicks: int
    reason: Reason | None = None


class Rung(Noun):
    """How attractive the results of a grade are: events for each look, or for each event `per`.

    `n`: pairs with views.
    """

    grade: int
    attractiveness: float | None
    ci: Interval | None = None
    n: int
    n_queries: int
    views: int
    events: float
    reason: Reason | None = None


class Step(Noun):
    """The difference between two neighbouring grades, the higher minus the lower.

    `told_apart`: whether the interval leaves out 0.
    """

    between: tuple[int, int]
    difference: float | None
    ci: Interval | None = None
    p: float | None = None
    told_apart: bool | None = None
    reason: Reason | None = None


class OtherLadder(Noun):
    """The ladder of another measure. `per`: what its events are counted against."""

    measure: Measure
    per: str
    ladder: tuple[Rung, ...]
    boundaries: tuple[Step, ...]


class Contradiction(Noun):
    """A pair whose users behave otherwise than its grade says, with the evidence.

    `views`, `events`: what was counted, at positions from `positions[0]` to `positions[1]`; `exposure`: the
    views, each counted by the chance that its position was looked at; `attractiveness` and `ci`: drawn
    towards the grade's. `reference`: the other grade, and `median` its median pair, against which the tail
    `p` is exact; `q_value`: Benjamini and Hochberg's over all tests of its family.
    """

    item: str
    query: str
    grade: int
    kind: Kind
    attractiveness: float
    ci: Interval
    p: float
    q_value: float
    reference: int
    median: float
    views: int
    events: float
    exposure: float
    positions: tuple[int, int]
    clauses: tuple[str, ...] = ()
    stratum: str | None = None
    tags: tuple[str, ...] = ()


class ClauseSignal(Noun):
    """A clause, with how many of the pairs that cite it behaviour contradicts.

    `of`: pairs that were tested; `q_value`: of the hypothesis that none of them is one (Simes), over all
    clauses. Of the counts by kind, only those of the clause's own family are above 0.
    """

    id: str
    contradicted: int
    of: int
    wanted_and_hidden: int = 0
    shown_and_refused: int = 0
    better_than_graded: int = 0
    worse_than_graded: int = 0
    q_value: float


class GroupSignal(Noun):
    """The same by another grouping; `boundary` is `1|2`: graded 1, against those graded 2."""

    by: GroupedBy
    name: str
    contradicted: int
    of: int
    q_value: float


class SideTests(Noun):
    """Tests of one kind against one grade: how many pairs, of which grades, against what.

    `unseen`: pairs of these grades without a view. Without `median` nothing was tested, for the reason.
    """

    kind: Kind
    grades: tuple[int, ...]
    reference: int | None
    median: float | None
    n: int
    unseen: int
    found: int
    reason: Reason | None = None


class SameSide(Noun):
    """Contradictions between neighbouring grades that are both shown, or both hidden.

    A family of its own: its false discovery rate is over these tests alone. Pairs that are contradicted
    across the line are not tested again.
    """

    tested: tuple[SideTests, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    clauses: tuple[ClauseSignal, ...] = ()
    groups: tuple[GroupSignal, ...] = ()


class Association(Noun):
    """How the outcome goes with what was shown: the log odds per unit of `feature`, clustered by query.

    `odds_ratio` and `ci` are for one standard deviation `sd` more.
    """

    feature: str
    words: str
    log_odds: float | None
    se: float | None = None
    sd: float | None = None
    odds_ratio: float | None = None
    ci: Interval | None = None
    p: float | None = None
    reason: Reason | None = None


class ArmDifference(Noun):
    """An arm of an experiment minus the first one, in the share of sessions with the outcome, or in DCG."""

    arm: str
    base: str
    figure: Literal["outcome", "dcg"]
    value: float | None
    base_value: float | None
    difference: float | None
    ci: Interval | None = None
    p: float | None = None
    n: int
    n_base: int
    reason: Reason | None = None


class ArmSize(Noun):
    """The size of an arm: its sessions, its searches without an ungraded result, and their queries."""

    arm: str
    sessions: int
    searches: int
    queries: int


class NorthStar(Noun):
    """How a search's outcome depends on the grades of what it showed: association, not cause.

    `n`: searches, of `sessions`; `left_out`: those with results that have no grade. `arms`: what differs
    between them. The experiment caused it only if chance assigned users, which `arm_sizes` cannot prove.
    """

    n: int = 0
    sessions: int = 0
    queries: int = 0
    left_out: int = 0
    outcome: float | None = None
    associations: tuple[Association, ...] = ()
    arms: tuple[ArmDifference, ...] = ()
    arm_sizes: tuple[ArmSize, ...] = ()
    words: str
    reason: Reason | None = None


class LogCounts(Noun):
    """How much of the log was used.

    `views`, `events`: of graded pairs; `ungraded_views`: of pairs without a grade; `left_out_views`: at
    positions without a propensity. `pairs`: graded pairs; `unseen`: those without a view.
    """

    rows: int
    views: int
    events: float
    ungraded_views: int
    left_out_views: int
    pairs: int
    unseen: int
    queries: int


class Signal(Noun):
    """Where what users do contradicts the policy. No grade changes by it.

    `tested`, `contradictions`, `clauses`, `groups`: across the line between hidden and shown; `same_side`:
    between grades that are both shown, or both hidden.
    """

    log: str
    labels: str
    policy: str | None = None
    measure: Measure
    hidden: tuple[int, ...]
    shown: tuple[int, ...]
    counts: LogCounts
    propensities: tuple[Propensity, ...]
    propensities_given: bool = False
    ladder: tuple[Rung, ...]
    boundaries: tuple[Step, ...]
    others: tuple[OtherLadder, ...] = ()
    level: float
    tested: tuple[SideTests, ...]
    contradictions: tuple[Contradiction, ...]
    clauses: tuple[ClauseSignal, ...]
    groups: tuple[GroupSignal, ...] = ()
    same_side: SameSide = SameSide()
    north_star: NorthStar
    sheet: str | None = None
    warnings: tuple[str, ...] = ()
