"""Adjudications: the author's decisions where raters differ from each other or from the golden grade."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from harness.nouns.base import Level, Noun
from harness.policy.drafts import DraftClause
from harness.storage.digest import digest
from harness.storage.files import load_nouns

FILE = "adjudications.jsonl"
PRODUCTION = "production-adjudications.jsonl"
"""Decisions on pairs of production rounds, whose ids may be those of golden examples too."""
Cause = Literal["policy_gap", "ambiguous_result", "raters_slip", "edge_case"]
CAUSES: dict[Cause, str] = {
    "policy_gap": "Policy gap",
    "ambiguous_result": "Ambiguous result",
    "raters_slip": "Rater's slip",
    "edge_case": "Edge case",
}
"""The causes of a dispute, in words."""


def cause_words() -> dict[str, str]:
    """The causes in words, with "none" for decisions without one."""
    return {**{str(cause): words for cause, words in CAUSES.items()}, "none": "No cause given"}


class Adjudication(Noun):
    """One decision. `unclear`: the clauses whose wording caused the dispute.

    `reason`: what the dispute was about; `reasoning` and `clauses`: those of the golden example from now on,
    empty in decisions that were written by hand before there were pages. `golden`: the golden grade before
    the decision. `round`: the round of production pairs, if the item is not a golden example.
    `supersedes`: the key of the decision that this one replaces. `opened`: the clause that a gap opened in a
    draft. `teacher`: the grade of `run` for the pair, which the author saw only after `first_grade`;
    `second_look`: what the author did then.
    """

    item: str
    policy_version: str
    grade: Level
    reason: str
    unclear: tuple[str, ...] = ()
    at: str = ""
    id: str = ""
    supersedes: str = ""
    cause: Cause | None = None
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    decided_by: str = ""
    golden: Level | None = None
    round: str = ""
    opened: DraftClause | None = None
    run: str = ""
    teacher: Level | None = None
    first_grade: Level | None = None
    second_look: Literal["kept", "changed"] | None = None

    @property
    def key(self) -> str:
        """The key of the decision: its id, or a digest if it was written by hand."""
        return self.id or digest(self.data())[7:19]

    @property
    def differs(self) -> bool:
        """Whether the teacher's grade differs from the author's first."""
        return self.teacher is not None and self.teacher != self.first_grade


def load_adjudications(path: Path) -> list[Adjudication]:
    """Every decision in a file; empty without a file. BadInput names every invalid line."""
    return load_nouns(path, Adjudication)


def decided_grades(folder: Path, version: str) -> dict[str, int]:
    """The last decision on each item under a policy version, in a golden set's folder.

    Those about pairs of production rounds count before those about golden examples of the same id.
    """
    made = [one for name in (FILE, PRODUCTION) for one in load_adjudications(folder / name)]
    return {item: decisions[-1].grade for item, decisions in decisions_under(made, version).items()}


def decisions_under(decisions: Iterable[Adjudication], version: str) -> dict[str, list[Adjudication]]:
    """Each item's decisions under a policy version, in the order of the file: the last one counts."""
    found: dict[str, list[Adjudication]] = defaultdict(list)
    for decision in decisions:
        if decision.policy_version == version:
            found[decision.item].append(decision)
    return dict(found)
