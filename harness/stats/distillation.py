"""What a student keeps of its teacher: shares of items, clustered by query. Grades are positions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Interval, Reason
from harness.stats.agreement import Floats, Integers, renumbered
from harness.stats.intervals import ONE_CLUSTER, Tested
from harness.stats.means import clustered_mean, clustered_share
from harness.stats.paired import delta_from

Mask = NDArray[np.bool_]
NEVER_RIGHT = Reason("undefined", "the teacher is never right, so that there is nothing to lose")
NEVER_WRONG = Reason("undefined", "the teacher is never wrong, so that there is no error to inherit")
NO_REST = Reason("undefined", "all items are inside, or none is")


@dataclass(frozen=True, slots=True)
class Share:
    """A share of n items, with its interval; None with the reason where there is none."""

    value: float | None
    n: int
    ci: Interval | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Distilled:
    """P(S != T | T right), P(S = T | T wrong) and P(S right | T wrong), each from 0 to 1.

    The second and the third need not add up to 1: a student can be wrong in a way of its own.
    """

    loss: Share
    inherited: Share
    gain: Share


def distilled(student: Integers, teacher: Integers, golden: Integers, clusters: Integers) -> Distilled:
    """What a student does where its teacher is right, and where it is wrong; a position for each item."""
    right = teacher == golden
    return Distilled(
        loss=_share(student != teacher, right, clusters, NEVER_RIGHT),
        inherited=_share(student == teacher, ~right, clusters, NEVER_WRONG),
        gain=_share(student == golden, ~right, clusters, NEVER_WRONG),
    )


def _share(happened: Mask, where: Mask, clusters: Integers, reason: Reason) -> Share:
    n = int(where.sum())
    if not n:
        return Share(None, 0, reason=reason)
    values = happened[where].astype(np.float64)
    ci = clustered_share(values, renumbered(clusters[where]))
    return Share(float(values.mean()), n, ci, None if ci else ONE_CLUSTER)


def against_rest(values: Floats, inside: Mask, clusters: Integers) -> Tested:
    """The mean of the items inside minus that of the others, with its clustered error, t on G - 1.

    An item inside has the influence (v - mean inside) n / n inside on it, one outside the same with a minus.
    A query can have items on both sides. Undefined where all items are on one side.
    """
    n, many = len(values), int(inside.sum())
    if many in (0, n):
        return Tested(None, reason=NO_REST)
    here, there = float(values[inside].mean()), float(values[~inside].mean())
    phi = np.where(inside, (values - here) * n / many, -(values - there) * n / (n - many))
    return delta_from(here - there, phi, clusters)


def overconfidence(confidence: Floats, right: Floats, clusters: Integers) -> Tested:
    """How sure the answers are minus how often they are right, in [-1, 1]."""
    return clustered_mean(confidence - right, clusters)
