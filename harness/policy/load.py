"""Policies: TOML files become a Policy and its Gates; lint says what is not ready yet."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.nouns.policy import Cell, Gates, Policy
from harness.storage.digest import digest
from harness.storage.files import build, read_bytes, read_toml
from harness.storage.project import (
    Project,
    folder_names,
    is_version,
    pick_name,
    pick_version,
    split_label,
    version_number,
)


def policy_names(project: Project) -> list[str]:
    """Every policy of the project."""
    return folder_names(project.policies)


def policy_versions(folder: Path) -> list[str]:
    """Every version in a policy's folder."""
    return [path.stem for path in folder.glob("*.toml") if is_version(path.stem)]


def policy_path(project: Project, label: str) -> Path:
    """The file of `name@version`; without a version the latest that is released, or else the latest."""
    name, wanted = split_label(label)
    folder = pick_name("policy", name, project.policies)
    known = policy_versions(folder)
    if wanted is None:
        known = released_versions(folder) or known
    return folder / f"{pick_version('policy', name, wanted, known)}.toml"


_RELEASED = re.compile(rb"^\s*released\s*=\s*true\b", re.MULTILINE)


def released_versions(folder: Path) -> list[str]:
    """The versions in a policy's folder that say `released = true`."""
    return [version for version in policy_versions(folder) if _says_released(folder / f"{version}.toml")]


def _says_released(path: Path) -> bool:
    """A draft that is half written, and no TOML yet, must not stop the version before it.

    A released version with a slip in it counts as released: whoever loads it is told of the slip, where
    stepping over it would move everybody to another policy.
    """
    try:
        return read_toml(path).get("released", False) is not False
    except BadInput:
        return _RELEASED.search(read_bytes(path)) is not None


def load_policy(path: Path) -> Policy:
    """A policy file as a Policy. BadInput names every structural fault by file and key."""
    data = read_toml(path)
    author = data.get("author")
    several = isinstance(author, list)
    if several:
        data = {**data, "author": ""}
    policy, faults = build(Policy, data, str(path))
    if several:
        faults.append(Fault(str(path), "author: exactly one is wanted; name the others under contributors"))
    if policy is not None:
        faults += [Fault(str(path), text) for text in structural_faults(policy)]
        faults += _misplaced(policy, path)
    if faults or policy is None:
        raise BadInput(faults)
    return policy


def load_gates(path: Path, policy: Policy) -> Gates:
    """The gates file beside a policy; the defaults of every bar where there is none."""
    data: dict[str, Any] = read_toml(path) if path.exists() else {}
    gates, faults = build(Gates, data, str(path))
    if gates is not None:
        faults += [Fault(str(path), text) for text in _cell_faults(gates, policy)]
    if faults or gates is None:
        raise BadInput(faults)
    if "never_grow" not in data:
        worst, best = policy.scale[0], policy.scale[-1]
        cell = Cell(golden=worst, action=policy.action_of[best])
        return gates.model_copy(update={"never_grow": (cell,)})
    return gates


def policy_digest(policy: Policy) -> str:
    """Identity of what a policy says; `released` says nothing.

    The optional fields named here are hashed at their defaults too: the digests in old runs were made so.
    Name no later one here; `Noun.data` holds it where it is not at its default.
    """
    said = policy.data()
    said.pop("released", None)
    clauses = [{"max_grade": None, "min_grade": None, **clause} for clause in said.get("clauses", ())]
    grades = [{"examples": [], **level} for level in said["grades"]]
    boundaries = [{"clauses": [], **boundary} for boundary in said.get("boundaries", ())]
    first = {"grades": grades, "clauses": clauses, "boundaries": boundaries}
    return digest({"contributors": [], **said, **first})


def gates_digest(gates: Gates) -> str:
    """Identity of the bars that are declared; a default that is spelt out makes no other bars."""
    return digest(gates.data())


def structural_faults(policy: Policy) -> list[str]:
    """What makes a policy unusable, each as `key: what`."""
    return [
        *_scale_faults(policy),
        *_action_faults(policy),
        *_clause_faults(policy),
        *_boundary_faults(policy),
    ]


def unfinished(policy: Policy) -> list[str]:
    """What a usable policy still lacks, each as `key: what`: people cannot rate by an empty definition."""
    return list(_empty_texts(policy))


