"""The loop: examples x teacher -> records. The one place that asks, and the one that asks again."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from harness.errors import BadInput, FatalError, Interrupted, RejectedError, TransientError, Unfinished
from harness.files import write_atomic
from harness.gates import judge_run, verdict_of
from harness.golden.looks import LOOKS, Look, note_look
from harness.golden.pairs import ShownPair
from harness.grading import read_grade
from harness.journal import RecordLog
from harness.plan import Plan, changed_since, make_plan, new_manifest, run_contents, setup_of
from harness.project import Project
from harness.providers import open_teacher
from harness.providers.base import Teacher
from harness.records import Example, Failed, Outcome, Prompt, Record, Reply, Ungraded
from harness.runs import (
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

ATTEMPTS = 6
DEADLINE = 180.0
"""Seconds that one attempt may take, however slowly its answer drips."""
LONGEST_WAIT = 60.0
"""Seconds between two attempts at most, whatever the server asks for."""
DEAD = 5
"""Examples in a row that all attempts failed on: the server is gone, and the run stops."""
CONNECTIONS = 8
REASKED = ("bad_json", "no_answer", "two_answers")
"""Causes that another answer may cure. It is asked for once, and is what counts, readable or not."""

Question = tuple[Example | ShownPair, int]
"""An example or a pair, and which repeat of it: all are asked once before any is asked again."""

_backoff = wait_random_exponential(multiplier=1, max=LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class Watch:
    """What the caller is told while a run goes on."""

    started: Callable[[Path, Plan, int], None]
    """The folder, the plan, and how many answers are still to be had."""
    recorded: Callable[[Record], None]


def evaluate(
    project: Project, asked: Asked, watch: Watch, *, connections: int = CONNECTIONS
) -> tuple[Run, Gate2]:
    """A new run from the first call to its scorecard. Nothing is on disk until every input is sound."""
    plan = make_plan(project, asked)
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    folder = create_run(project.runs, new_manifest(project, plan), run_contents(plan))
    return _go(folder, plan, teacher, watch, connections)


def resume(
    project: Project,
    folder: Path,
    watch: Watch,
    *,
    connections: int = CONNECTIONS,
    base_url: str | None = None,
) -> tuple[Run, Gate2]:
    """Ask what a run has no answer for. BadInput where its inputs have changed since it began."""
    manifest = load_manifest(folder)
    asked = manifest.asked
    if asked.pairs is not None:
        raise BadInput(f"{folder}: production pairs; the same `harness policy impact` goes on with them")
    plan = make_plan(project, asked.model_copy(update={"base_url": base_url or asked.base_url}))
    changed = changed_since(manifest, plan)
    if changed:
        raise BadInput(f"{folder}: changed since the run began: {', '.join(changed)}; start a new run")
    return _go(folder, plan, open_teacher(plan.asked.model, setup_of(project, plan)), watch, connections)


def _go(folder: Path, plan: Plan, teacher: Teacher, watch: Watch, connections: int) -> tuple[Run, Gate2]:
    how = f"harness eval --resume {folder.name} goes on from here"
    manifest = carry_out(folder, plan, teacher, watch, connections, how)
    run = load_run(folder)
    scorecard = judge_run(run)
    write_atomic(folder / SCORECARD, scorecard.model_dump_json(indent=2) + "\n")
    write_atomic(folder / VERDICT, json.dumps(verdict_of(scorecard), indent=2) + "\n")
    asked = manifest.asked
    if "test" in asked.splits and not asked.canaries and manifest.finished_at is not None:
        note_look(plan.golden_file.with_name(LOOKS), _look(manifest))
    return run, scorecard


def carry_out(
    folder: Path, plan: Plan, teacher: Teacher, watch: Watch, connections: int, how_to_resume: str
) -> Manifest:
    """Ask what has no answer yet, and seal the folder: the one way in which anything is graded."""
    with RecordLog(folder) as log:
        items = plan.pairs or plan.examples
        keys = [(item, at) for at in range(plan.asked.repeats) for item in items]
        todo = [(example, at) for example, at in keys if _unanswered(log.records.get((example.id, at)))]
        watch.started(folder, plan, len(todo))
        try:
            asyncio.run(_grade_all(todo, plan, teacher, log, watch, connections))
        except KeyboardInterrupt:
            left = len(keys) - sum(not _unanswered(record) for record in log.records.values())
            raise Interrupted(f"interrupted with {left} answers to go; {how_to_resume}") from None
        except (FatalError, Unfinished, OSError) as error:
            raise Unfinished(f"{error}\n{how_to_resume}") from error
        return _seal(folder, log, teacher.notes)


def _unanswered(record: Record | None) -> bool:
    return record is None or isinstance(record.outcome, Failed)


async def _grade_all(
    todo: Sequence[Question], plan: Plan, teacher: Teacher, log: RecordLog, watch: Watch, connections: int
) -> None:
    """A bounded pool of workers over one stream of examples and repeats."""
    stream = iter(todo)
    pulse = _Pulse()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(connections, len(todo))):
                group.create_task(_work(stream, plan, teacher, log, watch, pulse))
    except BaseExceptionGroup as several:
        raise _first(several) from None
    finally:
        await teacher.close()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Pulse:
    """Notices a server that is gone: all attempts failed on DEAD examples in a row."""

    def __init__(self) -> None:
        self._silent = 0

    def note(self, gone: TransientError | None) -> None:
        self._silent = self._silent + 1 if gone else 0
        if self._silent >= DEAD:
            raise Unfinished(f"{DEAD} examples in a row got no answer in {ATTEMPTS} attempts each: {gone}")


async def _work(
    stream: Iterator[Question], plan: Plan, teacher: Teacher, log: RecordLog, watch: Watch, pulse: _Pulse
) -> None:
    for example, repeat in stream:
        record, gone = await _grade(example, repeat, plan, teacher)
        log.append(record)
        watch.recorded(record)
        pulse.note(gone)
        # A teacher that answers without waiting must not keep Ctrl-C waiting.
        await asyncio.sleep(0)


async def _grade(
    example: Example | ShownPair, repeat: int, plan: Plan, teacher: Teacher
) -> tuple[Record, TransientError | None]:
    """One example's record, and the last error where every attempt failed on a busy or absent server."""
    began = time.monotonic()
    prompt = plan.writer.prompt(example.id, example.pair, repeat)
    attempts = 0
    reply: Reply | None = None
    unread: Reply | None = None
    gone: TransientError | None = None
    outcome: Outcome
    try:
        async for attempt in _attempts():
            with attempt:
                attempts += 1
                reply = await _ask(teacher, prompt)
        assert reply is not None, "tenacity ends in a reply or an error"
        outcome = read_grade(reply, plan.policy.scale)
        if isinstance(outcome, Ungraded) and outcome.cause in REASKED and teacher.varies:
            attempts += 1
            with suppress(TransientError, RejectedError):
                again = await _ask(teacher, prompt)
                reply, unread, outcome = again, reply, read_grade(again, plan.policy.scale)
    except TransientError as error:
        outcome, gone = Failed(detail=str(error)), error
    except RejectedError as error:
        outcome = Failed(detail=str(error))
    record = Record(
        example=example.id,
        repeat=repeat,
        pair=example.pair.digest,
        outcome=outcome,
        reply=reply,
        unread=unread,
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=round(time.monotonic() - began, 3),
        attempts=attempts,
    )
    return record, gone


def _attempts() -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=_wait,
        sleep=asyncio.sleep,
        reraise=True,
    )


def _wait(state: RetryCallState) -> float:
    """As long as the server asks for, within reason; else exponential backoff with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TransientError) and error.retry_after is not None:
        return min(error.retry_after, LONGEST_WAIT)
    return _backoff(state)


async def _ask(teacher: Teacher, prompt: Prompt) -> Reply:
    try:
        async with asyncio.timeout(DEADLINE):
            return await teacher.ask(prompt)
    except TimeoutError:
        raise TransientError(f"no whole answer within {DEADLINE:.0f} s") from None


def _seal(folder: Path, log: RecordLog, notes: tuple[str, ...]) -> Manifest:
    """Write down who answered and how, and when every example had its answer: once, not while any Failed."""
    models = {record.reply.model for record in log.records.values() if record.reply}
    manifest = load_manifest(folder)
    # A resumed run keeps what was noted before it.
    noted = tuple(dict.fromkeys((*manifest.notes, *notes)))
    answered = tuple(sorted(models - {""}))
    manifest = manifest.model_copy(update={"model_answered": answered, "notes": noted})
    open_ = any(_unanswered(record) for record in log.records.values())
    if manifest.finished_at is None and not open_:
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
