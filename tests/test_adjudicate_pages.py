"""What leaves the author's server: nothing that tells who said what, and no teacher before the decision."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from disputing import (
    RATERS,
    TEACHER_WHY,
    WHY,
    adjudicated,
    decision,
    disputes_of,
    disputing,
    example_of,
    line_of,
    policy_of,
    taught,
)
from scoring import text_of
from starlette.testclient import TestClient

from harness.golden.rating.adjudicated import sum_up
from harness.golden.rating.deciding import PENDING
from harness.report.adjudication import summary_view
from harness.storage.project import Project
from harness.web.app import create_app
from harness.web.rating.adjudicate import adjudicate_app
from harness.web.rating.disputes import Disputes

HERE = "http://127.0.0.1:8766"


@pytest.fixture
def project(here: Path) -> Project:
    return disputing(here)


def client_of(project: Project, run: str | None = None) -> TestClient:
    return TestClient(adjudicate_app(Disputes(project, "small@v1", run)), base_url=HERE)


@pytest.fixture
def client(project: Project) -> Iterator[TestClient]:
    with client_of(project) as made:
        yield made


def post(client: TestClient, code: str, **changes: Any) -> Any:
    """A decision as the page's script sends it."""
    data = decision(**changes).model_dump(mode="json")
    return client.post(f"/disputes/{code}/decision", json=data, headers={"origin": HERE})


def payloads(client: TestClient, project: Project) -> dict[str, str]:
    """Every answer of every page that can be asked for."""
    codes = [one.code for one in disputes_of(project)]
    lists = [f"/?show={show}" for show in ("all", "open", "look", "decided")]
    paths = ["/", "/summary", *lists, *(f"/disputes/{code}" for code in codes), "/disputes/nobody"]
    return {path: client.get(path).text for path in paths}


def test_no_payload_holds_a_name_an_id_a_teacher_or_which_side_is_golden(project: Project) -> None:
    ids = [one.example.id for one in disputes_of(project)]
    with client_of(project, taught(project)) as client:
        for path, text in payloads(client, project).items():
            for name in RATERS:
                assert name not in text, path
            for id_ in ids:
                assert id_ not in text, path
            assert TEACHER_WHY not in text, path
            assert "was the golden grade" not in text and "(golden)" not in text, path


def test_where_a_side_stands_and_how_it_looks_tells_nothing(project: Project, client: TestClient) -> None:
    """But for its letter and what was said, a side that is golden is written as the others are."""
    golden = set()
    for one in disputes_of(project):
        text = client.get(f"/disputes/{one.code}").text
        shapes = []
        for side in one.sides:
            (found,) = re.findall(
                rf'<section class="side" aria-labelledby="side-{side.letter}">.*?</section>', text, re.DOTALL
            )
            for told in (side.reasoning, *side.clauses, f"{side.letter}: {side.grade}"):
                assert told in found
            shapes.append(re.sub(r">[^<]*<|\"[^\"]*\"", "", found.replace('<p class="note">Clauses', "")))
            golden |= {side.letter} if side.golden else set()
        assert len({shape.count("<section") for shape in shapes}) == 1
    assert golden == {"A", "B", "C"}


def test_teacher_and_golden_side_are_shown_once_it_is_decided_and_of_that_pair_alone(
    project: Project,
) -> None:
    with client_of(project, taught(project)) as client:
        rated = [one for one in disputes_of(project) if example_of(one).split != "shots"]
        first, other = rated[0].code, rated[1].code
        answer = post(client, first).json()
        assert answer["decision"]["grade"] == 1 and answer["second_look"] is True
        text = client.get(f"/disputes/{first}").text
        assert TEACHER_WHY in text and "(golden)" in text and rated[0].example.id in text
        assert "The teacher differs from your 1" in text
        assert TEACHER_WHY not in client.get(f"/disputes/{other}").text
        for text in payloads(client, project).values():
            assert not [name for name in RATERS if name in text]


