"""Sentences about bare grades that say no more than is known: actions that nobody decided on, few ratings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, examples, harness, write_golden, write_project
from scoring import ACTIONS, gate1, gate2, item, text_of

from harness.cli.output import fold
from harness.nouns.policy import Cell, Gate2Bar, Gates
from harness.policy.load import load_policy
from harness.report.gate2 import raters_view
from harness.report.parts import verdict_lines
from harness.score.settings import NO_POLICY

DEV = [line for line in examples() if line["split"] == "dev"]


def undecided(here: Path) -> Path:
    """The project's policy, with actions as an import leaves them."""
    path = here / "policies/small/v1.toml"
    path.write_text(re.sub(r'(?m)^shown = "Said."', 'shown = ""', path.read_text("utf-8")), "utf-8")
    return path


@pytest.fixture
def skeleton(here: Path) -> Path:
    """A project whose actions are a guess, and two files of grades of dev, one with a grade off by two."""
    write_project(here)
    undecided(here)
    for name, wrong in (("a", 0), ("b", 1)):
        lines = [f"{e['id']},{2 - e['grade'] if at < wrong else e['grade']}\n" for at, e in enumerate(DEV)]
        (here / f"{name}.csv").write_text("item,grade\n" + "".join(lines), encoding="utf-8")
    return here


def run(file: str, *words: str) -> Ended:
    return harness("eval", "--model", f"replay/{file}.csv", *words)


def flat(text: str) -> str:
    return " ".join(text.split())


# --- actions that nobody decided on ------------------------------------------------------------------


def test_actions_without_a_text_are_not_decided_on(here: Path) -> None:
    write_project(here)
    path = here / "policies/small/v1.toml"
    assert load_policy(path).decided_actions == load_policy(path).action_of
    assert load_policy(undecided(here)).decided_actions is None


def test_nothing_is_counted_by_actions_that_nobody_decided_on(skeleton: Path) -> None:
    said = flat(run("b").out)
    why = "Actions: none; small@v1 does not say what its actions show (`shown`)"
    assert why in said and "must not grow" not in said
    found = harness("gate2", "latest", "--json").json
    assert (found["actions"], found["never_grow"]) == (None, []) and "`shown`" in found["reasons"]["actions"]
    page = next((skeleton / "runs").glob("*/report.html")).read_text("utf-8")
    assert "Actions: what the user would see" not in page and "does not say what its actions show" in page


def test_a_comparison_says_that_no_action_is_decided_on(skeleton: Path) -> None:
    assert (run("a").code, run("b").code) == (0, 0)
    said = flat(harness("compare", "latest~1", "latest").out)
    assert "no policy says what a user would see" in said and "Warning: small@v1 does not say" in said
    assert "kappa of actions" not in said and "filter" not in said
    assert harness("baseline", "set", "latest~1").code == 0
    ended = harness("regress", "--json")
    (cell,) = [one for one in ended.json["conditions"] if "with action" in one["name"]]
    assert (cell["verdict"], "small@v1" in cell["reason"]) == ("inconclusive", False)
    assert "does not say what its actions show" in cell["reason"]


def test_a_bar_for_actions_that_nobody_decided_on_is_open() -> None:
    items = [item(f"i{at}", at % 3, at % 3) for at in range(300)]
    known: dict[str, Any] = {"action_of": ACTIONS}
    assert gate2(items, gates=Gates(), **known).verdict == gate2(items, gates=Gates()).verdict == "pass"
    barred = Gates(gate2=Gate2Bar(actions=0.5))
    assert gate2(items, gates=barred, **known).verdict == "pass"
    score = gate2(items, gates=barred)
    assert (score.verdict, score.reason) == ("inconclusive", f"gates.toml has a bar for actions: {NO_POLICY}")
    limited = Gates(never_grow=(Cell(golden=0, action="show", limit=0.1),))
    assert gate2(items, gates=limited, **known).verdict == "pass"
    assert gate2(items, gates=limited).verdict == "inconclusive"
    shown = Gates(never_grow=(Cell(golden=0, action="show"),))
    assert gate2(items, gates=shown).verdict == "pass"  # shown alone, without a limit


