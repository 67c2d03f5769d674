"""Disputes of a round of production pairs, which are in no golden set."""

import json
from pathlib import Path
from typing import Any

import pytest
from browser import opened as open_page
from browser import serious
from builders import harness
from judging import PAIRS, SECRETS, judging, write_plan
from playwright.sync_api import Browser
from production import plan as plan_round
from served_round import Served
from starlette.testclient import TestClient
from viewing import serving

from harness.golden.rating.adjudications import decided_grades
from harness.golden.rating.rounds import OpenRound
from harness.storage.project import Project
from harness.web.rating.adjudicate import adjudicate_app
from harness.web.rating.disputes import Disputes
from harness.web.serve import listen, server_of

HERE = "http://127.0.0.1:8766"


@pytest.fixture
def opened(here: Path) -> OpenRound:
    return judging(here)


def listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = harness("adjudicate", "--round", "r1", "--list", "--json").json["disputes"]
    return found


def decisions(root: Path) -> list[dict[str, Any]]:
    text = (root / "golden/small/production-adjudications.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def collect(*lines: dict[str, Any]) -> Any:
    Path("said.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return harness("adjudicate", "--round", "r1", "--collect", "said.jsonl", "--by", "Bea")


def test_only_pairs_on_which_the_raters_differ_are_in_dispute(opened: OpenRound) -> None:
    found = {one["title"]: one["grades"] for one in listed()}
    assert found == {"a hose with a reel": [1, 2], "a reel without a hose": [0, 1]}
    told = " ".join(harness("adjudicate", "--round", "r1", "--list").out.split())
    assert "small@v1, round r1: 2 disputes" in told and "golden" not in told


def test_a_decision_is_recorded_with_who_and_why_and_no_golden_example_moves(
    opened: OpenRound, here: Path
) -> None:
    golden = here / "golden/small/examples.jsonl"
    before = golden.read_bytes()
    code = next(one["code"] for one in listed() if one["grades"] == [0, 1])
    ended = collect({"dispute": code, "grade": 0, "cause": "raters_slip", "note": "A reel waters nothing."})
    assert ended.code == 0 and "1 decision under small@v1: recorded for round r1" in ended.err
    (made,) = decisions(here)
    assert (made["item"], made["grade"], made["round"], made["decided_by"]) == ("n4", 0, "r1", "Bea")
    assert made["reason"] == "A reel waters nothing." and "golden" not in made
    assert golden.read_bytes() == before and not (here / "golden/small/adjudications.jsonl").exists()
    assert next(one["decided"] for one in listed() if one["code"] == code) == 0
    summary = " ".join(harness("adjudicate", "--round", "r1", "--summary").out.split())
    assert "2 disputes" in summary and "1 decided, 1 open" in summary and "golden" not in summary


def test_an_estimate_takes_the_decision_about_the_production_pair_of_that_id(
    opened: OpenRound, here: Path
) -> None:
    """A golden example may be called the same; what was decided about that says nothing of the pair."""
    code = next(one["code"] for one in listed() if one["grades"] == [0, 1])
    assert collect({"dispute": code, "grade": 0, "cause": "raters_slip"}).code == 0
    lines = [{"item": item, "policy_version": "v1", "grade": 2, "reason": "r"} for item in ("n4", "q0-1")]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (here / "golden/small/adjudications.jsonl").write_text(text, encoding="utf-8")
    assert decided_grades(here / "golden/small", "v1") == {"n4": 0, "q0-1": 2}
    assert decided_grades(here / "golden/small", "v2") == {}


def test_a_pair_that_nobody_could_grade_is_decided_too(opened: OpenRound, here: Path) -> None:
    path = here / "golden/small/production-ratings.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for one in lines:
        if one["item"] == "n1":
            one["cannot"] = "not_enough_shown"
            del one["grade"], one["query"]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    found = next(one for one in listed() if one["title"] == "a tablecloth of linen")
    assert (found["grades"], found["ungraded"], found["distance"]) == ([], 2, 0)
    told = " ".join(harness("adjudicate", "--round", "r1", "--list").out.split())
    assert "2 could not grade it; open" in told and "1 one could not grade" in told
    disputes = Disputes(Project(here), "small@v1", opened=opened)
    with TestClient(adjudicate_app(disputes), base_url=HERE) as client:
        assert client.get("/").status_code == client.get(f"/disputes/{found['code']}").status_code == 200
    assert collect({"dispute": found["code"], "grade": 2, "cause": "ambiguous_result"}).code == 0
    assert decisions(here)[0]["grade"] == 2


def test_a_gap_opens_a_draft_clause_here_too(opened: OpenRound, here: Path) -> None:
    code = listed()[0]["code"]
    gap = {"cause": "policy_gap", "wording": "A part alone is at most 0."}
    assert collect({"dispute": code, "grade": 0, **gap}).code == 0
    assert "A part alone is at most 0." in (here / "policies/small/v2.toml").read_text(encoding="utf-8")


def test_faults_of_decisions_come_all_at_once(opened: OpenRound, here: Path) -> None:
    code = listed()[0]["code"]
    ended = collect(
        {"dispute": code, "grade": 7, "cause": "edge_case"},
        {"dispute": "nowhere", "grade": 0, "cause": "edge_case"},
        {"dispute": code, "grade": 0, "cause": "edge_case", "clauses": ["nope"]},
    )
    for what in ("not on the scale", "unknown code", "cites the clause 'nope'", "decided twice in this file"):
        assert what in " ".join(ended.err.split()), what
    assert not (here / "golden/small/production-adjudications.jsonl").exists()


def test_pages_show_no_name_no_id_no_doubt_and_take_a_bare_decision(opened: OpenRound, here: Path) -> None:
    disputes = Disputes(Project(here), "small@v1", opened=opened)
    with TestClient(adjudicate_app(disputes), base_url=HERE) as client:
        codes = [one.code for one in disputes.state().disputes]
        for path in ("/", "/summary", *(f"/disputes/{code}" for code in codes)):
            text = client.get(path).text
            assert client.get(path).status_code == 200
            for secret in ("ann", "bob", "n3", "n4", *SECRETS):
                assert f">{secret}<" not in text and f'"{secret}"' not in text, (path, secret)
            assert "golden grade" not in text, path
        said = {"id": "decision-1", "grade": 0, "reasoning": "", "cause": "edge_case"}
        address = f"/disputes/{codes[0]}/decision"
        assert client.post(address, json=said, headers={"origin": HERE}).status_code == 200
        assert "edge_case" in client.get(f"/disputes/{codes[0]}").text
    assert decisions(here)[0]["round"] == "r1"


def test_nothing_of_a_doubt_reaches_a_rater(here: Path) -> None:
    """The whole folder of the round, and all that a rater's browser gets, has no word of the label."""
    from builders import write_project

    write_project(here)
    opened = plan_round(here, write_plan(here), repeated=0, seed=1)
    for file in opened.folder.iterdir():
        text = file.read_bytes().decode("utf-8", "replace")
        assert not [secret for secret in SECRETS if secret in text], file.name
    served = Served(Project(here), opened)
    for path in ("", "/state.json"):
        text = served.client.get(f"{served.links['ann']}{path}").text
        assert not [secret for secret in SECRETS if secret in text], path
    bare = [{key: value for key, value in one.items() if key not in ("doubt", "reason")} for one in PAIRS]
    other = plan_round(here, write_plan(here, bare, "bare.jsonl"), repeated=0, seed=1)
    again = Served(Project(here), other).state()
    assert [one["result"] for one in again["pairs"]] == [one["result"] for one in served.state()["pairs"]]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--round", "r9"), "no round 'r9'"),
        (("--round", "r1", "--run", "latest"), "--run has answers for golden pairs"),
        (("--round", "r1", "--policy", "small@v9"), "round r1 is of small@v1"),
    ],
)
def test_bad_usage_ends_with_2(opened: OpenRound, words: tuple[str, ...], what: str) -> None:
    ended = harness("adjudicate", "--list", *words)
    assert ended.code == 2 and what in " ".join(ended.err.split())