def test_shot_that_the_run_did_not_grade_has_no_teacher(project: Project) -> None:
    with client_of(project, taught(project)) as client:
        shot = next(one for one in disputes_of(project) if example_of(one).split == "shots")
        assert post(client, shot.code).json()["second_look"] is False
        assert "No answer that can be read: failed." in client.get(f"/disputes/{shot.code}").text
    assert "teacher" not in adjudicated(project)[0]


def test_run_under_another_policy_or_scale_is_refused(project: Project) -> None:
    run = taught(project)
    v2 = (project.root / "policies/small/v1.toml").read_text(encoding="utf-8").replace('"v1"', '"v2"')
    v2 = v2.replace("value = 2", "value = 3").replace("grades = [1, 2]", "grades = [1, 3]")
    (project.root / "policies/small/v2.toml").write_text(v2, encoding="utf-8")
    ended = harness("adjudicate", "--policy", "small@v2", "--run", run, "--root", project.root)
    assert ended.code == 2 and "on its scale" in ended.err


def test_decision_is_on_disk_when_the_server_says_so(project: Project, client: TestClient) -> None:
    one, following = disputes_of(project)[:2]
    answer = post(client, one.code, note="They read it fast.")
    assert answer.status_code == 200
    assert answer.json()["next"] == following.code
    assert [line["grade"] for line in adjudicated(project)] == [1]
    assert line_of(project, one.example.id)["reasoning"] == WHY
    text = client.get(f"/disputes/{following.code}?saved={one.code}").text
    assert "Saved: " in text and one.example.result.title in text


def test_faults_of_a_decision_come_back_all_at_once(project: Project, client: TestClient) -> None:
    code = disputes_of(project)[0].code
    answer = post(client, code, grade=9, reasoning=" ")
    assert answer.status_code == 400 and len(answer.json()["faults"]) == 2
    headers = {"origin": HERE}
    odd = client.post(f"/disputes/{code}/decision", json={"id": "x", "grade": "1"}, headers=headers)
    assert odd.status_code == 400 and len(odd.json()["faults"]) >= 3
    short = post(client, code, reasoning="Fast.")
    assert short.status_code == 400 and "gives no reason" in short.json()["error"]
    # The id of an example can hint at its grade.
    assert disputes_of(project)[0].example.id not in short.text
    assert adjudicated(project) == []


def test_second_tab_is_told_what_was_decided_meanwhile(project: Project, client: TestClient) -> None:
    code = disputes_of(project)[0].code
    assert post(client, code).status_code == 200
    late = post(client, code, id="decision-2", grade=0)
    assert late.status_code == 409
    assert late.json()["now"]["grade"] == 1 and late.json()["now"]["cause"] == "Rater's slip"
    assert len(adjudicated(project)) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": HERE, "sec-fetch-site": "cross-site"}, 403),
        ({"origin": HERE, "content-type": "text/plain"}, 415),
        ({"origin": HERE, "host": "elsewhere.example"}, 421),
    ],
)
def test_foreign_page_cannot_decide(
    project: Project, client: TestClient, headers: dict[str, str], status: int
) -> None:
    code = disputes_of(project)[0].code
    data = decision().model_dump_json()
    sent = {"content-type": "application/json", **headers}
    assert client.post(f"/disputes/{code}/decision", content=data, headers=sent).status_code == status
    assert adjudicated(project) == []


def test_pages_answer_get_and_the_decision_post_alone(project: Project, client: TestClient) -> None:
    code = disputes_of(project)[0].code
    for path in ("/", "/summary", f"/disputes/{code}"):
        assert client.post(path, headers={"origin": HERE}).status_code == 405
    assert client.get(f"/disputes/{code}/decision").status_code == 405
    assert client.get("/disputes/nobody").status_code == 404
    assert "To the disputes" in client.get("/nowhere").text


def test_viewer_has_no_page_of_the_author(project: Project) -> None:
    with TestClient(create_app(project), base_url=HERE) as client:
        code = disputes_of(project)[0].code
        assert client.get(f"/disputes/{code}").status_code == 404
        assert client.post(f"/disputes/{code}/decision", headers={"origin": HERE}).status_code == 404


