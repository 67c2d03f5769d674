"""The golden examples that a policy change touches, and those that were judged again."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.nouns.policy import Policy
from harness.policy.diff import diff_policies
from harness.policy.judged import JudgedPair, is_judged
from harness.scorecards.policy_change import AffectedExample, GoldenEffect, PartChange, PolicyDiff, Regraded


def reasons(diff: PolicyDiff, example: JudgedPair) -> tuple[str, ...]:
    """The changes that an example's grade depends on: by its clauses, its reasoning or its grade.

    `example` is as it was judged under the old version.
    """
    if diff.old_scale != diff.new_scale:
        return ("the scale",)
    reworded = {change.name for change in diff.changes if change.binds and change.part == "clause"}
    found = [c.label for c in diff.changes if c.binds and _rests_on(example, c, reworded)]
    found += [move.label for move in diff.action_moves if move.grade == example.grade]
    return tuple(found)


def cannot_tell(diff: PolicyDiff, example: JudgedPair) -> bool:
    """Whether an example without `reasons` may still depend on a change. Unknown is not unaffected.

    It cites no clause, or a change that no example can cite can move its grade.
    `example` is as it was judged under the old version.
    """
    bare = bool(diff.rules) and not example.clauses
    return bare or any(example.grade in change.moves for change in diff.uncited)


def golden_effect(
    old: Policy,
    new: Policy,
    examples: Sequence[JudgedPair],
    cited: Mapping[str, Collection[str]] | None = None,
) -> GoldenEffect:
    """The examples that depend on changed parts, those judged again, and the grades that moved.

    `cited`: the clauses that a teacher cited for each example, by id: suggestions for examples that cite none
    themselves.
    """
    diff = diff_policies(old, new)
    regraded = tuple(_regraded(old, new, examples))
    movable = movable_grades(diff)
    found = _sorted_by_effect(diff, old, new, examples, {one.id for one in regraded})
    return GoldenEffect(
        examples=len(examples),
        touched=tuple(found.touched),
        cannot_tell=tuple(one.id for one in found.unknown),
        could_move=tuple(one.id for one in found.unknown if one.grade in movable),
        suggested=None if cited is None else _suggested(diff, found.unknown, cited),
        counts=dict(Counter(label for one in found.touched for label in one.because).most_common()),
        left=sum(not is_judged(example, new) for example in examples),
        earlier_text=sum(
            example.under(new.version).policy_version == new.version and not is_judged(example, new)
            for example in examples
        ),
        judged_apart=found.apart,
        unmoved=found.unmoved,
        regraded=regraded,
    )


@dataclass(slots=True)
class _Sorted:
    """Examples that depend on a change, and those that may, as they were judged under the old version.

    `apart`: the number judged again without such a reason; `unmoved`: those of them that no change can move.
    """

    touched: list[AffectedExample] = field(default_factory=list)
    unknown: list[JudgedPair] = field(default_factory=list)
    apart: int = 0
    unmoved: int = 0


def _sorted_by_effect(
    diff: PolicyDiff, old: Policy, new: Policy, examples: Iterable[JudgedPair], moved: Collection[str]
) -> _Sorted:
    """`moved`: examples whose grade is another now."""
    found, movable = _Sorted(), movable_grades(diff)
    for example in examples:
        then, judged = example.under(old.version), is_judged(example, new)
        because = reasons(diff, then)
        if because:
            found.touched.append(
                AffectedExample(id=example.id, split=example.split, because=because, judged=judged)
            )
        elif judged:
            again = then.policy_version == old.version
            counts = again and (example.id in moved or cannot_tell(diff, then))
            found.apart += counts
            found.unmoved += counts and example.id not in moved and then.grade not in movable
        elif cannot_tell(diff, then):
            found.unknown.append(then)
    return found


def _suggested(
    diff: PolicyDiff, unknown: Iterable[JudgedPair], cited: Mapping[str, Collection[str]]
) -> tuple[str, ...]:
    """Examples for which a teacher cited a rule that changed."""
    rules = {name for rule in diff.rules for name in (rule.name, *rule.clauses)}
    return tuple(one.id for one in unknown if rules & {*cited.get(one.id, ())})


def movable_grades(diff: PolicyDiff) -> set[int]:
    """The grades that the changes can move."""
    return {grade for change in diff.changes for grade in change.moves}


def _rests_on(example: JudgedPair, change: PartChange, reworded: set[str]) -> bool:
    if change.part == "grade":
        return change.name == str(example.grade)
    if change.part == "policy":
        return False
    if change.part == "action":
        return example.grade in change.moves
    if change.part == "boundary":
        # An example that cites a reworded clause is already touched by that.
        return bool(set(change.clauses) & set(example.clauses) - reworded)
    # A reasoning may name a clause that does not decide: "substitute's 2 stays shut".
    spelt = rf"(?<![\w-]){re.escape(change.name)}(?![\w-])"
    return change.name in example.clauses or bool(re.search(spelt, example.reasoning, re.IGNORECASE))


def _regraded(old: Policy, new: Policy, examples: Iterable[JudgedPair]) -> Iterator[Regraded]:
    """Without actions if a version has not decided them: what a user would see is then unknown."""
    decided = old.decided_actions is not None and new.decided_actions is not None
    for example in examples:
        before, after = example.under(old.version), example.under(new.version)
        if before.grade != after.grade and after.policy_version == new.version:
            yield Regraded(
                id=example.id,
                split=example.split,
                old=before.grade,
                new=after.grade,
                old_action=old.action_of.get(before.grade) if decided else None,
                new_action=new.action_of.get(after.grade) if decided else None,
            )
