"""Warnings about contradictions: what to check before believing one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from harness.scorecards.signal import Propensity, Step
from harness.signal.contradictions import PairTests, Sides
from harness.signal.evidence import Evidence
from harness.storage.plural import plural

MOST_CONTRADICTED = 0.25
"""The largest share of contradicted pairs in a reference grade: with more, they move its median."""
APART = 0.2
"""How far two estimates of a propensity may differ, as a share of it, before a warning."""


def bias_warnings(rows: Sequence[Propensity]) -> list[str]:
    """Warn where the same pairs give another propensity than pairs of the same grade do: results are sorted.

    The same pairs are looked at at both positions. Where they say more than pairs of the same grade, those at
    the first position are the better ones of their grade; where they say less, the worse ones.
    """
    found: dict[str, list[Propensity]] = {"better": [], "worse": []}
    for one in rows:
        if one.value and one.same_pair and abs(one.same_pair - one.value) > APART * one.value:
            found["better" if one.same_pair > one.value else "worse"].append(one)
    return [_bias(name, apart) for name, apart in found.items() if apart]


def _bias(name: str, apart: Sequence[Propensity]) -> str:
    one = max(apart, key=lambda row: row.views)
    more, pairs = ("small", "more") if name == "better" else ("large", "less")
    return (
        f"at {plural(len(apart), 'position')} the same pairs say another propensity than pairs of the same "
        f"grade (position {one.position}: {one.same_pair:.2f} and {one.value:.2f}), as where within a grade "
        f"the {name} results stand first: these propensities may be too {more}, and pairs there look {pairs} "
        "attractive than they are; --propensities FILE takes those of an experiment"
    )


def unfelt_line(steps: Sequence[Step], sides: Sides) -> Iterator[str]:
    """Warn where behaviour does not tell hidden from shown: half of a side may then be found."""
    for one in steps:
        if one.between == (sides.hidden[-1], sides.shown[0]) and one.told_apart is False:
            low, high = one.between
            yield (
                f"behaviour does not tell grades {low} and {high} apart, between which the policy draws its "
                "line: look at that before any single pair"
            )


def unfelt_steps(steps: Sequence[Step], beside: PairTests) -> Iterator[str]:
    """Warn where pairs are found between two grades of a side that behaviour does not tell apart."""
    found = {frozenset((*one.grades, one.reference)) for one in beside.tested if one.found}
    for one in steps:
        if one.told_apart is False and frozenset(one.between) in found:
            low, high = one.between
            yield (
                f"behaviour does not tell grades {low} and {high} apart: pairs that it puts on the other "
                "side of that boundary say more of the boundary than of themselves"
            )


def moved_medians(known: Evidence, families: Sequence[PairTests]) -> Iterator[str]:
    """Warn where so many pairs of a reference grade are contradicted that its median is not reliable."""
    contradicted = np.zeros(len(known.grade), dtype=bool)
    against = defaultdict[int, dict[str, None]](dict)
    for tests in families:
        contradicted[tests.found] = True
        for one in tests.tested:
            if one.reference is not None and one.median is not None:
                against[one.reference][one.kind.replace("_", " ")] = None
    for grade, kinds in against.items():
        mine = known.seen & (known.grade == grade)
        held = int((mine & contradicted).sum())
        if held > MOST_CONTRADICTED * mine.sum():
            yield (
                f"so many pairs of grade {grade} are contradicted themselves ({held:,} of "
                f"{int(mine.sum()):,}) that its median moves: judge those first, then read what is "
                f"{' or '.join(kinds)}"
            )
