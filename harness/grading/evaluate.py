"""A run from its plan to its scorecard: examples x teacher -> records."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput
from harness.golden.holdout_log import LOOKS, HoldoutLook, note_look
from harness.grading.answering import FULL, ask_all, money_of, names_of, resumable
from harness.grading.executors import executor_of
from harness.grading.forecast import forecast
from harness.grading.job import NO_LIMITS, Job, Limits, RunObserver
from harness.grading.meanwhile import imported_meanwhile
from harness.grading.new_run import new_manifest, run_contents
from harness.grading.plan import Plan, make_plan, setup_of
from harness.pricing.prices import price_of
from harness.providers import confirmed, open_teacher, sold_as
from harness.runs.manifest import Asked, Manifest, how_to_resume, load_manifest, save_manifest
from harness.runs.new_folder import create_run
from harness.runs.record_log import RecordLog, answered_in
from harness.scorecards.money import Forecast
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.verdicts.assessment import Assessment

SCORING = "harness.verdicts.assessment"
"""Loads numerical libraries, for which no call has to wait."""


def evaluate(project: Project, asked: Asked, watch: RunObserver, limits: Limits = NO_LIMITS) -> "Assessment":
    """A new run from the first call to its scorecard. Writes nothing until every input is checked."""
    plan = make_plan(project, asked)
    price, budget = money_of(project, plan, limits)
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    executor_of(plan.asked).check(plan.asked.model, teacher)
    with resumable(project.runs, "nothing was asked yet; free some space and start the run again", FULL):
        folder = create_run(project.runs, new_manifest(project, plan), run_contents(plan))
    return _carry_out(Job(project, folder, plan, teacher, price, budget, watch, limits))


def job_of(
    project: Project,
    folder: Path,
    plan: Plan,
    watch: RunObserver,
    limits: Limits,
    moved_to: str | None = None,
) -> Job:
    """The rest of the work of a run folder. BadInput or FatalError if the teacher cannot be asked."""
    price, budget = money_of(project, plan, limits, folder)
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    return Job(project, folder, plan, teacher, price, budget, watch, limits, moved_to)


def resume(
    project: Project,
    folder: Path,
    watch: RunObserver,
    limits: Limits = NO_LIMITS,
    base_url: str | None = None,
) -> "Assessment":
    """Answer the open questions of a run. BadInput if its inputs have changed since it began."""
    manifest = load_manifest(folder)
    asked = manifest.asked
    if again := asked.kind.repeated_by:
        raise BadInput.at(folder, f"{asked.kind.apart}; repeat its `{again}` to resume it")
    address = confirmed(asked.model, asked.base_url, base_url, folder, f": {how_to_resume(folder, asked)}")
    plan = make_plan(project, asked.model_copy(update={"base_url": address}))
    if changed := manifest.digests.changed(plan.digests):
        raise BadInput.at(folder, f"changed since the run began: {', '.join(changed)}; start a new run")
    base_url = base_url and base_url.rstrip("/")
    moved_to = base_url if base_url != (asked.base_url or "").rstrip("/") else None
    return _carry_out(job_of(project, folder, plan, watch, limits, moved_to))


def foresee(project: Project, asked: Asked, folder: Path | None = None) -> Forecast:
    """What a run, or the rest of the run in `folder`, would cost. Makes no API calls and writes nothing."""
    plan = make_plan(project, asked)
    price = price_of(project, plan.asked.model, plan.asked.base_url, sold_as)
    if folder is None:
        return forecast(plan, price)
    answered = answered_in(folder)
    todo = (
        (example, repeat)
        for repeat in range(asked.repeats)
        for example in plan.examples
        if (example.id, repeat) not in answered
    )
    return forecast(plan, price, todo)


def _carry_out(job: Job) -> "Assessment":
    """Ask, seal and score."""
    folder = job.folder
    resumed_by = f"{how_to_resume(folder, job.plan.asked)} goes on from here"
    with imported_meanwhile(SCORING):
        manifest = answer(job, resumed_by)
    from harness.verdicts.assessment import assess_folder, save_assessment

    found = assess_folder(folder)
    with resumable(folder, resumed_by):
        save_assessment(found)
        note_test_look(job.plan, manifest)
    return found


def note_test_look(plan: Plan, manifest: Manifest) -> None:
    """Add a finished run on the test split to the log of looks at it, once."""
    asked = manifest.asked
    if "test" in asked.splits and asked.kind.scored and manifest.finished_at is not None:
        look = HoldoutLook(
            at=manifest.finished_at,
            run=manifest.name,
            model=asked.model,
            prompt=asked.prompt,
            policy=asked.policy,
            examples=manifest.examples,
        )
        note_look(plan.golden_file.with_name(LOOKS), look)


def answer(job: Job, resumed_by: str) -> Manifest:
    """Answer the open questions of a run folder and seal it. Every graded run goes through here."""
    with resumable(job.folder, resumed_by), RecordLog(job.folder) as log:
        left = ask_all(job, log, resumed_by)
        return _seal(job.folder, log, job.teacher.notes, left)


def _seal(folder: Path, log: RecordLog, notes: tuple[str, ...], left: int) -> Manifest:
    """Write who answered into the manifest and, once no question is open, when the run finished."""
    manifest = load_manifest(folder)
    # A resumed run keeps what was noted before it.
    noted = tuple(dict.fromkeys((*manifest.notes, *notes)))
    manifest = manifest.model_copy(update={"model_answered": names_of(log.models), "notes": noted})
    if manifest.finished_at is None and not left:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = manifest.model_copy(update={"finished_at": now})
    save_manifest(folder, manifest)
    return manifest