def test_pages_show_what_the_files_hold_now(project: Project, client: TestClient) -> None:
    assert "0 of 12 disputes decided" in client.get("/").text
    ratings = project.root / "golden/small/ratings.jsonl"
    lines = ratings.read_text(encoding="utf-8").splitlines(keepends=True)
    ratings.write_text("".join(lines[:6]), encoding="utf-8")
    assert "0 of 2 disputes decided" in client.get("/").text


def test_project_without_disputes_says_so(project: Project, client: TestClient) -> None:
    (project.root / "golden/small/ratings.jsonl").write_text("", encoding="utf-8")
    assert "No disputes" in client.get("/").text


def test_hundreds_of_disputes_are_listed_at_once(here: Path) -> None:
    project = disputing(here, queries=374)
    with client_of(project) as client:
        began = time.perf_counter()
        text = client.get("/").text
        taken = time.perf_counter() - began
    assert "0 of 561 disputes decided" in text
    assert text.count('class="query"') == 561
    assert taken < 1, f"{taken:.2f} s"


def test_command_applies_what_a_kill_left_and_says_so(project: Project) -> None:
    with client_of(project) as client:
        assert post(client, disputes_of(project)[0].code).status_code == 200
    folder = project.root / "golden/small"
    (folder / PENDING).write_text((folder / "adjudications.jsonl").read_text("utf-8"), encoding="utf-8")
    words = [sys.executable, "-m", "harness", "adjudicate", "--root", str(project.root), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.terminate()
        said = process.stderr.read()
    assert "applied the decision about" in said
    assert "small@v1: 12 disputes, 11 open" in said
    assert not (folder / PENDING).exists()


# --- on a terminal -----------------------------------------------------------------------------------


def test_list_and_summary_on_a_terminal_and_as_json(project: Project) -> None:
    with client_of(project, taught(project)) as client:
        one, other, third = [d for d in disputes_of(project) if example_of(d).split != "shots"][:3]
        first = post(client, one.code, cause="policy_gap", unclear="accessory").json()["decision"]
        post(client, one.code, id="decision-2", seen=first["key"], grade=0, cause="edge_case")
        post(client, other.code, id="decision-3", cause="policy_gap", unclear="plain")
        post(client, third.code, id="decision-4", grade=0)
    root = ("--root", project.root)
    summary = harness("adjudicate", "--summary", "--json", *root).json
    assert {key: summary[key] for key in ("disputes", "decided", "open")} == {
        "disputes": 12,
        "decided": 3,
        "open": 9,
    }
    assert summary["causes"] == {"policy_gap": 1, "ambiguous_result": 0, "raters_slip": 1, "edge_case": 1}
    assert summary["clauses"][0] == {"id": "plain", "unclear": 1, "cited": 8}, "eight golden grades"
    assert (summary["golden_noted"], summary["golden_changed"]) == (3, 2)
    assert summary["reopened"] == 0, "a second look is none"
    assert summary["teacher"] == {"decided": 3, "differs": 2, "kept": 0, "changed": 1, "unlooked": 1}
    assert "1 changed, 1 not yet looked at" in " ".join(harness("adjudicate", "--summary", *root).out.split())
    found = harness("adjudicate", "--list", "--json", *root)
    assert len(found.json["disputes"]) == 12
    assert sum(one["decided"] is not None for one in found.json["disputes"]) == 3
    for text in (found.out, harness("adjudicate", "--list", *root).out):
        assert not [name for name in RATERS if name in text]
        assert one.example.id not in text


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--list", "--summary"), "give one of --list, --summary and --collect"),
        (("--json",), "--json goes with"),
        (("--run", "nothing"), "nothing"),
        (("--policy", "none"), "no policy 'none'"),
    ],
)
def test_bad_usage_ends_with_2(project: Project, words: tuple[str, ...], what: str) -> None:
    ended = harness("adjudicate", *words, "--root", project.root)
    assert ended.code == 2 and what in ended.err


