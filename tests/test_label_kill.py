"""A labelling that is killed or stopped goes on with the same command: nothing lost, nothing paid twice."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from builders import write_project
from fault_server import FaultServer, Turn, completion, fault_server, graded, item_of
from labelling import answers, by_title, grade_of, label, labelled, manifest, rows, write_rows
from oracle import KEYS

KILLS = int(os.environ.get("HARNESS_KILLS", "2"))
DISTINCT, ROWS, IN_FLIGHT = 240, 600, 8
ROOM = 400_000
"""Bytes that a file may have on a disk that is full."""


def begun(here: Path, server: FaultServer) -> "subprocess.Popen[bytes]":
    words = [
        "-m",
        "harness",
        "label",
        "pairs.csv",
        "-o",
        "L",
        "--policy",
        "small",
        "--unproven",
        "--no-cache",
    ]
    words += ["--model", "openai/m", "--base-url", server.url, "--max-connections", str(IN_FLIGHT)]
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=here,
        env={**os.environ, **KEYS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def slowly(number: int, body: dict[str, Any]) -> Turn:
    wait = random.Random(number).uniform(0.002, 0.01)
    return graded(grade_of(item_of(body)["result"]["title"]), wait=wait)


def wait_for(server: FaultServer, requests: int, process: "subprocess.Popen[bytes]") -> None:
    while len(server.requests) < requests and process.poll() is None:
        time.sleep(0.001)


@pytest.mark.parametrize("at", [0, *(pytest.param(at, marks=pytest.mark.slow) for at in range(1, KILLS))])
def test_a_killed_labelling_goes_on(here: Path, at: int) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(ROWS, distinct=DISTINCT))
    draw = random.Random(at)
    with fault_server(slowly) as server:
        for moment in sorted(draw.sample(range(1, DISTINCT), 2)):
            with begun(here, server) as process:
                wait_for(server, moment, process)
                time.sleep(draw.uniform(0, 0.02))
                process.kill()
        ended = label(server, "pairs.csv", "--unproven", "--no-cache", "--json")
        assert ended.code == 0, ended.err
        assert DISTINCT <= len(server.requests) <= DISTINCT + 2 * IN_FLIGHT
    assert ended.json["outcomes"] == {"graded": ROWS, "ungraded": 0, "failed": 0}
    assert all(row["grade"] == grade_of(row["title"]) for row in labelled())
    assert answers() == DISTINCT


def test_a_kill_while_rows_are_taken_in_leaves_nothing_of_them(here: Path) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(60_000))
    with fault_server(by_title) as server:
        with begun(here, server) as process:
            while not (here / "L/answers.sqlite3").exists() and process.poll() is None:
                time.sleep(0.001)
            time.sleep(0.3)
            process.kill()
        assert not (here / "L/labels.json").exists() and not server.requests
        write_rows(here / "pairs.csv", rows(20, distinct=10))
        ended = label(server, "pairs.csv", "--unproven", "--json")
    assert (ended.code, ended.json["rows"], ended.json["distinct"]) == (0, 20, 10), ended.err


@pytest.mark.parametrize(
    "left", [".labels.json.7.tmp", ".answers.sqlite3.7.tmp", "shards/.part-00000.parquet.7.tmp"]
)
def test_a_file_half_written_when_it_was_killed_stops_nobody(here: Path, left: str) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(6))
    words = ("pairs.csv", "--unproven", "--json")
    half = here / "L" / left
    if half.parent.name == "shards":
        assert label(None, *words, model="builtin/lexical").code == 0
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"PAR1")
    if half.parent.name == "shards":
        assert len(labelled()) == 6  # a reader beside the one that writes
    ended = label(None, *words, model="builtin/lexical")
    assert ended.code == 0, ended.err
    assert (len(labelled()), half.exists()) == (6, False)


def test_a_kill_between_the_manifest_and_what_the_teacher_saw_stops_nobody(here: Path) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(6))
    words = ("pairs.csv", "--unproven", "--json")
    assert label(None, *words, model="builtin/lexical").code == 0
    seen = ("policy.toml", "gates.toml", "shots.jsonl")
    there = {name: (here / "L" / name).read_bytes() for name in seen}
    for name in seen:
        (here / "L" / name).unlink()
    ended = label(None, *words, model="builtin/lexical")
    assert ended.code == 0, ended.err
    assert {name: (here / "L" / name).read_bytes() for name in seen} == there


@pytest.mark.slow
def test_ctrl_c_waits_for_what_is_in_flight_and_says_how_to_go_on(here: Path) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(ROWS, distinct=DISTINCT))
    with fault_server(slowly) as server:
        with begun(here, server) as process:
            wait_for(server, 40, process)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            said = process.stderr.read().decode()
            assert process.wait() == 130
        assert "repeat the command to go on; it asks no answered pair again" in " ".join(said.split())
        assert manifest()["finished_at"] is None
        some = len(server.requests)
        assert label(server, "pairs.csv", "--unproven", "--no-cache").code == 0
        # What was in flight was waited for: not one is asked twice.
        assert 40 <= some < DISTINCT == len(server.requests)


@pytest.mark.slow
def test_two_commands_do_not_write_one_set(here: Path) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(ROWS, distinct=DISTINCT))
    with fault_server(slowly) as server, begun(here, server) as process:
        wait_for(server, 1, process)
        ended = label(server, "pairs.csv", "--unproven")
        process.kill()
    assert ended.code == 2 and "another process is writing this label set" in ended.err


def test_a_changed_policy_prompt_or_model_is_refused(here: Path) -> None:
    write_project(here)
    table = write_rows(here / "pairs.csv", rows(3))
    with fault_server(by_title) as server:
        assert label(server, table, "--unproven").code == 0
        for words, what in (
            (("--temperature", "1"), "temperature (was not given)"),
            (("--shots", "1"), "shots (was not given)"),
            (("--max-tokens", "99"), "max-tokens (was not given)"),
        ):
            ended = label(server, table, "--unproven", *words)
            assert ended.code == 2 and what in " ".join(ended.err.split()), ended.err
        ended = label(server, table, "--unproven", model="openai/other")
        assert ended.code == 2 and "model (was openai/m)" in " ".join(ended.err.split())
        system = here / "prompts/teacher/v1/system.j2"
        system.write_text(system.read_text("utf-8") + "More.\n", encoding="utf-8")
        ended = label(server, table, "--unproven")
        assert ended.code == 2 and "the prompt" in ended.err
        policy = here / "policies/small/v1.toml"
        policy.write_text(policy.read_text("utf-8").replace("goal = ", "goal = 'x' # "), encoding="utf-8")
        ended = label(server, table, "--unproven")
        assert ended.code == 2 and "the policy" in ended.err
        assert len(server.requests) == 3


def test_a_full_disk_ends_it_and_the_same_command_goes_on(here: Path) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(200))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))

    def long_answer(number: int, body: dict[str, Any]) -> Turn:
        grade = grade_of(item_of(body)["result"]["title"])
        return completion(json.dumps({"reasoning": "Because. " * 400, "clauses": [], "grade": grade}))

    with fault_server(long_answer) as server:
        words = ["label", "pairs.csv", "-o", "L", "--policy", "small", "--unproven", "--no-cache"]
        words += ["--model", "openai/m", "--base-url", server.url, "--max-connections", "4"]
        ended = subprocess.run(
            [sys.executable, "-m", "harness", *words],
            cwd=here,
            env={**os.environ, **KEYS},
            capture_output=True,
            text=True,
            preexec_fn=limit,
        )
        assert ended.returncode == 4, ended.stderr
        assert "answers.sqlite3: the answers were not stored" in ended.stderr
        assert "repeat the command to go on" in ended.stderr
        some = answers()
        assert 0 < some < 200
        assert label(server, "pairs.csv", "--unproven", "--no-cache").code == 0
        # What was in flight when the disk was full is asked again.
        assert 200 <= len(server.requests) <= 200 + 4
    assert answers() == 200
