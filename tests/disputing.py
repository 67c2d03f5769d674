"""A project in dispute for tests: raters with names to look for, reasons to look for, and a decision."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builders import examples, harness, write_project
from viewing import serving

from harness.golden.rating.deciding import Author, Decision
from harness.golden.rating.disputes import Dispute, load_disputes
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.policy.load import load_policy, policy_path
from harness.storage.project import Project
from harness.web.rating.adjudicate import adjudicate_app
from harness.web.rating.disputes import Disputes
from harness.web.serve import listen, server_of

RATERS = ("annabel-rater", "bobby-rater")
AUTHOR = Author("Said.", "2026-11-29T10:00:00+00:00")
WHY = "The listing names the very thing that the query names, and nothing else is stated."


def disputing(root: Path, queries: int = 8) -> Project:
    """Every second pair of grade 1 has raters who say 0 and 1, every pair of grade 2 raters who say 1."""
    golden = examples(queries=queries)
    project = write_project(root, golden=golden)
    lines = []
    for number, one in enumerate(golden):
        first, second = given(number, one["grade"])
        for rater, grade in zip(RATERS, (first, second), strict=True):
            text = f"It reads as a {grade} to me, number {number}."
            line = {"item": one["id"], "rater": rater, "grade": grade, "reasoning": text}
            lines.append(line | {"policy_version": "v1", "clauses": ["accessory"] if grade < 2 else []})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (root / "golden/small/ratings.jsonl").write_text(text, encoding="utf-8")
    kinds = "".join(f'[{rater}]\nkind = "human"\n' for rater in RATERS)
    (root / "golden/small/raters.toml").write_text(kinds, encoding="utf-8")
    return project


def given(number: int, grade: int) -> tuple[int, int]:
    """The grades of both raters for a pair."""
    if grade == 1 and number % 2:
        return 0, 1
    return (1, 1) if grade == 2 else (grade, grade)


def policy_of(project: Project, label: str = "small@v1") -> Policy:
    return load_policy(policy_path(project, label))


def disputes_of(project: Project, label: str = "small@v1") -> list[Dispute]:
    return load_disputes(project, policy_of(project, label))


def example_of(dispute: Dispute) -> Example:
    """The golden example in dispute."""
    assert isinstance(dispute.example, Example)
    return dispute.example


def decision(**changes: Any) -> Decision:
    said: dict[str, Any] = {
        "id": "decision-1",
        "grade": 1,
        "reasoning": WHY,
        "clauses": ["accessory"],
        "cause": "raters_slip",
    }
    return Decision.model_validate(said | changes)


def line_of(project: Project, item: str) -> dict[str, Any]:
    """A golden example as it stands in the file."""
    text = (project.root / "golden/small/examples.jsonl").read_text(encoding="utf-8")
    return next(one for one in map(json.loads, text.splitlines()) if one["id"] == item)


def adjudicated(project: Project) -> list[dict[str, Any]]:
    """The lines of adjudications.jsonl."""
    path = project.root / "golden/small/adjudications.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


TEACHER_WHY = "A grader of another make reads it so, and says it in words of its own."


def taught(project: Project, grade: int = 0) -> str:
    """A run whose teacher gives every pair this grade and says why; the name of its folder."""
    golden = (project.root / "golden/small/examples.jsonl").read_text(encoding="utf-8")
    rows = "".join(f'{json.loads(line)["id"]},{grade},"{TEACHER_WHY}"\n' for line in golden.splitlines())
    (project.root / "taught.csv").write_text(f"item,grade,reasoning\n{rows}", encoding="utf-8")
    words = ("--policy", "small", "--model", f"replay/{project.root / 'taught.csv'}", "--split", "dev+test")
    ended = harness("eval", *words, "--root", project.root, "--no-report", "--json")
    assert ended.code == 0, ended.err
    return Path(ended.json["run"]).name


@contextmanager
def adjudicating(project: Project, run: str | None = None, label: str = "small@v1") -> Iterator[str]:
    """The address of the author's pages, without the slash at its end."""
    listening = listen("127.0.0.1", 0)
    server = server_of(adjudicate_app(Disputes(project, label, run)))
    with serving(server, listening) as address:
        yield address
