"""The live Gate 1 of a rating round: what its lead sees while people rate."""

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.gate1 import Gate1


class Seconds(Noun):
    """How long a rater's `n` timed answers took: the median and the quartiles, in seconds."""

    n: int
    low: float
    median: float
    high: float


class RaterPace(Noun):
    """A rater's time for a pair divided by that of the others for the same pair.

    `value` is the geometric mean over `n` pairs that somebody else answered too; `ci` is clustered by query.
    """

    value: float | None
    n: int
    ci: Interval | None = None
    reason: Reason | None = None


class RaterNow(Noun):
    """How far a rater is. `cannot` counts the answers without a grade by cause.

    `sealed_at`: since when the rater's set is closed. `closed_at`: since when the lead no longer waits for
    what the rater has not answered.
    """

    rater: str
    assigned: int
    graded: int
    cannot: dict[str, int]
    later: int
    sealed_at: str | None
    closed_at: str | None
    seconds: Seconds | None
    pace: RaterPace


class CitedClause(Noun):
    """A clause that raters cite: by how many, for how many items, and how many of these are disputed."""

    clause: str
    ratings: int
    raters: int
    items: int
    disputed: int


class CannotRate(Noun):
    """A pair that somebody could not rate: who, by cause."""

    item: str
    query: str
    title: str
    causes: dict[str, tuple[str, ...]]


class LiveGate1(Noun):
    """A round's Gate 1 so far.

    `planned` ratings, `given` of them (`graded`, or `cannot` by cause). `complete`: whether no rating is
    missing, so that `gate1` has a verdict; before that `open` says how many are. `early`: why a verdict is
    provisional though no rating is waited for. `gate1` is None where there is none to compute, and `reason`
    says why. `unsealed`: whose answers may still change. `production`: no gate reads the ratings, since the
    pairs are of production.
    """

    policy: str
    round: str
    planned: int
    given: int
    graded: int
    cannot: dict[str, int]
    later: int
    complete: bool
    open: str | None
    early: str | None
    unsealed: tuple[str, ...]
    gate1: Gate1 | None
    reason: str | None
    raters: tuple[RaterNow, ...]
    cited: tuple[CitedClause, ...]
    cannot_rate: tuple[CannotRate, ...]
    policy_changed: str | None
    production: bool = False
