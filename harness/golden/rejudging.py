"""Rejudging under a new policy version: confirm or replace a grade, and keep its history."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import Fault, refuse_faults
from harness.golden.canaries import FILE as CANARIES
from harness.golden.canaries import Canary
from harness.golden.checks import broken_caps, short_reasoning, unknown_clauses
from harness.golden.scales import off_scale
from harness.nouns.base import Noun
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.policy.diff import diff_policies
from harness.policy.effect import cannot_tell, movable_grades, reasons
from harness.policy.judged import is_judged
from harness.policy.load import load_policy, policy_path
from harness.scorecards.policy_change import PolicyDiff
from harness.storage.files import json_lines, read_nouns, read_text, too_long, write_atomic
from harness.storage.locks import alone
from harness.storage.project import Project, is_version, version_number

Judged = Example | Canary


class Judgement(Noun):
    """The new judgement of an example."""

    grade: int
    reasoning: str
    clauses: tuple[str, ...]


def golden_lines(path: Path) -> dict[str, Judged]:
    """Every example and canary by id, with its latest judgement."""
    found: dict[str, Judged] = {}
    faults: list[Fault] = []
    for file, model in _files(path):
        numbered, wrong = read_nouns(file, model)
        faults += wrong
        for line, one in numbered:
            if one.id in found:
                faults.append(Fault(f"{file}, line {line}, {one.id}", "the id is taken"))
            found[one.id] = one
    refuse_faults(faults)
    return found


def left_to_judge(golden: Mapping[str, Judged], policy: Policy) -> list[str]:
    """The ids not yet judged under a policy version."""
    return [id_ for id_, one in golden.items() if not is_judged(one, policy)]


class Unaffected(NamedTuple):
    """The unjudged ids that no change affects, each with the reason.

    `cannot_tell`: the others; `unmoved`: those of them whose grade the changes cannot move.
    """

    why: dict[str, str]
    cannot_tell: list[str]
    unmoved: dict[str, str]

    def doubt(self, total: int) -> str:
        """Why some of the `total` remain unknown, and which command helps; empty if all are known."""
        if not self.cannot_tell:
            return ""
        some = f"`--cannot-move` confirms the {len(self.unmoved):,} that the change cannot move, "
        return (
            f"cannot tell for {len(self.cannot_tell):,} of {total:,}: they cite no clause, or a change that "
            "no example cites can move their grade, or they were judged by rules that were edited since; "
            f"{some if self.unmoved else ''}`harness policy diff` lists them"
        )


def unaffected_in(project: Project, golden: Mapping[str, Judged], policy: Policy) -> Unaffected:
    """The examples that a policy version does not affect."""
    left = left_to_judge(golden, policy)
    versions = sorted({golden[id_].policy_version for id_ in left})
    labels = {version: f"{policy.name}@{version}" for version in versions}
    bases = {version: load_policy(policy_path(project, label)) for version, label in labels.items()}
    diffs = {version: diff_policies(base, policy) for version, base in bases.items()}
    movable = {version: movable_grades(diff) for version, diff in diffs.items()}
    why: dict[str, str] = {}
    unknown: list[str] = []
    unmoved: dict[str, str] = {}
    for id_ in left:
        version, grade = golden[id_].policy_version, golden[id_].grade
        diff = diffs[version]
        if not is_judged(golden[id_], bases[version]):
            unknown.append(id_)  # judged by rules that were edited since, so that the change is unknown
            continue
        if reasons(diff, golden[id_]):
            continue
        if cannot_tell(diff, golden[id_]):
            unknown.append(id_)
            if grade not in movable[version]:
                unmoved[id_] = f"what {policy.version} changed cannot move a {grade} ({_rules(diff)})"
        else:
            why[id_] = f"rests on nothing that {policy.version} changed ({_rules(diff)})"
    return Unaffected(why, unknown, unmoved)


def _rules(diff: PolicyDiff) -> str:
    """The changed rules, in short. Boundaries are left out: they only illustrate the clauses."""
    labels = [c.label for c in diff.changes if c.binds and c.part != "boundary"]
    labels += [move.label for move in diff.action_moves]
    return ", ".join(labels) or "no clause, no grade"


def confirm(path: Path, policy: Policy, why: Mapping[str, str], at: str) -> list[str]:
    """Record that grades stand under this policy version. Skips ids already judged under its noted rules."""
    with alone(path.parent / ".golden.lock"):
        golden = golden_lines(path)
        refuse_faults(fault for id_ in why for fault in _confirm_faults(id_, golden, policy))
        new = [id_ for id_ in why if not _is_noted(golden[id_], policy)]
        rewrite(path, {id_: judged_anew(policy, at, why[id_], None) for id_ in new})
    return new


def _is_noted(one: Judged, policy: Policy) -> bool:
    """Whether it was judged under a policy version, and notes its rules, so that an edit can be detected."""
    return is_judged(one, policy) and one.under(policy.version).rules is not None


def unknown_id(id_: str) -> Fault:
    """The fault for an id that the golden set does not have."""
    return Fault(id_, "not an example or canary of this set")


def _confirm_faults(id_: str, golden: Mapping[str, Judged], policy: Policy) -> list[Fault]:
    if id_ not in golden:
        return [unknown_id(id_)]
    one = golden[id_]
    if _is_noted(one, policy):
        return []
    now = Judgement(grade=one.grade, reasoning="", clauses=one.clauses)  # the reasoning stays as it was
    found = judgement_faults(id_, now, policy)
    return [*order_faults(one, policy), *(Fault(f.where, f"{f.what}; regrade it") for f in found)]


def order_faults(one: Judged, policy: Policy) -> list[Fault]:
    """Refuse to judge under an earlier version what was already judged under a later one."""
    versions = one.policy_version, policy.version
    if not all(is_version(version) for version in versions):
        return []
    if version_number(versions[0]) <= version_number(versions[1]):
        return []
    what = f"is already judged under {versions[0]}; to correct {versions[1]}, edit its entry in history"
    return [Fault(one.id, what)]


def judgement_faults(id_: str, said: Judgement, policy: Policy) -> list[Fault]:
    """The parts of a judgement that its policy version does not allow."""
    if said.grade not in policy.scale:
        return [Fault(id_, off_scale(said.grade, policy))]
    judged = Example.model_validate(
        {"id": id_, "query": "-", "result": {"title": "-"}, "split": "dev", **dict(said)}
        | {"policy_version": policy.version}
    )
    found = [*unknown_clauses([judged], policy), *broken_caps([judged], policy), *short_reasoning(judged)]
    return [Fault(finding.where, finding.what) for finding in found]


def judged_anew(policy: Policy, at: str, why: str, said: Judgement | None) -> Callable[[dict[str, Any]], Any]:
    """A function that moves a line's judgement into its history; without a new one, the old one stands."""

    def change(line: dict[str, Any]) -> dict[str, Any]:
        past: dict[str, Any] = {key: line[key] for key in ("policy_version", "rules", "grade") if key in line}
        if said is None:
            past |= {"stands": True}
        else:
            past |= {key: line[key] for key in ("reasoning", "clauses") if key in line}
        history = [*line.get("history", []), {**past, "changed_at": at, "why": why}]
        new = {"policy_version": policy.version, "rules": policy.rules, "history": history}
        if said is not None:
            # A canary keeps no reasoning.
            new |= said.model_dump(mode="json", exclude={"reasoning"} if "steered" in line else set())
        return _placed(line, new)

    return change


