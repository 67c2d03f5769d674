"""The parts of a scorecard that both gates share."""

from typing import Any, Literal

from pydantic import Field

from harness.nouns.base import Band, Interval, Naming, Noun, Reason, Weighting
from harness.storage.plural import plural

Verdict = Literal["pass", "fail", "inconclusive"]
Gated = Literal["kappa", "kappa_linear", "kappa_quadratic"]

KAPPAS_IN_WORDS: dict[Gated, str] = {
    "kappa": "kappa",
    "kappa_linear": "kappa with linear weights",
    "kappa_quadratic": "kappa with quadratic weights",
}


class Estimate(Noun):
    """A statistic with its 95 % interval and standard error; `reason` explains missing figures.

    `n`: the number of items. `design_effect`: the factor by which clustering by query raises the number of
    items that is needed.
    `guarded`: the guard for sets with almost no disagreement set the lower limit.
    """

    value: float | None
    n: int = 0
    ci: Interval | None = None
    se: float | None = None
    design_effect: float | None = None
    guarded: bool = False
    reason: Reason | None = None


class Statistic(Noun):
    """A test statistic with its degrees of freedom and p, or the reason why it is undefined."""

    value: float | None
    df: int | None = None
    p: float | None = None
    reason: Reason | None = None


class BootstrapCheck(Noun):
    """A second estimate of the gated interval: percentiles over draws of whole queries.

    `undefined`: the share of draws whose kappa is undefined.
    """

    ci: Interval | None
    draws: int
    undefined: float
    reason: Reason | None = None


class Outcomes(Noun):
    """How many answers, or rows of a label set, ended in each way."""

    graded: int
    ungraded: int
    failed: int


class Confusion(Noun):
    """Counts: `matrix[i][j]` items have the row label i and the column label j."""

    labels: tuple[int, ...]
    matrix: tuple[tuple[int, ...], ...]


class Gate(Noun):
    """The fields of both gates: the verdict's parts, and kappa under each weighting.

    `verdict`, `reason`, `items_needed` and `queries_needed` (the queries of so many items, of as many each as
    now; None where every item is one) are set by verdicts/gates.py; they are None before that.
    `provisional` says why the verdict is preliminary. `bar_moved` names the other thresholds that gates.toml
    has, or that the previous run of the same policy had. `naming`: how many items name their query, and
    `bands`: the band under each weighting; JSON has warnings instead.
    """

    gate: Literal[1, 2]
    verdict: Verdict | None = None
    band: Band | None
    reason: str | None = None
    items_needed: int | None = None
    queries_needed: int | None = None
    bar: float
    bar_moved: str | None = None
    weighting: Weighting
    gated: Gated
    n_clusters: int
    kappa: Estimate
    kappa_linear: Estimate
    kappa_quadratic: Estimate
    bootstrap: BootstrapCheck | None = None
    provisional: str | None = None
    naming: Naming = Field("all", exclude=True)
    bands: dict[Weighting, Band | None] = Field({}, exclude=True)
    warnings: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """The fields that JSON has. No dump: a copy of a long run's disagreements would be large."""
        fields = type(self).model_fields
        return {name: value for name, value in self if not fields[name].exclude}

    @property
    def gated_kappa(self) -> Estimate:
        """The kappa that the verdict is read from."""
        found: Estimate = getattr(self, self.gated)
        return found

    @property
    def guard(self) -> str | None:
        """A sentence, if the guard and not the standard error set the lower limit of the gated kappa."""
        few = "fewer than five queries have a disagreement, so a guard sets the lower limit of kappa"
        return few if self.gated_kappa.guarded else None

    @property
    def needed_words(self) -> str:
        """How many items would decide it, in words, with the queries that they take."""
        queries = f" in {plural(self.queries_needed, 'query')}" if self.queries_needed else ""
        return f"{plural(self.items_needed or 0, 'item')}{queries}"

    @property
    def gated_words(self) -> str:
        """The name of the gated kappa in a sentence."""
        return KAPPAS_IN_WORDS[self.gated]
