"""The differences between two versions of a policy, and the golden examples they touch."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, Self

from harness.nouns.policy import Action, Boundary, Clause, GradeLevel, Policy
from harness.scorecards.policy_change import (
    ActionReassigned,
    AffectedExample,
    GoldenEffect,
    Part,
    PartChange,
    PolicyDiff,
    Regraded,
    Wording,
)

Texts = Mapping[tuple[str, str], str]
"""The texts of a part. The second half of a key distinguishes its worked examples."""
BINDING: Mapping[Part, tuple[str, ...]] = {
    "policy": ("surface", "goal"),
    "grade": ("name", "definition"),
    "clause": ("text", "cap", "floor"),
    "action": ("shown",),
    "boundary": ("grade",),
}
"""The texts that can change which grade is right. The others name people or explain: they decide nothing.

Grades with another action, and worked examples with another grade, are found separately.
"""


class Labelled(Protocol):
    """The common part of a golden example and a canary."""

    @property
    def id(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def grade(self) -> int: ...
    @property
    def reasoning(self) -> str: ...
    @property
    def clauses(self) -> tuple[str, ...]: ...
    @property
    def policy_version(self) -> str: ...
    @property
    def rules(self) -> str | None: ...
    def under(self, version: str) -> Self: ...


def diff_policies(old: Policy, new: Policy) -> PolicyDiff:
    """Every part that was added, removed or reworded, and the grades whose action changed."""
    changes = tuple(
        _weighed(change, old, new)
        for part in _PARTS
        for change in _changes(part, _PARTS[part](old), _PARTS[part](new))
    )
    return PolicyDiff(
        old=old.label,
        new=new.label,
        old_scale=old.scale,
        new_scale=new.scale,
        changes=changes,
        action_moves=tuple(_action_moves(old, new)),
        reordered=not changes and _said(old) != _said(new),
    )


def reasons(diff: PolicyDiff, example: Labelled) -> tuple[str, ...]:
    """The changes that an example's grade rests on: by its clauses, its reasoning or its grade.

    `example` is as it was judged under the old version.
    """
    if diff.old_scale != diff.new_scale:
        return ("the scale",)
    reworded = {change.name for change in diff.changes if change.binds and change.part == "clause"}
    found = [c.label for c in diff.changes if c.binds and _rests_on(example, c, reworded)]
    found += [move.label for move in diff.action_moves if move.grade == example.grade]
    return tuple(found)


def cannot_tell(diff: PolicyDiff, example: Labelled) -> bool:
    """Whether an example without `reasons` may still rest on what changed. Unknown is not unaffected.

    It cites no clause at all, or has a grade that a change can move that no example can have cited.
    `example` is as it was judged under the old version.
    """
    bare = bool(diff.rules) and not example.clauses
    return bare or any(example.grade in change.moves for change in diff.uncited)


def golden_effect(
    old: Policy,
    new: Policy,
    examples: Sequence[Labelled],
    cited: Mapping[str, Collection[str]] | None = None,
) -> GoldenEffect:
    """The examples that depend on changed parts, those judged again, and the grades that moved.

    `cited`: the clauses that a teacher cited for each example, by id: suggestions for examples that cite none
    themselves.
    """
    diff = diff_policies(old, new)
    touched = []
    unknown = []
    for example in examples:
        then, judged = example.under(old.version), is_judged(example, new)
        because = reasons(diff, then)
        if because:
            touched.append(
                AffectedExample(id=example.id, split=example.split, because=because, judged=judged)
            )
        elif not judged and cannot_tell(diff, then):
            unknown.append(then)
    movable = movable_grades(diff)
    rules = {name for rule in diff.rules for name in (rule.name, *rule.clauses)}
    return GoldenEffect(
        examples=len(examples),
        touched=tuple(touched),
        cannot_tell=tuple(one.id for one in unknown),
        could_move=tuple(one.id for one in unknown if one.grade in movable),
        suggested=None
        if cited is None
        else tuple(one.id for one in unknown if rules & {*cited.get(one.id, ())}),
        counts=dict(Counter(label for one in touched for label in one.because).most_common()),
        left=sum(not is_judged(example, new) for example in examples),
        earlier_text=sum(
            example.under(new.version).policy_version == new.version and not is_judged(example, new)
            for example in examples
        ),
        regraded=tuple(_regraded(old, new, examples)),
    )


def movable_grades(diff: PolicyDiff) -> set[int]:
    """The grades that the changes can move."""
    return {grade for change in diff.changes for grade in change.moves}


def is_judged(example: Labelled, policy: Policy) -> bool:
    """Whether an example was judged under a policy version, and by its rules as they read now."""
    then = example.under(policy.version)
    return then.policy_version == policy.version and then.rules in (None, policy.rules)


def _rests_on(example: Labelled, change: PartChange, reworded: set[str]) -> bool:
    if change.part == "grade":
        return change.name == str(example.grade)
    if change.part == "policy":
        return False
    if change.part == "action":
        return example.grade in change.moves
    if change.part == "boundary":
        # An example that cites a reworded clause is already touched by that.
        return bool(set(change.clauses) & set(example.clauses) - reworded)
    # A reasoning may argue by a clause that does not decide: "substitute's 2 stays shut".
    spelt = rf"(?<![\w-]){re.escape(change.name)}(?![\w-])"
    return change.name in example.clauses or bool(re.search(spelt, example.reasoning, re.IGNORECASE))


def _regraded(old: Policy, new: Policy, examples: Iterable[Labelled]) -> Iterator[Regraded]:
    for example in examples:
        before, after = example.under(old.version), example.under(new.version)
        if before.grade != after.grade and after.policy_version == new.version:
            yield Regraded(
                id=example.id,
                split=example.split,
                old=before.grade,
                new=after.grade,
                old_action=old.action_of.get(before.grade),
                new_action=new.action_of.get(after.grade),
            )


def _changes(part: Part, old: Mapping[str, Texts], new: Mapping[str, Texts]) -> Iterator[PartChange]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name, {}), new.get(name, {})
        keys = dict.fromkeys([*before, *after])
        wordings = [Wording(key=key[0], old=before.get(key), new=after.get(key)) for key in keys]
        reworded = tuple(one for one in wordings if one.old != one.new)
        if reworded:
            kind: Literal["added", "removed", "changed"] = (
                "added" if name not in old else "removed" if name not in new else "changed"
            )
            yield PartChange(part=part, name=name, kind=kind, binds=False, wordings=reworded)


def _weighed(change: PartChange, old: Policy, new: Policy) -> PartChange:
    """A change with whether it binds, the grades that it can move, and the clauses that a boundary cites."""
    binds = any(one.key in BINDING[change.part] for one in change.wordings) or _regrades(change, old, new)
    if change.part == "action" and change.kind != "changed":
        binds = False  # its grades have another action, and are found by that
    argued = (id_ for one in _both_boundaries(change, old, new) for id_ in one.clauses)
    return change.model_copy(
        update={
            "binds": binds,
            "clauses": tuple(dict.fromkeys(argued)) if change.part == "boundary" else (),
            "moves": tuple(_moves(change, old, new)) if binds else (),
        }
    )


def _regrades(change: PartChange, old: Policy, new: Policy) -> bool:
    """Whether one of a grade's worked examples has another grade in the other version."""
    before, after = _worked(old), _worked(new)
    shown = [one.old or one.new or "" for one in change.wordings if one.key == "example"]
    return any(before.get(one, after.get(one)) != after.get(one, before.get(one)) for one in shown)


