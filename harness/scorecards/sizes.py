"""The size that a golden set needs: the object that `golden plan --json` prints."""

from harness.nouns.base import Noun, Weighting


class Need(Noun):
    """Items, and queries at the set's items per query; None if no number is enough."""

    items: int | None
    queries: int | None


class SizeRow(Noun):
    """For one true kappa: the size for an interval of the half-width, and the size to pass the threshold."""

    kappa: float
    half_width: Need
    to_pass: Need


class Sizes(Noun):
    """The assumptions of a plan, and the sizes that follow.

    `design_effect` is the planning value: the pilot's (`pilot_design_effect`), or 1 if that is smaller or
    unknown. `have` is the current size of dev and test together; `items_per_query` is its mean.
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


class ExpectedInterval(Noun):
    """Half the width of an interval to expect, if this is the true kappa."""

    kappa: float
    half_width: float
