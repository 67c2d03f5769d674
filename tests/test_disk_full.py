"""A disk that is full, or a cache that cannot be used: no answer is lost, and the run says how to go on."""

import json
import resource
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from fault_server import FaultServer, Turn, completion, fault_server
from forked import forked_command
from oracle import DEV, KEYS, ask, only_run, right

from harness.grading.events import EventLog
from harness.runs.folder import load_run
from harness.storage.regular import append_whole

REPLY = json.dumps({"reasoning": "Because. " * 400, "clauses": [], "grade": 1})
"""A record of it has some 7 kB: a tenth of the room for a file here."""
ROOM = 70_000


def limited(server: FaultServer, *words: str, room: int = ROOM) -> "subprocess.CompletedProcess[str]":
    """`harness eval` in a process whose files cannot grow beyond `room` bytes, as on a disk that is full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    return forked_command("eval", "--base-url", server.url, *words, before=limit, **KEYS)


def full_at(name: str, server: FaultServer, *words: str) -> "subprocess.CompletedProcess[str]":
    """A command on a disk that is full from the moment that a file of a run is written."""

    def watch(event: str, what: tuple[Any, ...]) -> None:
        if event == "open" and f"/{name}" in str(what[0]) and "/.new-" not in str(what[0]):
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    return forked_command(*words, "--base-url", server.url, before=lambda: sys.addaudithook(watch), **KEYS)


def long_answer(number: int, body: dict[str, Any]) -> Turn:
    return completion(REPLY)


def test_records_that_the_disk_does_not_take_end_the_run_which_is_resumed(here: Path) -> None:
    write_project(here, golden=examples(queries=80))
    new = ("--policy", "small", "--model", "openai/m", "--limit", "40", "--max-connections", "4")
    with fault_server(long_answer) as server:
        ended = limited(server, *new)
        folder = only_run(here)
        assert ended.returncode == 4, ended.stderr
        assert f"harness eval --resume {folder.name}" in ended.stderr
        assert "File too large" in ended.stderr and "Traceback" not in ended.stderr
        kept = (folder / "records.jsonl").read_bytes()
        assert 5 < kept.count(b"\n") < 40 and kept.endswith(b"\n")
        sent = len(server.requests)
        assert sent <= kept.count(b"\n") + 4, "no call is sent for nothing"
        again = harness("eval", "--resume", "latest", "--base-url", server.url, "--no-report", **KEYS)
        assert again.code == 0, again.err
        assert len(server.requests) - sent == 40 - kept.count(b"\n")
    assert (folder / "records.jsonl").read_bytes().startswith(kept)
    counts = Counter(record.key for record in load_run(folder).each_record())
    assert set(counts.values()) == {1} and len(counts) == 40
    # What was answered and could not be written may have been billed, and is said to be.
    lost = harness("runs", "show", "latest", "--json").json["spending"]["lost_calls"]
    assert lost == sent - kept.count(b"\n")


def test_call_that_cannot_be_logged_is_not_sent(here: Path) -> None:
    write_project(here)
    words = ("eval", "--policy", "small", "--model", "openai/m")
    with fault_server(right) as server:
        ended = full_at("calls.jsonl", server, *words)
        assert (ended.returncode, server.requests) == (4, []), ended.stderr
        assert f"harness eval --resume {only_run(here).name}" in ended.stderr


def test_run_that_the_disk_does_not_take_is_not_begun(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ended = limited(server, "--policy", "small", "--model", "openai/m", room=1_000)
        assert (ended.returncode, server.requests) == (4, []), ended.stderr
    assert "nothing was asked yet; free some space and start the run again" in ended.stderr
    assert not list((here / "runs").glob("*"))


def test_report_that_the_disk_does_not_take_leaves_the_result(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ended = limited(server, "--policy", "small", "--model", "openai/m", room=40_000)
    name = only_run(here).name
    assert ended.returncode == 0, ended.stderr
    assert f"harness report {name} writes it" in ended.stderr
    assert "kappa" in ended.stdout
    assert not (only_run(here) / "report.html").exists()


@pytest.mark.parametrize("name", [".manifest.json", ".scorecard.json", ".verdict.json"])
def test_file_at_the_end_that_the_disk_does_not_take_is_written_by_a_resume(here: Path, name: str) -> None:
    write_project(here)
    words = ("eval", "--policy", "small", "--model", "openai/m")
    with fault_server(right) as server:
        ended = full_at(name, server, *words)
        assert ended.returncode == 4, ended.stderr
        assert f"harness eval --resume {only_run(here).name}" in ended.stderr
        assert name[1:] in ended.stderr and "File too large" in ended.stderr
        again = harness("eval", "--resume", "latest", "--base-url", server.url, "--json", **KEYS)
        assert (again.code, again.json["coverage"], len(server.requests)) == (0, 1.0, len(DEV))
    assert (only_run(here) / "verdict.json").exists()


def test_event_that_the_disk_does_not_take_costs_no_answer(here: Path) -> None:
    """The events of a run explain it; what cannot be noted does not end it."""
    with EventLog(here) as events:
        events.note("before")
        before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, most))
        try:
            events.note("lost")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
        events.note("after")
    lines = (here / "events.log").read_text("utf-8").splitlines()
    assert [line.split()[-1] for line in lines] == ["before", "after"]


def test_line_is_appended_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from harness.storage.regular import append_whole, open_to_append\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "with open_to_append(Path(sys.argv[1])) as file:\n"
        "    for size in (60, 60, 30):\n"
        "        try:\n            append_whole(file, b'x' * (size - 1) + b'\\n')\n"
        "        except OSError as error:\n            print(error.strerror)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.stdout == "File too large\n"
    assert [len(line) for line in path.read_bytes().splitlines()] == [59, 29]
    with path.open("r+b") as file:
        append_whole(file, b"end\n")
    assert path.read_bytes().endswith(b"x\nend\n")


# --- the cache ----------------------------------------------------------------------------------------


def other_layout(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table replies (id integer, text text)")


def no_database(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [other_layout, no_database, a_folder])
def test_run_goes_on_without_a_cache_that_cannot_be_used(here: Path, spoil: Any) -> None:
    write_project(here)
    (here / "runs/.cache").mkdir()
    spoil(here / "runs/.cache/replies.sqlite3")
    with fault_server(right) as server:
        ended = ask(server)
    assert ended.code == 0, ended.err
    assert ended.err.count("this run goes on without it") == 1
    assert "harness cache clear" in ended.err
    assert len(load_run(only_run(here)).records) == len(DEV)


NOT_UTF8 = "cast(x'ff80' as text)"


def test_entry_that_is_no_text_is_asked_for_again(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ask(server)
        with sqlite3.connect(here / "runs/.cache/replies.sqlite3") as connection:
            connection.execute(f"update replies set body = {NOT_UTF8}")
        ended = ask(server)
        assert (ended.code, len(server.requests)) == (0, 2 * len(DEV))
        assert ask(server).code == 0
    assert len(server.requests) == 2 * len(DEV)


def test_cache_that_cannot_be_counted_says_so(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ask(server)
    with sqlite3.connect(here / "runs/.cache/replies.sqlite3") as connection:
        connection.execute(f"update replies set model = {NOT_UTF8}")
    ended = harness("cache", "stats")
    assert (ended.code, "harness cache clear" in ended.err) == (4, True)
    assert harness("cache", "clear").code == 0
    assert harness("cache", "stats").out.startswith("0 replies")


def test_folder_in_place_of_the_cache_is_cleared_where_it_is_empty(here: Path) -> None:
    write_project(here)
    folder = here / "runs/.cache/replies.sqlite3"
    (folder / "mine").mkdir(parents=True)
    ended = harness("cache", "clear")
    assert (ended.code, "delete it by hand" in ended.err) == (2, True)
    (folder / "mine").rmdir()
    assert (harness("cache", "clear").code, folder.exists()) == (0, False)
