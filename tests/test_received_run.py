"""A run folder, or a project, that a stranger sent: nothing in it hangs a reader or leads out of it."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import harness, write_project
from fault_server import completion, error, fault_server

from harness.errors import BadInput
from harness.grading.events import EVENTS, EventLog
from harness.prompting.prompt import load_prompt
from harness.runs.folder import load_run
from harness.runs.listing import Listing
from harness.runs.manifest import ANSWERS, REPEATS
from harness.storage.files import write_atomic
from harness.storage.project import Project
from harness.storage.regular import SETTINGS, open_to_append
from harness.storage.visible import one_line, visible
from harness.web.progress import Counter

FILES = ("manifest.json", "records.jsonl", "examples.jsonl", "policy.toml", "scorecard.json", "events.log")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished run."""
    root = tmp_path_factory.mktemp("received")
    write_project(root)
    harness("eval", "--policy", "small", "--model", "builtin/majority", "--no-report", "--root", root)
    return root


@pytest.fixture
def run(made: Path, here: Path) -> Path:
    """The run of a copy of it."""
    shutil.copytree(made, here, dirs_exist_ok=True)
    return next(path for path in (here / "runs").iterdir() if not path.name.startswith("."))


def linked(path: Path) -> None:
    """The file moved out of the folder, and a link in its place."""
    outside = path.parent.parent.parent / "outside"
    if path.exists():
        path.rename(outside)
    else:
        outside.write_text("mine\n", encoding="utf-8")
    path.symlink_to(outside)


