"""What a grader's own probabilities are worth, as Gate 2's scorecard has it."""

from harness.nouns.base import Interval, Noun, Reason


class BinScore(Noun):
    """Answers of about the same confidence: how many of them were right, with Wilson's interval."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    ci: Interval


class RiskPoint(Noun):
    """At this coverage, the most confident answers first: the share that is wrong."""

    coverage: float
    risk: float
    threshold: float


class SelectiveScore(Noun):
    """Which share could be graded alone: answers of at least this confidence."""

    target: float
    threshold: float | None
    coverage: float | None
    n: int | None
    errors: int | None
    upper: float | None
    reason: Reason | None = None


class Confidence(Noun):
    """What the grader's own probabilities are worth. `lost` is the mean probability off the scale.

    `to_people`: the items below the threshold of `alone`, the least sure first; without one, the first few.
    """

    n: int
    lost: float | None
    ece: float | None
    ece_equal_mass: float | None
    brier: float | None
    log_loss: float | None
    rps: float | None
    bins: tuple[BinScore, ...]
    curve: tuple[RiskPoint, ...]
    aurc: float | None
    excess_aurc: float | None
    augrc: float | None
    alone: SelectiveScore
    to_people: tuple[str, ...]
    reason: Reason | None = None
