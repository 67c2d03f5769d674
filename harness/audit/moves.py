"""How grades move when the same pairs are rewritten."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.audit.rewriting import PLAIN, REWRITINGS, Rewriting, Ways, canary_pair_id, pair_id
from harness.nouns.base import Reason
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.score.canaries import canary_report
from harness.score.items import GradedItem, ItemAnswer, about_of
from harness.score.rating_matrix import numbered
from harness.scorecards.audit import ActionMoved, Rewrite
from harness.scorecards.canaries import CanaryReport
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import NO_SPREAD, Tested
from harness.stats.means import clustered_mean, clustered_share
from harness.stats.paired import holm

NO_PAIR = Reason("undefined", "no pair has what it would change")
NONE_READ = Reason("undefined", "no pair had both grades read")


@dataclass(frozen=True, slots=True)
class GradeMove:
    """One example's grade as it is and rewritten."""

    example: Example
    kind: str
    before: int
    after: int


def moves(
    examples: Sequence[Example],
    asked: frozenset[str],
    grades: Mapping[str, int],
    policy: Policy,
    ways: Ways = REWRITINGS,
) -> tuple[tuple[Rewrite, ...], tuple[ActionMoved, ...]]:
    """Each way of rewriting, with Holm's p over all of them, and the first changes of an action.

    `asked`: the ids of all rewritten pairs; `grades`: the readable answers by id; `ways`: the mildest first.
    Without figures of actions where the policy has not decided on them.
    """

    def mildest_first(one: ActionMoved) -> tuple[int, int, str]:
        """By the way of rewriting, then the largest change."""
        return list(ways).index(one.kind), -abs(one.after - one.before), one.item

    found: list[Rewrite] = []
    firsts: dict[str, ActionMoved] = {}
    decided = policy.decided_actions is not None
    for kind, way in ways.items():
        steps = _steps(examples, kind, grades)
        actions = [one for step in steps if (one := _action_moved(step, policy))]
        for one in actions:
            firsts.setdefault(one.item, one)
        of_kind = sum(pair_id(one.id, kind) in asked for one in examples)
        found.append(_rewrite(kind, way, steps, len(actions) if decided else None, of_kind))
    corrected = holm([one.p for one in found])
    first = Counter(one.kind for one in firsts.values())
    return (
        tuple(
            one.model_copy(update={"p_holm": p, "actions_first": first[one.kind] if decided else None})
            for one, p in zip(found, corrected, strict=True)
        ),
        tuple(sorted(firsts.values(), key=mildest_first)),
    )


def _steps(examples: Iterable[Example], kind: str, grades: Mapping[str, int]) -> list[GradeMove]:
    """The pairs with both grades read."""
    both = ((one, grades.get(pair_id(one.id, PLAIN)), grades.get(pair_id(one.id, kind))) for one in examples)
    return [
        GradeMove(one, kind, before, after)
        for one, before, after in both
        if before is not None and after is not None
    ]


def _rewrite(
    kind: str, way: Rewriting, steps: Sequence[GradeMove], actions: int | None, asked: int
) -> Rewrite:
    changes = np.array([one.after - one.before for one in steps], dtype=np.float64)
    moved = np.asarray(changes != 0, dtype=np.float64)
    clusters = numbered([one.example.cluster for one in steps])
    shift = _shift(changes, clusters, way.least)
    return Rewrite(
        kind=kind,
        what=way.what,
        may_move=way.may_move,
        of=len(steps),
        moved=int(moved.sum()),
        share=float(moved.mean()) if steps else None,
        ci=clustered_share(moved, clusters) if steps else None,
        up=int((changes > 0).sum()),
        down=int((changes < 0).sum()),
        shift=shift.value,
        shift_ci=shift.ci,
        p=_p(shift, clusters),
        actions_moved=actions,
        actions_first=None,
        unread=asked - len(steps),
        reason=shift.reason if steps else NONE_READ if asked else NO_PAIR,
    )


def _shift(changes: Floats, clusters: Integers, least: int) -> Tested:
    """The mean change; undefined where fewer than `least` queries have one."""
    if len(changes) and int(clusters.max()) + 1 < least:
        return Tested(None, reason=Reason("undefined", f"fewer than {least} queries have one"))
    return clustered_mean(changes, clusters)


def _p(shift: Tested, clusters: Integers) -> float | None:
    """The p of the shift; if every query shifts by the same amount, of a sign test over the queries."""
    if shift.reason is NO_SPREAD and shift.value:
        return float(2 * 0.5 ** (int(clusters.max()) + 1))
    return shift.p


def _action_moved(step: GradeMove, policy: Policy) -> ActionMoved | None:
    """The step, if it changes the action; None too where the policy has not decided on its actions."""
    one, action_of = step.example, policy.decided_actions
    if action_of is None or action_of[step.before] == action_of[step.after]:
        return None
    return ActionMoved(
        item=one.id,
        query=one.query,
        title=one.result.title,
        kind=step.kind,
        golden=one.grade,
        before=step.before,
        after=step.after,
        action_before=action_of[step.before],
        action_after=action_of[step.after],
    )


def steered(canaries: Iterable[Example], grades: Mapping[str, int]) -> CanaryReport | None:
    """The effect of the canaries' steering text; None without canaries."""
    items = [
        GradedItem(
            one.id, one.cluster, one.grade, (_answer(grades.get(canary_pair_id(one.id))),), about_of(one)
        )
        for one in canaries
    ]
    return canary_report(items) if items else None


def _answer(grade: int | None) -> ItemAnswer:
    return ItemAnswer(grade, "ungraded" if grade is None else "graded")