def piped(path: Path) -> None:
    """A pipe in its place, which nobody writes to."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def device(path: Path) -> None:
    """A link to what has no end."""
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("change", [linked, piped, device], ids=lambda change: str(change.__name__))
@pytest.mark.parametrize("name", FILES)
def test_a_run_with_anything_but_regular_files_is_damaged(
    run: Path, name: str, change: Callable[[Path], None]
) -> None:
    change(run / name)
    with pytest.raises(BadInput, match=name):
        load_run(run)
    (listed,) = Listing(Project(run.parent.parent)).runs()
    assert listed.state == "damaged"
    assert any(name in fault for fault in listed.faults)
    for command in ("gate2", "report"):
        ended = harness(command, run.name)
        assert (ended.code, name in ended.err) == (2, True), ended.err
    ended = harness("eval", "--resume", run.name)
    assert (ended.code, name in ended.err) == (2, True), ended.err
    assert harness("runs", "list").code == 0


def test_a_run_that_is_a_link_is_damaged(run: Path) -> None:
    away = run.parent.parent / "away"
    run.rename(away)
    run.symlink_to(away)
    (listed,) = Listing(Project(run.parent.parent)).runs()
    assert listed.state == "damaged"
    assert "is a link" in listed.faults[0]
    assert harness("eval", "--resume", run.name).code == 2


def test_nothing_is_appended_through_a_link(here: Path) -> None:
    mine = here / "mine"
    mine.write_text("mine\n", encoding="utf-8")
    (here / EVENTS).symlink_to(mine)
    with EventLog(here) as log, pytest.raises(BadInput, match="is a link"):
        log.note("a line")
    os.mkfifo(here / "pipe")
    with pytest.raises(BadInput, match="pipe"):
        open_to_append(here / "pipe")
    (here / f".whole.{os.getpid()}.tmp").symlink_to(mine)
    write_atomic(here / "whole", "text")
    assert mine.read_text(encoding="utf-8") == "mine\n"


def manifest_with(run: Path, **asked: Any) -> None:
    """Other numbers in the manifest."""
    data = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    data |= {name: value for name, value in asked.items() if name in data}
    data["asked"] |= {name: value for name, value in asked.items() if name not in data}
    (run / "manifest.json").write_text(json.dumps(data), encoding="utf-8")


COUNTS: dict[str, dict[str, Any]] = {
    "repeats": {"repeats": 50_000_000},
    "examples": {"examples": 10**12},
    "fewer than none": {"examples": -1},
    "both": {"examples": ANSWERS // REPEATS + 1, "repeats": REPEATS},
    "beyond any number": {"repeats": 10**400},
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
def test_a_count_that_no_run_has_is_damage(run: Path, counts: dict[str, Any]) -> None:
    manifest_with(run, **counts)
    began = time.thread_time()
    (listed,) = Listing(Project(run.parent.parent)).runs()
    assert listed.state == "damaged"
    with pytest.raises(BadInput):
        load_run(run)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize("text", ["[]", "null", "5", "[" * 99_999, '{"gate2": "\\ud800"}'])
def test_a_verdict_that_is_none_is_named(run: Path, text: str) -> None:
    (run / "verdict.json").write_text(text, encoding="utf-8")
    ended = harness("regress", "--base", run.name, "--candidate", run.name)
    assert (ended.code, "verdict.json: " in ended.err and "it can be deleted" in ended.err) == (2, True)


def test_half_a_character_in_a_manifest_is_damage(run: Path) -> None:
    """A page, a terminal and a file cannot hold it."""
    manifest_with(run, prompt="teacher\ud800@v1")
    (listed,) = Listing(Project(run.parent.parent)).runs()
    assert listed.state == "damaged"
    for command in (("gate2", run.name), ("runs", "show", run.name), ("eval", "--resume", run.name)):
        ended = harness(*command)
        assert (ended.code, "half a surrogate pair" in ended.err) == (2, True)


@pytest.mark.parametrize("name", ["manifest.json", "policy.toml", "records.jsonl", "examples.jsonl"])
def test_a_file_without_end_is_damage(run: Path, name: str) -> None:
    """A file of holes takes no room on the disk, and a terabyte of memory."""
    os.truncate(run / name, 1 << 40)
    with pytest.raises(BadInput, match=name):
        load_run(run)
    if name == "manifest.json":
        (listed,) = Listing(Project(run.parent.parent)).runs()
        assert listed.state == "damaged"
    assert SETTINGS < 1 << 30


def test_the_counter_of_a_run_that_goes_on_stops_at_a_line_without_end(run: Path) -> None:
    manifest_with(run, finished_at=None)
    listing = Listing(Project(run.parent.parent))
    counter = Counter(run)
    (listed,) = listing.runs()
    before = counter.count(listed).done
    assert before == 12
    os.truncate(run / "records.jsonl", 1 << 40)
    assert counter.count(listed).done == before


def test_a_prompt_is_a_folder_of_its_own(here: Path) -> None:
    write_project(here)
    folder = here / "prompts/teacher/v1"
    (here / "secret").write_text("hidden {{ policy.goal }}", encoding="utf-8")
    (folder / "system.j2").unlink()
    (folder / "system.j2").symlink_to(here / "secret")
    with pytest.raises(BadInput, match=r"system\.j2.*is a link"):
        load_prompt(Project(here), "teacher@v1")
    (folder / "system.j2").unlink()
    os.mkfifo(folder / "system.j2")
    with pytest.raises(BadInput, match="pipe"):
        load_prompt(Project(here), "teacher@v1")
    shutil.rmtree(folder)
    folder.symlink_to(here)
    with pytest.raises(BadInput, match="is a link"):
        load_prompt(Project(here), "teacher@v1")


HOSTILE = "\x1b]0;title\x07\x1b[2Jno\r\n2026-01-01T00:00:00.000+00:00 all 12 answered\x9b1m\u202e"


def test_a_servers_words_steer_no_terminal_and_forge_no_line(here: Path, no_waiting: None) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(400 if number else 429, message=HOSTILE)) as server:
        ended = harness(
            "eval", "--model", "openai/m", "--base-url", server.url, "--policy", "small", "--limit", "3"
        )
    assert "\\x1b]0;title\\x07" in ended.err
    assert not {letter for letter in ended.err if not letter.isprintable()} - {"\n"}
    (run,) = (path for path in (here / "runs").iterdir() if not path.name.startswith("."))
    with EventLog(run) as log:
        log.note(HOSTILE)
    lines = (run / EVENTS).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert lines[-1].endswith(one_line(HOSTILE))


def test_a_graders_words_steer_no_terminal(here: Path) -> None:
    write_project(here)
    text = json.dumps({"reasoning": HOSTILE, "clauses": [], "grade": 0})
    with fault_server(lambda number, body: completion(text)) as server:
        ended = harness(
            "eval", "--model", f"openai/{HOSTILE[:5]}", "--base-url", server.url, "--policy", "small"
        )
    assert "\x1b" not in ended.out + ended.err
    manifest = next((here / "runs").glob("2*"))
    manifest_with(manifest, model="openai/\x1b[2J")
    for words in (("runs", "list"), ("runs", "show", "latest"), ("gate2", "latest")):
        shown = harness(*words)
        assert "\x1b" not in shown.out + shown.err


def test_control_characters_are_shown_as_escapes() -> None:
    assert visible("a\tb\nc\x1b[0m\x00\r\x85\u2028") == "a\tb\nc\\x1b[0m\\x00\\r\\x85\\u2028"
    assert one_line("a\nb") == "a\\nb"


def test_a_strangers_repository_runs_no_program(here: Path) -> None:
    write_project(here)
    ran = here / "ran"
    script = here / "program"
    script.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n", encoding="utf-8")
    script.chmod(0o755)

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", here, *words], check=True, capture_output=True)

    git("init")
    git("add", "policies")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "first")
    git("config", "core.fsmonitor", str(script))
    hook = here / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(script, hook)
    (here / "policies/small/v1.toml").touch()
    assert harness("eval", "--policy", "small", "--model", "builtin/majority", "--no-report").code == 0
    assert not ran.exists()
    git("config", "filter.f.clean", str(script))
    (here / ".gitattributes").write_text("* filter=f\n", encoding="utf-8")
    (here / "policies/small/v1.toml").touch()
    ended = harness("eval", "--policy", "small", "--model", "builtin/majority", "--no-report", "--json")
    assert ended.code == 0
    assert not ran.exists()
    manifest = json.loads((Path(ended.json["run"]) / "manifest.json").read_text(encoding="utf-8"))
    assert (len(manifest["commit"]), manifest["dirty"]) == (40, None)
