"""How large a golden set has to be: the object that `golden plan --json` prints."""

from harness.nouns.base import Noun, Weighting


class Need(Noun):
    """Items, and the queries that they are in at the set's items a query; None where no number is enough."""

    items: int | None
    queries: int | None


class SizeRow(Noun):
    """At one true kappa: what an interval of the half-width takes, and what passing the bar takes."""

    kappa: float
    half_width: Need
    to_pass: Need


class Sizes(Noun):
    """What a golden set is sized by, and how large it has to be.

    `design_effect` is what is planned with: `pilot_design_effect`, the pilot's, or 1 where that is smaller
    or unknown. `have` is what the set holds now in dev and test together, `items_per_query` in each query.
    """

    policy: str
    weighting: Weighting
    bar: float
    power: float
    half_width: float
    difference: float
    shares: dict[int, float]
    pilot: str | None
    pilot_kappa: float | None
    pilot_design_effect: float | None
    design_effect: float
    items_per_query: float
    have: Need
    rows: tuple[SizeRow, ...]
    to_tell_apart: Need
    notes: tuple[str, ...]
