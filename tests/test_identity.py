"""A noun can get an optional field, and no run, baseline or cached reply of before becomes unreadable."""

import ast
import importlib
import json
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from builders import CLAUSE, policy
from old_runs import holds

import harness
from harness.nouns.base import Noun
from harness.nouns.policy import Policy
from harness.policy.load import policy_digest
from harness.runs.manifest import Digests

TESTS = Path(__file__).resolve().parent
ADDED = ("later: str | None = None", "later_count: int = 3", "later_names: tuple[str, ...] = ()")


@pytest.mark.slow
def test_old_runs_are_read_with_new_fields_in_every_noun(tmp_path: Path) -> None:
    """In a copy of the package whose nouns have more fields, as somebody would write them."""
    package = tmp_path / "code/harness"
    shutil.copytree(TESTS.parent / "harness", package, ignore=shutil.ignore_patterns("__pycache__"))
    assert {"Policy", "Boundary", "Gates", "Record", "Usage", "Asked", "Baseline", "CachedReply"} <= set(
        _grow(package)
    )
    code = "import sys, pathlib, old_runs; old_runs.read_all(pathlib.Path(sys.argv[1]))"
    read = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "project"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path / "code"), str(TESTS)))},
        capture_output=True,
        text=True,
    )
    assert read.returncode == 0, read.stdout + read.stderr


def _grow(package: Path) -> list[str]:
    """Give every noun of a package new optional fields, and name the nouns."""
    found = [
        (path, node)
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        # A noun that inherits from another has that one's new fields.
        if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["Noun"]
    ]
    for path, node in sorted(found, key=lambda one: one[1].lineno, reverse=True):
        lines = path.read_text(encoding="utf-8").splitlines()
        last = max(part.end_lineno or 0 for part in node.body if isinstance(part, ast.AnnAssign))
        lines[last:last] = [f"    {field}" for field in ADDED]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [node.name for _, node in found]


def test_new_policy_field_counts_once_it_says_something() -> None:
    class Later(Policy):
        later: str | None = None

    before = policy(clauses=CLAUSE)
    data = before.model_dump()
    assert policy_digest(Later(**data)) == policy_digest(before)
    assert policy_digest(Later(**data, later="said")) != policy_digest(before)


def test_what_an_earlier_manifest_does_not_say_has_not_changed() -> None:
    then = Digests(policy="p", prompt="q", prefix="r", shots="s", golden="g")
    assert then.changed(then.model_copy(update={"replayed": "new"})) == []
    assert then.changed(then.model_copy(update={"policy": "other", "shots": "other"})) == ["policy", "shots"]


def test_defaults_of_what_is_stored_stay_as_they_are() -> None:
    """A file that leaves a field out means its default: another default would change what the file says.

    Add a new field to defaults.json; never change a value there.
    """
    for module in pkgutil.walk_packages(harness.__path__, "harness."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    fields = {noun.__name__: noun.model_fields for noun in _nouns(Noun)}
    stored = json.loads((TESTS / "cases/defaults.json").read_text(encoding="utf-8"))
    for noun, defaults in stored.items():
        now = {
            name: field.get_default(call_default_factory=True)
            for name, field in fields[noun].items()
            if not field.is_required()
        }
        assert set(now) == set(defaults), noun
        assert holds(json.loads(json.dumps(now, default=dict)), defaults), noun


def _nouns(noun: type[Noun]) -> set[type[Noun]]:
    return {noun}.union(*(_nouns(one) for one in noun.__subclasses__()))
