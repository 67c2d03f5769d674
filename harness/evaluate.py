"""A run from its plan to its scorecard: examples x teacher -> records. Teachers are asked here alone."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pydantic_core import to_json

from harness.budget import Budget, budget_of
from harness.cache import FILE as CACHE
from harness.cache import Kept, ReplyCache
from harness.engine.ask import Asker
from harness.engine.events import EventLog
from harness.engine.pace import Pace
from harness.engine.pool import Pool
from harness.engine.signals import draining
from harness.engine.stop import Stop
from harness.errors import BadInput, FatalError, Interrupted, Unfinished
from harness.files import iter_nouns, write_atomic
from harness.forecast import forecast
from harness.gates import judge_run, verdict_of
from harness.golden.looks import LOOKS, Look, note_look
from harness.grading import read_grade
from harness.journal import RecordLog, iter_records
from harness.plan import Plan, make_plan, new_manifest, run_contents, setup_of
from harness.prices import NoPrice, Price, cost_of, price_of
from harness.project import Project
from harness.providers import open_teacher
from harness.providers.base import Teacher
from harness.recording import Answered, record_of
from harness.records import Example, Failed, Key, Prompt, Record
from harness.runs import (
    EXAMPLES,
    SCORECARD,
    VERDICT,
    Asked,
    Manifest,
    Run,
    create_run,
    load_manifest,
    load_run,
    save_manifest,
)
from harness.scorecards.gate2 import Gate2
from harness.scorecards.money import Forecast

Question = tuple[Example, int]
"""An example, and which repeat of it: all examples are asked once before any is asked again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How a run is to be carried out; nothing of it changes an answer."""

    connections: int | None = None
    """Calls in flight at most; None: as many as the server bears."""
    cache: bool = True
    only_failed: bool = False
    """Ask only what was asked before and never answered."""
    max_cost: float | None = None
    """USD that the run may cost, with what it has cost before."""


class Watch(Protocol):
    """What the caller is told while a run goes on."""

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        """The folder, the plan, and how many answers are still to be had."""

    def recorded(self, record: Record, in_flight: int) -> None:
        """One more answer has its outcome, and so many are being waited for."""

    def stopping(self, in_flight: int) -> None:
        """The user wants to stop: so many answers are waited for."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A run that is ready to be carried out."""

    project: Project
    folder: Path
    plan: Plan
    """Without its examples: they are read from the folder, one by one."""
    teacher: Teacher
    price: Price | NoPrice
    budget: Budget | None
    watch: Watch
    limits: Limits


def evaluate(project: Project, asked: Asked, watch: Watch, limits: Limits = Limits()) -> tuple[Run, Gate2]:
    """A new run from the first call to its scorecard. Nothing is on disk until every input is sound."""
    return _carry_out(_begin(project, asked, watch, limits))


def _begin(project: Project, asked: Asked, watch: Watch, limits: Limits) -> _Job:
    plan = make_plan(project, asked)
    price, budget = _money(project, plan, limits, ())
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    folder = create_run(project.runs, new_manifest(project, plan), run_contents(plan))
    return _Job(project, folder, replace(plan, examples=()), teacher, price, budget, watch, limits)


def resume(
    project: Project, folder: Path, watch: Watch, limits: Limits = Limits(), base_url: str | None = None
) -> tuple[Run, Gate2]:
    """Ask what a run has no answer for. BadInput where its inputs have changed since it began."""
    manifest = load_manifest(folder)
    asked = manifest.asked
    plan = make_plan(project, asked.model_copy(update={"base_url": base_url or asked.base_url}))
    plan = replace(plan, examples=())
    now = plan.digests.model_dump()
    changed = [name for name, before in manifest.digests.model_dump().items() if before != now[name]]
    if changed:
        raise BadInput(f"{folder}: changed since the run began: {', '.join(changed)}; start a new run")
    before = (record for record, _ in iter_records(folder))
    price, budget = _money(project, plan, limits, before)
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    return _carry_out(_Job(project, folder, plan, teacher, price, budget, watch, limits))


def foresee(project: Project, asked: Asked, folder: Path | None = None) -> Forecast:
    """What a run would ask and cost, or, with its folder, the rest of one. Asks nobody and writes nothing."""
    plan = make_plan(project, asked)
    price = price_of(project, plan.asked.model, plan.asked.base_url)
    if folder is None:
        return forecast(plan, price)
    answered = {record.key for record, _ in iter_records(folder) if not isinstance(record.outcome, Failed)}
    todo = [
        (example, repeat)
        for repeat in range(asked.repeats)
        for example in plan.examples
        if (example.id, repeat) not in answered
    ]
    return forecast(plan, price, todo)


def _money(
    project: Project, plan: Plan, limits: Limits, before: Iterable[Record]
) -> tuple[Price | NoPrice, Budget | None]:
    """What an answer costs, and what the run may still cost. BadInput for a limit without a price."""
    asked = plan.asked
    price = price_of(project, asked.model, asked.base_url)
    if limits.max_cost is None:
        return price, None
    return price, budget_of(limits.max_cost, price, asked.model, plan.policy, before)


