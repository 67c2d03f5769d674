"""The viewer on loopback, and projects with runs for it to show."""

import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
from builders import examples, harness, write_project
from comparing import perfect, run_of, wrong_on

from harness.storage.project import Project
from harness.web.serve import address_of, listen, viewer

HOSTILE = "</script><script>document.title = 'ran'</script><b>bold</b> \u202egnirts\u202c سلة 🧺"
"""A product's title that is everything but harmless."""


@contextmanager
def viewing(project: Project, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a viewer of this project, without the slash at its end."""
    with serving(viewer(project, host), listen(host, 0)) as address:
        yield address


@contextmanager
def serving(server: uvicorn.Server, listening: socket.socket) -> Iterator[str]:
    """A server in a thread of its own: its address, without the slash at its end."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield address_of(listening).rstrip("/")
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive(), "the viewer did not stop"


def shop(here: Path) -> Project:
    """A project with two prompt versions and four runs: three by replayed grades, one by the majority."""
    # Runs are made once and copied, since they are the same for every test.
    shutil.copytree(stock().name, here, dirs_exist_ok=True)
    return Project(here)


@cache
def stock() -> tempfile.TemporaryDirectory[str]:
    """The project that every shop is a copy of."""
    folder = tempfile.TemporaryDirectory()
    with chdir(folder.name):
        _make(Path(folder.name))
    return folder


def _make(here: Path) -> None:
    golden = examples(queries=40)
    golden[3]["result"]["title"] = HOSTILE  # of a dev query, so that reports hold it
    write_project(here, golden=golden)
    second = here / "prompts/teacher/v2"
    second.mkdir()
    for file in (here / "prompts/teacher/v1").iterdir():
        text = file.read_text(encoding="utf-8").replace('"v1"', '"v2"').replace("Grade:", "Now grade it:")
        (second / file.name).write_text(text, encoding="utf-8")
    run_of(here, wrong_on(*range(20)), "--prompt", "teacher@v1")
    run_of(here, wrong_on(*range(8)), "--prompt", "teacher@v2", file="better.csv")
    run_of(here, perfect, "--prompt", "teacher@v2", file="best.csv")
    assert harness("eval", "--policy", "small", "--model", "builtin/majority").code == 0


def names(project: Project) -> list[str]:
    """The run folders, the oldest first."""
    return sorted(path.name for path in project.runs.iterdir())


def run_path(name: str) -> str:
    """The address of a run."""
    return f"/runs/{quote(name, safe='')}"


def change_manifest(folder: Path, **changes: Any) -> None:
    """A run whose manifest says something else."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def unfinish(folder: Path, answers: int, *, quiet: float = 0.0, every: float = 0.0) -> list[str]:
    """Make a finished run one that goes on, with so many answers; the lines of those that are to come."""
    change_manifest(folder, finished_at=None)
    for name in ("scorecard.json", "verdict.json", "report.html"):
        (folder / name).unlink(missing_ok=True)
    records = folder / "records.jsonl"
    lines = records.read_text(encoding="utf-8").splitlines(keepends=True)
    if every:
        lines = [at_its_time(line, every * (number - answers)) for number, line in enumerate(lines)]
    records.write_text("".join(lines[:answers]), encoding="utf-8")
    then = time.time() - quiet
    os.utime(records, (then, then))
    return lines[answers:]


def at_its_time(line: str, seconds: float) -> str:
    """A record as if it had been written so many seconds from now."""
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    return json.dumps({**json.loads(line), "at": when.isoformat()}) + "\n"
