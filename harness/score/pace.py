"""How long raters take: seconds for a pair, and beside the others on the same pairs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.nouns.pair import query_key
from harness.score.rating_matrix import numbered
from harness.scorecards.live_gate1 import RaterPace, Seconds
from harness.stats.means import clustered_mean

ALONE = Reason("undefined", "no other rater has timed answers to the same pairs")


class Timed(NamedTuple):
    """One timed answer."""

    rater: str
    item: str
    query: str
    milliseconds: int


def seconds_of(answers: Sequence[Timed], rater: str) -> Seconds | None:
    """Median and quartiles of a rater's answers; None without a timed one."""
    own = [one.milliseconds / 1000 for one in answers if one.rater == rater]
    if not own:
        return None
    low, median, high = (float(value) for value in np.quantile(own, (0.25, 0.5, 0.75)))
    return Seconds(n=len(own), low=low, median=median, high=high)


def pace_of(answers: Sequence[Timed], rater: str) -> RaterPace:
    """A rater's time over that of the others on the same pair, at most one answer each per pair.

    The geometric mean, since times are skewed to the right: exp of the mean difference of logarithms, with
    its interval clustered by query. Undefined if no other rater answered the rater's pairs.
    """
    by_item: dict[str, list[Timed]] = defaultdict(list)
    for one in answers:
        by_item[one.item].append(one)
    slower, queries = [], []
    for found in by_item.values():
        own = [np.log(one.milliseconds) for one in found if one.rater == rater]
        others = [np.log(one.milliseconds) for one in found if one.rater != rater]
        if own and others:
            slower.append(float(own[0] - np.mean(others)))
            queries.append(query_key(found[0].query))
    mean = clustered_mean(np.array(slower, dtype=np.float64), numbered(queries))
    value = None if mean.value is None else float(np.exp(mean.value))
    ci = Interval(*(float(np.exp(end)) for end in mean.ci)) if mean.ci else None
    return RaterPace(value=value, n=len(slower), ci=ci, reason=mean.reason if slower else ALONE)
