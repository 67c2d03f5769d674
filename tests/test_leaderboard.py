"""The leaderboard: like is ranked with like by the lower limit, and every other run says why it is not."""

from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from comparing import IDS, perfect, run_of, unread_on, wrong_on
from rich.text import Text
from viewing import change_manifest

from harness.report.runs import leaderboard_view
from harness.runs.manifest import mixtures


@pytest.fixture
def project(here: Path) -> Path:
    """The small project with 60 examples in `dev`."""
    write_project(here, golden=examples(queries=40))
    return here


def board(*words: str) -> dict[str, dict[str, Any]]:
    """The rows of the leaderboard by the run's name, in their order."""
    rows = harness("runs", "list", "--sort", "kappa", "--json", *words).json["runs"]
    return {row["run"]: row for row in rows}


def test_a_few_examples_do_not_rank_first(project: Path) -> None:
    worse, better = run_of(project, wrong_on(*range(8))), run_of(project, wrong_on(1, 2))
    few = run_of(project, perfect, "--limit", "30")
    rows = board()
    assert list(rows) == [better, worse, few]
    assert [(row["group"], row["rank"]) for row in rows.values()] == [(1, 1), (1, 2), (None, None)]
    assert rows[few]["apart"] == "30 examples, not 60"
    assert rows[better]["apart"] is None


def test_rank_is_by_the_lower_limit_of_the_interval(project: Path) -> None:
    names = [run_of(project, wrong_on(*places)) for places in ((0, 1, 2, 3), (0, 9, 18), (0, 30))]
    rows = list(board().values())
    lows = [row["ci"][0] for row in rows]
    assert lows == sorted(lows, reverse=True)
    assert len(names) == len(rows)
    # Equal limits share a rank.
    assert [row["rank"] for row in rows] == [1 + sum(low > own for low in lows) for own in lows]


def test_every_run_that_is_not_comparable_says_why(project: Path) -> None:
    base, again = run_of(project, wrong_on(1)), run_of(project, wrong_on(1, 2))
    ids = ",".join(IDS[:30])
    reasons = {run_of(project, perfect, "--only", ids): "graded chosen examples"}
    unfinished, mixed, stale = (run_of(project, perfect) for _ in range(3))
    change_manifest(project / "runs" / stale, stale=59)
    reasons[stale] = "59 of 60 examples not yet judged under small@v1"
    change_manifest(project / "runs" / unfinished, finished_at=None)
    change_manifest(project / "runs" / mixed, model_answered=["a", "b"])
    policy = project / "policies/small/v1.toml"
    policy.write_text(policy.read_text("utf-8").replace("is at most 1.", "is at most 1, always."), "utf-8")
    edited = run_of(project, perfect)
    reasons |= {unfinished: "unfinished", mixed: "2 models answered (a, b)"}
    rows = board()
    # The newest run is the first group, though it is alone.
    assert {name: rows[name]["apart"] for name in reasons} == reasons
    assert [rows[name]["group"] for name in (edited, base, again)] == [1, 2, 2]
    shown = harness("runs", "list", "--sort", "kappa").out
    assert all(name in shown for name in rows)
    assert "graded chosen examples; 1.000" in shown


def test_a_run_that_answered_by_choice_is_not_ranked(project: Path) -> None:
    full, chosen = run_of(project, wrong_on(1)), run_of(project, unread_on(*range(45)))
    rows = board()
    assert (rows[full]["rank"], rows[chosen]["rank"]) == (1, None)
    assert rows[chosen]["apart"] == "coverage 25.0% is under 99.0%"


def test_mixtures_are_said_for_models_and_addresses() -> None:
    assert mixtures(models={"a": 3}, addresses={"http://x": 1, "http://y": 2_000}) == (
        "2 addresses answered (http://x 1, http://y 2,000)",
    )


def test_a_run_is_ranked_by_the_coverage_floor_that_it_was_made_under(project: Path) -> None:
    gates = project / "policies" / "small" / "gates.toml"
    kept = gates.read_text("utf-8") if gates.exists() else ""
    gates.write_text("coverage_floor = 0.2\n" + kept, "utf-8")
    chosen = run_of(project, unread_on(*range(45)))
    assert board()[chosen]["rank"] == 1


def test_two_groups_with_one_title_are_told_apart() -> None:
    row = {"policy": "small@v1", "split": "dev", "n": 12, "gated": "kappa", "kappa": 0.5, "ci": None}
    row |= {
        "verdict": "fail",
        "prompt": "teacher@v1",
        "model": "m",
        "rater": None,
        "prompted": True,
        "rank": 1,
    }
    rows = [{**row, "group": group, "run": f"r{group}"} for group in (1, 2)]
    said = [str(line) for line in leaderboard_view(rows) if isinstance(line, Text)]
    heads = [line for line in said if line.startswith("small@v1")]
    assert heads[0] == "small@v1 (dev), 12 examples, kappa"
    assert heads[1] == f"{heads[0]}; another text of the policy, other examples or another vote"
