"""The quality of a grader's own probabilities, in Gate 2's scorecard."""

from harness.nouns.base import Interval, Noun, Reason


class BinScore(Noun):
    """A bin of answers of similar confidence: the share that is right, with Wilson's interval."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    ci: Interval


class RiskPoint(Noun):
    """The share of wrong answers at a coverage, most confident answers first."""

    coverage: float
    risk: float
    threshold: float


class SelectiveScore(Noun):
    """The share of items that the grader could grade alone: answers of at least this confidence."""

    target: float
    threshold: float | None
    coverage: float | None
    n: int | None
    errors: int | None
    upper: float | None
    reason: Reason | None = None


class Confidence(Noun):
    """Calibration and selective prediction. `lost` is the mean probability outside the scale.

    `to_people`: the items below the threshold of `alone`, least confident first; without one, the first few.
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
