"""The differences between two versions of a policy, and their effect on its golden set."""

from typing import Literal

from harness.nouns.base import Noun

Part = Literal["policy", "grade", "clause", "action", "boundary"]


class Wording(Noun):
    """One text of a part, before and after; None where it is absent."""

    key: str
    old: str | None
    new: str | None


class PartChange(Noun):
    """A part that was added, removed or changed. `binds`: whether it can change which grade is right.

    `clauses`: those that a boundary cites. `moves`: the grades that the change can move, if it binds.
    """

    part: Part
    name: str
    kind: Literal["added", "removed", "changed"]
    binds: bool
    wordings: tuple[Wording, ...]
    clauses: tuple[str, ...] = ()
    moves: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """Its name in sentences about examples that rest on it; for the policy itself, the texts' names."""
        if self.part == "policy":
            return " and ".join(f"the {one.key}" for one in self.wordings if one.key in ("surface", "goal"))
        return f"{self.part} {self.name}"


class ActionReassigned(Noun):
    """A grade whose action changed; None if one version lacks the grade."""

    grade: int
    old: str | None
    new: str | None

    @property
    def label(self) -> str:
        """Its name in sentences about examples that rest on it."""
        return f"action of grade {self.grade}"


class PolicyDiff(Noun):
    """Two versions. `reordered`: the order of the parts, or the layout of texts, differs.

    `undecided`: the versions that do not say what their actions show.
    """

    old: str
    new: str
    old_scale: tuple[int, ...]
    new_scale: tuple[int, ...]
    changes: tuple[PartChange, ...]
    action_moves: tuple[ActionReassigned, ...]
    reordered: bool
    undecided: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[PartChange, ...]:
        """The changed clauses and boundaries that can change which grade is right."""
        return tuple(c for c in self.changes if c.binds and c.part in ("clause", "boundary"))

    @property
    def uncited(self) -> tuple[PartChange, ...]:
        """The binding changes that no example can have cited: only their grades tell which they can move."""
        new = {c.name for c in self.changes if (c.part, c.kind) == ("clause", "added")}
        return tuple(
            c
            for c in self.changes
            if c.binds
            and (
                c.part in ("policy", "grade")
                or (c.part == "clause" and c.name in new)
                or (c.part == "boundary" and new.issuperset(c.clauses))
            )
        )


class AffectedExample(Noun):
    """A golden example that depends on a changed part. `judged`: under the new version."""

    id: str
    split: str
    because: tuple[str, ...]
    judged: bool


class Regraded(Noun):
    """An example with another grade under the new version, and both actions."""

    id: str
    split: str
    old: int
    new: int
    old_action: str | None
    new_action: str | None


class GoldenEffect(Noun):
    """The effect of a change on the golden set. `counts`: examples for each changed part.

    `judged_apart`: those that were judged under the new version and depend on no changed part that is known,
    but may, or got another grade; `unmoved`: those of them that no change can move. `left`: all examples not
    yet judged under it; `earlier_text`: those of them that were judged under it before its rules were edited.
    `cannot_tell`: those that cite no clause while a rule changed, or whose grade a change can move that no
    example can cite; `could_move`: those of them whose grade the changes can move; `suggested`: those for
    which a teacher cited a changed rule.
    """

    examples: int
    touched: tuple[AffectedExample, ...]
    cannot_tell: tuple[str, ...] = ()
    could_move: tuple[str, ...] = ()
    suggested: tuple[str, ...] | None = None
    counts: dict[str, int]
    left: int
    earlier_text: int = 0
    judged_apart: int = 0
    unmoved: int = 0
    regraded: tuple[Regraded, ...]
