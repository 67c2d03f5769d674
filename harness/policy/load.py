"""Load policies: TOML files as a Policy and its Gates, with their faults."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.nouns.policy import Cell, Gates, Policy
from harness.storage.digest import digest
from harness.storage.files import build, read_toml
from harness.storage.project import Project, folder_names, is_version, pick_name, split_label
from harness.storage.versions import in_order, misplaced, pick_version


def policy_names(project: Project) -> list[str]:
    """Every policy of the project."""
    return folder_names(project.policies)


def policy_versions(folder: Path) -> dict[str, Path]:
    """Every version in a policy's folder with its file, the oldest first."""
    return in_order({path.stem: path for path in folder.glob("*.toml") if is_version(path.stem)})


def policy_path(project: Project, label: str) -> Path:
    """The file of `name@version`; without a version the latest released one, else the latest."""
    name, wanted = split_label(label)
    files = policy_versions(pick_name("policy", name, project.policies))
    return files[pick_version("policy", name, wanted, files)]


def load_policy(path: Path) -> Policy:
    """A policy file as a Policy. BadInput names every structural fault by file and key."""
    data = read_toml(path)
    author = data.get("author")
    several = isinstance(author, list)
    if several:
        data = {**data, "author": ""}
    policy, faults = build(Policy, data, str(path))
    if several:
        faults.append(Fault(str(path), "author: expected exactly one; name the others under contributors"))
    if policy is not None:
        faults += [Fault(str(path), text) for text in structural_faults(policy)]
        if is_version(path.stem):
            faults += misplaced(path, (policy.name, policy.version), path.parent.name, path.stem)
    if faults or policy is None:
        raise BadInput(faults)
    return policy


def load_named(project: Project, label: str) -> Policy:
    """The policy `name@version`; without a version the latest released one, else the latest."""
    return load_policy(policy_path(project, label))


def load_gates(path: Path, policy: Policy) -> Gates:
    """The gates file beside a policy; the default bars without a file."""
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


def load_with_gates(path: Path) -> tuple[Policy, Gates]:
    """A policy file and the gates file beside it."""
    policy = load_policy(path)
    return policy, load_gates(path.with_name("gates.toml"), policy)


def policy_digest(policy: Policy) -> str:
    """Digest of a policy's content, without `released`.

    The optional fields named here are hashed even at their defaults, as in the digests of old runs. Do not
    add newer fields: `Noun.data` includes them where they differ from their defaults.
    """
    said = policy.data()
    said.pop("released", None)
    clauses = [{"max_grade": None, "min_grade": None, **clause} for clause in said.get("clauses", ())]
    grades = [{"examples": [], **level} for level in said["grades"]]
    boundaries = [{"clauses": [], **boundary} for boundary in said.get("boundaries", ())]
    first = {"grades": grades, "clauses": clauses, "boundaries": boundaries}
    return digest({"contributors": [], **said, **first})


def gates_digest(gates: Gates) -> str:
    """Digest of the gates. Writing out a default does not change it."""
    return digest(gates.data())


def structural_faults(policy: Policy) -> list[str]:
    """The faults that make a policy unusable, each as `key: what`."""
    return [
        *_scale_faults(policy),
        *_action_faults(policy),
        *_clause_faults(policy),
        *_boundary_faults(policy),
    ]


def _scale_faults(policy: Policy) -> Iterator[str]:
    values = [level.value for level in policy.grades]
    names = [level.name for level in policy.grades]
    if len(set(values)) < 2:
        yield "grades: a scale needs at least two grades"
    yield from (f"grades: the value {value} is given twice" for value in _twice(values))
    yield from (f"grades: the name {name!r} is given twice" for name in _twice(names))


def _action_faults(policy: Policy) -> Iterator[str]:
    covered = [grade for action in policy.actions for grade in action.grades]
    yield from (f"actions: grade {grade} has several actions; give it one" for grade in _twice(covered))
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


def _cell_faults(gates: Gates, policy: Policy) -> Iterator[str]:
    actions = {action.name for action in policy.actions}
    for number, cell in enumerate(gates.never_grow, start=1):
        if cell.golden not in policy.scale:
            yield f"never_grow[{number}]: grade {cell.golden} is not on the policy's scale"
        if cell.action not in actions:
            yield f"never_grow[{number}]: the policy has no action {cell.action!r}"


def _twice(values: list[Any]) -> list[Any]:
    return [value for value, times in Counter(values).items() if times > 1]
