"""Several stages on the same examples: the object that `stages --json` prints."""

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.shared import Estimate


class Rate(Noun):
    """A share of the common items with its interval, clustered by query."""

    value: float
    ci: Interval | None
    reason: Reason | None = None


class Stage(Noun):
    """One stage, by its own policy's golden grades: how often it is right, and its gated kappa."""

    run: str
    policy: str
    right: Rate
    kappa: Estimate


class Stages(Noun):
    """How often all stages are right together.

    `product` is the rate if the stages are independent, `low` and `high` bound it in any case, and `joint`
    is the rate measured on the `n` items that every stage graded; an unreadable answer counts as wrong.
    `unified`: one policy's run on the same items.
    """

    n: int
    n_clusters: int
    left_out: int
    stages: tuple[Stage, ...]
    product: float
    low: float
    high: float
    joint: Rate
    unified: Stage | None = None
