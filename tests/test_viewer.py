"""The viewer's pages by their addresses: what they show, whom they answer, and a damaged run in words."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from builders import harness
from comparing import perfect, run_of, unread_on, wrong_on
from starlette.testclient import TestClient
from viewing import HOSTILE, change_manifest, names, run_path, shop, unfinish, viewing

from harness.errors import BadInput
from harness.report.text_diff import CONTEXT, side_by_side
from harness.runs.listing import Listing
from harness.storage.project import Project
from harness.web.app import create_app
from harness.web.guard import is_ours
from harness.web.progress import Counter
from harness.web.serve import address_of, is_open, listen
from harness.web.table import read_query, table_of
from harness.web.trend import pictures
from harness.web.words import duration


@pytest.fixture
def project(here: Path) -> Project:
    """Four runs under two prompt versions and two models."""
    return shop(here)


@pytest.fixture
def client(project: Project) -> Iterator[TestClient]:
    """A browser without scripts."""
    with TestClient(create_app(project), base_url="http://127.0.0.1:8765") as made:
        yield made


def rows(text: str) -> list[str]:
    """The runs of a table, in its order."""
    return re.findall(r'<th scope="row"[^>]*><a href="[^"]*" title="([^"]*)"', text)


def table(project: Project, **asked: str) -> list[str]:
    """The names of the runs that a query finds, in its order."""
    found = table_of(Listing(project).runs(), read_query(list(asked.items())))
    return [run.name for run in found.runs]


# --- the table of runs -------------------------------------------------------------------------------


def test_runs_are_listed_with_kappa_interval_coverage_and_verdict(
    project: Project, client: TestClient
) -> None:
    text = client.get("/").text
    assert rows(text) == names(project)[::-1]
    assert "<b>1.000</b>" in text
    assert "100.0%" in text
    shown = Listing(project).runs()[0]
    assert shown.ci is not None
    assert f"{shown.ci[0]:.3f} to {shown.ci[1]:.3f}" in text


def test_a_run_over_canaries_has_neither_kappa_nor_verdict_in_the_table(
    project: Project, client: TestClient
) -> None:
    # Its scorecard has both, as one of an earlier version has.
    path = project.runs / names(project)[0] / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["asked"]["canaries"] = True
    path.write_text(json.dumps(manifest), "utf-8")
    line = client.get("/").text.partition(f'title="{names(project)[0]}"')[2].partition("</tr>")[0]
    assert "no gate applies" in line and "<b>" not in line
    assert not any(word in line for word in ("badge pass", "badge fail", "badge inconclusive"))
    assert table(project, sort="-kappa")[-1] == table(project, sort="verdict")[-1] == names(project)[0]


def test_runs_are_sorted_by_any_column_and_what_is_undefined_comes_last(project: Project) -> None:
    first, second, third, majority = names(project)
    # The majority's kappa has no interval, so that it is not ranked.
    assert table(project, sort="kappa") == [first, second, third, majority]
    assert table(project, sort="-kappa") == [third, second, first, majority]
    assert table(project, sort="begun") == [first, second, third, majority]
    assert table(project, sort="model")[0] == majority
    (project.runs / second / "scorecard.json").unlink()
    assert table(project, sort="kappa")[-1] == second
    assert table(project, sort="-kappa")[-1] == second


def test_sorted_by_kappa_only_comparable_runs_are_ranked(project: Project, client: TestClient) -> None:
    _, _, third, majority = names(project)
    few = run_of(project.root, perfect, "--limit", "30", file="few.csv")
    text = client.get("/?sort=-kappa").text
    assert rows(text)[0] == third
    cells = {name: text.partition(f'title="{name}"')[2].partition("</tr>")[0] for name in names(project)}
    assert "rank 1 in group 1" in cells[third]
    assert "not ranked: one of the two gave every item the same grade" in cells[majority]
    assert "not ranked: 30 examples, not 60" in cells[few]
    assert "not ranked" not in client.get("/").text


def test_runs_are_filtered_by_policy_prompt_model_split_and_name(project: Project) -> None:
    first, second, third, majority = names(project)
    assert set(table(project, prompt="teacher@v1")) == {first}
    assert set(table(project, prompt="teacher@v2")) == {second, third, majority}
    assert set(table(project, prompt="teacher")) == {first, second, third, majority}
    assert set(table(project, model="builtin/majority")) == {majority}
    assert set(table(project, model="builtin")) == set()
    assert set(table(project, policy="small", split="dev", q="BEST")) == {third}
    assert table(project, split="test") == []


def test_a_page_holds_so_many_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.web.table.PAGE", 3)
    *later, first = names(project)[::-1]
    assert table(project, page="1") == later
    assert table(project, page="2") == [first]
    assert table(project, page="99") == [first]


@pytest.mark.parametrize("asked", ["/?sort=taste", "/?page=0", "/?page=x", "/trend?sort=%3Cb%3E"])
def test_an_address_that_asks_for_nonsense_is_told_so(client: TestClient, asked: str) -> None:
    answer = client.get(asked)
    assert answer.status_code == 400
    assert "This page cannot be shown" in answer.text
    assert "<b>" not in answer.text


def test_a_kappa_below_0_is_drawn_at_its_place(client: TestClient, project: Project) -> None:
    run_of(project.root, lambda at, golden: (golden + 1) % 3, file="worse.csv")
    runs = [run for run in Listing(project).runs() if run.kappa is not None]
    assert min(run.kappa or 0 for run in runs) < 0
    text = client.get("/").text
    low = float(re.findall(r"the axis begins at (-[\d]\.[\d])", text)[0])
    drawn = re.findall(r'class="point" cx="([\d.]+)%"', text)
    assert [float(at) for at in drawn] == [
        pytest.approx(100 * ((run.kappa or 0) - low) / (1 - low), abs=0.01) for run in reversed(runs)
    ]


def test_a_project_without_runs_says_how_to_make_one(client: TestClient, project: Project) -> None:
    for name in names(project):
        (project.runs / name).rename(project.root / name)
    assert "<code>harness eval</code>" in client.get("/").text
    assert client.get("/trend").status_code == 200


# --- one run -----------------------------------------------------------------------------------------


def test_a_finished_run_is_its_report_with_a_way_back(project: Project, client: TestClient) -> None:
    text = client.get(run_path(names(project)[0])).text
    assert '<a href="/">All runs</a>' in text
    assert "Does the grader agree with the golden set?" in text


def test_a_report_is_made_again_when_its_run_has_changed(project: Project, client: TestClient) -> None:
    address = run_path(names(project)[0])
    before = client.get(address).text
    assert client.get(address).text == before
    change_manifest(project.runs / names(project)[0], notes=["the server takes no schema"])
    assert "The server takes no schema" in client.get(address).text


def test_a_hostile_title_is_text_in_every_page(project: Project, client: TestClient) -> None:
    first, second, *_ = names(project)
    for address in (run_path(first), f"{run_path(second)}/report?base={first}"):
        text = client.get(address).text
        assert "document.title" in text
        assert HOSTILE[:20] not in text


def test_a_run_that_goes_on_shows_how_far_it_is(project: Project, client: TestClient) -> None:
    name = names(project)[0]
    coming = unfinish(project.runs / name, 6)
    assert "6 of 60 answered" in client.get("/").text
    address = f"{run_path(name)}/progress.json"
    assert client.get(address).json()["done"] == 6
    with (project.runs / name / "records.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(coming[:3]) + coming[3][:20])
        file.flush()
        assert client.get(address).json()["done"] == 9
        file.write(coming[3][20:])
    now = client.get(address).json()
    assert (now["done"], now["total"], now["graded"], now["state"]) == (10, 60, 10, "going")
    assert "10 of 60 answered" in client.get(run_path(name)).text
    assert client.get(f"{run_path(name)}/report").status_code == 200


def test_a_run_that_stopped_says_how_to_go_on(project: Project, client: TestClient) -> None:
    name = names(project)[0]
    unfinish(project.runs / name, 0, quiet=7200)
    text = client.get(run_path(name)).text
    assert f"harness eval --resume {name}" in text
    assert "no answer for 2 hours" in text


def test_progress_counts_the_last_answer_of_a_key_and_tells_its_rate(project: Project) -> None:
    name = names(project)[0]
    folder = project.runs / name
    lines = [json.loads(line) for line in unfinish(folder, 0)[:11]]
    failed = {**lines[0], "outcome": {"kind": "failed", "detail": "gone"}}
    began = datetime(2026, 11, 1, tzinfo=UTC)
    records = [failed, *lines]
    for at, line in enumerate(records):
        line["at"] = (began + timedelta(seconds=at / 2)).isoformat()
    (folder / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in records), "utf-8")
    run = Listing(project).run(name)
    assert run is not None
    now = Counter(folder).count(run)
    assert (now.done, now.graded, now.failed) == (11, 11, 0)
    assert now.per_second == pytest.approx(2)
    assert now.seconds_left == pytest.approx(49 / 2)
    assert now.said == "11 of 60 answered, 2.0 a second, 24 seconds left"


def test_progress_begins_anew_where_a_repair_took_something_away(project: Project) -> None:
    name = names(project)[0]
    folder = project.runs / name
    coming = unfinish(folder, 20)
    run = Listing(project).run(name)
    assert run is not None
    counter = Counter(folder)
    assert counter.count(run).done == 20
    (folder / "records.jsonl").write_text("".join(coming[:2]) + "no record\n[]\n", encoding="utf-8")
    assert counter.count(run).done == 2


@pytest.mark.parametrize(
    ("file", "content"),
    [("records.jsonl", "x\n"), ("manifest.json", "{"), ("examples.jsonl", ""), ("policy.toml", "=")],
)
def test_a_damaged_run_is_listed_and_opened_in_words(
    project: Project, client: TestClient, file: str, content: str
) -> None:
    name = names(project)[1]
    (project.runs / name / file).write_text(content, encoding="utf-8")
    assert name in rows(client.get("/").text)
    answer = client.get(run_path(name))
    assert answer.status_code == 200
    assert "damaged" in answer.text
    assert file in answer.text
    beside = client.get("/compare", params={"run": [name, names(project)[0]]})
    assert beside.status_code == 200
    assert "damaged" in beside.text


# --- several runs ------------------------------------------------------------------------------------


def test_two_ticked_runs_are_the_report_of_the_younger_against_the_older(
    project: Project, client: TestClient
) -> None:
    first, second, *_ = names(project)
    answer = client.get("/compare", params={"run": [second, first]})
    assert answer.url.path.endswith("/report")
    assert "The candidate is better" in answer.text
    assert "The prompts side by side" in answer.text
    changed = re.search(r'href="([^"]*)">Change sides', answer.text)
    assert changed is not None
    assert "The candidate is worse" in client.get(changed[1].replace("&amp;", "&")).text


def test_several_ticked_runs_are_a_table_against_the_oldest(project: Project, client: TestClient) -> None:
    text = client.get("/compare", params={"run": names(project)}).text
    assert "3 runs against the oldest" in text
    assert "Even if all 4 were equal, the best would look better than it is" in text


def test_runs_that_cannot_be_compared_are_told_why(project: Project, client: TestClient) -> None:
    assert harness("eval", "--policy", "small", "--model", "builtin/majority", "--split", "test").code == 0
    first, *_, test = names(project)
    for asked in ([first, test], [first], []):
        answer = client.get("/compare", params={"run": asked})
        assert answer.status_code == 400
        assert "tick two" in answer.text or "nothing to compare" in answer.text


def test_kappa_over_time_is_a_picture_for_each_policy_and_split(project: Project) -> None:
    (picture,) = pictures(Listing(project).runs())
    assert picture.title == "small@v1 (dev)"
    assert [(one.prompt, len(one.points)) for one in picture.series] == [("teacher@v1", 1), ("teacher@v2", 3)]
    better, best, majority = picture.series[1].points
    assert best.y < better.y < majority.y
    assert best.said.startswith("1.000 [")
    # One of another model is no step of the prompt.
    assert [(a.run, b.run) for a, b in picture.series[1].joined] == []
    assert harness("eval", "--policy", "small", "--model", "builtin/majority", "--split", "test").code == 0
    assert [one.title for one in pictures(Listing(project).runs())] == ["small@v1 (test)", "small@v1 (dev)"]


def test_a_line_joins_comparable_runs_only(project: Project, client: TestClient) -> None:
    words = ("--prompt", "teacher@v2")
    text = project.policies / "small/v1.toml"
    kept = text.read_text("utf-8")
    text.write_text(kept.replace("is at most 1.", "is at most 1, always."), "utf-8")
    edited = run_of(project.root, perfect, *words, file="best.csv")
    text.write_text(kept, "utf-8")
    again = [run_of(project.root, wrong_on(at), *words, file="best.csv") for at in (1, 2)]
    few = run_of(project.root, perfect, *words, "--limit", "30", file="best.csv")
    chosen = run_of(project.root, unread_on(*range(45)), *words, file="best.csv")
    mixed, asked = names(project)[2], project.runs / names(project)[2]
    (picture,) = pictures(Listing(project).runs())
    assert [(a.run, b.run) for a, b in picture.series[1].joined] == [(mixed, again[0]), tuple(again)]
    apart = {point.run: point.apart for point in picture.series[1].points}
    assert (apart[few], apart[edited]) == ("30 examples, not 60", "another text of small@v1")
    assert (apart[again[0]], apart[chosen]) == (None, "coverage 25.0% is under 99.0%")
    shown = client.get("/trend").text
    assert "30 examples, coverage 100.0%" in shown
    assert "not comparable with the others: another text of small@v1" in shown
    assert "not comparable with the others: coverage 25.0% is under 99.0%" in shown
    hollow = re.findall(r'<g data-run="/runs/([^"]*)" class="apart">', shown)
    assert sorted(map(unquote, hollow)) == sorted(name for name, why in apart.items() if why)
    change_manifest(asked, model_answered=["m-bf16", "m-fp8"])
    (picture,) = pictures(Listing(project).runs())
    assert [(a.run, b.run) for a, b in picture.series[1].joined] == [tuple(again)]
    change_manifest(project.runs / again[0], stale=60)
    (picture,) = pictures(Listing(project).runs())
    assert not picture.series[1].joined
    assert "60 of 60 examples not yet judged under small@v1" in {p.apart for p in picture.series[1].points}
    assert "2 models answered (m-bf16, m-fp8)" in {point.apart for point in picture.series[1].points}


# --- policies and prompts ----------------------------------------------------------------------------


def test_versions_are_listed_and_stand_side_by_side(client: TestClient) -> None:
    assert "teacher" in client.get("/versions").text
    text = client.get("/prompts/teacher").text
    assert "<ins>Now</ins> <ins>grade</ins> <ins>it:</ins>" in text or "<ins>Now grade it:</ins>" in text
    assert "The same version twice" in client.get("/policies/small").text


def test_a_policy_change_is_said_in_words(project: Project, client: TestClient) -> None:
    folder = project.policies / "small"
    text = (folder / "v1.toml").read_text(encoding="utf-8").replace('"v1"', '"v2"')
    (folder / "v2.toml").write_text(text.replace("is at most 1.", "is at most 1, <always>."), "utf-8")
    shown = client.get("/policies/small").text
    assert "Clause accessory: reworded" in shown
    assert "&lt;always&gt;" in shown
    (folder / "v2.toml").write_text("title =", encoding="utf-8")
    assert "not TOML" in client.get("/policies/small?old=v1&new=v2").text
    assert "cannot be read" in client.get("/versions").text


@pytest.mark.parametrize(
    "address",
    [
        "/policies/none",
        "/policies/small?old=v7",
        "/prompts/..%2f..",
        "/prompts/teacher?new=..",
        "/policies/.",
    ],
)
def test_a_version_that_is_none_is_not_found(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_lines_that_are_alike_are_folded_and_words_that_differ_marked() -> None:
    old = [f"line {at}" for at in range(20)]
    new = [*old[:10], "line ten, said otherwise", *old[11:], "and one more"]
    found = side_by_side("\n".join(old), "\n".join(new))
    assert [row.kind for row in found] == [
        "folded", *["same"] * CONTEXT, "changed", *["same"] * CONTEXT, "folded", *["same"] * CONTEXT, "new",
    ]  # fmt: skip
    changed = found[CONTEXT + 1]
    assert changed.old == (("line ", False), ("10", True))
    assert (found[0].count, found[-1].new) == (7, (("and one more", True),))
    whole = side_by_side("\n".join(old), "\n".join(new), everything=True)
    assert "\n".join("".join(text for text, _ in row.new) for row in whole) == "\n".join(new)
    assert "\n".join("".join(text for text, _ in row.old) for row in whole[:20]) == "\n".join(old)


# --- whom it answers, and how ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/runs/x", "/compare", "/static/viewer.js", "/nothing"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_answers_get_alone(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == (404 if path == "/nothing" else 405)
    assert "<h1>" in answer.text


@pytest.mark.parametrize("path", ["/", "/trend", "/versions", "/nothing", "/static/viewer.js", "/?sort=x"])
def test_every_answer_has_its_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_page_has_neither_style_nor_script_of_its_own(project: Project, client: TestClient) -> None:
    for path in ("/", "/trend", "/versions", "/prompts/teacher", "/nothing"):
        text = client.get(path).text
        assert not re.search(r"<style|<script(?! src=\"/static/)| style=| on\w+=|https?://", text), path


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8765", True),
        ("localhost:8765", True),
        ("LOCALHOST", True),
        ("[::1]:8765", True),
        ("192.168.1.7", True),
        ("evil.example", False),
        ("evil.example:8765", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example@127.0.0.1.nip.example", False),
        ("[::1", False),
        ("", False),
        (None, False),
    ],
)
def test_a_foreign_name_is_refused(host: str | None, ours: bool) -> None:
    assert is_ours(host, frozenset({"localhost"})) is ours


def test_who_asks_by_a_foreign_name_learns_nothing(project: Project, client: TestClient) -> None:
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "small" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/runs/..%2f..%2fpolicies", "/runs/%2e%2e", "/runs/baselines", "/static/..%2fapp.py",
        "/static/%2fetc%2fpasswd", "/runs/.hidden", "/runs/x%00y", "/runs/..%5c..", "/prompts/%2fetc",
    ],
)  # fmt: skip
def test_no_path_is_made_of_an_address(project: Project, client: TestClient, path: str) -> None:
    (project.runs / "baselines").mkdir(exist_ok=True)
    answer = client.get(path)
    assert answer.status_code == 404
    assert "passwd" not in answer.text or "There is no such" in answer.text


def test_what_is_asked_for_comes_back_as_text(client: TestClient) -> None:
    for path in (
        "/?q=%3Cscript%3E1",
        "/?policy=%22%3E%3Cscript%3E1",
        "/runs/%3Cscript%3E1",
        "/compare?run=%3Cscript%3E1&run=x",
    ):
        assert "<script>1" not in client.get(path).text  # fmt: skip


def test_a_fault_of_ours_is_a_page_in_words(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Listing) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Listing, "runs", fail)
    app = create_app(project)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        answer = client.get("/")
    assert answer.status_code == 500
    assert "The viewer failed" in answer.text
    assert "content-security-policy" in answer.headers


# --- the server --------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_with_a_way_out() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert address_of(first) == f"http://127.0.0.1:{port}/"
        assert not is_open(first)
        with pytest.raises(BadInput, match="--port 0 takes a free one"):
            listen("127.0.0.1", port)


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(BadInput, match="no such address"):
        listen("256.1.1.1", 0)


def test_the_command_prints_its_address_and_ends_with_ctrl_c(project: Project) -> None:
    command = [sys.executable, "-m", "harness", "view", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as caller:
        caller.sendall(f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        assert b"200 OK" in caller.recv(100)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert said == "Ctrl-C stops it.\n"
    assert time.monotonic() - began < 5


def test_a_server_on_loopback_answers(project: Project) -> None:
    with viewing(project) as address, TestClient(create_app(project), base_url=address) as client:
        assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "unknown"), (0.4, "0 seconds"), (1, "1 second"), (89, "89 seconds"), (120, "2 minutes"),
     (7200, "2 hours"), (200_000, "2 days")],
)  # fmt: skip
def test_durations_are_said_in_their_unit(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said
