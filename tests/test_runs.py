"""The run folder: nothing is lost, nothing is asked twice, damage is said aloud."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, record, reply, write_golden, write_project
from fault_server import FaultServer, fault_server, graded
from forked import alive, at_once, ended, started
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.app import app
from harness.errors import BadInput
from harness.nouns.base import MOST
from harness.nouns.records import Failed, Grade, Record, Reply, Ungraded, Usage
from harness.runs.folder import find_run, load_run
from harness.runs.manifest import load_manifest
from harness.runs.new_folder import create_run
from harness.runs.record_log import RecordLog, iter_records
from harness.storage.files import to_line
from harness.storage.project import Project

DEV = [line for line in examples() if line["split"] == "dev"]


def small_run(here: Path, *words: str) -> Path:
    """A finished run of the small project."""
    write_project(here)
    assert harness("eval", "--policy", "small", *words).code == 0
    (run,) = (here / "runs").glob("[!.]*")
    return run


outcomes = st.one_of(
    st.builds(
        Grade,
        value=st.integers(-MOST, MOST),
        reasoning=st.text(),
        clauses=st.lists(st.text()).map(tuple),
    ),
    st.builds(Ungraded, cause=st.sampled_from(["refused", "bad_json"]), detail=st.text()),
    st.builds(Failed, detail=st.text()),
)


@given(outcomes, st.text(min_size=1), st.text())
def test_record_survives_the_file(outcome: Any, id: str, text: str) -> None:
    one = record(id, outcome=outcome, reply=None if isinstance(outcome, Failed) else reply(text))
    line = to_line(one)
    assert line.count("\n") == 1
    assert Record.model_validate_json(line) == one


def test_the_last_record_of_an_example_counts(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").touch()
    with RecordLog(tmp_path) as log:
        log.append(record("a", outcome=Failed(detail="busy")))
        log.append(record("b"))
        assert (log.count, log.failed) == (1, {("a", 0)})
        log.append(record("a"), last=False)
        log.append(record("a"))
        assert (log.count, log.failed) == (2, set())
    with RecordLog(tmp_path) as log:
        assert (log.answered, log.count, log.failed) == ({("a", 0), ("b", 0)}, 2, set())


def test_a_cut_at_any_byte_loses_the_torn_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    lines = [to_line(record(id)) for id in "abc"]
    whole = "".join(lines).encode("utf-8")
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with RecordLog(tmp_path) as log:
            there = sorted(example for example, _ in log.answered)
            for id in "abc":
                if (id, 0) not in log.answered:
                    log.append(record(id))
        assert there == list("abc")[: len(there)]
        assert len(there) >= whole[:cut].count(b"\n")
        assert path.read_bytes() == whole, cut


@pytest.mark.parametrize("damage", ["{broken", '{"example": "b"}', "\x00\x00", ""])
def test_damage_before_the_end_is_refused_with_its_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(to_line(record("a")) + damage + "\n" + to_line(record("c")), encoding="utf-8")
    before = path.read_bytes()
    for read in (lambda folder: list(iter_records(folder)), RecordLog):
        with pytest.raises(BadInput, match="line 2"):
            read(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("records.jsonl", '"value": 1', '"value": 9', "grade 9 is not on the scale"),
        (
            "records.jsonl",
            '"pair": "sha256:',
            '"pair": "sha256:0',
            "a record of a pair that the run does not have",
        ),
        ("examples.jsonl", '"grade": 1', '"grade": 2', "is not what the manifest says"),
        ("examples.jsonl", '"grade": 1', '"grade": 9', "is not what the manifest says"),
        ("gates.toml", "", "weighting = 'linear'\n", "gates.toml: is not what the manifest says"),
        ("policy.toml", "grades = [1, 2]", "grades = [2, 1]", "policy.toml: is not what the manifest says"),
        ("manifest.json", '"format": 1', '"format": 2', "format: input should be 1"),
    ],
)
def test_parts_that_do_not_belong_together_have_no_score(
    here: Path, name: str, old: str, new: str, what: str
) -> None:
    path = small_run(here) / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    ended = harness("gate2", "latest")
    assert (ended.code, what in ended.err) == (2, True)
    # A list reads the scorecard that there is; without one, the run is not scored.
    (path.parent / "scorecard.json").unlink()
    listed = harness("runs", "list", "--json")
    assert what in listed.err
    assert [row["kappa"] for row in listed.json["runs"]] == ([] if name == "manifest.json" else [None])


def test_record_lost_from_a_finished_run_is_missed(here: Path) -> None:
    path = small_run(here) / "records.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-2]), encoding="utf-8")
    ended = harness("gate2", "latest")
    assert (ended.code, "2 records are gone" in ended.err) == (2, True)


def test_runs_begun_at_once_get_a_folder_each(here: Path) -> None:
    write_project(here)
    words = ["eval", "--policy", "small", "--model", "builtin/majority"]
    assert harness(*words).code == 0  # loads the modules: no copy begins late because it still does
    assert at_once([partial(app, words)] * 6) == [0] * 6
    assert len(list((here / "runs").glob("[!.]*"))) == 7


def test_a_run_of_the_same_moment_gets_a_number(here: Path) -> None:
    write_project(here)
    assert harness("eval", "--policy", "small", "--model", "builtin/majority").code == 0
    (first,) = (here / "runs").iterdir()
    for number in (2, 3):
        other = create_run(here / "runs", load_manifest(first), {})
        assert other.name == load_manifest(other).name == f"{first.name}-{number}"


def test_replay_is_resumed_from_anywhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(here)
    (here / "golden/small/g.csv").write_text("item,grade\n" + "".join(f"{e['id']},1\n" for e in DEV), "utf-8")
    monkeypatch.chdir(here / "golden/small")
    assert harness("eval", "--policy", "small", "--model", "replay/g.csv").code == 0
    monkeypatch.chdir(here)
    assert harness("eval", "--resume", "latest").code == 0
    assert harness("runs", "show", "--json").json["asked"]["model"] == "replay/golden/small/g.csv"


def test_a_run_with_failures_is_not_finished(here: Path) -> None:
    write_project(here)
    (here / "g.csv").write_text("item,grade\n" + "".join(f"{e['id']},1\n" for e in DEV[1:]), "utf-8")
    ended = harness("eval", "--policy", "small", "--model", "replay/g.csv")
    assert ended.code == 4
    assert "add what is missing to the file" in ended.err
    assert "This run is not finished" in harness("gate2", "latest").out
    assert harness("runs", "show", "--json").json["finished_at"] is None


def test_place_that_cannot_be_written_is_named(here: Path) -> None:
    write_project(here)
    (here / "runs").rmdir()
    (here / "runs").write_text("", encoding="utf-8")
    ended = harness("eval", "--policy", "small")
    assert (ended.code, "runs" in ended.err) == (2, True)


def test_answer_that_no_reader_would_take_is_a_failed_call_and_costs_no_other(here: Path) -> None:
    run = small_run(here)
    records = list(load_run(run).each_record())
    reply = Reply(text="x" * (17 << 20), model="m" * 5_000, usage=Usage(input_tokens=7, output_tokens=8))
    with RecordLog(run) as log:
        log.append(records[0].model_copy(update={"reply": reply, "cost": 0.5}))
    *before, last = load_run(run).each_record()
    assert before == records
    assert isinstance(last.outcome, Failed) and "too long to keep: 17 MB" in last.outcome.detail
    assert last.reply is not None and last.reply.usage == reply.usage and last.cost == 0.5
    assert (len(last.reply.text), len(last.reply.model)) == (1_000, 1_000)


def test_two_processes_cannot_write_one_run(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").touch()
    with RecordLog(tmp_path), pytest.raises(BadInput, match="another process is writing this run"):
        RecordLog(tmp_path)
    with RecordLog(tmp_path):
        pass


def test_run_holds_all_that_is_needed_to_read_it(here: Path) -> None:
    run = small_run(here)
    before = harness("gate2", "latest", "--json").json
    for name in ("policies/small", "prompts/teacher", "golden/small"):
        shutil.rmtree(here / name)
    assert harness("gate2", str(run), "--json").json == before
    names = {path.name for path in run.iterdir()}
    assert names - {".records.lock"} == {
        "manifest.json", "policy.toml", "gates.toml", "prefix.txt", "shots.jsonl",
        "examples.jsonl", "records.jsonl", "scorecard.json", "disagreements.jsonl", "verdict.json",
        "report.html",
    }  # fmt: skip
    saved = json.loads((run / "scorecard.json").read_text(encoding="utf-8"))
    lines = (run / "disagreements.jsonl").read_text(encoding="utf-8").splitlines()
    assert saved.pop("spending")["cost"] == 0.0
    assert {**saved, "misses": [json.loads(line) for line in lines]} == before


def test_run_keeps_every_rating_of_its_policy_with_the_query(here: Path) -> None:
    write_project(here)
    (here / "golden/small/ratings.jsonl").write_text(
        '{"item": "q1-0", "rater": "ann", "grade": 1}\n{"item": "q0-0", "rater": "ann", "grade": 1}\n',
        "utf-8",
    )
    (here / "golden/small/raters.toml").write_text('[ann]\nkind = "human"\n', encoding="utf-8")
    assert harness("eval", "--policy", "small").code == 0
    (run,) = (here / "runs").glob("[!.]*")
    kept = [json.loads(line) for line in (run / "ratings.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(one["item"], one["query"]) for one in kept] == [("q1-0", "blue lamp"), ("q0-0", "red shoe")]
    assert (run / "raters.toml").exists()


def test_manifest_names_what_was_run(here: Path) -> None:
    manifest = load_manifest(small_run(here, "--limit", "5", "--seed", "3"))
    assert (manifest.asked.model, manifest.asked.policy, manifest.asked.prompt) == (
        "builtin/lexical", "small@v1", "teacher@v1",
    )  # fmt: skip
    assert (manifest.asked.limit, manifest.asked.seed, manifest.examples) == (5, 3, 5)
    assert manifest.model_answered == ("builtin/lexical",)
    assert manifest.finished_at is not None
    assert len(manifest.shots) == 4
    assert {"openai", "scikit-learn"} <= set(manifest.packages)
    assert all(
        value is None or value.startswith("sha256:") for value in manifest.digests.model_dump().values()
    )


def test_limit_draws_the_same_sample_for_every_model_and_a_larger_one_holds_it(here: Path) -> None:
    write_project(here)
    drawn = []
    for words in (["--limit", "4"], ["--limit", "4", "--model", "builtin/majority"], ["--limit", "7"]):
        harness("eval", "--policy", "small", *words)
        drawn.append({e.id for e in load_run(find_run(Project(here), "latest")).examples})
    assert drawn[0] == drawn[1] < drawn[2]
    assert (len(drawn[0]), len(drawn[2])) == (4, 7)


def test_resume_of_a_finished_run_asks_nothing(here: Path) -> None:
    run = small_run(here)
    before = (run / "records.jsonl").read_bytes()
    assert harness("eval", "--resume", run.name).code == 0
    assert (run / "records.jsonl").read_bytes() == before


def spoil_policy(here: Path) -> None:
    path = here / "policies/small/v1.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('goal = "Said."', 'goal = "Else."'), "utf-8")


def spoil_prompt(here: Path) -> None:
    (here / "prompts/teacher/v1/system.j2").write_text("Now something else.", encoding="utf-8")


def spoil_golden(here: Path) -> None:
    golden = examples()
    golden[3]["grade"] = 2
    write_golden(here, golden)


@pytest.mark.parametrize(
    ("spoil", "what"), [(spoil_policy, "policy"), (spoil_prompt, "prompt"), (spoil_golden, "golden")]
)
def test_resume_refuses_changed_inputs(here: Path, spoil: Any, what: str) -> None:
    small_run(here)
    spoil(here)
    ended = harness("eval", "--resume", "latest")
    assert ended.code == 2
    assert f"changed since the run began: {what}" in ended.err


def test_resume_refuses_other_settings_and_takes_the_same(here: Path) -> None:
    small_run(here)
    ended = harness("eval", "--resume", "latest", "--model", "builtin/majority")
    assert (ended.code, "keeps the settings of the run (model builtin/lexical)" in ended.err) == (2, True)
    assert harness("eval", "--resume", "latest", "--model", "builtin/lexical", "--policy", "small").code == 0


def by_kill(words: list[str], server: FaultServer) -> None:
    copy = started(lambda: harness(*words))
    while len(server.requests) < 5 and alive(copy):
        time.sleep(0.01)
    os.kill(copy, signal.SIGKILL)
    assert ended(copy) == -signal.SIGKILL


def by_ctrl_c(words: list[str], server: FaultServer) -> None:
    """Started in the background, a test inherits an ignored Ctrl-C, which nobody at a terminal has."""
    heed = "import signal, os, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    heed += "os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-c", heed, sys.executable, "-m", "harness", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while len(server.requests) < 5:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"interrupted" in err
    assert b"harness eval --resume" in err
    assert b"Traceback" not in err


@pytest.mark.parametrize("stopped", [pytest.param(by_ctrl_c, marks=pytest.mark.slow), by_kill])
def test_stopped_run_goes_on_where_it_was(
    here: Path, stopped: Callable[[list[str], FaultServer], None]
) -> None:
    """Killed outright or by Ctrl-C: at most the calls in flight are asked again."""
    write_project(here)
    words = ["eval", "--policy", "small", "--model", "openai/m", "--max-connections", "2", "--json"]
    with fault_server(lambda number, body: graded(wait=0.0 if number < 4 else 0.3)) as server:
        stopped([*words, "--base-url", server.url], server)
        again = harness("eval", "--resume", "latest", "--base-url", server.url, "--json")
        assert again.code == 0
        assert again.json["outcomes"] == {"graded": len(DEV), "ungraded": 0, "failed": 0}
        assert len(DEV) <= len(server.requests) <= len(DEV) + 2


def test_names_of_runs(here: Path) -> None:
    run = small_run(here)
    for name in (run.name, run.name[:12], "latest", str(run), f"runs/{run.name}"):
        assert harness("runs", "show", name, "--json").json["name"] == run.name
    assert harness("runs", "show", "2031").code == 2
    listed = harness("runs", "list", "--json").json["runs"]
    assert [row["run"] for row in listed] == [run.name]
    shutil.copytree(run, run.with_name(run.name + "-2"))
    ended = harness("runs", "show", run.name[:12])
    assert (ended.code, "several runs begin with" in ended.err) == (2, True)


def test_no_run_yet_says_how_to_make_one(here: Path) -> None:
    write_project(here)
    assert "`harness eval` makes one" in harness("runs", "list").out
    assert "`harness eval` makes one" in harness("gate2", "latest").err
    # A project of one's own may have a Makefile, too: what counts is that it calls the harness.
    (here / "Makefile").write_text("eval:\n\tpython3 train.py\n", encoding="utf-8")
    assert "`harness eval` makes one" in harness("runs", "list").out
    (here / "Makefile").write_text("eval: installed\n\t@harness eval\n", encoding="utf-8")
    assert "`make eval` makes one" in harness("runs", "list").out


def test_run_that_is_not_finished_says_what_was_never_asked(here: Path) -> None:
    run = small_run(here)
    assert "not finished" not in harness("gate2", "latest").out
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps(manifest | {"finished_at": None}), encoding="utf-8")
    lines = (run / "records.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "records.jsonl").write_text("".join(lines[:2]), encoding="utf-8")
    out, n = harness("gate2", "latest").out, len(lines)
    assert out.startswith(
        f"This run is not finished: {n - 2} of its {n} answers were never asked for and count as failed.\n"
        f"harness eval --resume {run.name} goes on from here.\n"
    )
    assert harness("gate2", "latest", "--json").json["outcomes"]["failed"] == n - 2
    assert harness("eval", "--resume", run.name).code == 0
    assert "not finished" not in harness("gate2", "latest").out


def test_filters_that_no_run_matches_are_told_from_no_run(here: Path) -> None:
    small_run(here)
    assert harness("runs", "list", "--split", "test").out == "no run matches\n"
    assert harness("runs", "list", "--policy", "small@v2").out == "no run matches\n"
    ended = harness("runs", "list", "--split", "foo")
    assert (ended.code, "--split 'foo' is not one of: dev, test, dev+test, canaries" in ended.err) == (
        2,
        True,
    )
    assert harness("runs", "list", "--split", "canaries").code == 0


def test_damaged_run_is_named_and_the_others_are_listed(here: Path) -> None:
    run = small_run(here)
    shutil.copytree(run, run.with_name("broken"))
    (run.with_name("broken") / "manifest.json").write_text("{", encoding="utf-8")
    ended = harness("runs", "list", "--json")
    assert [row["run"] for row in ended.json["runs"]] == [run.name]
    assert "left out" in ended.err


def test_every_finished_look_at_test_is_counted(here: Path) -> None:
    write_project(here)
    looks = here / "golden/small/test-looks.jsonl"
    assert harness("eval", "--policy", "small").code == 0
    assert not looks.exists()
    for count in (1, 2):
        ended = harness("eval", "--policy", "small", "--split", "test")
        assert f"Looks at the test split so far: {count}." in ended.out
        assert harness("eval", "--resume", "latest").code == 0
    assert [json.loads(line)["model"] for line in looks.read_text(encoding="utf-8").splitlines()] == [
        "builtin/lexical"
    ] * 2


def test_leaderboard_has_the_best_prompt_first(here: Path) -> None:
    write_project(here, golden=examples(queries=40))
    for model in ("builtin/majority", "builtin/lexical"):
        for split in ("dev", "test"):
            assert harness("eval", "--policy", "small", "--model", model, "--split", split).code == 0
    rows = harness("runs", "list", "--sort", "kappa", "--split", "dev", "--json").json["runs"]
    assert [row["model"] for row in rows] == ["builtin/lexical", "builtin/majority"]
    assert rows[0]["kappa"] > rows[1]["kappa"]
    assert harness("runs", "list", "--policy", "small@v1", "--json").json["runs"] != []
    assert harness("runs", "list", "--policy", "small@v2", "--json").json["runs"] == []
    text = harness("runs", "list", "--sort", "kappa").out
    assert "small@v1 (dev)" in text and "gate on test" in text
    assert "is not one of: time, kappa" in harness("runs", "list", "--sort", "size").err