def collected(project: Project, *lines: dict[str, Any], words: tuple[str, ...] = ()) -> Any:
    """`harness adjudicate --collect` of these lines."""
    path = project.root / "decisions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return harness("adjudicate", "--collect", path, "--root", project.root, *words)


def line(code: str, **changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"dispute": code, "grade": 1, "reasoning": WHY, "cause": "raters_slip"}
    return said | changes


def test_decisions_of_a_file_are_recorded_once(project: Project) -> None:
    one, other = disputes_of(project)[:2]
    lines = line(one.code), line(other.code, grade=0, note="As written.", clauses=["accessory"])
    ended = collected(project, *lines, words=("--by", "Bea"))
    assert ended.code == 0 and "2 decisions under small@v1" in ended.err
    found = [(made["item"], made["grade"], made["decided_by"]) for made in adjudicated(project)]
    assert found == [(one.example.id, 1, "Bea"), (other.example.id, 0, "Bea")]
    assert line_of(project, other.example.id)["grade"] == 0
    assert collected(project, *lines).code == 0
    assert len(adjudicated(project)) == 2


def test_faults_of_a_file_of_decisions_come_all_at_once_and_nothing_is_written(project: Project) -> None:
    one, other, third = disputes_of(project)[:3]
    assert collected(project, line(third.code)).code == 0
    ended = collected(
        project,
        line("nobody"),
        line(one.code, grade=9),
        line(one.code, id="mine", cause="mood"),
        line(other.code),
        line(third.code, grade=0),
    )
    assert ended.code == 2
    for what in (
        "line 1: dispute: unknown code 'nobody'",
        "line 2: grade 9 is not on the scale",
        "line 3: id: unknown key",
        "line 3: cause: input should be 'policy_gap'",
        f"line 3: dispute: {one.code} is decided twice in this file",
        f"line 5: dispute: {third.code} is decided already, as 1",
    ):
        assert what in ended.err
    assert len(adjudicated(project)) == 1
    assert collected(project).code == 2
    assert collected(project, line(one.code), words=("--run", "latest")).code == 2


def test_terminal_says_which_disputes_gate_1_counts_and_whose_grades_are_listed(here: Path) -> None:
    """8 pairs on which both raters differ from the golden grade alone are in no dispute of Gate 1's."""
    project = disputing(here)
    root = ("--policy", "small@v1", "--root", project.root)
    listed = " ".join(harness("adjudicate", "--list", *root).out.split())
    summary = harness("adjudicate", "--summary", *root)
    for said in (listed, " ".join(summary.out.split())):
        assert "12 disputes (4 that change the action), 0 decided, 12 open" in said
        assert (
            "differ from each other on 4 of them, as Gate 1 counts; on 8 from the golden grade alone" in said
        )
    assert len(harness("gate1", *root, "--json").json["disputed"]) == 4
    assert "those of all its raters and the golden one" in listed
    assert "No decision yet." in summary.out and "do not note" not in summary.out


def test_nothing_to_adjudicate_is_said_in_a_sentence(here: Path) -> None:
    write_project(here)
    (first, *_) = examples()
    line = {"item": first["id"], "rater": "ann", "grade": first["grade"], "policy_version": "v1"}
    (here / "golden/small/ratings.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    for how in ("--list", "--summary"):
        said = harness("adjudicate", how, "--policy", "small@v1").out
        assert "No rating under small@v1 differs from another or from the golden grade." in said
        assert "by size" not in said


def test_where_the_raters_differ_on_every_dispute_nothing_is_said_of_others(here: Path) -> None:
    project = disputing(here)
    between = [one for one in disputes_of(project) if one.raters_differ]
    counted = sum_up(policy_of(project), between)
    assert (counted.disputes, counted.raters_differ) == (4, 4)
    said = " ".join(text_of(summary_view(counted)).split())
    assert "on 4 of them, as Gate 1 counts. " in said and "alone" not in said
