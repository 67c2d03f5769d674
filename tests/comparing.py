"""Sides, and runs of the small project, in a line each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from builders import Ended, example, examples, harness, reply, write_project

from harness.comparison.sides import Side
from harness.nouns.records import Grade, Record
from harness.runs.folder import Run, load_run
from harness.score.items import GradedItem, ItemAnswer, about_of
from harness.storage.files import to_line

SCALE = (0, 1, 2)
ACTIONS = {0: "filter", 1: "show", 2: "show"}
DEV = [line for line in examples(queries=40) if line["split"] == "dev"]
"""60 examples of 20 queries: what runs of the small project grade."""
IDS = [str(line["id"]) for line in DEV]

USAGE = {"input_tokens": 1_000, "output_tokens": 50, "cached_tokens": 800, "written_tokens": 100}

Grading = Callable[[int, int], int | None]
"""What a grader gives to the item in a place, whose golden grade it is told."""


def item(name: str, golden: int, *grades: int | None, query: str | None = None, **about: Any) -> GradedItem:
    """An item with an answer for each grade; `about` makes it an example with tags, clauses and so on."""
    answers = tuple(ItemAnswer(grade, "ungraded" if grade is None else "graded") for grade in grades)
    told = about_of(example(name, grade=golden, query=query or name, **about)) if about else None
    return GradedItem(name, query or name, golden, answers, told)


def side(*items: GradedItem, name: str = "a", scale: tuple[int, ...] = SCALE, **more: Any) -> Side:
    """A side whose items pair by their names."""
    return Side(name=name, items={one.item: one for one in items}, scale=scale, **more)


def perfect(at: int, golden: int) -> int | None:
    """Every grade right."""
    return golden


def wrong_on(*places: int) -> Grading:
    """One too high, or 0 for the highest, on the items in these places."""
    return lambda at, golden: (golden + 1) % 3 if at in places else golden


def unread_on(*places: int) -> Grading:
    """No grade for the items in these places."""
    return lambda at, golden: None if at in places else golden


def write_grades(path: Path, grading: Grading, golden: list[dict[str, Any]] | None = None) -> str:
    """A file of grades over the dev examples; its name."""
    lines = []
    for at, line in enumerate(DEV if golden is None else golden):
        grade = grading(at, int(line["grade"]))
        lines.append(f"{line['id']},{'' if grade is None else grade}\n")
    path.write_text("item,grade\n" + "".join(lines), encoding="utf-8")
    return path.name


def run_of(here: Path, grading: Grading, *words: str, file: str = "grades.csv", policy: str = "small") -> str:
    """A run that replays a grading; the name of its folder."""
    write_grades(here / file, grading)
    return run_by(f"replay/{file}", *words, policy=policy)


def run_by(model: str, *words: str, policy: str = "small") -> str:
    """A run by a model; the name of its folder."""
    ended = harness("eval", "--policy", policy, "--model", model, "--json", *words)
    assert ended.code == 0, ended.err
    return Path(ended.json["run"]).name


def as_prompted(project: Path, *runs: str) -> None:
    """These runs as by a teacher that was sent a prompt."""
    for run in runs:
        path = project / "runs" / run / "manifest.json"
        manifest = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**manifest, "unprompted": False}), encoding="utf-8")


def compare(*words: str | Path) -> Any:
    """`harness compare --json`."""
    ended = harness("compare", *words, "--json")
    assert ended.code == 0, ended.err
    return ended.json


def regress(base: str, candidate: str, *words: str | Path, **env: str) -> Ended:
    """`harness regress`."""
    return harness("regress", "--base", base, "--candidate", candidate, *words, **env)


def figures(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a comparison says of both, without the words that only a run has."""
    words = {"base", "candidate", "changed", "warnings", "flips", "per_tag", "per_clause"}
    return {key: value for key, value in found.items() if key not in words}


def run_with(here: Path, *changes: dict[str, Any], model: str = "openai/m") -> Run:
    """A run whose first records are these, and which has no others."""
    write_project(here)
    words = ("--policy", "small", "--model", "builtin/majority", "--root", here)
    assert harness("eval", *words).code == 0
    (folder,) = (here / "runs").glob("[!.]*")
    run = load_run(folder)
    lines = []
    for one, change in zip(run.examples, changes, strict=False):
        data = {
            "example": one.id,
            "pair": one.pair.digest,
            "outcome": Grade(value=1, reasoning="", clauses=()),
            "reply": reply("x", usage=USAGE),
            "at": "2026-11-25T00:00:00+00:00",
            "seconds": 1.0,
            "attempts": 1,
            "cost": 0.01,
        }
        lines.append(to_line(Record.model_validate({**data, **change})))
    (folder / "records.jsonl").write_text("".join(lines), encoding="utf-8")
    asked = run.manifest.asked.model_copy(update={"model": model})
    # Not finished: a finished run has a record of every example.
    return replace(run, manifest=run.manifest.model_copy(update={"asked": asked, "finished_at": None}))
