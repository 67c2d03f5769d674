"""Draft clauses: an adjudication opens them in the next version of a policy, for its author to word."""

import tomllib
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput
from harness.nouns.base import Noun
from harness.nouns.pair import query_key
from harness.nouns.policy import Policy
from harness.policy.load import load_policy, policy_versions
from harness.storage.files import read_text, write_atomic
from harness.storage.locks import alone
from harness.storage.project import Project, version_number
from harness.storage.versions import as_draft, released_versions, says, toml_string

TODO = "TODO:"
"""The beginning of a clause's text that has yet to be worded; `policy lint` reports it."""
LOCK = ".policy.lock"


class DraftClause(Noun):
    """A clause to be worded, and the version that holds it."""

    version: str
    id: str
    text: str
    why: str


class Draft(NamedTuple):
    """The version that takes draft clauses, and the one to copy for it; None if it exists."""

    version: str
    copied_from: str | None


def next_draft(project: Project, policy: Policy) -> Draft:
    """The latest draft after a version; else a version after the latest, as its copy. Writes nothing."""
    files = policy_versions(project.policies / policy.name)
    latest = max(files, key=version_number)
    if version_number(latest) > version_number(policy.version) and latest not in released_versions(files):
        return Draft(latest, None)
    return Draft(f"v{version_number(latest) + 1}", latest)


def plan_clause(project: Project, policy: Policy, unclear: str | None, wording: str, why: str) -> DraftClause:
    """The draft clause for a policy gap: about the clause `unclear`, or about what no clause covers yet.

    A second gap of the same clause without a wording of its own shares the draft clause of the first.
    """
    draft = next_draft(project, policy)
    known = {} if draft.copied_from else _clauses(project, policy.name, draft.version)
    text = f"{TODO} {' '.join(wording.split()) or _task(unclear)}"
    stem = f"draft-{unclear}" if unclear else "draft"
    names = [stem if unclear else f"{stem}-1", *(f"{stem}-{n}" for n in range(2, len(known) + 3))]
    for id_ in names:
        if id_ not in known:
            return DraftClause(version=draft.version, id=id_, text=text, why=why)
        if known[id_] == text or (unclear and not wording.strip()):
            return DraftClause(version=draft.version, id=id_, text=known[id_], why=why)
    raise AssertionError("one of more names than there are clauses is free")


def _task(unclear: str | None) -> str:
    return f"sharpen {unclear}." if unclear else "say what decides."


def _clauses(project: Project, name: str, version: str) -> dict[str, str]:
    policy = load_policy(project.policies / name / f"{version}.toml")
    return {clause.id: clause.text for clause in policy.clauses}


def open_clause(project: Project, policy: Policy, clause: DraftClause, remark: str) -> bool:
    """Append a draft clause to its version, which is created if missing. False if the clause exists.

    BadInput if the version was released meanwhile: a released version never changes. `remark`: a comment
    above the clause, which no grader reads.
    """
    folder = project.policies / policy.name
    with alone(folder / LOCK):
        if is_open(project, policy, clause):
            return False
        write_atomic(folder / f"{clause.version}.toml", drafted(project, policy, clause, remark))
    return True


def is_open(project: Project, policy: Policy, clause: DraftClause) -> bool:
    """Whether the version of a draft clause has a clause of its id already."""
    path = project.policies / policy.name / f"{clause.version}.toml"
    return path.exists() and clause.id in _clauses(project, policy.name, clause.version)


def drafted(project: Project, policy: Policy, clause: DraftClause, remark: str) -> str:
    """The text of a draft with the clause added. BadInput if it is invalid, or the version was released."""
    folder, draft = project.policies / policy.name, next_draft(project, policy)
    if draft.version != clause.version:
        what = f"{policy.name}@{clause.version} is released, or not the latest version any more"
        raise BadInput.at(folder, f"{what}: a draft clause goes into {draft.version}")
    path = folder / f"{draft.copied_from or draft.version}.toml"
    text = read_text(path)
    if draft.copied_from:
        text = as_draft(text, path, version=draft.version)
    made = f"{text.rstrip()}\n\n# {' '.join(remark.split())}\n{_toml(clause)}"
    return _checked(text, made, clause, path)


def _checked(before: str, made: str, clause: DraftClause, path: Path) -> str:
    was = tomllib.loads(before)
    added = {"id": clause.id, "text": clause.text, "why": clause.why}
    if not says(made, {**was, "clauses": [*was.get("clauses", []), added]}):
        raise BadInput.at(path, "no clause can be appended: write its clauses as [[clauses]]")
    return made


def _toml(clause: DraftClause) -> str:
    keys = (f"{key} = {toml_string(getattr(clause, key))}" for key in ("id", "text", "why"))
    return "\n".join(("[[clauses]]", *keys)) + "\n"


def names_pair(wording: str, query: str, title: str) -> bool:
    """Whether a wording gives a graded pair away: it has its title, or its query of two words or more."""
    said = f" {query_key(wording)} "
    wholes = [key for key in (query_key(query), query_key(title)) if " " in key]
    return any(f" {whole} " in said for whole in wholes)
