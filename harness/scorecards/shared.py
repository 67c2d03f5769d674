"""What both gates report."""

from typing import Literal

from harness.nouns.base import Band, Interval, Noun, Reason, Weighting

Verdict = Literal["pass", "fail", "inconclusive"]
Gated = Literal["kappa", "kappa_linear", "kappa_quadratic"]

KAPPAS_IN_WORDS: dict[Gated, str] = {
    "kappa": "kappa",
    "kappa_linear": "kappa with linear weights",
    "kappa_quadratic": "kappa with quadratic weights",
}


class Estimate(Noun):
    """A statistic with its 95 % interval and standard error; `reason` for whatever of it is missing.

    `n`: the items that take part. `design_effect`: how many times more of them it takes than if those of a
    query were independent.
    `guarded`: the lower limit is the guard's for sets in which almost nothing disagrees.
    """

    value: float | None
    n: int = 0
    ci: Interval | None = None
    se: float | None = None
    design_effect: float | None = None
    guarded: bool = False
    reason: Reason | None = None


class BootstrapCheck(Noun):
    """A second opinion on the gated interval: percentiles over draws of whole queries.

    `undefined`: the share of draws without a kappa.
    """

    ci: Interval | None
    draws: int
    undefined: float
    reason: Reason | None = None


class Confusion(Noun):
    """Counts: `matrix[i][j]` items have the row label i and the column label j."""

    labels: tuple[int, ...]
    matrix: tuple[tuple[int, ...], ...]


class Gate(Noun):
    """What both gates report: the verdict's parts, and kappa under each weighting.

    `verdict`, `reason` and `items_needed` are gates.py's; a scorecard that was not judged has none.
    `provisional` says why the answer is not to be relied on yet, and `bar_moved` which other bars
    gates.toml has, or the run of the same policy before this one had.
    """

    gate: Literal[1, 2]
    verdict: Verdict | None = None
    band: Band | None
    reason: str | None = None
    items_needed: int | None = None
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
    warnings: tuple[str, ...] = ()

    @property
    def gated_kappa(self) -> Estimate:
        """The kappa that the verdict is read from."""
        found: Estimate = getattr(self, self.gated)
        return found

    @property
    def gated_words(self) -> str:
        """What it is called in a sentence."""
        return KAPPAS_IN_WORDS[self.gated]
