"""Ratings files of other tools for tests: the files of `tests/cases/exchange`, and what they say."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from builders import Ended, harness

FILES = Path(__file__).parent / "cases/exchange"
FOLDER = "golden/small"
RICH: tuple[dict[str, Any], ...] = (
    {"item": "q1-0", "rater": "5e9088a8a4b6ed018b45ba7b", "grade": 0, "reasoning": '=HYPERLINK("x"), grüße'},
    {"item": "q1-0", "rater": "5e9088a8a4b6ed018b45ba7b", "grade": 1, "repeat": 1, "milliseconds": 0},
    {"item": "q1-1", "rater": "5e9088a8a4b6ed018b45ba7b", "cannot": "ambiguous_text", "reasoning": "which?"},
    {"item": "q1-1", "rater": "rater-abc-abcdefgh", "cannot": "policy_silent"},
    {"item": "q1-2", "rater": "rater-abc-abcdefgh", "grade": 2, "clauses": ["plain", "accessory"]},
    {"item": "q2-2", "rater": "rater-abc-abcdefgh", "grade": 1, "reasoning": "two\nlines, 'quoted'"},
)
"""What is hard to carry: a grade 0, repeats, causes, clauses, formulas, lines."""


def rich(number: int, line: dict[str, Any]) -> dict[str, Any]:
    """A line of RICH with its time and duration."""
    at = {"at": f"2026-11-0{number + 1}T10:00:00+00:00", "milliseconds": 1000 + number}
    return {"policy_version": "v1", **at, **line}


def lines(here: Path) -> list[dict[str, Any]]:
    """The ratings of the project, sorted."""
    path = here / FOLDER / "ratings.jsonl"
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    return sorted(found, key=lambda one: (one["item"], one["rater"], one.get("repeat", 0)))


def write_ratings(here: Path, ratings: Iterable[dict[str, Any]]) -> None:
    """The ratings file of the project."""
    text = "".join(json.dumps(line) + "\n" for line in ratings)
    (here / FOLDER / "ratings.jsonl").write_text(text, "utf-8")


def imported(path: Path, *words: str | Path) -> Ended:
    """`harness ratings import` of a file."""
    return harness("ratings", "import", path, "--policy", "small", *words)


def exported(path: Path, format: str, *words: str | Path) -> Ended:
    """`harness ratings export` into a file, over an earlier one."""
    return harness(
        "ratings", "export", "--to", format, "--policy", "small", "-o", path, "--overwrite", *words
    )


def verdicts(here: Path) -> list[tuple[str, int, str, int, str]]:
    """Item, which rater in order of appearance in the file's story, grade or cause, repeat, reasoning."""
    found = lines(here)
    first = next(one["rater"] for one in found if "cannot" in one)
    return sorted(
        (
            one["item"],
            int(one["rater"] != first),
            str(one.get("grade", one.get("cannot"))),
            one.get("repeat", 0),
            one.get("reasoning", ""),
        )
        for one in found
    )
