"""Golden examples: read the file, or report every structural fault in it."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.grade_tables import off_scale
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.storage.digest import canonical_json
from harness.storage.files import read_nouns
from harness.storage.project import Project, pick_name

FILE = "examples.jsonl"


def golden_path(project: Project, policy_name: str) -> Path:
    """The examples file of a policy."""
    return pick_name("golden set", policy_name, project.golden) / FILE


def load_examples(path: Path, policy: Policy) -> list[Example]:
    """The examples as graded under this policy version. BadInput names every structural fault."""
    numbered, faults = read_numbered(path, policy)
    if faults:
        raise BadInput(faults)
    return [example.under(policy.version) for _, example in numbered]


def read_numbered(path: Path, policy: Policy) -> tuple[list[tuple[int, Example]], list[Fault]]:
    """Each readable example with its line number, and the faults that stop an evaluation."""
    numbered, faults = read_nouns(path, Example)
    if not numbered and not faults:
        faults = [Fault(str(path), "the golden set is empty")]
    faults += _doubles(path, numbered)
    for line, example in numbered:
        where = f"{path}, line {line}, {example.id}"
        grade = example.under(policy.version).grade
        if grade not in policy.scale:
            faults.append(Fault(where, off_scale(grade, policy)))
    return numbered, faults


def stale(examples: Iterable[Example], version: str) -> list[Example]:
    """The examples not judged under this policy version."""
    return [example for example in examples if example.policy_version != version]


def golden_digest(examples: Iterable[Example]) -> str:
    """Digest of ids, pairs, grades, reasonings and clauses; the order of examples does not matter."""
    said = sorted((example.id, _said(example)) for example in examples)
    # Equals the digest of {id: said}, without holding all of it in memory.
    whole = hashlib.sha256(b"{")
    for at, (id_, text) in enumerate(said):
        whole.update((b"," if at else b"") + canonical_json(id_) + b":" + text)
    whole.update(b"}")
    return f"sha256:{whole.hexdigest()}"


def _said(example: Example) -> bytes:
    return canonical_json([example.pair.digest, example.grade, example.reasoning, list(example.clauses)])


def _doubles(path: Path, numbered: Iterable[tuple[int, Example]]) -> Iterator[Fault]:
    ids: dict[str, int] = {}
    for line, example in numbered:
        if example.id in ids:
            yield Fault(f"{path}, line {line}, {example.id}", f"the id is taken (line {ids[example.id]})")
        ids.setdefault(example.id, line)