def test_a_round_of_golden_pairs_is_adjudicated_without_naming_it(here: Path) -> None:
    from rounds import small_round

    small_round(here)
    assert "is of golden pairs" in harness("adjudicate", "--round", "r1", "--list").err


def test_a_kill_between_record_and_application_is_mended(opened: OpenRound, here: Path) -> None:
    """The journal says which file has the decision: that of the round."""
    code = listed()[0]["code"]
    assert collect({"dispute": code, "grade": 0, "cause": "edge_case"}).code == 0
    folder = here / "golden/small"
    (folder / ".adjudicating.json").write_text(json.dumps(decisions(here)[0]), encoding="utf-8")
    assert len(listed()) == 2
    assert not (folder / ".adjudicating.json").exists() and len(decisions(here)) == 1


def test_author_saves_a_bare_decision_by_keys(opened: OpenRound, here: Path, browser: Browser) -> None:
    disputes = Disputes(Project(here), "small@v1", opened=opened)
    code = disputes.state().disputes[0].code
    listening = listen("127.0.0.1", 0)
    server = server_of(adjudicate_app(disputes))
    with (
        serving(server, listening) as address,
        open_page(f"{address}/disputes/{code}", browser=browser) as page,
    ):
        page.locator("html[data-keys]").wait_for()
        for key in ("0", "s", "Control+Enter"):
            page.keyboard.press(key)
        page.get_by_text("1 left").wait_for()
        assert not serious(page)
    (made,) = decisions(here)
    assert (made["grade"], made["cause"], made.get("reasoning", "")) == (0, "raters_slip", "")
