"""What to know before one believes a contradiction."""

from collections.abc import Iterator, Sequence

from harness.scorecards.signal import Propensity, Step
from harness.signal.contradictions import LEVEL, Evidence, PairTests, Sides
from harness.storage.plural import plural

MOST_CONTRADICTED = 0.25
"""Of the pairs of the grade on the other side: with more, their own contradictions move its median."""
APART = 0.2
"""By so much two ways to a propensity may differ, as a share of it, before a warning."""


def bias_warnings(rows: Sequence[Propensity]) -> list[str]:
    """Where the same pairs say another propensity than pairs of the same grade: a sorted grade."""
    apart = [
        one
        for one in rows
        if one.value and one.same_pair and abs(one.same_pair - one.value) > APART * one.value
    ]
    if not apart:
        return []
    one = max(apart, key=lambda row: row.views)
    return [
        f"at {plural(len(apart), 'position')} the same pairs say another propensity than pairs of the same "
        f"grade (position {one.position}: {one.same_pair:.2f} and {one.value:.2f}): within a grade "
        "the better results may stand higher; --propensities FILE takes those of an experiment"
    ]


def unfelt_line(steps: Sequence[Step], sides: Sides) -> Iterator[str]:
    """Where behaviour does not feel the line between hidden and shown: half of a side may then be found."""
    for one in steps:
        if one.between == (sides.hidden[-1], sides.shown[0]) and one.told_apart is False:
            low, high = one.between
            yield (
                f"behaviour does not tell grades {low} and {high} apart, between which the policy draws its "
                "line: look at that before any single pair"
            )


def moved_medians(known: Evidence, tests: PairTests) -> Iterator[str]:
    """Where so many pairs of a reference grade are contradicted that its median is no mark to go by."""
    for one in tests.tested:
        mine = known.grade[tests.pair] == one.reference
        held = int((mine & (tests.q <= LEVEL)).sum())
        if one.median is not None and held > MOST_CONTRADICTED * mine.sum():
            kind = one.kind.replace("_", " ")
            yield (
                f"so many pairs of grade {one.reference} are contradicted themselves ({held:,} of "
                f"{int(mine.sum()):,}) that its median moves: judge those first, then read what is {kind}"
            )
