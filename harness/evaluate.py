"""A run from its plan to its scorecard: examples x teacher -> records. Teachers are asked here alone."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pydantic_core import to_json

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
from harness.gates import judge_run, verdict_of
from harness.golden.looks import LOOKS, Look, note_look
from harness.golden.pairs import ShownPair
from harness.grading import read_grade
from harness.journal import RecordLog
from harness.plan import Plan, changed_since, make_plan, new_manifest, run_contents, setup_of
from harness.project import Project
from harness.providers import open_teacher
from harness.providers.base import Teacher
from harness.recording import Answered, record_of
from harness.records import Example, Failed, Key, Prompt, Record
from harness.runs import (
    EXAMPLES,
    PAIRS,
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

Question = tuple[Example | ShownPair, int]
"""An example or a pair, and which repeat of it: all are asked once before any is asked again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How a run is to be carried out; nothing of it changes an answer."""

    connections: int | None = None
    """Calls in flight at most; None: as many as the server bears."""
    cache: bool = True
    only_failed: bool = False
    """Ask only what was asked before and never answered."""


class Watch(Protocol):
    """What the caller is told while a run goes on."""

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        """The folder, the plan, and how many answers are still to be had."""

    def recorded(self, record: Record, in_flight: int) -> None:
        """One more answer has its outcome, and so many are being waited for."""

    def stopping(self, in_flight: int) -> None:
        """The user wants to stop: so many answers are waited for."""


def evaluate(project: Project, asked: Asked, watch: Watch, limits: Limits = Limits()) -> tuple[Run, Gate2]:
    """A new run from the first call to its scorecard. Nothing is on disk until every input is sound."""
    folder, plan, teacher = _begin(project, asked)
    return _carry_out(project, folder, plan, teacher, watch, limits)


def _begin(project: Project, asked: Asked) -> tuple[Path, Plan, Teacher]:
    """A run folder, and the plan without its examples: from here on they are read from the folder."""
    plan = make_plan(project, asked)
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    folder = create_run(project.runs, new_manifest(project, plan), run_contents(plan))
    return folder, replace(plan, examples=()), teacher


def resume(
    project: Project, folder: Path, watch: Watch, limits: Limits = Limits(), base_url: str | None = None
) -> tuple[Run, Gate2]:
    """Ask what a run has no answer for. BadInput where its inputs have changed since it began."""
    manifest = load_manifest(folder)
    asked = manifest.asked
    if asked.pairs is not None:
        raise BadInput(f"{folder}: production pairs; the same `harness policy impact` goes on with them")
    plan = replace(
        make_plan(project, asked.model_copy(update={"base_url": base_url or asked.base_url})), examples=()
    )
    changed = changed_since(manifest, plan)
    if changed:
        raise BadInput(f"{folder}: changed since the run began: {', '.join(changed)}; start a new run")
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    return _carry_out(project, folder, plan, teacher, watch, limits)


def _carry_out(
    project: Project, folder: Path, plan: Plan, teacher: Teacher, watch: Watch, limits: Limits
) -> tuple[Run, Gate2]:
    """Ask, seal and score."""
    how = f"harness eval --resume {folder.name} goes on from here"
    manifest = answer(project, folder, plan, teacher, watch, limits, how)
    run = load_run(folder)
    scorecard = judge_run(run)
    write_atomic(folder / SCORECARD, (to_json(scorecard, indent=2), b"\n"))
    write_atomic(folder / VERDICT, json.dumps(verdict_of(scorecard), indent=2) + "\n")
    asked = manifest.asked
    if "test" in asked.splits and not asked.canaries and manifest.finished_at is not None:
        note_look(plan.golden_file.with_name(LOOKS), _look(manifest))
    return run, scorecard


def answer(
    project: Project,
    folder: Path,
    plan: Plan,
    teacher: Teacher,
    watch: Watch,
    limits: Limits,
    how_to_resume: str,
) -> Manifest:
    """Have the open questions of a run folder answered, and seal it: whatever is graded goes through here.

    What is graded is read from the folder, one by one.
    """
    with RecordLog(folder) as log:
        try:
            left = asyncio.run(_grade(project, folder, plan, teacher, log, watch, limits))
        except (Interrupted, KeyboardInterrupt, asyncio.CancelledError):
            left = _left(folder, plan, log)
            raise Interrupted(f"interrupted with {left} answers to go; {how_to_resume}") from None
        except (FatalError, Unfinished, OSError) as error:
            raise Unfinished(f"{error}\n{how_to_resume}") from error
        return _seal(folder, log, teacher.notes, left)


def _items(folder: Path, plan: Plan) -> Iterator[Example | ShownPair]:
    """What is graded: golden examples, or production pairs."""
    if plan.asked.pairs is not None:
        return iter_nouns(folder / PAIRS, ShownPair)
    return iter_nouns(folder / EXAMPLES, Example)


def _keys(folder: Path, plan: Plan) -> Iterator[Key]:
    for repeat in range(plan.asked.repeats):
        for item in _items(folder, plan):
            yield item.id, repeat


def _left(folder: Path, plan: Plan, log: RecordLog) -> int:
    """How many answers are still to be had."""
    return sum(key not in log.answered for key in _keys(folder, plan))


def _questions(folder: Path, plan: Plan, log: RecordLog, only_failed: bool) -> Iterator[Question]:
    """What has no answer, in the order of asking."""
    for repeat in range(plan.asked.repeats):
        for item in _items(folder, plan):
            key = item.id, repeat
            if key in log.failed if only_failed else key not in log.answered:
                yield item, repeat


async def _grade(
    project: Project,
    folder: Path,
    plan: Plan,
    teacher: Teacher,
    log: RecordLog,
    watch: Watch,
    limits: Limits,
) -> int:
    """Ask every open question, and say how many are open after that."""
    todo = len(log.failed) if limits.only_failed else _left(folder, plan, log)
    watch.started(folder, plan, todo)
    stop = Stop()
    cache = _cache(project, plan, teacher) if limits.cache else None
    with EventLog(folder) as events:
        # A teacher in this process answers while it is asked: others would only wait for it.
        pace = Pace(1 if teacher.identity is None else limits.connections, events.note)
        worker = _Worker(plan, teacher, log, cache, watch, stop, pace)
        questions = _questions(folder, plan, log, limits.only_failed)
        pool = worker.pool = Pool(questions, worker.grade, pace, stop)
        try:
            with draining(stop, lambda: watch.stopping(pool.working)):
                await pool.run()
        finally:
            await teacher.close()
            if cache:
                cache.close()
            if stop.why:
                events.note(f"stopped: {stop.why}")
    return _left(folder, plan, log)


def _cache(project: Project, plan: Plan, teacher: Teacher) -> ReplyCache | None:
    """The replies of earlier runs, where the teacher's are worth keeping."""
    if teacher.identity is None:
        return None
    asked = plan.asked
    return ReplyCache(project.runs / CACHE, asked.model, f"{asked.base_url} {teacher.identity}")