def _carry_out(job: _Job) -> tuple[Run, Gate2]:
    """Ask, seal and score."""
    folder, plan = job.folder, job.plan
    with RecordLog(folder) as log:
        try:
            left = asyncio.run(_grade(job, log))
        except (Interrupted, KeyboardInterrupt, asyncio.CancelledError):
            left = _left(folder, plan, log)
            raise Interrupted(f"interrupted with {left} answers to go; {_how_to_resume(folder)}") from None
        except (FatalError, Unfinished, OSError) as error:
            raise Unfinished(f"{error}\n{_how_to_resume(folder)}") from error
        manifest = _seal(folder, log, job.teacher.notes, left)
    run = load_run(folder)
    scorecard = judge_run(run)
    write_atomic(folder / SCORECARD, (to_json(scorecard, indent=2), b"\n"))
    write_atomic(folder / VERDICT, json.dumps(verdict_of(scorecard), indent=2) + "\n")
    asked = manifest.asked
    if "test" in asked.splits and not asked.canaries and manifest.finished_at is not None:
        note_look(plan.golden_file.with_name(LOOKS), _look(manifest))
    return run, scorecard


def _how_to_resume(folder: Path) -> str:
    return f"harness eval --resume {folder.name} goes on from here"


def _keys(folder: Path, plan: Plan) -> Iterator[Key]:
    for repeat in range(plan.asked.repeats):
        for example in iter_nouns(folder / EXAMPLES, Example):
            yield example.id, repeat


def _left(folder: Path, plan: Plan, log: RecordLog) -> int:
    """How many answers are still to be had."""
    return sum(key not in log.answered for key in _keys(folder, plan))


def _questions(folder: Path, plan: Plan, log: RecordLog, only_failed: bool) -> Iterator[Question]:
    """What has no answer, in the order of asking."""
    for repeat in range(plan.asked.repeats):
        for example in iter_nouns(folder / EXAMPLES, Example):
            key = example.id, repeat
            if key in log.failed if only_failed else key not in log.answered:
                yield example, repeat


async def _grade(job: _Job, log: RecordLog) -> int:
    """Ask every open question, and say how many are open after that."""
    folder, plan, limits = job.folder, job.plan, job.limits
    todo = len(log.failed) if limits.only_failed else _left(folder, plan, log)
    job.watch.started(folder, plan, todo)
    stop = Stop()
    cache = _cache(job) if limits.cache else None
    with EventLog(folder) as events:
        # A teacher in this process answers while it is asked: others would only wait for it.
        pace = Pace(1 if job.teacher.identity is None else limits.connections, events.note)
        worker = _Worker(job, log, cache, stop, pace)
        questions = _questions(folder, plan, log, limits.only_failed)
        pool = worker.pool = Pool(questions, worker.grade, pace, stop)
        try:
            with draining(stop, lambda: job.watch.stopping(pool.working)):
                await pool.run()
        finally:
            await job.teacher.close()
            if cache:
                cache.close()
            if stop.why:
                events.note(f"stopped: {stop.why}")
    return _left(folder, plan, log)


def _cache(job: _Job) -> ReplyCache | None:
    """The replies of earlier runs, where the teacher's are worth keeping."""
    identity, asked = job.teacher.identity, job.plan.asked
    if identity is None:
        return None
    return ReplyCache(job.project.runs / CACHE, asked.model, f"{asked.base_url} {identity}")


class _Worker:
    """Turns one question into one record on the disk."""

    pool: Pool[Question]

    def __init__(self, job: _Job, log: RecordLog, cache: ReplyCache | None, stop: Stop, pace: Pace) -> None:
        self._job = job
        self._scale = job.plan.policy.scale
        self._log = log
        self._cache = cache
        self._asker = Asker(job.teacher, self._scale, stop, pace, lambda: self.pool.working, job.budget)

    async def grade(self, question: Question) -> None:
        """Ask one question, or find its answer; keep what came."""
        example, repeat = question
        pair = example.pair
        prompt = self._job.plan.writer.prompt(example.id, pair, repeat)
        found = self._kept(prompt) or await self._ask(prompt)
        record = record_of(example.id, repeat, pair.digest, found)
        self._log.append(record)
        self._job.watch.recorded(record, self.pool.working)

    def _kept(self, prompt: Prompt) -> Answered | None:
        kept = self._cache.get(prompt) if self._cache else None
        if kept is None:
            return None
        outcome = read_grade(kept.reply, self._scale)
        return Answered(outcome, kept.reply, kept.unread, cost=0.0, cached_reply=True)

    async def _ask(self, prompt: Prompt) -> Answered:
        found = await self._asker.ask(prompt)
        if self._cache and found.reply and not isinstance(found.outcome, Failed):
            self._cache.put(prompt, Kept(reply=found.reply, unread=found.unread))
        return replace(found, cost=cost_of((found.reply, found.unread), self._job.price))


def _seal(folder: Path, log: RecordLog, notes: tuple[str, ...], left: int) -> Manifest:
    """Write down who answered and how, and when every example had its answer: once, not while any Failed."""
    manifest = load_manifest(folder)
    # A resumed run keeps what was noted before it.
    noted = tuple(dict.fromkeys((*manifest.notes, *notes)))
    answered = tuple(sorted(log.models))
    manifest = manifest.model_copy(update={"model_answered": answered, "notes": noted})
    if manifest.finished_at is None and not left:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = manifest.model_copy(update={"finished_at": now})
    save_manifest(folder, manifest)
    return manifest


def _look(manifest: Manifest) -> Look:
    return Look(
        at=manifest.finished_at or "",
        run=manifest.name,
        model=manifest.asked.model,
        prompt=manifest.asked.prompt,
        policy=manifest.asked.policy,
        examples=manifest.examples,
    )
