"""A cascade of two graders: the student answers where it is sure, and the teacher the rest.

Grades are positions on the scale, MISSING where an answer could not be read.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Interval, Reason
from harness.stats.agreement import Floats, Integers
from harness.stats.few_events import FEW_EVENTS
from harness.stats.intervals import KappaTable
from harness.stats.paired import delta_kappa, one_sided_limits, skewed_limits
from harness.stats.proportions import clopper_pearson

ONE_SIDED = 0.90
"""A two-sided interval at 90 % ends at the one-sided 95 % limits."""

FEW_DIFFER = Reason("no interval", f"the two answer differently in fewer than {FEW_EVENTS} queries")


@dataclass(frozen=True, slots=True)
class Loss:
    """Kappa of the cascade minus the teacher's, with its error, 95 % interval, and one-sided 95 % limits.

    `differ`: clusters in which the two answer differently. With fewer than FEW_EVENTS of them `low` is
    `most_lost`, and there is neither an interval nor a `high`: an error from so few is too small (where the
    true loss is .05, 400 queries pass in 8.5 % of the sets by t from five differences on, and in 3.7 % so).
    With more of them the limits are `skewed_limits`.
    """

    value: float | None
    se: float | None = None
    ci: Interval | None = None
    low: float | None = None
    high: float | None = None
    differ: int = 0
    reason: Reason | None = None


def sent(sure: Floats, threshold: float) -> NDArray[np.bool_]:
    """Which of n items the teacher is asked about: those below the threshold, and those without a number."""
    return ~(sure >= threshold)


def thresholds(sure: Floats, most: int) -> Floats:
    """At most so many thresholds to try, ascending: the lowest confidence, and middles between neighbours.

    Equal confidences lie on one side of each. No two differ in the share that they send, and none sends all.
    """
    known = np.unique(sure[~np.isnan(sure)])
    gaps = np.arange(1, len(known))
    if len(gaps) >= most:
        gaps = gaps[np.linspace(0, len(gaps) - 1, most - 1).round().astype(int)]
    lower, upper = known[gaps - 1], known[gaps]
    middles = lower / 2 + upper / 2  # so that no sum is beyond the numbers
    # Two neighbouring numbers may have no middle.
    return np.concatenate([known[:1], np.where(middles > lower, middles, upper)])


def mixed(student: Integers, teacher: Integers, asked: NDArray[np.bool_]) -> Integers:
    """The cascade's grades: the teacher's where it is asked, else the student's."""
    return np.asarray(np.where(asked, teacher, student), dtype=np.int64)


def loss_of(teacher: KappaTable, cascade: Integers) -> Loss:
    """What the cascade loses on the same items, by `delta_kappa` and, of few differences, `most_lost`."""
    other = replace(teacher, columns=cascade)
    found = delta_kappa(teacher, other)
    differ = len(np.unique(teacher.clusters[teacher.columns != cascade]))
    if found.value is None:
        return Loss(None, differ=differ, reason=found.reason)
    groups = int(teacher.clusters.max()) + 1
    if differ >= FEW_EVENTS and found.se:
        limits = skewed_limits(teacher, other, found.value, found.se)
        return Loss(found.value, found.se, found.ci, limits.low, limits.high, differ)
    if groups < 2 or differ >= FEW_EVENTS:
        return Loss(found.value, differ=differ, reason=found.reason)
    low = most_lost(teacher, cascade, groups, differ)
    if found.se:
        low = min(low, one_sided_limits(found.value, found.se, groups).low)
    return Loss(found.value, low=low, differ=differ, reason=FEW_DIFFER)


def most_lost(teacher: KappaTable, cascade: Integers, groups: int, differ: int) -> float:
    """Minus the kappa that can be lost, where x of G clusters have an answer that differs: - U d* / De.

    As the guard of kappa's interval: U is Clopper and Pearson's one-sided 95 % limit of x / G, d* the mean
    change of disagreement with the golden grade among the answers that differ (without one, the largest
    that there can be), De the teacher's disagreement by chance.
    """
    d = teacher.distances()
    moved = np.abs(d[teacher.rows, cascade] - d[teacher.rows, teacher.columns])[teacher.columns != cascade]
    size = float(moved.mean()) if differ and moved.any() else float(d.max())
    return -clopper_pearson(differ, groups, ONE_SIDED).high * size / teacher.expected()
