"""`harness eval`: grade the golden set with a teacher, and score the teacher."""

from typing import TYPE_CHECKING

import typer

from harness.cli.eval_options import AskedOptions, NoReport, RunOptions, request_of
from harness.cli.groups import CallOptions
from harness.cli.options import Json, Root, load_keys, project_at, with_note
from harness.cli.output import print_json, say, show
from harness.cli.rated import GraderTable
from harness.cli.reports import report_beside
from harness.storage.plural import plural
from harness.storage.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from harness.runs.folder import Run
    from harness.runs.manifest import Asked
    from harness.verdicts.assessment import Assessment


def eval_command(
    asking: AskedOptions,
    calls: CallOptions,
    how: RunOptions,
    table: GraderTable,
    *,
    no_report: NoReport = False,
    root: Root = None,
    json: Json = False,
) -> None:
    """Grade the golden set with a teacher and say how far it agrees.

    With replay/FILE the grades come from a file; --columns, --wide, --format and --rater say how to read it.
    """
    from harness.cli.eval_result import report
    from harness.cli.progress import Progress
    from harness.grading import evaluate
    from harness.runs.folder import find_run
    from harness.runs.manifest import load_manifest

    project = project_at(root)
    load_keys(project)
    request = request_of(project, asking, table, how, no_cache=calls.no_cache)
    before = find_run(project, how.again) if how.again else None
    if before:
        request.refuse_changes(load_manifest(before).asked)
    else:
        with_note(request.asked.policy, project)
    if how.dry_run:
        _forecast(project, request.asked, before, as_json=json)
        return
    limits = calls.limits(only_failed=how.retry_failed, max_cost=how.max_cost)
    with Progress() as progress:
        if before:
            found = evaluate.resume(project, before, progress, limits, request.asked.base_url)
        else:
            found = evaluate.evaluate(project, request.asked, progress, limits)
    if not no_report:
        _write_report(found)
    report(project, found, as_json=json)
    failed = found.gate2.outcomes.failed
    if failed:
        say(f"{plural(failed, 'example has', 'examples have')} no answer; {_what_to_do(found.run)}")
        raise typer.Exit(4)


def _write_report(found: "Assessment") -> None:
    """The report beside the run. It is derived: a disk that is full does not take the result away."""
    try:
        report_beside(found)
    except OSError as error:
        how = f"harness report {found.run.folder.name}"
        say(f"no report was written ({error.filename}: {error.strerror}); {how} writes it")


def _forecast(project: Project, asked: "Asked", folder: "Path | None", *, as_json: bool) -> None:
    """Print what a run, or the rest of one, would cost. Makes no API calls and writes nothing."""
    from harness.grading.evaluate import foresee
    from harness.report.money import forecast_view
    from harness.runs.manifest import load_manifest

    if folder:
        before = load_manifest(folder).asked
        asked = before.model_copy(update={"base_url": asked.base_url or before.base_url})
    found = foresee(project, asked, folder)
    print_json(found) if as_json else show(forecast_view(found))


def _what_to_do(run: "Run") -> str:
    if run.manifest.digests.replayed:
        return "add what is missing to the file, and start a new run"
    from harness.runs.manifest import how_to_resume

    # Without it, what may be at the server already is only looked for there.
    paid_again = " --retry-failed" if run.manifest.asked.batch else ""
    return f"ask again with: {how_to_resume(run.folder, run.manifest.asked)}{paid_again}"
