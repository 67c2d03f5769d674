"""Two graders of the same items, held against each other: the object that `compare --json` prints."""

from typing import Literal

from harness.noun import Noun
from harness.scorecards.shared import Confusion

Kind = Literal["fixed", "broken", "moved"]


class Change(Noun):
    """A figure of both, and the second minus the first, with a paired interval clustered by query."""

    base: float | None
    candidate: float | None
    delta: float | None
    ci: tuple[float, float] | None = None
    se: float | None = None
    reason: str | None = None


class Statistic(Noun):
    """A test statistic with its p; None with the reason."""

    value: float | None
    df: int | None = None
    p: float | None = None
    reason: str | None = None


class McNemar(Noun):
    """Do as many items get right as get wrong? `exact` takes items as independent, the other two do not."""

    broken: int
    fixed: int
    exact: float
    obuchowski: Statistic
    durkalski: Statistic


class Flip(Noun):
    """An item that the two grade differently: wrong to right, right to wrong, or wrong in another way."""

    item: str
    golden: int
    base: int
    candidate: int
    kind: Kind


class Comparison(Noun):
    """What moved between two graders, on the items that both could be read on."""

    base: str
    candidate: str
    n_common: int
    n_clusters: int
    only_base: tuple[str, ...]
    only_candidate: tuple[str, ...]
    kappa: Change
    kappa_linear: Change
    kappa_quadratic: Change
    accuracy: Change
    mae: Change
    mcnemar: McNemar
    stuart_maxwell: Statistic
    moves: Confusion
    flips: tuple[Flip, ...]
