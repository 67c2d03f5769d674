"""A project whose users contradict some labels, and people who judged those pairs again."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from builders import write_project
from production import answer_all
from production import plan as plan_round

from harness.golden.rating.rounds import OpenRound

UP = {"kind": "wanted_and_hidden", "grade": 0, "reference": 1}
DOWN = {"kind": "shown_and_refused", "grade": 1, "reference": 0}
BETTER = {"kind": "better_than_graded", "grade": 1, "reference": 2}
SECRETS = (
    "wanted_and",
    "wanted and hidden",
    "shown_and",
    "better_than",
    "reference",
    "doubt",
    "q 0.001",
    "laces-clause",
)


def planned(
    item: str, query: str, title: str, doubt: Mapping[str, Any] | None, **more: Any
) -> dict[str, Any]:
    """A pair of a plan as `harness signal -o` writes it; without a doubt, as bare as a plan can be."""
    told = {"doubt": {**doubt, "clauses": ["laces-clause"]}} if doubt else {}
    why = {"reason": "wanted and hidden: 9 events in 90 views, q 0.001; laces-clause"}
    return {
        "item": item,
        "query": query,
        "result": {"title": title},
        "drawn": "hunted",
        **why,
        **told,
        **more,
    }


PAIRS = (
    planned("n1", "linen tablecloth", "a tablecloth of linen", UP),
    planned("n2", "linen tablecloth", "a table", UP),
    planned("n3", "garden hose", "a hose with a reel", UP),
    planned("n4", "garden hose", "a reel without a hose", DOWN),
    planned("n5", "desk fan", "a fan that folds", BETTER),
    planned("n6", "desk fan", "a poster of a fan", DOWN),
)
SAID = {
    "n1": (2, 2), "n2": (0, 0), "n3": (1, 2), "n4": (1, 0), "n5": (2, 2), "n6": (0, 0),
}  # fmt: skip
"""What ann and bob say: they differ on n3 within a side, on n4 across the line."""


def write_plan(root: Path, pairs: Any = PAIRS, name: str = "sheet.jsonl") -> Path:
    path = root / name
    path.write_text("".join(json.dumps(one) + "\n" for one in pairs), encoding="utf-8")
    return path


def judging(
    root: Path,
    said: Mapping[str, tuple[int, int]] = SAID,
    pairs: Any = PAIRS,
    grade_of: Callable[[str, str], int] | None = None,
) -> OpenRound:
    """A project with a round r1 of the plan, rated and sealed."""
    if not (root / "policies").exists():
        write_project(root)
    opened = plan_round(root, write_plan(root, pairs), repeated=0, by_all=1, seed=1)
    answer_all(root, opened, grade_of or (lambda rater, item: said[item][rater == "bob"]))
    return opened