def draft_notes(project: Project, policy: Policy) -> list[str]:
    """The drafts after a released version: they are taken only where they are named."""
    folder = project.policies / policy.name
    released = released_versions(folder)
    drafts = [version for version in policy_versions(folder) if version not in released]
    return [
        f"{policy.name}@{version} is a draft: without a version, {policy.name} is {policy.label}"
        for version in sorted(drafts, key=version_number)
        if released and version_number(version) > version_number(policy.version)
    ]


def shared_surfaces(policies: Sequence[Policy], asked: str | None = None) -> list[str]:
    """Surfaces that several policies name; with `asked` those of that policy alone."""
    named: dict[str, list[str]] = defaultdict(list)
    for policy in policies:
        named[" ".join(policy.surface.casefold().split())].append(policy.name)
    return [
        f"one surface has several policies, {', '.join(names)} ({surface}): what passes all of them is right "
        "only where each is, and 0.8 x 0.8 x 0.8 is 0.512; make them one policy with more actions"
        for surface, names in named.items()
        if surface and len(names) > 1 and (asked is None or asked in names)
    ]


def _scale_faults(policy: Policy) -> Iterator[str]:
    values = [level.value for level in policy.grades]
    names = [level.name for level in policy.grades]
    if len(set(values)) < 2:
        yield "grades: a scale has at least two grades"
    yield from (f"grades: the value {value} is given twice" for value in _twice(values))
    yield from (f"grades: the name {name!r} is given twice" for name in _twice(names))


def _action_faults(policy: Policy) -> Iterator[str]:
    covered = [grade for action in policy.actions for grade in action.grades]
    yield from (f"actions: grade {grade} has several actions; it takes one" for grade in _twice(covered))
    scale = set(policy.scale)
    yield from (f"actions: grade {grade} has no action" for grade in sorted(scale - set(covered)))
    yield from (f"actions: grade {grade} is not on the scale" for grade in sorted(set(covered) - scale))
    names = [action.name for action in policy.actions]
    yield from (f"actions: the name {name!r} is given twice" for name in _twice(names))


def _clause_faults(policy: Policy) -> Iterator[str]:
    ids = [clause.id for clause in policy.clauses]
    yield from (f"clauses: the id {id_!r} is given twice" for id_ in _twice(ids))
    for clause in policy.clauses:
        for key, grade in (("max_grade", clause.max_grade), ("min_grade", clause.min_grade)):
            if grade is not None and grade not in policy.scale:
                yield f"clauses, {clause.id}: {key} {grade} is not on the scale"


def _boundary_faults(policy: Policy) -> Iterator[str]:
    for number, boundary in enumerate(policy.boundaries, start=1):
        where = f"boundaries[{number}] ({boundary.query!r})"
        unknown = [id_ for id_ in boundary.clauses if id_ not in policy.clause_ids]
        yield from (f"{where}: cites the unknown clause {id_!r}" for id_ in unknown)
        off = sorted({*boundary.between, boundary.grade} - set(policy.scale))
        yield from (f"{where}: grade {grade} is not on the scale" for grade in off)
        if boundary.grade not in boundary.between:
            yield f"{where}: decides on {boundary.grade}, which is not between {list(boundary.between)}"


def _empty_texts(policy: Policy) -> Iterator[str]:
    for key in ("author", "title", "surface", "goal"):
        if not getattr(policy, key).strip():
            yield f"{key}: empty"
    for level in policy.grades:
        if not level.definition.strip():
            yield f"grades, {level.value}: empty definition"
    for clause in policy.clauses:
        if not clause.text.strip():
            yield f"clauses, {clause.id}: empty text"
        if not clause.why.strip():
            yield f"clauses, {clause.id}: no reason (why)"


def _cell_faults(gates: Gates, policy: Policy) -> Iterator[str]:
    actions = {action.name for action in policy.actions}
    for number, cell in enumerate(gates.never_grow, start=1):
        if cell.golden not in policy.scale:
            yield f"never_grow[{number}]: grade {cell.golden} is not on the policy's scale"
        if cell.action not in actions:
            yield f"never_grow[{number}]: the policy has no action {cell.action!r}"


def _misplaced(policy: Policy, path: Path) -> list[Fault]:
    """A copied file whose name or version was not changed would be two policies in one."""
    faults = []
    if is_version(path.stem) and policy.version != path.stem:
        faults.append(Fault(str(path), f"version: {policy.version!r}, but the file is {path.name}"))
    if is_version(path.stem) and policy.name != path.parent.name:
        faults.append(Fault(str(path), f"name: {policy.name!r}, but the folder is {path.parent.name}"))
    return faults


def _twice(values: list[Any]) -> list[Any]:
    return [value for value, times in Counter(values).items() if times > 1]