def _worked(policy: Policy) -> dict[str, int]:
    """The grade of each worked example, by its words."""
    levels = ((level.value, _grade(level)) for level in policy.grades)
    return {text: value for value, texts in levels for (key, _), text in texts.items() if key == "example"}


def _moves(change: PartChange, old: Policy, new: Policy) -> list[int]:
    """The grades that a binding change can move.

    On an ordered scale a definition draws the lines between its grade and the two next to it, and a boundary
    those between its two grades.
    """
    scale = sorted({*old.scale, *new.scale})
    if change.part == "grade":
        at = scale.index(int(change.name))
        return scale[max(at - 1, 0) : at + 2]
    if change.part == "boundary":
        ends = [grade for one in _both_boundaries(change, old, new) for grade in one.between]
        return [grade for grade in scale if min(ends) <= grade <= max(ends)]
    if change.part == "action":
        actions = [one for policy in (old, new) for one in policy.actions if one.name == change.name]
        return sorted({grade for one in actions for grade in one.grades})
    return _moved_by_clause(change, old, new, scale) if change.part == "clause" else scale


def _moved_by_clause(change: PartChange, old: Policy, new: Policy, scale: list[int]) -> list[int]:
    """The grades that a clause's cap or floor can move: all if it has neither, in one of the versions.

    A cap binds only grades at or above it, so it cannot move a grade below it in both versions; a new cap
    moves only those above it. A floor likewise. No floor holds where a cap binds: a cap can end one.
    """
    every = [*old.clauses, *new.clauses]
    clauses = [clause for clause in every if clause.id == change.name]
    caps = [c.max_grade for c in clauses if c.max_grade is not None and c.min_grade is None]
    floors = [c.min_grade for c in clauses if c.min_grade is not None and c.max_grade is None]
    kept = {*caps, *floors} if change.kind == "added" else set[int]()
    if len(clauses) == 2 and all(one.key != "text" for one in change.wordings):
        # The same pairs as before, which are at or below the old cap: a lower one moves those above it, a
        # higher one those that the old one held.
        if len(caps) == 2:
            return [grade for grade in scale if min(caps[0], caps[1] + 1) <= grade <= caps[0]]
        if len(floors) == 2:
            return [grade for grade in scale if floors[0] <= grade <= max(floors[0], floors[1] - 1)]
    held = {clause.min_grade for clause in every}
    # Other words cover other pairs: those above the new cap may come under it, those at the old one go free.
    if len(caps) == 2:
        return [grade for grade in scale if grade > caps[1] or grade in (caps[0], *held)]
    if len(floors) == 2:
        return [grade for grade in scale if grade < floors[1] or grade == floors[0]]
    if len(caps) == len(clauses):
        return [g for g in scale if (g >= min(caps) and g not in kept) or g in held]
    if len(floors) == len(clauses):
        return [g for g in scale if g <= max(floors) and g not in kept]
    return scale


