"""Whether people agree with users or with the label's grade, on pairs that behaviour contradicts.

Across the line between hidden and shown the side of the line counts, since it is what users see: a pair that
was hidden and is graded to be shown sides with users, whatever the grade. On the same side of the line the
neighbouring grade counts. Raters who differ within a side agree on it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.golden.rating.pair_plan import Doubt, PlannedPair
from harness.nouns.base import Interval, Reason
from harness.nouns.pair import query_key
from harness.scorecards.judged import Side, Sided, SidedBy, SidedPair
from harness.scorecards.signal import REFUSED, WANTED
from harness.signal.contradictions import UPWARD
from harness.stats.intervals import ONE_CLUSTER
from harness.stats.means import clustered_share

ACROSS = (WANTED, REFUSED)
HALF = 0.5
"""The share of judged pairs above which people are said to side with users, or with the label."""
UNJUDGED = Reason("undefined", "none of its pairs is judged yet")


class SaidByRater(NamedTuple):
    """What one rater said first of a pair: a grade, or None where there is no grade to give."""

    rater: str
    grade: int | None


def side_of(doubt: Doubt, grade: int) -> Side:
    """Whether a grade agrees with users or with the label."""
    up = doubt.kind in UPWARD
    if grade >= doubt.reference if up else grade <= doubt.reference:
        return "users"
    return "grade" if doubt.kind in ACROSS or grade == doubt.grade else "neither"


def judged_pair(
    planned: PlannedPair, doubt: Doubt, said: Sequence[SaidByRater], decided: int | None = None
) -> SidedPair:
    """A pair of the plan, and whom its raters agree with, or its author if there is a decision."""
    grades = tuple(sorted(one.grade for one in said if one.grade is not None))
    could_not = len(said) - len(grades)
    sides = {side_of(doubt, grade) for grade in grades}
    agreed = next(iter(sides)) if len(sides) == 1 and not could_not else "undecided"
    side = side_of(doubt, decided) if decided is not None else agreed if said else None
    return SidedPair(
        item=planned.item,
        query=planned.query,
        kind=doubt.kind,
        grade=doubt.grade,
        reference=doubt.reference,
        clauses=doubt.clauses,
        grades=grades,
        could_not=could_not,
        decided=decided,
        side=side,
    )


def every_group(pairs: Sequence[SidedPair]) -> tuple[Sided, ...]:
    """Groups by kind, by clause and by boundary; in each, the group with most planned pairs first."""
    by: dict[SidedBy, Mapping[str, Sequence[SidedPair]]] = {
        "kind": _grouped((one.kind, one) for one in pairs),
        "clause": _grouped((clause, one) for one in pairs for clause in dict.fromkeys(one.clauses)),
        "boundary": _grouped((f"{one.grade}|{one.reference}", one) for one in pairs),
    }
    return tuple(
        sided(name, key, members)
        for name, groups in by.items()
        for key, members in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    )


def _grouped(named: Iterator[tuple[str, SidedPair]]) -> Mapping[str, Sequence[SidedPair]]:
    groups: dict[str, list[SidedPair]] = defaultdict(list)
    for name, one in named:
        groups[name].append(one)
    return groups


def sided(by: SidedBy, name: str, pairs: Sequence[SidedPair]) -> Sided:
    """Whether people agree with users or with the label on these pairs; intervals are clustered by query."""
    judged = [one for one in pairs if one.side is not None]
    users, grade = _share(judged, "users"), _share(judged, "grade")
    queries = {query_key(one.query) for one in judged}
    alone = ONE_CLUSTER if judged and users.ci is None else None
    return Sided(
        by=by,
        name=name,
        planned=len(pairs),
        judged=len(judged),
        n_queries=len(queries),
        users=users.n,
        grade=grade.n,
        neither=_share(judged, "neither").n,
        undecided=_share(judged, "undecided").n,
        users_share=users.value,
        users_ci=users.ci,
        grade_share=grade.value,
        grade_ci=grade.ci,
        people="users" if users.is_most else "grade" if grade.is_most else None,
        reason=alone if judged else UNJUDGED,
    )


class _Share(NamedTuple):
    n: int
    value: float | None
    ci: Interval | None

    @property
    def is_most(self) -> bool:
        """Whether it is surely more than half."""
        return self.ci is not None and self.ci.low > HALF


def _share(judged: Sequence[SidedPair], side: Side) -> _Share:
    if not judged:
        return _Share(0, None, None)
    happened = np.array([one.side == side for one in judged], dtype=np.float64)
    # In a fixed order, whatever the order of the plan is.
    _, clusters = np.unique([query_key(one.query) for one in judged], return_inverse=True)
    return _Share(int(happened.sum()), float(happened.mean()), clustered_share(happened, clusters))
