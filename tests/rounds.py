"""A round for tests: a project, and a round's folder written by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders import write_project

from harness.golden.examples import golden_path, load_examples
from harness.golden.rating.answers import Answer
from harness.golden.rating.rounds import (
    ASSIGNMENTS,
    PAIRS,
    POLICY,
    ROUND,
    Assignment,
    OpenRound,
    Round,
    RoundPair,
    read_round,
    rounds_folder,
)
from harness.policy.load import load_policy, policy_digest, policy_path
from harness.storage.files import write_lines
from harness.storage.project import Project


def small_round(root: Path, raters: Sequence[str] = ("ann", "bob"), name: str = "r1") -> OpenRound:
    """A project in `root` and a round of its dev and test pairs: all by every rater, in file order."""
    project = Project(root) if (root / "policies").exists() else write_project(root)
    return add_round(project, raters, name)


def add_round(
    project: Project, raters: Sequence[str] = ("ann", "bob"), name: str = "r1", **changes: Any
) -> OpenRound:
    """The same in a project that is there; `changes` to what was planned."""
    path = policy_path(project, "small")
    policy = load_policy(path)
    examples = [e for e in load_examples(golden_path(project, "small"), policy) if e.split != "shots"]
    folder = rounds_folder(project, "small") / name
    folder.mkdir(parents=True)
    planned = Round(
        name=name,
        policy=policy.label,
        policy_digest=policy_digest(policy),
        seed=7,
        created_at=datetime.now(UTC).isoformat(),
        raters=tuple(raters),
        planned=len(raters) * len(examples),
        **changes,
    )
    (folder / ROUND).write_text(planned.model_dump_json(), encoding="utf-8")
    (folder / POLICY).write_bytes(path.read_bytes())
    drawn = [
        RoundPair(
            code=f"code{n}",
            item=example.id,
            query=example.query,
            result=example.result,
            context=example.context,
            drawn="random",
            pi=0.5,
        )
        for n, example in enumerate(examples)
    ]
    write_lines(folder / PAIRS, drawn)
    orders = [
        Assignment(rater=rater, place=n, code=pair.code) for rater in raters for n, pair in enumerate(drawn)
    ]
    write_lines(folder / ASSIGNMENTS, orders)
    return read_round(folder, project)


def grade(place: int, value: int = 1, event: str | None = None, **more: object) -> Answer:
    """A rater's grade."""
    id_ = event or f"event-{place}-{value}"
    return Answer.model_validate({"event": id_, "place": place, "kind": "grade", "grade": value, **more})
