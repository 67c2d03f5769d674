"""The differences between two versions of a policy, and the grades that each can move."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from harness.nouns.policy import Action, Boundary, Clause, GradeLevel, Policy
from harness.scorecards.policy_change import (
    ActionReassigned,
    Part,
    PartChange,
    PolicyDiff,
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
        undecided=tuple(one.label for one in (old, new) if one.decided_actions is None),
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
        binds = False  # the actions of its grades differ, which `_action_moves` finds
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
    """The grades that a clause's only cap or floor can move: those it held, and those it reaches now.

    A cap holds back what is at it, and reaches what is above it; a floor, what is below it. All grades where
    either version of the clause has neither, or both, or the other one.
    """
    before, after = ([c for c in policy.clauses if c.id == change.name] for policy in (old, new))
    bounds = {_bound(clause) for clause in (*before, *after)}
    signs = {sign for sign, _ in bounds}
    if len(signs) > 1 or signs == {0}:
        return scale
    (sign,) = signs
    held, limits = ([_bound(clause)[1] for clause in clauses] for clauses in (before, after))
    moved = {g for g in scale if g in held or any(sign * g > sign * limit for limit in limits)}
    if before and after and all(one.key != "text" for one in change.wordings):
        # The clause holds for the same pairs as before, and none of them is beyond the old bound.
        return sorted(g for g in moved if sign * g <= sign * held[0])
    # The clause holds for other pairs now. A cap overrides a floor, so it can move a floor's grade too.
    floors = {c.min_grade for c in (*old.clauses, *new.clauses)} if sign > 0 else set()
    return [g for g in scale if g in moved or g in floors]


def _bound(clause: Clause) -> tuple[int, int]:
    """A clause's only bound, with the sign of the side that it forbids; 0 and 0 for neither or both."""
    cap, floor = clause.max_grade, clause.min_grade
    if (cap is None) == (floor is None):
        return 0, 0
    return (1, cap) if cap is not None else (-1, floor or 0)


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
