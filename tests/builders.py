"""Builders: a whole project in a folder, and its nouns, with what a test does not care about filled in."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from harness.cli.app import app
from harness.cli.output import WHOLE
from harness.golden.skeleton import policy_skeleton
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.nouns.records import Grade, Record, Reply
from harness.policy.load import load_policy
from harness.storage.project import Project

WORDS = ("red shoe", "blue lamp", "green chair", "steel pan", "wool hat", "glass jar", "oak table", "tin box")


def example(id: str = "a", **changes: Any) -> Example:
    """One golden example."""
    data: dict[str, Any] = {
        "id": id,
        "query": f"query {id}",
        "result": {"title": f"title {id}"},
        "grade": 1,
        "policy_version": "v1",
        "split": "dev",
    }
    return Example.model_validate({**data, **changes})


def record(id: str = "a", **changes: Any) -> Record:
    """The record of an answer, with texts that are awkward to keep on one line."""
    data: dict[str, Any] = {
        "example": id,
        "pair": "sha256:0",
        "outcome": Grade(value=1, reasoning="grüße \u2028", clauses=("a",)),
        "reply": reply("text\nwith lines"),
        "at": "2026-11-23T00:00:00+00:00",
        "seconds": 0.1,
        "attempts": 1,
    }
    return Record.model_validate({**data, **changes})


def reply(text: str, **changes: Any) -> Reply:
    """A teacher's answer."""
    return Reply.model_validate({"text": text, "model": "test", **changes})


def policy_text(name: str = "small", grades: Sequence[int] = (0, 1, 2), clauses: str = "") -> str:
    """A finished policy file."""
    text = policy_skeleton(name, tuple(grades)).replace('= ""', '= "Said."')
    return text + clauses


CLAUSE = """
[[clauses]]
id = "accessory"
text = "An accessory of the thing asked for is at most 1."
why = "Who looks for the thing does not own it yet."
max_grade = 1

[[clauses]]
id = "plain"
text = "The thing asked for is worth the highest grade."
why = "It is what they came for."
"""


def policy(grades: Sequence[int] = (0, 1, 2), clauses: str = "", folder: Path | None = None) -> Policy:
    """A policy over a scale."""
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        path = (folder or Path(scratch)) / "policy.toml"
        path.write_text(policy_text(grades=grades, clauses=clauses), encoding="utf-8")
        return load_policy(path)


def examples(grades: Sequence[int] = (0, 1, 2), queries: int = 8) -> list[dict[str, Any]]:
    """Golden examples as plain data: every query has one of each grade; two queries in eight are shots."""
    made = []
    for number in range(queries):
        query = WORDS[number % len(WORDS)] + ("" if number < len(WORDS) else f" {number}")
        split = ("shots", "dev", "test", "dev")[number % 4]
        for grade in grades:
            mark = f"{number}x{grade}"
            title = f"{query} model {mark}" if grade else f"something else {mark} entirely"
            reasons = ("wanted", "seen", "for", "against", "decided", "not", "higher", "nor", "lower")
            made.append(
                {
                    "id": f"q{number}-{grade}",
                    "query": query,
                    "result": {"title": title, "description": f"described as {mark}"},
                    "grade": grade,
                    "reasoning": " ".join(f"{reason}{mark}" for reason in reasons),
                    "clauses": ["accessory" if grade < 2 else "plain"],
                    "policy_version": "v1",
                    "split": split,
                    "provenance": {"source": "written for a test"},
                }
            )
    return made


def write_project(
    root: Path,
    name: str = "small",
    grades: Sequence[int] = (0, 1, 2),
    golden: list[dict[str, Any]] | None = None,
) -> Project:
    """A project with one policy, its golden set and the prompt `teacher@v1`."""
    for folder in (f"policies/{name}", f"golden/{name}", "prompts/teacher/v1", "runs"):
        (root / folder).mkdir(parents=True)
    (root / f"policies/{name}/v1.toml").write_text(policy_text(name, grades, CLAUSE), encoding="utf-8")
    write_golden(root, examples(grades) if golden is None else golden, name)
    prompt = root / "prompts/teacher/v1"
    spec = 'name = "teacher"\nversion = "v1"\ndescription = "For tests."\nshots = 4\n'
    (prompt / "prompt.toml").write_text(spec, encoding="utf-8")
    (prompt / "system.j2").write_text(
        "{{ policy.goal }}\n"
        "{% for shot in shots %}{{ shot.pair.result | json }} {{ shot.grade }}\n{% endfor %}",
        encoding="utf-8",
    )
    (prompt / "pair.j2").write_text("Grade:\n{{ pair | json }}\n", encoding="utf-8")
    return Project(root)


def write_golden(root: Path, golden: list[dict[str, Any]], name: str = "small") -> Path:
    """The examples file of a project."""
    path = root / f"golden/{name}/examples.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in golden), encoding="utf-8")
    return path


WIDTH = 80
"""The columns that tests run in (conftest.py)."""


@dataclass(frozen=True)
class Ended:
    """How a command ended. `folded` is standard error as it is, folded at 80 columns."""

    code: int
    out: str
    folded: str

    @property
    def err(self) -> str:
        """Standard error with each line whole again."""
        whole: list[str] = []
        before = beginning = ""
        for line in self.folded.split("\n"):
            word = re.match(rf"{beginning}  ((?:{WHOLE.pattern})\S*|\S*`[^`]*`\S*|\S+)", line)
            if word and before != "error:" and len(f"{before} {word[1]}") > WIDTH:
                whole[-1] += f" {line.lstrip()}"
            else:
                whole.append(line)
                beginning = line[: len(line) - len(line.lstrip())]
            before = line
        return "\n".join(whole)

    @property
    def json(self) -> Any:
        """Standard output as the one JSON object that it is."""
        return json.loads(self.out)


def commands_of(command: Any, words: str = "harness") -> list[tuple[str, Any]]:
    """Every command of a group and of the groups in it, and a group that is a command, with their words."""
    if not hasattr(command, "commands"):
        return [(words, command)]
    below = command.commands.items()
    found = [one for word, each in below for one in commands_of(each, f"{words} {word}")]
    return [*found, (words, command)] if command.invoke_without_command else found


def harness(*words: str | Path, input: str | None = None, **env: str) -> Ended:
    """Run `harness` with these words, in this process; `input` is what the user types."""
    command, runner = _command(), CliRunner()
    with runner.isolation(input=input, env=env) as (out, err, _):
        try:
            command.main([str(word) for word in words], runner.get_default_prog_name(command))
        except SystemExit as ended:
            code = ended.code
        sys.stdout.flush()
        sys.stderr.flush()
        assert isinstance(code, int)
        return Ended(code, out.getvalue().decode(), err.getvalue().decode())


@cache
def _command() -> TyperGroup:
    """The command line, made once: that takes longer than most commands."""
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    return command
