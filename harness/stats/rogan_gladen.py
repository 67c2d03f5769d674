"""Rogan and Gladen's estimate: a share corrected by the grader's sensitivity and specificity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.stats.agreement import Floats
from harness.stats.cluster_sums import ClusterSums
from harness.stats.prediction_powered import jackknife
from harness.stats.proportions import CONFIDENCE
from harness.stats.tails import t_quantile

ONE_KIND = Reason("undefined", "the human grades are all on one side: no sensitivity, or no specificity")
NO_OTHERS = Reason("undefined", "every row has a human grade: there is no share of the teacher to correct")
NO_BETTER = Reason("undefined", "sensitivity and specificity add up to 1 or less: the teacher tells nothing")
OUT_OF_RANGE = Reason("remark", "the corrected share lies outside of 0 to 1: clipped")


@dataclass(frozen=True, slots=True)
class RoganGladen:
    """A corrected share; `raw` before it is clipped to [0, 1]. None with the reason if undefined."""

    value: float | None
    raw: float | None = None
    ci: Interval | None = None
    sensitivity: float | None = None
    specificity: float | None = None
    reason: Reason | None = None


def rogan_gladen(sums: ClusterSums, both: Floats) -> RoganGladen:
    """(p + sp - 1) / (se + sp - 1), p the teacher's share over the rows without a human grade (1978).

    `both`: by query, the sum of w f(human) f(teacher) over the labelled rows. The error is the jackknife over
    whole queries of both sets, t on G - 1. Undefined where humans said only one thing, or se + sp <= 1.
    """
    parts = (sums.human, both, sums.labelled - sums.human, sums.teacher - both, sums.unseen, sums.unlabelled)
    totals = [float(one.sum()) for one in parts]
    if min(totals[0], totals[2]) <= 0:
        return RoganGladen(None, reason=ONE_KIND)
    if totals[5] <= 0:
        return RoganGladen(None, reason=NO_OTHERS)
    sensitivity, specificity = totals[1] / totals[0], 1 - totals[3] / totals[2]
    if sensitivity + specificity <= 1:
        return RoganGladen(None, None, None, sensitivity, specificity, NO_BETTER)
    raw = float(_corrected([np.array([one]) for one in totals])[0])
    known = (sums.labelled > 0) | (sums.unlabelled > 0)
    without = _corrected([total - one[known] for total, one in zip(totals, parts, strict=True)])
    value, ci = min(1.0, max(0.0, raw)), None
    groups = len(sums.has_labels)
    if groups > 1 and np.isfinite(without).all():
        half = t_quantile(groups - 1, (1 + CONFIDENCE) / 2) * float(np.sqrt(jackknife(without)))
        ci = Interval(raw - half, raw + half).within(0.0, 1.0) if half > 0 else None
    reason = OUT_OF_RANGE if value != raw else None
    return RoganGladen(value, raw, ci, sensitivity, specificity, reason)


def _corrected(totals: Sequence[Floats]) -> Floats:
    good, hits, bad, false, seen, rows = totals
    with np.errstate(divide="ignore", invalid="ignore"):
        sensitivity, specificity = hits / good, 1 - false / bad
        return np.asarray((seen / rows + specificity - 1) / (sensitivity + specificity - 1))
