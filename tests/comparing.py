"""Sides, and runs of the small project, in a line each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from builders import Ended, example, examples, harness

from harness.comparison.sides import Side
from harness.score.items import Answer, GradedItem, about_of

SCALE = (0, 1, 2)
ACTIONS = {0: "filter", 1: "show", 2: "show"}
DEV = [line for line in examples(queries=40) if line["split"] == "dev"]
"""60 examples of 20 queries: what runs of the small project grade."""
IDS = [str(line["id"]) for line in DEV]

Grading = Callable[[int, int], int | None]
"""What a grader gives to the item in a place, whose golden grade it is told."""


def item(name: str, golden: int, *grades: int | None, query: str | None = None, **about: Any) -> GradedItem:
    """An item with an answer for each grade; `about` makes it an example with tags, clauses and so on."""
    answers = tuple(Answer(grade, "ungraded" if grade is None else "graded") for grade in grades)
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
    ended = harness("eval", "--policy", policy, "--model", f"replay/{file}", "--json", *words)
    assert ended.code == 0, ended.err
    return Path(ended.json["run"]).name


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
