"""Coverage: the share of readable answers, on each side."""

from collections.abc import Iterable

import numpy as np

from harness.comparison.sides import Side
from harness.nouns.base import Reason
from harness.score.items import GradedItem
from harness.score.rating_matrix import numbered
from harness.scorecards.comparison import Change
from harness.stats.means import clustered_mean

OTHER_ITEMS = Reason("remark", "the two were not asked about the same items")


def coverage_change(base: Side, candidate: Side) -> Change:
    """Coverage of each side and the difference; with an interval if both were asked about the same items."""
    one, other = _total(base.items.values()), _total(candidate.items.values())
    if set(base.items) != set(candidate.items):
        return Change(base=one, candidate=other, delta=other - one, reason=OTHER_ITEMS)
    keys = sorted(base.items)
    # If one side is a baseline, the other one knows the queries.
    knowing = candidate if candidate.knows_queries else base
    moved = np.array([_total([candidate.items[key]]) - _total([base.items[key]]) for key in keys])
    found = clustered_mean(moved, numbered([knowing.items[key].cluster for key in keys]))
    return Change(
        base=one, candidate=other, delta=other - one, ci=found.ci, se=found.se, p=found.p, reason=found.reason
    )


def _total(items: Iterable[GradedItem]) -> float:
    answers = [answer for item in items for answer in item.answers]
    return sum(answer.grade is not None for answer in answers) / len(answers)
