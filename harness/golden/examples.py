"""Golden examples: read the file, or report every structural fault in it."""

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.scales import off_scale
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.policy.judged import is_judged
from harness.storage.digest import canonical_json, keyed_digest
from harness.storage.files import build, each_json_line, parse, read_nouns, text_lines
from harness.storage.project import Project, pick_name

FILE = "examples.jsonl"


def golden_path(project: Project, policy_name: str) -> Path:
    """The examples file of a policy."""
    return pick_name("golden set", policy_name, project.golden) / FILE


SHOWN = ("id", "query", "result", "context", "tags")
"""The fields that identify the pair: they hold no control character."""


def load_examples(path: Path, policy: Policy) -> list[Example]:
    """The examples as graded under this policy version. BadInput names every structural fault."""
    return list(checked_examples(path, policy))


def checked_examples(path: Path, policy: Policy) -> Iterator[Example]:
    """The same, one by one. Raises all faults at once, at the end of the file."""
    faults: list[Fault] = []
    for _, example in _each_numbered(path, policy, faults):
        yield example.under(policy.version)
    refuse_faults(faults)


def read_numbered(path: Path, policy: Policy) -> tuple[list[tuple[int, Example]], list[Fault]]:
    """Each readable example with its line number, and the faults that stop an evaluation."""
    faults: list[Fault] = []
    return list(_each_numbered(path, policy, faults)), faults


def _each_numbered(path: Path, policy: Policy, faults: list[Fault]) -> Iterator[tuple[int, Example]]:
    """Each readable example with its line number. When all are read, `faults` has every fault of the file."""
    ids, off = array("q"), list[Fault]()
    for number, data in each_json_line(path, SHOWN):
        where = f"{path}, line {number}"
        example, found = (None, [data]) if isinstance(data, Fault) else build(Example, data, where)
        faults += found
        if example is not None:
            ids.append(hash(example.id))
            grade = example.under(policy.version).grade
            if grade not in policy.scale:
                off.append(Fault(f"{where}, {example.id}", off_scale(grade, policy)))
            yield number, example
    if not ids and not faults:
        faults.append(Fault(str(path), "the golden set is empty"))
    if len(set(ids)) < len(ids):
        faults += _doubles(path)
    faults += off


def each_example(path: Path, policy: Policy) -> Iterator[Example]:
    """Each example of a file that was checked, as graded under a policy version."""
    for number, line in text_lines(path):
        if line.strip():
            example, faults = parse(Example, line, f"{path}, line {number}")
            if example is None:
                raise BadInput(faults)
            yield example.under(policy.version)


def stale(examples: Iterable[Example], policy: Policy) -> list[Example]:
    """The examples not judged under this policy version as it reads now."""
    return [example for example in examples if not is_judged(example, policy)]


def golden_digest(examples: Iterable[Example]) -> str:
    """A digest of a golden set: ids, pairs, grades, reasonings and clauses, in any order."""
    return said_digest((example, example.pair.digest) for example in examples)


def said_digest(known: Iterable[tuple[Example, str]]) -> str:
    """The same from examples whose pairs' digests are known."""
    return keyed_digest((example.id, _said(example, pair)) for example, pair in known)


def _said(example: Example, pair: str) -> bytes:
    return canonical_json([pair, example.grade, example.reasoning, list(example.clauses)])


def _doubles(path: Path) -> Iterator[Fault]:
    ids: dict[str, int] = {}
    for line, example in read_nouns(path, Example)[0]:
        if example.id in ids:
            what = f"the id is taken (line {ids[example.id]})"
            yield Fault(f"{path}, line {line}, {example.id}", what, "the id is taken")
        ids.setdefault(example.id, line)
