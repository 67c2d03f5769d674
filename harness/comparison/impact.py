"""Two policy versions on production pairs: how many grades and actions change, weighted by traffic."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.nouns.pair import query_key
from harness.nouns.policy import UNDECIDED, Policy
from harness.nouns.records import Grade
from harness.runs.pair_run import PairRun
from harness.runs.pairs import ShownPair
from harness.score.rating_matrix import numbered
from harness.scorecards.impact import ActionMove, Impact, MovedPair, MovedShare, QueryImpact
from harness.scorecards.shared import Confusion
from harness.stats.agreement import confusion
from harness.stats.intervals import NO_SPREAD
from harness.stats.means import clustered_mean, guarded
from harness.storage.plural import plural
from harness.storage.stream import Stream

Pairs = Sequence[ShownPair] | Stream[ShownPair]


def measure_impact(
    pairs: Pairs,
    before: PairRun,
    after: PairRun,
    warnings: tuple[str, ...] = (),
    *,
    reads_policy: bool = True,
) -> Impact:
    """The changes from one version to the other, on the pairs with readable answers under both."""
    old, new, was, now = before.policy, after.policy, before.grades(), after.grades()
    read = [one for one in pairs if one.id in was and one.id in now]
    moved = [_moved(one, old, new, was[one.id], now[one.id]) for one in read]
    sample = _Sample(read)
    ways = [(one.action_before, one.action_after) for one in moved]
    kinds = Counter(way for way in ways if way[0] != way[1])
    return Impact(
        before=old.label,
        after=new.label,
        runs=(before.folder.name, after.folder.name),
        model=before.manifest.asked.model,
        prompt=before.manifest.asked.prompt,
        n=len(read),
        n_queries=len({one.cluster for one in read}),
        unread=len(pairs) - len(read),
        unanswered=before.unanswered + after.unanswered,
        weighted=len({one.weight for one in pairs}) > 1,
        grade_moved=sample.share([one.before != one.after for one in moved]),
        action_moved=sample.share([way[0] != way[1] for way in ways]),
        action_moves=tuple(
            ActionMove(before=way[0], after=way[1], moved=sample.share([one == way for one in ways]))
            for way, _ in kinds.most_common()
        ),
        noise=_noise(pairs, before) if before.manifest.asked.repeats > 1 else None,
        grades=_matrix(moved, old, new),
        per_query=_per_query(moved),
        moved=tuple(sorted((one for one in moved if one.before != one.after), key=_worst_first)),
        reads_policy=reads_policy,
        undecided=next(
            (f"{one.label} {UNDECIDED}" for one in (old, new) if one.decided_actions is None), None
        ),
        warnings=(*warnings, *_left_out(pairs, read)),
    )


def _noise(pairs: Pairs, before: PairRun) -> MovedShare:
    """The noise floor: how often the action changes when the same version is asked twice."""
    first, second, action_of = before.grades(0), before.grades(1), before.policy.action_of
    read = [one for one in pairs if one.id in first and one.id in second]
    return _Sample(read).share([action_of[first[p.id].value] != action_of[second[p.id].value] for p in read])


class _Sample:
    """Pairs with their traffic and their queries."""

    def __init__(self, pairs: Sequence[ShownPair]) -> None:
        self._weights = np.array([one.weight for one in pairs], dtype=np.float64)
        self._clusters = numbered([one.cluster for one in pairs])

    def share(self, which: Sequence[bool]) -> MovedShare:
        """The weighted share of these pairs, and its interval by linearisation of the ratio of two sums."""
        values, weights, clusters = np.array(which, dtype=np.float64), self._weights, self._clusters
        count = int((values > 0).sum())
        if not weights.sum():
            reason = Reason("remark", "no pair that could be read under both versions has any weight")
            return MovedShare(pairs=count, share=None, ci=None, reason=reason)
        share = float((weights * values).sum() / weights.sum())
        # The ratio's linearisation: its mean is the share, and its spread that of the ratio.
        found = clustered_mean(share + weights * (values - share) / weights.mean(), clusters)
        ci = found.ci
        # Where no query changes, or every one, the spread is 0, which proves nothing: use the guard.
        if found.reason is NO_SPREAD and share in (0.0, 1.0):
            ci = Interval(share, share)
        if ci is None:
            return MovedShare(pairs=count, share=share, ci=None, reason=found.reason)
        ends = guarded(ci, values, weights, clusters)
        return MovedShare(pairs=count, share=share, ci=ends.within(0.0, 1.0), guarded=ends != ci)


def _moved(one: ShownPair, old: Policy, new: Policy, was: Grade, now: Grade) -> MovedPair:
    return MovedPair(
        id=one.id,
        query=one.query,
        title=one.result.title,
        weight=one.weight,
        before=was.value,
        after=now.value,
        action_before=old.action_of[was.value],
        action_after=new.action_of[now.value],
        reasoning_before=was.reasoning,
        reasoning_after=now.reasoning,
    )


def _worst_first(one: MovedPair) -> tuple[bool, float, str]:
    return not _seen(one), -one.weight, one.id


def _matrix(moved: Sequence[MovedPair], old: Policy, new: Policy) -> Confusion | None:
    if old.scale != new.scale:
        return None
    matrix = confusion([one.before for one in moved], [one.after for one in moved], old.scale)
    return Confusion(labels=old.scale, matrix=matrix)


def _per_query(moved: Sequence[MovedPair]) -> tuple[QueryImpact, ...]:
    """Each query, the one with the most affected traffic first."""
    of_query: dict[str, list[MovedPair]] = defaultdict(list)
    for one in moved:
        of_query[query_key(one.query)].append(one)
    found = [
        QueryImpact(
            query=ones[0].query,
            pairs=len(ones),
            grades=sum(one.before != one.after for one in ones),
            actions=sum(_seen(one) for one in ones),
            traffic=sum(one.weight for one in ones),
            traffic_moved=sum(one.weight for one in ones if _seen(one)),
        )
        for ones in of_query.values()
    ]
    return tuple(sorted(found, key=lambda one: (-one.traffic_moved, -one.actions, -one.grades, one.query)))


def _seen(one: MovedPair) -> bool:
    """Whether the action changes."""
    return one.action_before != one.action_after


def _left_out(pairs: Pairs, read: Sequence[ShownPair]) -> tuple[str, ...]:
    if len(read) == len(pairs):
        return ()
    lost = len(pairs) - len(read)
    has = "has" if lost == 1 else "have"
    return (f"{lost:,} of {plural(len(pairs), 'pair')} {has} no readable answer under both versions",)
