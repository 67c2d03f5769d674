"""Golden examples: read the file, or report every structural fault in it."""

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.grade_tables import off_scale
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.storage.digest import canonical_json, keyed_digest
from harness.storage.files import build, each_json_line, parse, read_nouns, text_lines
from harness.storage.project import Project, pick_name

FILE = "examples.jsonl"


def golden_path(project: Project, policy_name: str) -> Path:
    """The examples file of a policy."""
    return pick_name("golden set", policy_name, project.golden) / FILE


def load_examples(path: Path, policy: Policy) -> list[Example]:
    """The examples as graded under this policy version. BadInput names every structural fault."""
    return list(checked_examples(path, policy))


def checked_examples(path: Path, policy: Policy) -> Iterator[Example]:
    """The same, one by one. Faults are raised when the file has been gone through: all of them at once."""
    ids, faults, off = array("q"), list[Fault](), list[Fault]()
    for number, data in each_json_line(path):
        where = f"{path}, line {number}"
        example, found = (None, [data]) if isinstance(data, Fault) else build(Example, data, where)
        faults += found
        if example is not None:
            ids.append(hash(example.id))
            graded = example.under(policy.version)
            off += _off(where, graded, policy)
            yield graded
    if not ids and not faults:
        faults = [Fault(str(path), "the golden set is empty")]
    if len(set(ids)) < len(ids):
        faults += _doubles(path, ((number, example) for number, example in read_nouns(path, Example)[0]))
    if faults or off:
        raise BadInput([*faults, *off])


def each_example(path: Path, policy: Policy) -> Iterator[Example]:
    """Each example of a file that was checked, as graded under a policy version."""
    for number, line in text_lines(path):
        if line.strip():
            example, faults = parse(Example, line, f"{path}, line {number}")
            if example is None:
                raise BadInput(faults)
            yield example.under(policy.version)


def read_numbered(path: Path, policy: Policy) -> tuple[list[tuple[int, Example]], list[Fault]]:
    """Each readable example with its line number, and the faults that stop an evaluation."""
    numbered, faults = read_nouns(path, Example)
    if not numbered and not faults:
        faults = [Fault(str(path), "the golden set is empty")]
    faults += _doubles(path, numbered)
    for line, example in numbered:
        faults += _off(f"{path}, line {line}", example.under(policy.version), policy)
    return numbered, faults


def _off(where: str, graded: Example, policy: Policy) -> list[Fault]:
    """What is wrong with a grade that the policy does not have."""
    if graded.grade in policy.scale:
        return []
    return [Fault(f"{where}, {graded.id}", off_scale(graded.grade, policy))]


def stale(examples: Iterable[Example], version: str) -> list[Example]:
    """The examples not judged under this policy version."""
    return [example for example in examples if example.policy_version != version]


def golden_digest(examples: Iterable[Example]) -> str:
    """Identity of what a golden set says: ids, pairs, grades, reasonings and clauses, in any order."""
    return keyed_digest((example.id, _said(example)) for example in examples)


def _said(example: Example) -> bytes:
    return canonical_json([example.pair.digest, example.grade, example.reasoning, list(example.clauses)])


def _doubles(path: Path, numbered: Iterable[tuple[int, Example]]) -> Iterator[Fault]:
    ids: dict[str, int] = {}
    for line, example in numbered:
        if example.id in ids:
            yield Fault(f"{path}, line {line}, {example.id}", f"the id is taken (line {ids[example.id]})")
        ids.setdefault(example.id, line)
