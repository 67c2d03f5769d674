"""Who drifted, the teacher or the traffic: the object that `harness watch --json` prints."""

from typing import Literal

from harness.nouns.base import Interval, Noun, Reason, Weighting

Drifted = Literal["none", "teacher", "traffic", "both"]
Direction = Literal["worse", "better", "more", "less"]


class Process(Noun):
    """The evidence of a drift: an e-process, which may be looked at every day.

    `e_value`: after the last day; `highest`: the most it has ever been. `alarmed_at`: the first day on which
    it was `threshold` or more. `of`: what is watched; of several shares, `moved` is the one with most
    evidence. `direction`: where it went. Undefined is None, with the reason.
    """

    e_value: float | None
    highest: float | None = None
    alarmed_at: str | None = None
    threshold: float
    of: str
    moved: str | None = None
    direction: Direction | None = None
    reason: Reason | None = None


class WatchBaseline(Noun):
    """What the teacher's loss is compared with: the mean of `repeats` looks at the same golden pairs.

    `se`: the error of the mean, by how much the repeats differ; 0 if they are alike, which is not
    certainty. `ci`: the means that the answers do not refute, at 95 %. `never_read`: pairs whose answer no
    look could read; each has a loss of 1 from the beginning.
    """

    loss: float
    se: float
    ci: Interval | None = None
    repeats: int
    n: int
    n_queries: int
    never_read: int = 0


class WatchPower(Noun):
    """The smallest rise of the loss that the watch finds within `days` in at least `power` of the cases.

    None where it would find none, even if every answer were wrong.
    """

    shift: float | None
    days: int
    power: float


class HumanEstimate(Noun):
    """The estimate by people's ratings of a day's traffic: the first figure of `harness estimate`."""

    name: str
    value: float
    se: float | None = None


class WatchedDay(Noun):
    """One day. `loss`: the teacher's mean loss on the sentinels, from 0 to 1; `ci`: of loss minus `baseline`.

    `unread`: sentinels whose answer could not be read; each has a loss of 1. `teacher_e`, `traffic_e`: the
    evidence so far. `models`: the names that answered, with the server's fingerprint where it gives one.
    """

    day: str
    loss: float | None = None
    baseline: float | None = None
    ci: Interval | None = None
    n: int = 0
    n_queries: int = 0
    unread: int = 0
    teacher_e: float | None = None
    models: tuple[str, ...] = ()
    rows: int = 0
    traffic_e: float | None = None
    estimate: HumanEstimate | None = None


class TrafficPart(Noun):
    """A stratum or a grade: its share of the traffic in the baseline, and in the last days."""

    name: str
    then: float
    now: float


class Mix(Noun):
    """How far a mix has moved. `psi`: by custom, below .1 stable, above .25 moved; `jensen_shannon` in bits.

    `parts`: the share of each part then and now.
    """

    of: Literal["strata", "grades"]
    psi: float
    jensen_shannon: float
    parts: tuple[TrafficPart, ...]


class MeanChange(Noun):
    """The change of the teacher's mean grade over the traffic, split by Kitagawa.

    `mix`: since other strata are seen; `within`: since grades within the strata changed. They add up; both
    are None where the rows have no strata.
    """

    then: float
    now: float
    change: float
    mix: float | None
    within: float | None


class HumanSequence(Noun):
    """The mean of people's estimates since the baseline, with an interval that holds for all days at once."""

    name: str
    then: float
    now: float
    change: float
    ci: Interval | None = None
    days: int
    alarmed_at: str | None = None
    reason: Reason | None = None


class Watch(Noun):
    """Who drifted. `verdict` is None where it cannot be told.

    `alpha`: the chance that a watch in which nothing drifted ever alarms, half of it for each process;
    `delta`: the drift that is tolerated. `finds`: what the watch can see of the teacher. `recent`: the days
    that `now` is the mean of.
    """

    verdict: Drifted | None
    reason: str
    watch: str
    grader: str | None = None
    policy: str | None = None
    weighting: Weighting
    alpha: float
    delta: float
    teacher: Process
    traffic: Process
    baseline: WatchBaseline | None = None
    finds: WatchPower | None = None
    days: tuple[WatchedDay, ...]
    recent: int = 0
    mixes: tuple[Mix, ...] = ()
    change: MeanChange | None = None
    humans: HumanSequence | None = None
    model_changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