def _both_boundaries(change: PartChange, old: Policy, new: Policy) -> list[Boundary]:
    """A changed boundary in both versions; empty for another part."""
    return [one for one in (_boundaries(old).get(change.name), _boundaries(new).get(change.name)) if one]


def _action_moves(old: Policy, new: Policy) -> Iterator[ActionReassigned]:
    for grade in sorted({*old.scale, *new.scale}):
        before, after = old.action_of.get(grade), new.action_of.get(grade)
        if before != after:
            yield ActionReassigned(grade=grade, old=before, new=after)


def _said(policy: Policy) -> object:
    return policy.model_dump(exclude={"version", "released"})


def _boundaries(policy: Policy) -> dict[str, Boundary]:
    """The boundaries by their pair, numbered where several are of one pair."""
    named: dict[str, Boundary] = {}
    for one in policy.boundaries:
        name = f"{one.query}: {one.result}"
        times = sum(f"{other.query}: {other.result}" == name for other in named.values())
        named[f"{name} ({times + 1})" if times else name] = one
    return named


def _texts(**texts: str | None) -> dict[tuple[str, str], str]:
    """Texts with normalised white space, without those that are None."""
    return {(key, ""): " ".join(text.split()) for key, text in texts.items() if text is not None}


def _policy(policy: Policy) -> dict[str, Texts]:
    people = _texts(author=policy.author, contributors=", ".join(policy.contributors))
    return {policy.name: _texts(title=policy.title, surface=policy.surface, goal=policy.goal) | people}


def _grade(level: GradeLevel) -> Texts:
    worked = [f"{example.query}: {example.result}" for example in level.examples]
    return _texts(name=level.name, definition=level.definition) | {("example", one): one for one in worked}


def _clause(clause: Clause) -> Texts:
    cap, floor = (None if bound is None else str(bound) for bound in (clause.max_grade, clause.min_grade))
    return _texts(text=clause.text, why=clause.why, cap=cap, floor=floor)


def _action(action: Action) -> Texts:
    return _texts(grades=", ".join(str(grade) for grade in sorted(action.grades)), shown=action.shown)


def _boundary(boundary: Boundary) -> Texts:
    low, high = sorted(boundary.between)
    return _texts(
        between=f"{low} and {high}",
        grade=str(boundary.grade),
        higher=boundary.higher,
        lower=boundary.lower,
        decision=boundary.decision,
        clauses=", ".join(boundary.clauses),
    )


_PARTS: Mapping[Part, Callable[[Policy], Mapping[str, Texts]]] = {
    "policy": _policy,
    "grade": lambda policy: {str(level.value): _grade(level) for level in policy.grades},
    "clause": lambda policy: {clause.id: _clause(clause) for clause in policy.clauses},
    "action": lambda policy: {action.name: _action(action) for action in policy.actions},
    "boundary": lambda policy: {name: _boundary(one) for name, one in _boundaries(policy).items()},
}
