"""A job that reports its questions to telemetry; the same job if telemetry is off."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.grading.job import Job, RunObserver
from harness.grading.plan import Plan
from harness.nouns.records import Prompt, Record, Reply
from harness.providers.base import Teacher

if TYPE_CHECKING:
    from harness.grading.telemetry.recorder import Recorder

BROKEN_OFF = 2.0
"""Seconds that the last spans may take where the run ends early."""
Made = TypeVar("Made")


@asynccontextmanager
async def observed(job: Job, *, calls: bool) -> AsyncIterator[Job]:
    """The job to carry out. Nothing is imported if telemetry is off.

    `calls`: whether a question is asked by a call of its own, and not as a part of a batch.
    """
    telemetry = job.limits.telemetry
    if telemetry is None:
        yield job
        return
    from harness.grading.telemetry.export import Exporter
    from harness.grading.telemetry.recorder import Recorder

    job.watch.said(telemetry.sentence)
    exporter = Exporter(telemetry, job.watch.said)
    recorder = Recorder(job.plan, job.folder.name, exporter, content=telemetry.content)
    own = _Safe(job.watch.said)
    teacher = _Traced(job.teacher, recorder, own) if calls and recorder.calls else job.teacher
    wait = BROKEN_OFF
    try:
        yield replace(job, teacher=teacher, watch=_Watching(job.watch, recorder, own))
        wait = max(one.seconds for one in (telemetry.traces, telemetry.logs) if one)
    finally:
        own.do(recorder.end)
        own.do(exporter.send)
        await exporter.close(wait)


class _Safe:
    """Runs telemetry's code, and turns it off if that fails: its faults never end a run."""

    def __init__(self, said: Callable[[str], None]) -> None:
        self._said = said
        self._works = True

    def do(self, step: Callable[[], Made]) -> Made | None:
        """The result of a step; None if it fails, and from then on."""
        if not self._works:
            return None
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - a run is worth more than what is said of it
            self._works = False
            self._said(f"telemetry: {type(error).__name__}: {error}; this run goes on without it")
            return None


@dataclass(slots=True)
class _Traced:
    """A teacher whose calls are recorded."""

    teacher: Teacher
    recorder: "Recorder"
    own: _Safe

    @property
    def notes(self) -> tuple[str, ...]:
        return self.teacher.notes

    @property
    def varies(self) -> bool:
        return self.teacher.varies

    @property
    def identity(self) -> str | None:
        return self.teacher.identity

    async def ask(self, prompt: Prompt) -> Reply:
        call = self.own.do(lambda: self.recorder.begin(prompt))
        try:
            reply = await self.teacher.ask(prompt)
        except BaseException as error:
            broken = error
            if call:
                self.own.do(lambda: self.recorder.broke(call, broken))
            raise
        if call:
            self.own.do(lambda: self.recorder.answered(call, reply))
        return reply

    async def close(self) -> None:
        await self.teacher.close()


@dataclass(slots=True)
class _Watching:
    """An observer that tells the recorder of every outcome."""

    watch: RunObserver
    recorder: "Recorder"
    own: _Safe

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        self.watch.started(folder, plan, todo)

    def recorded(self, record: Record, in_flight: int) -> None:
        self.watch.recorded(record, in_flight)
        self.own.do(lambda: self.recorder.recorded(record))

    def said(self, text: str) -> None:
        self.watch.said(text)

    def elsewhere(self, count: int) -> None:
        self.watch.elsewhere(count)

    def stopping(self, in_flight: int) -> None:
        self.watch.stopping(in_flight)
