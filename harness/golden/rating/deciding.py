"""Decide disputes: record the decision first, then apply it to the golden set and to the next policy version.

`mend` repairs the state after a kill in between: PENDING holds the decision until it is applied, and applying
it twice has the same result as once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.correcting import correct, correction_faults
from harness.golden.examples import golden_path
from harness.golden.rating.adjudications import (
    CAUSES,
    FILE,
    PRODUCTION,
    Adjudication,
    Cause,
    decisions_under,
    load_adjudications,
)
from harness.golden.rating.disputes import production_pairs
from harness.golden.rating.rounds import OpenRound
from harness.golden.rejudging import Judged, Judgement, golden_lines, judgement_faults
from harness.nouns.base import Level, Noun
from harness.nouns.pair import Example, NamedPair
from harness.nouns.policy import Policy
from harness.policy.drafts import DraftClause, drafted, is_open, names_pair, open_clause, plan_clause
from harness.policy.load import load_policy, policy_path
from harness.storage.files import build, read_json, read_text, to_line, too_long, write_atomic
from harness.storage.locks import alone
from harness.storage.project import Project

PENDING = ".adjudicating.json"
LOCK = ".adjudications.lock"


class Decision(Noun):
    """The author's decision about a dispute.

    `id`: made by the page, so that a decision that is sent twice is recorded once. `seen`: the key of the
    decision that the author saw; "" without one. `unclear`, `wording`: for a policy gap, the clause that has
    it, if any, and how the policy should say it. `note`: what the dispute was about.
    """

    id: Annotated[str, Field(pattern=r"^[\w-]{8,64}$")]
    seen: str = ""
    grade: Level
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    cause: Cause
    unclear: str | None = None
    wording: str = ""
    note: str = ""


class Overtaken(BadInput):
    """The dispute was decided since the author read it. `now`: the decision that counts, if any."""

    def __init__(self, item: str, now: Adjudication | None) -> None:
        self.now = now
        by = f" as {now.grade} by {now.decided_by or 'somebody'} at {now.at}" if now else " back to open"
        super().__init__(
            [Fault(item, f"was decided{by} meanwhile; read that, and decide again if it is wrong")]
        )


@dataclass(frozen=True, slots=True)
class Author:
    """The author, the time, and the grade that the teacher of a run gave the pair, if any."""

    name: str
    at: str
    run: str = ""
    teacher: int | None = None


def decide(
    project: Project, policy: Policy, item: str, said: Decision, by: Author, opened: OpenRound | None = None
) -> Adjudication:
    """Record a decision, and apply it. BadInput with every fault, and then nothing is written.

    A decision about a pair of an `opened` round of production pairs is recorded, and no golden example moves.
    Overtaken if the dispute was decided by another decision than the one that the author has seen.
    """
    golden = golden_path(project, policy.name)
    with alone(golden.parent / LOCK):
        _mend(project, policy.name, golden)
        file = golden.with_name(PRODUCTION if opened else FILE)
        past = decisions_under(load_adjudications(file), policy.version).get(item, [])
        now = past[-1] if past else None
        if now is not None and now.id == said.id:
            return now
        if (now.key if now else "") != said.seen:
            raise Overtaken(item, now)
        known = known_pairs(golden, opened)
        refuse_faults(decision_faults(known, policy, item, said))
        made = _made(project, policy, known[item], said, by, now)
        made = made.model_copy(update={"round": opened.round.name}) if opened else made
        if made.opened is not None and not is_open(project, policy, made.opened):
            # BadInput before anything is written, where the draft cannot take the clause.
            drafted(project, policy, made.opened, remark_of(made))
        _record(golden, made)
        _apply(project, policy, golden, made)
    return made


def known_pairs(golden: Path, opened: OpenRound | None) -> Mapping[str, Judged | NamedPair]:
    """The pairs to decide on, by id: golden examples, or the pairs of a round of production pairs."""
    return golden_lines(golden) if opened is None else {one.id: one for one in production_pairs(opened)}


def mend(project: Project, policy_name: str) -> Adjudication | None:
    """Apply a decision that was recorded, but not applied before a kill; None without one."""
    golden = golden_path(project, policy_name)
    if not golden.with_name(PENDING).exists():
        return None
    with alone(golden.parent / LOCK):
        return _mend(project, policy_name, golden)


def _mend(project: Project, policy_name: str, golden: Path) -> Adjudication | None:
    pending = golden.with_name(PENDING)
    if not pending.exists():
        return None
    left, faults = build(Adjudication, read_json(pending), str(pending))
    refuse_faults(faults)
    assert left is not None, "it has no faults"
    if left not in load_adjudications(_file_of(golden, left)):
        pending.unlink()  # killed before the decision was recorded: nothing was said to be saved
        return None
    try:
        policy = load_policy(policy_path(project, f"{policy_name}@{left.policy_version}"))
        _apply(project, policy, golden, left)
    except BadInput as error:
        what = (
            f"the decision about {left.item} was recorded and cannot be applied; delete this file to leave it"
        )
        raise BadInput([Fault(str(pending), what), *error.faults]) from None
    return left


def _file_of(golden: Path, made: Adjudication) -> Path:
    return golden.with_name(PRODUCTION if made.round else FILE)


def decision_faults(
    known: Mapping[str, Judged | NamedPair], policy: Policy, item: str, said: Decision
) -> list[Fault]:
    """The faults of a decision; empty if it is accepted."""
    one = known.get(item)
    if one is None or isinstance(one, Judged):
        golden = {} if one is None else {item: one}
        faults = correction_faults(item, golden, policy, judgement_of(said))
    else:
        faults = judgement_faults(item, judgement_of(said), policy)
    if said.unclear is not None and said.unclear not in policy.clause_ids:
        faults.append(Fault(item, f"{policy.label} has no clause {said.unclear!r}"))
    if said.cause != "policy_gap" and (said.unclear or said.wording.strip()):
        faults.append(
            Fault(item, "an unclear clause and its wording belong to a policy gap; choose that cause")
        )
    if isinstance(one, NamedPair) and names_pair(said.wording, one.query, one.result.title):
        what = (
            "the wording holds the pair's query or title, which would give a graded pair away to the teacher"
        )
        faults.append(Fault(item, f"{what}; say the rule in general words"))
    return faults


def judgement_of(said: Decision | Adjudication) -> Judgement:
    """The golden example after a decision."""
    return Judgement(grade=said.grade, reasoning=said.reasoning, clauses=said.clauses)


def _made(
    project: Project,
    policy: Policy,
    was: Judged | NamedPair,
    said: Decision,
    by: Author,
    now: Adjudication | None,
) -> Adjudication:
    gap = said.cause == "policy_gap"
    given = dict(said.model_dump(include={"id", "grade", "reasoning", "clauses", "cause"}))
    return Adjudication(
        **given,
        item=was.id,
        policy_version=policy.version,
        reason=" ".join(said.note.split()) or f"{CAUSES[said.cause]}.",
        unclear=(said.unclear,) if gap and said.unclear else (),
        at=by.at,
        supersedes=now.key if now else "",
        decided_by=by.name,
        golden=was.under(policy.version).grade if isinstance(was, Example) else None,
        opened=_opened(project, policy, said, by, now) if gap else None,
        **_teacher(said, by, now),
    )


def _opened(
    project: Project, policy: Policy, said: Decision, by: Author, now: Adjudication | None
) -> DraftClause | None:
    """The draft clause of a gap. Without names and without the pair: teachers read the policy.

    None if the decision before opened it: its author may have reworded or removed it since.
    """
    unclear = (said.unclear,) if said.unclear else ()
    if now is not None and now.cause == "policy_gap" and now.unclear == unclear and not said.wording.strip():
        return None
    of = f"the clause {said.unclear} left" if said.unclear else "no clause said"
    why = f"Raters disagreed where {of} it open (adjudicated on {by.at[:10]})."
    return plan_clause(project, policy, said.unclear, said.wording, why)


def _teacher(said: Decision, by: Author, now: Adjudication | None) -> dict[str, object]:
    """The teacher's grade, and whether the author kept the first grade after seeing it."""
    if by.teacher is None:
        return {}
    first = said.grade
    if now is not None:
        first = now.grade if now.run != by.run or now.first_grade is None else now.first_grade
    looked = None
    if now is not None and first != by.teacher:
        looked = "kept" if said.grade == first else "changed"
    return {"run": by.run, "teacher": by.teacher, "first_grade": first, "second_look": looked}


def remark_of(made: Adjudication) -> str:
    """The comment above a draft clause."""
    return f"Opened by the adjudication of {made.item} under {made.policy_version}, {made.at[:10]}."


def _record(golden: Path, made: Adjudication) -> None:
    """Write the journal first, then the decision: a decision that is not in the journal is applied."""
    path, line = _file_of(golden, made), to_line(made, sparse=True)
    refuse_faults(too_long(line, made.item))
    before = read_text(path) if path.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    write_atomic(golden.with_name(PENDING), line)
    write_atomic(path, before + line)


def _apply(project: Project, policy: Policy, golden: Path, made: Adjudication) -> None:
    if made.opened is not None:
        open_clause(project, policy, made.opened, remark_of(made))
    if not made.round:
        correct(golden, policy, made.item, judgement_of(made), f"adjudicated: {made.reason}", made.at[:10])
    golden.with_name(PENDING).unlink()
