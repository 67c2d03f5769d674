"""The threshold, and kappa with its interval under each weighting, for both gates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.nouns.base import Band, Interval, Reason, Weighting
from harness.scorecards.shared import Estimate, Gated
from harness.stats.agreement import Kappa, band
from harness.stats.intervals import Spread

WEIGHTINGS: dict[Weighting, Gated] = {
    "none": "kappa",
    "linear": "kappa_linear",
    "quadratic": "kappa_quadratic",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """The gated weighting and the required kappa. `moved`: differing thresholds elsewhere, in words."""

    weighting: Weighting
    bar: float
    moved: str | None = None

    def moved_from(self, *others: str | None) -> "Threshold":
        """This threshold, with a note of differing thresholds elsewhere."""
        return replace(self, moved="; ".join(one for one in (self.moved, *others) if one) or None)

    @property
    def text(self) -> str:
        """In words."""
        return f"{WEIGHTINGS[self.weighting]} {self.bar:g}"


@dataclass(frozen=True, slots=True)
class Measured:
    """An exact kappa, or a mean of several, with its spread."""

    kappa: Kappa
    spread: Spread
    n: int
    """The number of items."""

    @property
    def ci(self) -> Interval | None:
        """The 95 % interval."""
        return self.spread.ci

    @property
    def reason(self) -> Reason | None:
        """Why the value or its interval is missing."""
        return self.kappa.reason or self.spread.reason

    def estimate(self) -> Estimate:
        """The scorecard's form."""
        return Estimate(
            value=self.kappa.value,
            n=self.n,
            ci=self.ci,
            se=self.spread.se,
            design_effect=self.spread.design_effect,
            guarded=self.spread.guarded,
            reason=self.reason,
        )


def gate_fields(measured: Mapping[Weighting, Measured], bar: Threshold, n_clusters: int) -> dict[str, Any]:
    """The fields that both gates share, without the verdict."""
    gated = measured[bar.weighting]
    return {
        "band": band(gated.kappa),
        "bands": bands_of(measured),
        "bar": bar.bar,
        "bar_moved": bar.moved,
        "weighting": bar.weighting,
        "gated": WEIGHTINGS[bar.weighting],
        "n_clusters": n_clusters,
        **{WEIGHTINGS[weighting]: one.estimate() for weighting, one in measured.items()},
    }


def bands_of(measured: Mapping[Weighting, Measured]) -> dict[Weighting, Band | None]:
    """The band under each weighting."""
    return {weighting: band(one.kappa) for weighting, one in measured.items()}


def bands_differ(bands: Mapping[Weighting, Band | None]) -> tuple[str, ...]:
    """A warning if the band depends on the weighting: bands do not transfer (Warrens 2013)."""
    if len(set(bands.values()) - {None}) < 2:
        return ()
    named = ", ".join(f"{word} with weighting {weighting}" for weighting, word in bands.items() if word)
    return (f"the band depends on the weighting: {named}",)
