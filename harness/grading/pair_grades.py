"""The grades of pairs without golden grades, from a run folder that a later command finds again."""

from pathlib import Path

from harness.grading.answering import resumable
from harness.grading.evaluate import answer, job_of
from harness.grading.job import Limits, RunObserver
from harness.grading.new_run import new_manifest, run_contents
from harness.grading.plan import Plan
from harness.runs.manifest import load_manifest
from harness.runs.new_folder import create_run
from harness.runs.pair_run import PairRun, load_pair_run, pairs_folder
from harness.storage.project import Project

HOW_TO_RESUME = "repeat the command to resume; it asks no answered question again"


def grade_pairs(
    project: Project, plan: Plan, folder: Path | None, watch: RunObserver, limits: Limits
) -> PairRun:
    """The grades of the plan's pairs; asks for those that `folder`, None for a new run, lacks."""
    if folder is None:
        with resumable(pairs_folder(project), HOW_TO_RESUME):
            folder = create_run(pairs_folder(project), new_manifest(project, plan), run_contents(plan))
    if not is_finished(folder):
        answer(job_of(project, folder, plan, watch, limits), HOW_TO_RESUME)
    return load_pair_run(folder)


def is_finished(folder: Path) -> bool:
    """Whether a run has no open question."""
    return load_manifest(folder).finished_at is not None
