"""The disputes as the author's pages show them: read again whenever a file changed, and without names.

Until a dispute is decided, its page gets no rater, no id, no teacher, and does not say which side is the
golden grade.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from harness.errors import BadInput
from harness.golden.examples import golden_path
from harness.golden.leakage import withhold_worked
from harness.golden.rating.adjudications import CAUSES, FILE, PRODUCTION
from harness.golden.rating.deciding import Author, mend
from harness.golden.rating.disputes import Dispute, load_disputes
from harness.golden.rating.ratings import RATINGS
from harness.golden.rating.rounds import OpenRound
from harness.nouns.policy import Clause, Policy
from harness.policy.load import load_policy, policy_path
from harness.score.items import NEVER_ASKED, ItemAnswer
from harness.score.reading import reading_of
from harness.storage.files import Stamp, stamp_of
from harness.storage.project import Project

CANNOT = {
    "ambiguous_text": "could not grade it: the text is ambiguous",
    "policy_silent": "could not grade it: the policy does not say",
    "not_enough_shown": "could not grade it: not enough is shown",
}


@dataclass(frozen=True, slots=True)
class TeacherRun:
    """A run; the author sees its answers after a decision."""

    run: str
    answers: Mapping[str, ItemAnswer]

    def grade(self, item: str) -> int | None:
        """The first grade for an item; None where there is no readable answer."""
        return self.answers.get(item, NEVER_ASKED).grade


def teacher_of(project: Project, policy: Policy, run: str) -> TeacherRun:
    """The answers of a run. BadInput where it graded by another policy or on another scale."""
    read = reading_of(project, run)
    graded_by = read.run.policy
    if graded_by.name != policy.name or graded_by.scale != policy.scale:
        raise BadInput(f"{run} graded by {graded_by.label}; name a run under {policy.name} on its scale")
    return TeacherRun(read.run.folder.name, {item.item: item.answers[0] for item in read.items})


@dataclass(frozen=True, slots=True)
class State:
    """The disputes as the files are now, in their order. `place`: where each code stands."""

    policy: Policy
    shown: Policy
    disputes: tuple[Dispute, ...]
    place: Mapping[str, int]


class Disputes:
    """The disputes of a policy version, with the answers of a teacher where there is one.

    `opened`: a round of production pairs; the disputes are then those of the round, not of the golden set.
    """

    def __init__(
        self,
        project: Project,
        label: str,
        run: str | None = None,
        author: str = "",
        opened: OpenRound | None = None,
    ) -> None:
        self.project, self.opened = project, opened
        self._path = policy_path(project, label)
        policy = load_policy(self._path)
        self.mended = mend(project, policy.name)
        self.teacher = teacher_of(project, policy, run) if run else None
        self._author = author
        self._lock = Lock()
        self._kept: tuple[tuple[Stamp, ...], State] | None = None
        self.state()

    def state(self) -> State:
        """The disputes; read again when one of the files has changed."""
        with self._lock:
            stamps = tuple(map(stamp_of, self._files()))
            if self._kept is None or self._kept[0] != stamps:
                self._kept = stamps, self._read()
            return self._kept[1]

    def _files(self) -> tuple[Path, ...]:
        golden = golden_path(self.project, self._path.parent.name)
        if self.opened is None:
            return (self._path, golden, golden.with_name(RATINGS), golden.with_name(FILE))
        return (self._path, golden.with_name(self.opened.round.ratings), golden.with_name(PRODUCTION))

    def _read(self) -> State:
        policy = load_policy(self._path)
        disputes = tuple(load_disputes(self.project, policy, self.opened))
        shown, _ = withhold_worked(policy, [one.example for one in disputes])
        return State(policy, shown, disputes, {one.code: place for place, one in enumerate(disputes)})

    def author(self, policy: Policy, item: str, at: str) -> Author:
        """The author of a decision about an item, with the teacher's grade for it."""
        name = self._author or policy.author
        if self.teacher is None:
            return Author(name, at)
        return Author(name, at, self.teacher.run, self.teacher.grade(item))

    def looks_again(self, dispute: Dispute) -> bool:
        """Whether a second look is due: the teacher differs from the decision."""
        if self.teacher is None:
            return False
        return dispute.second_look(self.teacher.run, self.teacher.grade(dispute.example.id))

    def status(self, dispute: Dispute) -> str:
        """The state: open, look or decided."""
        if dispute.decision is None:
            return "open"
        return "look" if self.looks_again(dispute) else "decided"

    def row(self, dispute: Dispute) -> dict[str, Any]:
        """A dispute in the list."""
        decision = dispute.decision
        return {
            "code": dispute.code,
            "query": dispute.example.query,
            "title": dispute.example.result.title,
            "grades": " · ".join(map(str, dispute.grades)),
            "ungraded": dispute.ungraded,
            "moves": dispute.moves_action,
            "status": self.status(dispute),
            "grade": decision.grade if decision else None,
            "cause": CAUSES[decision.cause] if decision and decision.cause else "",
            "opened": decision.opened if decision else None,
        }

    def detail(self, shown: Policy, dispute: Dispute) -> dict[str, Any]:
        """A dispute on its page. What is `after` the decision is None before it."""
        example = dispute.example
        return {
            "code": dispute.code,
            "query": example.query,
            "result": example.result.data(),
            "context": example.context or {},
            "sides": [
                {
                    "letter": side.letter,
                    "grade": side.grade,
                    "said": CANNOT[side.cannot] if side.cannot else "",
                    "reasoning": side.reasoning,
                    "clauses": side.clauses,
                }
                for side in dispute.sides
            ],
            "clauses": _cited_first(shown, dispute),
            "moves": dispute.moves_action,
            "status": self.status(dispute),
            "after": self._after(dispute),
        }

    def _after(self, dispute: Dispute) -> dict[str, Any] | None:
        decision = dispute.decision
        if decision is None:
            return None
        opened = next((one.opened for one in reversed(dispute.decisions) if one.opened), None)
        return {
            "item": dispute.example.id,
            "golden": next((side.letter for side in dispute.sides if side.golden), None),
            "decision": decision,
            "cause": CAUSES[decision.cause] if decision.cause else "",
            "opened": opened if decision.cause == "policy_gap" else None,
            "earlier": dispute.decisions[:-1],
            "teacher": self._said(dispute.example.id),
        }

    def _said(self, item: str) -> dict[str, Any] | None:
        if self.teacher is None:
            return None
        answer = self.teacher.answers.get(item, NEVER_ASKED)
        why = answer.cause or answer.outcome
        return {
            "run": self.teacher.run,
            "grade": answer.grade,
            "why": "" if answer.grade is not None else why,
            "reasoning": answer.reasoning,
            "clauses": answer.clauses,
        }


def _cited_first(policy: Policy, dispute: Dispute) -> list[Clause]:
    """The policy's clauses, those that a side cites before the others."""
    cited = {clause for side in dispute.sides for clause in side.clauses}
    return sorted(policy.clauses, key=lambda clause: clause.id not in cited)
