"""A run that is graded in batches, one session at a time, as `harness eval --batch` does it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault_server import FaultServer

from harness.demo.wire import item_of
from harness.grading.batch.run import Batched
from harness.grading.evaluate import job_of
from harness.grading.executors import execute
from harness.grading.job import Job, Limits
from harness.grading.new_run import new_manifest, run_contents
from harness.grading.plan import Plan, make_plan
from harness.nouns.records import Key, Record, latest
from harness.runs.manifest import Asked
from harness.runs.new_folder import create_run
from harness.runs.record_log import RecordLog, iter_records
from harness.storage.project import Project

REAL_SLEEP = False
"""Whether sessions sleep as a run does: for a process of its own, which signals stop."""


@dataclass
class Session:
    """One session of a run, and its watch. `waits`: the seconds that it would have slept."""

    folder: Path
    said_: list[str] = field(default_factory=list)
    told: list[Record] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    records: dict[Key, Record] = field(default_factory=dict)
    left: int = 0
    nap: Callable[["Session"], None] = lambda session: None
    """What happens while it sleeps."""
    hear: Callable[[Record], None] = lambda record: None
    """What happens when a record is told of."""

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        """It begins."""

    def recorded(self, record: Record, in_flight: int) -> None:
        """A question has its outcome."""
        self.told.append(record)
        self.hear(record)

    def said(self, text: str) -> None:
        """A sentence for the user."""
        self.said_.append(text)

    def elsewhere(self, count: int) -> None:
        pass

    def stopping(self, in_flight: int) -> None:
        """Ctrl-C."""

    def outcomes(self) -> dict[str, int]:
        """How many of each kind."""
        kinds = [record.outcome.kind for record in self.records.values()]
        return {kind: kinds.count(kind) for kind in ("grade", "ungraded", "failed")}


def begin(here: Path, url: str, model: str, **asked: Any) -> Session:
    """The folder of a new run of the small project."""
    project, plan = _plan(here, url, model, asked)
    return Session(create_run(project.runs, new_manifest(project, plan), run_contents(plan)))


def session(
    here: Path,
    url: str,
    model: str,
    before: Session | None = None,
    limits: Limits | None = None,
    nap: Callable[[Session], None] | None = None,
    hear: Callable[[Record], None] | None = None,
    moved_to: str | None = None,
    **asked: Any,
) -> Session:
    """One session of a run, a new one or the next of one that was stopped."""
    at = Session((before or begin(here, url, model, **asked)).folder)
    at.nap, at.hear = nap or at.nap, hear or at.hear
    project, plan = _plan(here, url, model, asked)
    # Nothing is spared by the cache unless a test says so: others would find what this one was answered.
    limits = limits or Limits(cache=False)
    job = job_of(project, at.folder, plan, at, limits, moved_to)
    with RecordLog(at.folder) as log:
        asyncio.run(_session(job, log, at))
    at.records = latest(iter_records(at.folder))
    return at


def _plan(here: Path, url: str, model: str, asked: dict[str, Any]) -> tuple[Project, Plan]:
    project = Project(here)
    words = {"model": model, "policy": "small", "prompt": "teacher", "splits": ("dev",), "batch": True}
    return project, make_plan(project, Asked.model_validate({**words, "base_url": url, **asked}))


async def _session(job: Job, log: RecordLog, at: Session) -> None:
    async def sleep(seconds: float) -> None:
        at.waits.append(seconds)
        at.nap(at)
        await asyncio.sleep(0)

    at.left = await execute(job, log, Batched(None if REAL_SLEEP else sleep))


class Killed(BaseException):
    """What ends a session as a kill would: nothing that comes after it is done."""


def kill(*_: object) -> None:
    raise Killed


def paid(server: FaultServer) -> list[str]:
    """The items that were answered, live or in a batch, however often."""
    assert server.desk is not None
    bodies = [*server.requests, *(_asked(server, name, id) for name, id in _answers(server))]
    return [f"{item_of(body)['query']}: {item_of(body)['result']['title']}" for body in bodies]


def _answers(server: FaultServer) -> list[tuple[str, str]]:
    assert server.desk is not None
    return [(name, id) for name, made in server.desk.made.items() for id, _ in made.items]


def _asked(server: FaultServer, name: str, id: str) -> dict[str, Any]:
    assert server.desk is not None
    return dict(server.desk.made[name].requests)[id]


def made(server: FaultServer) -> list[int]:
    """The sizes of the batches that the server has."""
    assert server.desk is not None
    return [len(made.requests) for made in server.desk.made.values()]
