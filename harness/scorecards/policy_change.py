"""What differs between two versions of a policy, and what that does to its golden set."""

from typing import Literal

from harness.nouns.base import Noun

Part = Literal["policy", "grade", "clause", "action", "boundary"]


class Wording(Noun):
    """One text of a part, before and after; None where there was none, or is none."""

    key: str
    old: str | None
    new: str | None


class PartChange(Noun):
    """A part that was added, removed, or says something else. `binds`: it can change which grade is right.

    `clauses`: those that a boundary argues by.
    """

    part: Part
    name: str
    kind: Literal["added", "removed", "changed"]
    binds: bool
    wordings: tuple[Wording, ...]
    clauses: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What it is called where an example is said to rest on it."""
        return f"{self.part} {self.name}"


class ActionReassigned(Noun):
    """A grade that another action is taken on; None where one version has no such grade."""

    grade: int
    old: str | None
    new: str | None

    @property
    def label(self) -> str:
        """What it is called where an example is said to rest on it."""
        return f"action of grade {self.grade}"


class PolicyDiff(Noun):
    """Two versions of a policy. `reordered`: the same parts in another order, or texts set otherwise."""

    old: str
    new: str
    old_scale: tuple[int, ...]
    new_scale: tuple[int, ...]
    changes: tuple[PartChange, ...]
    action_moves: tuple[ActionReassigned, ...]
    reordered: bool

    @property
    def rules(self) -> tuple[PartChange, ...]:
        """The changed clauses and boundaries that can change which grade is right."""
        return tuple(c for c in self.changes if c.binds and c.part in ("clause", "boundary"))

    @property
    def new_clauses(self) -> tuple[str, ...]:
        """Clauses that no example can cite yet: only reading tells whom they touch."""
        return tuple(c.name for c in self.changes if (c.part, c.kind) == ("clause", "added"))


class AffectedExample(Noun):
    """A golden example that rests on what changed. `judged`: somebody has judged it under the new version."""

    id: str
    split: str
    because: tuple[str, ...]
    judged: bool


class Regraded(Noun):
    """An example that has another grade under the new version, and what the user sees then and now."""

    id: str
    split: str
    old: int
    new: int
    old_action: str | None
    new_action: str | None


class GoldenEffect(Noun):
    """What a change does to the golden set. `counts`: examples for each part that changed.

    `left`: the examples, touched or not, that are not judged under the new version. `cannot_tell`: those that
    cite no clause while a rule changed; `could_move`: those of them whose grade the rules' caps and floors
    let the change move; `suggested`: those for which a teacher cited a rule that changed.
    """

    examples: int
    touched: tuple[AffectedExample, ...]
    cannot_tell: tuple[str, ...] = ()
    could_move: tuple[str, ...] = ()
    suggested: tuple[str, ...] | None = None
    counts: dict[str, int]
    left: int
    regraded: tuple[Regraded, ...]
