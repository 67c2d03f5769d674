"""What both gates share: the bar, and kappa under each weighting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.noun import Weighting
from harness.scorecards import Estimate
from harness.stats.agreement import Kappa, band

NO_INTERVALS = "intervals are not computed by this version"
NO_VERDICT = "a verdict needs an interval, and this version computes none: read the band"
WEIGHTINGS: dict[Weighting, Literal["kappa", "kappa_linear", "kappa_quadratic"]] = {
    "none": "kappa",
    "linear": "kappa_linear",
    "quadratic": "kappa_quadratic",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """Which kappa a gate reads, and the value it asks for."""

    weighting: Weighting
    bar: float


def gate_fields(kappas: Mapping[Weighting, Kappa], bar: Bar, n_clusters: int) -> dict[str, Any]:
    """The fields that both gates share."""
    gated = kappas[bar.weighting]
    estimates: dict[str, Estimate] = {
        WEIGHTINGS[weighting]: _estimate(kappa) for weighting, kappa in kappas.items()
    }
    return {
        "verdict": None,
        "band": band(gated),
        "reason": gated.reason or NO_VERDICT,
        "bar": bar.bar,
        "weighting": bar.weighting,
        "gated": WEIGHTINGS[bar.weighting],
        "n_clusters": n_clusters,
        **estimates,
    }


def _estimate(kappa: Kappa) -> Estimate:
    return Estimate(value=kappa.value, reason=kappa.reason or NO_INTERVALS)
