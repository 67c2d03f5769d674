"""Regrading: give golden examples new grades under a policy version, one or many at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import Fault, refuse_faults
from harness.golden.rejudging import (
    Judged,
    Judgement,
    golden_lines,
    judged_anew,
    judgement_faults,
    order_faults,
    rewrite,
    unknown_id,
)
from harness.golden.rows import listed
from harness.golden.scales import grade_reader
from harness.golden.table_faults import TableFaults
from harness.nouns.pair import one_form
from harness.nouns.policy import Policy
from harness.policy.judged import is_judged
from harness.storage.formats import read_table
from harness.storage.locks import alone
from harness.storage.tables import Layout, joined


class Regrade(NamedTuple):
    """A new judgement, and why. `where`: its place in a file; empty without a file.

    `said`: None if the file has no readable grade, which is a fault.
    """

    said: Judgement | None
    why: str
    where: str = ""


def regrade_all(
    path: Path, policy: Policy, wanted: Mapping[str, Regrade], at: str, faults: Sequence[Fault] = ()
) -> list[str]:
    """Record new judgements by id under this policy version; returns the ids that changed.

    BadInput with every fault of every one, and with the `faults` that are known already; then nothing is
    written. Judgements that the file has already are skipped.
    """
    with alone(path.parent / ".golden.lock"):
        golden = golden_lines(path)
        found = [fault for id_, one in wanted.items() for fault in _faults(id_, golden, policy, one)]
        refuse_faults([*faults, *found])
        read = {id_: (one.said, one.why) for id_, one in wanted.items() if one.said is not None}
        new = {id_: one for id_, one in read.items() if not _is_said(golden[id_], policy, one[0])}
        rewrite(path, {id_: judged_anew(policy, at, why, said) for id_, (said, why) in new.items()})
    return list(new)


def regrade(path: Path, policy: Policy, id_: str, said: Judgement, why: str, at: str) -> bool:
    """Record one new judgement. False where the file already has it."""
    return bool(regrade_all(path, policy, {id_: Regrade(said, why)}, at))


def _faults(id_: str, golden: Mapping[str, Judged], policy: Policy, one: Regrade) -> list[Fault]:
    if one.said is None:
        faults = [] if id_ in golden else [unknown_id(id_)]
    else:
        faults = regrade_faults(id_, golden, policy, one.said)
    if not one.why.strip():
        faults.append(Fault(id_, "no reason; give --why: it is kept in the history"))
    return [Fault(f"{one.where}, {fault.where}", fault.what) for fault in faults] if one.where else faults


def _is_said(was: Judged, policy: Policy, said: Judgement) -> bool:
    """Whether an example has this judgement already, under this version as it reads now."""
    same = judgement_in(was) == judgement_in(was.model_copy(update=dict(said)))
    return same and is_judged(was, policy) and was.policy_version == policy.version


def judgement_in(one: Judged | Judgement) -> tuple[int, str, tuple[str, ...]]:
    """The grade, the reasoning and the clauses of a judgement."""
    return one.grade, one.reasoning, one.clauses


def regrade_faults(id_: str, golden: Mapping[str, Judged], policy: Policy, said: Judgement) -> list[Fault]:
    """The faults of a judgement under a policy version; empty if it can be recorded."""
    if id_ not in golden:
        return [unknown_id(id_)]
    return [
        *order_faults(golden[id_], policy),
        *judgement_faults(id_, said, policy),
        *unargued(id_, golden[id_].reasoning, said),
    ]


def unargued(id_: str, before: str, said: Judgement) -> list[Fault]:
    """A fault if the old reasoning would stay beside a new judgement: it argues for the old grade."""
    if said.reasoning.strip() or not before.strip():
        return []
    what = "no reasoning; give --reasoning: the one that is there leads to the grade before"
    return [Fault(id_, what)]


def read_regrades(
    path: Path, layout: Layout, policy: Policy, why: str = ""
) -> tuple[dict[str, Regrade], list[Fault]]:
    """The judgements of a table by id: item and grade, and reasoning, clauses, why where there are any.

    `why`: the reason of rows that give none. With every fault of every row. BadInput for a file that cannot
    be read, and for one without a row.
    """
    table = read_table(path, layout)
    headers = table.require(("item", "grade"), layout)
    headers |= {name: table.find(name, layout) for name in ("reasoning", "clauses", "why")}
    read = grade_reader(layout.labels, policy.scale, layout.words_by)
    faults = TableFaults(table, layout.words_by)
    found: dict[str, Regrade] = {}
    for row in table.rows:
        text, id_ = joined(row, headers["grade"]), one_form(joined(row, headers["item"]))
        grade, fault = read(text)
        faults.note_gaps(row, ("item", "grade"), {"item": id_ or None, "grade": text or None})
        if fault:
            faults.note_grade(row, "+".join(headers["grade"]), text, fault)
        elif text and grade is None:
            faults.note(row, f"{text!r} says that there is no grade")
        if id_ in found:
            faults.note(row, f"{id_!r} is graded twice (first: {found[id_].where})")
        elif id_:
            text, clauses = joined(row, headers["reasoning"]), tuple(listed(row, headers["clauses"]))
            said = None if grade is None else Judgement(grade=grade, reasoning=text, clauses=clauses)
            found[id_] = Regrade(said, joined(row, headers["why"]) or why, table.where(row))
    return found, faults.found
