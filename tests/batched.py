"""A run that is graded in batches, one session at a time, as `harness eval --batch` does it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.batching.run import grade_in_batches
from harness.errors import RejectedError, TransientError
from harness.grading import read_grade
from harness.journal import RecordLog
from harness.plan import Plan, make_plan, new_manifest, run_contents, setup_of
from harness.project import Project
from harness.providers import batches_of, open_teacher
from harness.providers.base import Teacher
from harness.recording import Question, record_of
from harness.records import Failed, Key, Record
from harness.runs import Asked, create_run

TRIES = 6


@dataclass
class Session:
    """What one session did. `waits`: the seconds that it would have slept."""

    folder: Path
    said: list[str] = field(default_factory=list)
    told: list[Record] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    live: int = 0
    records: dict[Key, Record] = field(default_factory=dict)
    nap: Callable[["Session"], None] = lambda session: None
    """What happens while it sleeps."""

    def recorded(self, record: Record) -> None:
        """As a run's progress."""
        self.told.append(record)

    def outcomes(self) -> dict[str, int]:
        """How many of each kind."""
        kinds = [record.outcome.kind for record in self.records.values()]
        return {kind: kinds.count(kind) for kind in ("grade", "ungraded", "failed")}


@dataclass(frozen=True)
class Watching:
    """A session's ears."""

    recorded: Callable[[Record], None]
    said: Callable[[str], None]


def begin(here: Path, url: str, model: str, **asked: Any) -> Session:
    """The folder of a new run of the small project."""
    project, plan = _plan(here, url, model, asked)
    return Session(create_run(project.runs, new_manifest(project, plan), run_contents(plan)))


def session(here: Path, url: str, model: str, before: Session | None = None, **more: Any) -> Session:
    """One session of a run, a new one or the next of one that was stopped."""
    nap, recorded = more.pop("nap", None), more.pop("recorded", None)
    at = Session((before or begin(here, url, model, **more)).folder)
    at.nap = nap or at.nap
    project, plan = _plan(here, url, model, more)
    teacher = open_teacher(model, setup_of(project, plan))
    watch = Watching(recorded or at.recorded, at.said.append)
    with RecordLog(at.folder) as log:
        at.records = log.records
        asyncio.run(_session(plan, teacher, log, watch, at))
    return at


def _plan(here: Path, url: str, model: str, asked: dict[str, Any]) -> tuple[Project, Plan]:
    project = Project(here)
    words = {"model": model, "policy": "small", "prompt": "teacher", "splits": ("dev",), "batch": True}
    return project, make_plan(project, Asked.model_validate({**words, "base_url": url, **asked}))


async def _session(plan: Plan, teacher: Teacher, log: RecordLog, watch: Watching, at: Session) -> None:
    questions = [(example, n) for n in range(plan.asked.repeats) for example in plan.examples]
    todo = [q for q in questions if _unanswered(log.records.get((q[0].id, q[1])))]

    async def first(question: Question) -> Record:
        at.live += 1
        return await _ask(plan, teacher, question)

    async def sleep(seconds: float) -> None:
        at.waits.append(seconds)
        at.nap(at)
        await asyncio.sleep(0)

    try:
        batches = batches_of(plan.asked.model, teacher)
        await grade_in_batches(todo, plan, batches, log, watch, at.folder, first=first, sleep=sleep)
    finally:
        await teacher.close()


def _unanswered(record: Record | None) -> bool:
    return record is None or isinstance(record.outcome, Failed)


async def _ask(plan: Plan, teacher: Teacher, question: Question) -> Record:
    """A live question, tried as often as a live run would."""
    prompt = plan.writer.prompt(question[0].id, question[0].pair, question[1])
    for attempt in range(1, TRIES + 1):
        try:
            reply = await teacher.ask(prompt)
        except RejectedError as error:
            return record_of(question, Failed(detail=str(error)), reply=None, seconds=0, attempts=attempt)
        except TransientError as error:
            gone = str(error)
            continue
        outcome = read_grade(reply, plan.policy.scale)
        return record_of(question, outcome, reply=reply, seconds=0, attempts=attempt)
    return record_of(question, Failed(detail=gone), reply=None, seconds=0, attempts=TRIES)