def _placed(line: Mapping[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A line with new values in their old places, and `history` right after `policy_version`."""
    made: dict[str, Any] = {}
    for key, value in line.items():
        made[key] = new.get(key, value)
        if key == "policy_version" and "history" not in line:
            made["history"] = new["history"]
    return made | new


def rewrite(path: Path, changes: Mapping[str, Callable[[dict[str, Any]], Any]]) -> None:
    """Change the lines of these ids; keep every other line byte for byte."""
    made: dict[Path, list[str]] = {}
    faults: list[Fault] = []
    for file, _ in _files(path):
        rows, _ = json_lines(file)
        lines = read_text(file).split("\n")
        touched = [(number, row) for number, row in rows if row["id"] in changes]
        for number, row in touched:
            end = "\r" if lines[number - 1].endswith("\r") else ""
            lines[number - 1] = json.dumps(changes[row["id"]](row), ensure_ascii=False) + end
            faults += too_long(lines[number - 1] + "\n", f"{file}, line {number}")
        if touched:
            made[file] = lines
    refuse_faults(faults)
    for file, lines in made.items():
        write_atomic(file, "\n".join(lines))


def _files(path: Path) -> Sequence[tuple[Path, type[Judged]]]:
    canaries = path.with_name(CANARIES)
    return [(path, Example), *([(canaries, Canary)] if canaries.exists() else [])]
