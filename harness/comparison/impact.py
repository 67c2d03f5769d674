"""Two policy versions on production pairs: how many grades and actions change, weighted by traffic."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from harness.golden.pairs import ShownPair
from harness.records import Grade, query_key
from harness.rubric import Policy
from harness.score.panel import numbered
from harness.scorecards.impact import ActionMove, Impact, Moved, MovedPair, QueryImpact
from harness.scorecards.shared import Confusion
from harness.stats.agreement import Floats, Integers, confusion
from harness.stats.means import clustered_mean

Graded = Mapping[str, Grade]
"""The readable answers by the pair's id."""


def measure_impact(
    pairs: Sequence[ShownPair],
    before: tuple[Policy, Graded],
    after: tuple[Policy, Graded],
    model: str,
    prompt: str,
) -> Impact:
    """What changes from one version to the other, on the pairs that could be read under both."""
    (old, was), (new, now) = before, after
    read = [one for one in pairs if one.id in was and one.id in now]
    clusters = numbered([query_key(one.pair.query) for one in read])
    weights = np.array([one.weight for one in read])
    moved = [_moved(one, old, new, was[one.id], now[one.id]) for one in read]
    grades = np.array([float(one.before != one.after) for one in moved])
    ways = [(one.action_before, one.action_after) for one in moved]
    actions = np.array([float(way[0] != way[1]) for way in ways])
    kinds = Counter(way for way in ways if way[0] != way[1])
    return Impact(
        before=old.label,
        after=new.label,
        model=model,
        prompt=prompt,
        n=len(read),
        n_queries=len({query_key(one.pair.query) for one in read}),
        unread=len(pairs) - len(read),
        weighted=len({one.weight for one in pairs}) > 1,
        grade_moved=_share(grades, weights, clusters),
        action_moved=_share(actions, weights, clusters),
        action_moves=tuple(
            ActionMove(
                before=way[0],
                after=way[1],
                moved=_share(np.array([float(one == way) for one in ways]), weights, clusters),
            )
            for way, _ in kinds.most_common()
        ),
        grades=_matrix(moved, old, new),
        per_query=_per_query(moved),
        moved=tuple(sorted((one for one in moved if one.before != one.after), key=_worst_first)),
        warnings=_warnings(pairs, read),
    )


def _moved(one: ShownPair, old: Policy, new: Policy, was: Grade, now: Grade) -> MovedPair:
    return MovedPair(
        id=one.id,
        query=one.pair.query,
        title=one.pair.result.title,
        weight=one.weight,
        before=was.value,
        after=now.value,
        action_before=old.action_of[was.value],
        action_after=new.action_of[now.value],
        reasoning_before=was.reasoning,
        reasoning_after=now.reasoning,
    )


def _worst_first(one: MovedPair) -> tuple[bool, float, str]:
    return one.action_before == one.action_after, -one.weight, one.id


def _share(values: Floats, weights: Floats, clusters: Integers) -> Moved:
    """The weighted share, and its interval from what each pair adds to the ratio of two sums."""
    count = int((values > 0).sum())
    if not weights.sum():
        return Moved(pairs=count, share=None, ci=None, reason="no pair has any weight")
    share = float((weights * values).sum() / weights.sum())
    # The ratio's linearisation: its mean is the share, and its spread that of the ratio.
    found = clustered_mean(share + weights * (values - share) / weights.mean(), clusters)
    ci = None if found.low is None or found.high is None else (max(0.0, found.low), min(1.0, found.high))
    return Moved(pairs=count, share=share, ci=ci, reason=found.reason)


def _matrix(moved: Sequence[MovedPair], old: Policy, new: Policy) -> Confusion | None:
    if old.scale != new.scale:
        return None
    matrix = confusion([one.before for one in moved], [one.after for one in moved], old.scale)
    return Confusion(labels=old.scale, matrix=matrix)


def _per_query(moved: Sequence[MovedPair]) -> tuple[QueryImpact, ...]:
    """Each query, those first whose users see the most change."""
    of_query: dict[str, list[MovedPair]] = defaultdict(list)
    for one in moved:
        of_query[one.query].append(one)
    found = [
        QueryImpact(
            query=query,
            pairs=len(ones),
            grades=sum(one.before != one.after for one in ones),
            actions=sum(one.action_before != one.action_after for one in ones),
        )
        for query, ones in of_query.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.actions, -one.grades, one.query)))


def _warnings(pairs: Sequence[ShownPair], read: Sequence[ShownPair]) -> tuple[str, ...]:
    if len(read) == len(pairs):
        return ()
    return (f"{len(pairs) - len(read)} of {len(pairs)} pairs have no readable answer under both versions",)
