"""`harness eval`: grade the golden set with a teacher, and score the teacher."""

from typing import TYPE_CHECKING

import typer

from harness.cli.eval_options import (
    AskedOptions,
    NoReport,
    Request,
    RunOptions,
    TableOptions,
    refuse_empty,
    request_of,
)
from harness.cli.groups import CallOptions, grouped
from harness.cli.options import Json, Root, guarded, load_keys, print_json, project_at, say, show
from harness.cli.reports import report_beside

if TYPE_CHECKING:
    from harness.cli.progress import Progress
    from harness.grading.job import Limits
    from harness.runs.folder import Run
    from harness.storage.project import Project
    from harness.verdicts.assessment import Assessment


@guarded
@grouped
def eval_command(
    asking: AskedOptions,
    calls: CallOptions,
    how: RunOptions,
    table: TableOptions,
    *,
    no_report: NoReport = False,
    root: Root = None,
    json: Json = False,
) -> None:
    """Grade the golden set with a teacher and say how far it agrees.

    With replay/FILE the grades come from a file; --columns, --wide, --format and --rater say how to read it.
    """
    refuse_empty(
        model=asking.model,
        base_url=asking.base_url,
        only=asking.only,
        disagreements_of=asking.disagreements_of,
        resume=how.resume,
    )
    project = project_at(root)
    load_keys(project)
    request = request_of(project, asking, table, how, no_cache=calls.no_cache)
    if how.dry_run:
        _forecast(project, request, how.again, as_json=json)
        return
    limits = calls.limits(only_failed=how.retry_failed, max_cost=how.max_cost)
    _grade(project, request, how.again, limits, with_report=not no_report, as_json=json)


def _grade(
    project: "Project",
    request: Request,
    resume: str | None,
    limits: "Limits",
    *,
    with_report: bool,
    as_json: bool,
) -> None:
    """Run and print; end with 4 if something has no answer."""
    from harness.cli.eval_result import report
    from harness.cli.progress import Progress

    with Progress() as progress:
        found = _run(project, request, resume, limits, progress)
    if with_report:
        report_beside(found)
    report(project, found, as_json=as_json)
    failed = found.gate2.outcomes.failed
    if failed:
        say(f"{failed} examples have no answer; {_what_to_do(found.run)}")
        raise typer.Exit(4)


def _forecast(project: "Project", request: Request, resume: str | None, *, as_json: bool) -> None:
    """Print what a run, or the rest of one, would cost. Makes no API calls and writes nothing."""
    from harness.grading import evaluate
    from harness.report.money import forecast_view
    from harness.runs.folder import find_run
    from harness.runs.manifest import load_manifest

    asked = request.asked
    folder = None if resume is None else find_run(project, resume)
    if folder:
        before = load_manifest(folder).asked
        request.refuse_changes(before)
        asked = before.model_copy(update={"base_url": asked.base_url or before.base_url})
    found = evaluate.foresee(project, asked, folder)
    if as_json:
        print_json(found)
    else:
        show(forecast_view(found))


def _what_to_do(run: "Run") -> str:
    from harness.providers import reads_grades

    if reads_grades(run.manifest.asked.model):
        return "add their grades to the file, and start a new run"
    from harness.runs.manifest import how_to_resume

    return f"ask again with: {how_to_resume(run.folder, run.manifest.asked)}"


def _run(
    project: "Project", request: Request, resume: str | None, limits: "Limits", progress: "Progress"
) -> "Assessment":
    from harness.grading import evaluate
    from harness.runs.folder import find_run
    from harness.runs.manifest import load_manifest

    if resume is None:
        return evaluate.evaluate(project, request.asked, progress, limits)
    folder = find_run(project, resume)
    request.refuse_changes(load_manifest(folder).asked)
    return evaluate.resume(project, folder, progress, limits, request.asked.base_url)
