"""The quality of a grader's own probabilities, in Gate 2's scorecard."""

from harness.nouns.base import Interval, Noun, Reason


class BinScore(Noun):
    """A bin of answers of similar confidence: the share that is right, with its interval.

    `low` and `high` are the bin's edges, or in a bin of equal mass its least and greatest confidence;
    `confidence` is the mean. `ci` is clustered by query, and None if several answers are all of one.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    ci: Interval | None


class RiskPoint(Noun):
    """The items whose confidence is `threshold` or above: their share of all, and their mean loss."""

    coverage: float
    risk: float
    threshold: float


class SelectiveScore(Noun):
    """The items that the grader could grade alone: confidence at `threshold` or above.

    `errors` of these `n` items are wrong, and `upper` is the limit of their risk, below the `target`. All
    None, with the reason, if no threshold qualifies.
    """

    target: float
    threshold: float | None = None
    coverage: float | None = None
    n: int | None = None
    errors: int | None = None
    upper: float | None = None
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