def test_disputes_under_a_skeleton_change_no_action(skeleton: Path) -> None:
    lines = [
        {"item": DEV[0]["id"], "rater": r, "grade": g, "policy_version": "v1"}
        for r, g in (("a", 0), ("b", 2))
    ]
    (skeleton / "golden/small/ratings.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    said = harness("adjudicate", "--list").out
    assert "small@v1: 1 dispute, 0 decided, 1 open" in said and "changes the action" not in said
    assert harness("adjudicate", "--summary", "--json").json["change_action"] is None
    path = skeleton / "policies/small/v1.toml"
    path.write_text(path.read_text("utf-8").replace('shown = ""', 'shown = "So."'), "utf-8")
    assert "1 dispute (1 that change the action)" in harness("adjudicate", "--list").out


# --- few ratings, or none ----------------------------------------------------------------------------


@pytest.mark.parametrize(("both", "told"), [(29, False), (30, True)])
def test_a_ceiling_takes_thirty_items_that_two_raters_share(both: int, told: bool) -> None:
    items = [item(f"i{at:02}", at % 3, (at + (at % 5 == 0)) % 3) for at in range(40)]
    rows = {
        f"i{at:02}": {"a": at % 3} | ({"b": (at + (at % 7 == 0)) % 3} if at < both else {})
        for at in range(40)
    }
    score = gate2(items, rows=rows)
    assert score.ceiling is not None and score.ceiling.shared == both
    found = score.ceiling
    assert (found.rater is not None, found.delta.value is not None) == (told, told)
    assert found.grader is not None
    said = flat(text_of(raters_view(score)))
    few = "Ceiling: none; only 29 items were rated by two raters: too few to compare with"
    assert (few in said, "raters with each other 0." in said) == (not told, told)


@pytest.mark.parametrize(("rated", "told"), [(29, False), (30, True)])
def test_a_grader_beside_few_rated_items_has_no_agreement_with_raters(rated: int, told: bool) -> None:
    items = [item(f"i{at:02}", at % 3, at % 3) for at in range(rated)]
    rows = {f"i{at:02}": {"a": (at + (at == 4)) % 3, "b": at % 3} for at in range(rated)}
    found = gate2(items, rows=rows).ceiling
    assert found is not None and (found.grader is not None, found.rater is not None) == (told, told)
    if not told:
        assert found.delta.reason == "only 29 items were rated: too few to compare with"


def test_the_page_calls_a_ceiling_on_few_items_not_known(skeleton: Path) -> None:
    given = [
        {"item": e["id"], "rater": r, "grade": e["grade"], "policy_version": "v1"} for e in DEV for r in "xy"
    ]
    path = skeleton / "golden/small/ratings.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in given), encoding="utf-8")
    assert run("b").code == 0
    page = flat(re.sub("<[^>]*>", " ", next((skeleton / "runs").glob("*/report.html")).read_text("utf-8")))
    few = f"only {len(DEV)} items were rated: too few to compare with"
    assert f"Ceiling of raters not known to be people not known {few}" in page
    assert f"None: {few}." in page and "Ceiling: the raters with each other" not in page


def test_items_that_would_decide_it_come_with_their_queries() -> None:
    def near(query_of: Any) -> Any:
        return gate2(
            [item(f"i{at:03}", at % 3, (at + (at % 9 == 0)) % 3, query=query_of(at)) for at in range(90)]
        )

    apart, alike = near(lambda at: f"q{at}"), near(lambda at: f"q{at // 4}")
    assert apart.items_needed and alike.items_needed and apart.queries_needed is None
    assert alike.queries_needed == -(-alike.items_needed * 23 // 90)
    said = flat(text_of(verdict_lines(alike)))
    assert f"About {alike.items_needed} items in {alike.queries_needed} queries would decide it" in said
    assert f"About {apart.items_needed} items would decide it" in flat(text_of(verdict_lines(apart)))
    assert gate1({f"i{at}": {"a": at % 3, "b": at % 3} for at in range(300)}).queries_needed is None


def test_no_rating_is_not_called_agreement(here: Path) -> None:
    write_project(here)
    for what in ("--list", "--summary"):
        said = harness("adjudicate", what).out
        assert "There is no rating under small@v1 yet." in said and "No rating under" not in said
    line = {"item": DEV[0]["id"], "rater": "a", "grade": DEV[0]["grade"], "policy_version": "v1"}
    (here / "golden/small/ratings.jsonl").write_text(json.dumps(line) + "\n")
    assert "No rating under small@v1 differs from another" in harness("adjudicate", "--list").out


def test_an_open_round_is_said_instead_of_planning_another(here: Path) -> None:
    write_golden(write_project(here).root, examples(queries=16))
    assert harness("rate", "plan", "--raters", "a,b", "--kind", "human").code == 0
    step = next(
        s for s in harness("ship", "--policy", "small@v1", "--json").json["steps"] if "Gate 1" in s["name"]
    )
    assert step["verdict"] == "inconclusive" and "round r1 is open" in step["reason"]
    assert "rate plan" not in step["reason"]
    line = {"item": DEV[0]["id"], "rater": "a", "grade": 1, "policy_version": "v9"}
    (here / "golden/small/ratings.jsonl").write_text(json.dumps(line) + "\n")
    said = harness("gate1").err
    assert "no ratings under small@v1; round r1 is open" in said and "no set is sealed" in said


def test_an_import_asks_about_names_that_are_almost_the_same(here: Path) -> None:
    write_project(here)
    rows = "".join(f"{e['id']},{rater},{e['grade']}\n" for e in DEV for rater in ("Ann", "ann", "bob"))
    (here / "r.csv").write_text("item,rater,grade\n" + rows, encoding="utf-8")
    asked = "warning: Ann, ann differ in capitals, spaces or marks alone: is it one person?"
    assert asked in harness("ratings", "import", "r.csv", "--kind", "human").err
    (here / "s.csv").write_text(f"item,rater,grade\n{DEV[0]['id']},BOB,1\n", encoding="utf-8")
    said = harness("ratings", "import", "s.csv", "--kind", "human").err
    assert "warning: BOB, bob differ in" in said and "Ann, ann" not in said


# --- the width of messages ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_message_is_folded_between_words_and_commands_stay_whole(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = (
        "  warning: "
        + "some words " * 20
        + "`make lint POLICY=x FLAGS=-q` or harness golden lint --policy x@v1, "
        + "/a/long/path" * 12
    )
    lines = fold(text).split("\n")
    assert flat(" ".join(lines)) == flat(text)
    for command in ("`make lint POLICY=x FLAGS=-q`", "harness golden lint --policy x@v1"):
        assert any(command in one for one in lines)
    assert [one for one in lines if len(one) > width] == [one for one in lines if "/a/long" in one]
    assert fold("report: " + "/a/long" * 20) == "report: " + "/a/long" * 20
    assert lines[0].startswith("  warning") and all(one.startswith("    ") for one in lines[1:])
    assert fold("x" * width) == "x" * width


def test_notes_and_errors_are_at_most_80_wide(skeleton: Path) -> None:
    ended = [run("a"), harness("gate1"), harness("golden", "confirm", "--policy", "small", "--unaffected")]
    ended.append(harness("policy", "lint"))
    for one in ended:
        words = [line.split() for line in one.folded.splitlines() if len(line) > 80]
        assert all(len(max(line, key=len)) > 70 for line in words), one.folded