class _Worker:
    """Turns one question into one record on the disk."""

    pool: Pool[Question]

    def __init__(
        self,
        plan: Plan,
        teacher: Teacher,
        log: RecordLog,
        cache: ReplyCache | None,
        watch: Watch,
        stop: Stop,
        pace: Pace,
    ) -> None:
        self._plan = plan
        self._log = log
        self._cache = cache
        self._watch = watch
        self._asker = Asker(teacher, plan.policy.scale, stop, pace, lambda: self.pool.working)

    async def grade(self, question: Question) -> None:
        """Ask one question, or find its answer; keep what came."""
        example, repeat = question
        pair = example.pair
        prompt = self._plan.writer.prompt(example.id, pair, repeat)
        found = self._kept(prompt) or await self._ask(prompt)
        record = record_of(example.id, repeat, pair.digest, found)
        self._log.append(record)
        self._watch.recorded(record, self.pool.working)

    def _kept(self, prompt: Prompt) -> Answered | None:
        kept = self._cache.get(prompt) if self._cache else None
        if kept is None:
            return None
        outcome = read_grade(kept.reply, self._plan.policy.scale)
        return Answered(outcome, kept.reply, kept.unread, from_cache=True)

    async def _ask(self, prompt: Prompt) -> Answered:
        found = await self._asker.ask(prompt)
        if self._cache and found.reply and not isinstance(found.outcome, Failed):
            self._cache.put(prompt, Kept(reply=found.reply, unread=found.unread))
        return found


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
