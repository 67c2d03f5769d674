"""What `harness student cascade` found: the object that its --json prints.

Costs are USD for 1,000 pairs, each grader's answers alone. An unknown cost is None, and `reason` says why.
"""

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.comparison import Condition
from harness.scorecards.shared import Gated, Verdict
from harness.scorecards.student import Delta, StudentKappas


class CascadeCost(Noun):
    """What 1,000 pairs cost by each."""

    student: float | None
    teacher: float | None
    reason: str | None = None

    def of(self, sent: float) -> float | None:
        """What 1,000 pairs cost if the teacher is asked about this share of them, by its mean."""
        if self.student is None or (self.teacher is None and sent):
            return None
        return self.student + (sent * self.teacher if self.teacher is not None else 0.0)


class CascadePoint(Noun):
    """A threshold on dev: a pair whose confidence is below it is `sent` to the teacher; `sent` is a share.

    `delta`: the gated kappa of the cascade minus the teacher's, paired, with its one-sided 95 % limits
    `low` and `high`. `differ`: queries in which the two answer differently; with few of them `low` is exact,
    and there is no `high`.
    """

    threshold: float
    sent: float
    kappa: float | None
    delta: float | None
    low: float | None
    high: float | None
    differ: int
    cost: float | None
    reason: Reason | None = None


class CascadePart(Noun):
    """The chosen threshold on one split: student alone, cascade and teacher alone, on what each could read.

    `n` items of `n_clusters` queries that both were asked about. `sent`: the share that the teacher is asked
    about, with its interval. `cost`: the cascade's, for 1,000 pairs.
    """

    part: str
    n: int
    n_clusters: int
    sent: float
    sent_ci: Interval | None
    student: StudentKappas
    cascade: StudentKappas
    teacher: StudentKappas
    delta: Delta
    low: float | None
    high: float | None
    differ: int
    cost: float | None


class CascadeCheck(Noun):
    """A student that asks its teacher where it is not sure.

    `share`: the most that may be sent, where that was the rule; else None. `threshold`: None where dev shows
    none; test is not looked at then. `curve`: thresholds that were tried on dev. `notes`: remarks from the
    student's runs. `looks`: at the test split of this golden set so far, this one included; None if test
    was not looked at, and if looks are not counted.
    """

    policy: str | None
    student: str
    teacher: str
    gated: Gated
    margin: float
    share: float | None
    rule: str
    threshold: float | None
    curve: tuple[CascadePoint, ...]
    dev: CascadePart | None
    test: CascadePart | None
    cost: CascadeCost
    verdict: Verdict
    reason: str
    conditions: tuple[Condition, ...] = ()
    notes: tuple[str, ...] = ()
    looks: int | None = None
    warnings: tuple[str, ...] = ()
