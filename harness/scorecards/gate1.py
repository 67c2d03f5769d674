"""Gate 1's scorecard: do the raters agree?"""

from typing import Literal

from pydantic import Field

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.shared import Confusion, Gate


class PairAgreement(Noun):
    """Two raters on the items that both rated. `counted`: whether the mean includes the pair.

    `ci` is the interval of the gated kappa.
    """

    raters: tuple[str, str]
    n: int
    kappa: float | None
    kappa_linear: float | None
    kappa_quadratic: float | None
    ci: Interval | None = None
    counted: bool
    reason: Reason | None = None


class Alpha(Noun):
    """Krippendorff's alpha under three metrics."""

    nominal: float | None
    ordinal: float | None
    interval: float | None


class RaterBias(Noun):
    """A rater compared with the others.

    `bias` is the mean of the rater's grade minus the mean of the others' on the same item, and `p` tests it
    against 0, clustered by query, with Holm's correction over the raters. `kappa_vs_rest` is the
    mean of the rater's pairwise kappas, under linear weights; `worst_boundary` the grade that
    most often separates the rater from another. `n`: items that another rater rated too.
    """

    rater: str
    n: int
    bias: float | None
    kappa_vs_rest: float | None
    p: float | None = None
    worst_boundary: int | None = None
    reason: Reason | None = None


class SelfAgreement(Noun):
    """A rater's later grades compared with the first ones of the same items (intra-rater agreement).

    `n`: comparisons; `items`: different items. `agreement`: the share of equal grades. `kappa` and `ci` are
    under the weighting of the gate.
    """

    rater: str
    n: int
    items: int
    agreement: float
    kappa: float | None
    ci: Interval | None = None
    reason: Reason | None = None


class CouldNotRate(Noun):
    """How many items a rater could not grade at the first reading, by cause."""

    rater: str
    n: int
    causes: dict[str, int]


class DisputedBoundary(Noun):
    """The boundary below a grade: how often two raters are on different sides of it.

    `disagreements` counts pairs of ratings of one item, `share` is their part of all disagreeing pairs
    (one pair can cross several lines), and `kappa` the mean pairwise kappa of "at least this grade".
    """

    at_least: int
    kappa: float | None
    disagreements: int
    share: float | None


class ConfusedGrades(Noun):
    """Two grades that raters give to the same item: the number of pairs of ratings, and their share."""

    grades: tuple[int, int]
    disagreements: int
    share: float


class AgreementIn(Noun):
    """Agreement on a part of the items: a query, a tag, the items of a clause.

    `agreement` is the share of agreeing pairs of ratings; `disputed` counts items.
    """

    name: str
    n: int
    disputed: int
    agreement: float


class DisputedItem(Noun):
    """An item on which raters differ, with what each of them wrote."""

    item: str
    query: str | None = None
    title: str | None = None
    grades: dict[str, int]
    reasons: dict[str, str] = Field(default={})


class Gate1(Gate):
    """Gate 1: do the raters agree? Kappas are means over pairs of raters.

    `agreement`: the share of agreeing pairs of ratings, averaged over items with two or more. `copies`: why
    the ratings may not be independent, if there are signs of it; then the gate does not pass. `alike`: why
    they may be copies except for a few; then the gate is provisional. `cannot`: how many first readings ended
    without a grade, by cause; none of them is in any other figure. `compared`: the rater who was left out,
    since that rater's grades are the ones compared in Gate 2.
    """

    gate: Literal[1] = 1
    n_items: int
    raters: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]
    alpha: Alpha
    fleiss: float | None
    conger: float | None
    ac1: float | None
    ac2: float | None
    brennan_prediger: float | None
    agreement: float | None
    rater_bias: tuple[RaterBias, ...]
    self_agreement: tuple[SelfAgreement, ...] = ()
    cannot: dict[str, int] = Field(default={})
    cannot_by_rater: tuple[CouldNotRate, ...] = ()
    reasons: dict[str, Reason]
    confusion: Confusion
    boundaries: tuple[DisputedBoundary, ...]
    confused: tuple[ConfusedGrades, ...]
    per_query: tuple[AgreementIn, ...]
    per_tag: tuple[AgreementIn, ...]
    per_clause: tuple[AgreementIn, ...]
    disputed: tuple[DisputedItem, ...]
    copies: str | None = None
    alike: str | None = None
    compared: str | None = None
    advice: tuple[str, ...] = ()

    @property
    def whose(self) -> str:
        """Words to follow "Gate 1": whose it is, if not all raters'."""
        return f" of the other raters ({self.compared} is the one compared)" if self.compared else ""

    @property
    def doubt(self) -> str | None:
        """The only reason that kept it from a pass: ratings that look copied."""
        return self.copies if self.copies == self.reason else None
