"""`harness eval`: grade the golden set with a teacher, and score it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from harness.cli import eval_options as opt
from harness.cli.options import (
    DEFAULT_POLICY,
    Columns,
    Format,
    Json,
    Rater,
    Root,
    Wide,
    guarded,
    layout,
    load_keys,
    print_json,
    project_at,
    say,
    show,
)
from harness.cli.reports import report_beside
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.cli.progress import Progress
    from harness.runs.folder import Run
    from harness.runs.manifest import Asked
    from harness.storage.project import Project
    from harness.verdicts.assessment import Assessment

DEFAULTS: dict[str, Any] = {
    "model": "builtin/lexical",
    "policy": DEFAULT_POLICY,
    "prompt": "teacher",
    "splits": ("dev",),
}


@guarded
def eval_command(
    model: opt.Model = None,
    policy: opt.Policy = None,
    prompt: opt.Prompt = None,
    split: opt.Split = None,
    canaries: opt.Canaries = False,
    limit: opt.Limit = None,
    only: opt.Only = None,
    disagreements_of: opt.DisagreementsOf = None,
    shots: opt.Shots = None,
    repeats: opt.Repeats = None,
    aggregate: opt.Aggregate = None,
    seed: opt.Seed = None,
    temperature: opt.Temperature = None,
    base_url: opt.BaseUrl = None,
    max_connections: opt.Connections = None,
    no_cache: opt.NoCache = False,
    batch: opt.Batch = False,
    resume: opt.Resume = None,
    retry_failed: opt.RetryFailed = False,
    max_cost: opt.MaxCost = None,
    dry_run: opt.DryRun = False,
    columns: Columns = None,
    wide: Wide = None,
    format: Format = None,
    rater: Rater = None,
    no_report: opt.NoReport = False,
    root: Root = None,
    json: Json = False,
) -> None:
    """Grade the golden set with a teacher and say how far it agrees.

    With replay/FILE the grades come from a file; --columns, --wide, --format and --rater say how to read it.
    """
    _refuse_empty(model=model, base_url=base_url, only=only, disagreements_of=disagreements_of, resume=resume)
    project = project_at(root)
    load_keys(project)
    table = layout(columns, wide, format)
    given: dict[str, Any] = {
        "model": _from_root(model, project) if model else None,
        "policy": policy,
        "prompt": prompt,
        "splits": _splits(split),
        "canaries": canaries or None,
        "limit": limit,
        "repeats": repeats,
        "aggregate": _aggregate(aggregate),
        "shots": shots,
        "seed": seed,
        "temperature": temperature,
        "batch": batch or None,
        "columns": dict(table.columns) or None,
        "wide": table.wide or None,
        "format": format,
        "rater": rater,
    }
    _refuse_idle(given, resume)
    given |= _chosen(project, given, only, disagreements_of)
    asked = {name: value for name, value in given.items() if value is not None}
    again = resume or ("latest" if retry_failed else None)
    if dry_run:
        _forecast(project, asked, again, base_url, as_json=json)
        return
    how: dict[str, Any] = {"connections": max_connections, "cache": not no_cache}
    how |= {"only_failed": retry_failed, "max_cost": max_cost}
    _grade(project, asked, again, base_url, how, with_report=not no_report, as_json=json)


def _refuse_empty(**given: str | None) -> None:
    """An empty word is a variable that was not set: the whole golden set is not what it stood for."""
    empty = [
        f"--{name.replace('_', '-')}"
        for name, value in given.items()
        if value is not None and not value.strip()
    ]
    if empty:
        raise BadInput(f"{', '.join(empty)}: nothing is given there; name it, or leave the option away")


def _refuse_idle(given: dict[str, Any], resume: str | None) -> None:
    """An option that would do nothing is refused."""
    if resume is not None:
        return
    model = given["model"] or DEFAULTS["model"]
    table = [f"--{name}" for name in ("columns", "wide", "format", "rater") if given[name]]
    if table and not model.startswith("replay"):
        raise BadInput(f"{', '.join(table)}: how a file of grades is read; --model replay/FILE reads one")
    if given["aggregate"] and (given["repeats"] or 1) == 1:
        raise BadInput("--aggregate says what several answers count for: give --repeats too")


def _chosen(
    project: "Project", given: dict[str, Any], only: str | None, disagreements_of: str | None
) -> dict[str, Any]:
    """The examples that were chosen by name, or by what another run got wrong."""
    chosen = only or disagreements_of
    if given["canaries"] and (given["splits"] or given["limit"] or given["repeats"] or chosen):
        raise BadInput(
            "--canaries grades every canary once: it goes without --split, --limit, --repeats, --only"
        )
    if chosen and (given["limit"] or (only and disagreements_of)):
        raise BadInput("--only, --disagreements-of and --limit each say what to grade: give one of them")
    if disagreements_of:
        found = _wrong_in(project, disagreements_of)
        return {name: value for name, value in found.items() if not given.get(name)}
    if only is None:
        return {}
    names = tuple(dict.fromkeys(id_.strip() for id_ in only.split(",") if id_.strip()))
    if not names:
        raise BadInput(f"--only {only!r} names no example")
    return {"only": names}


def _grade(
    project: "Project",
    asked: dict[str, Any],
    resume: str | None,
    base_url: str | None,
    how: dict[str, Any],
    *,
    with_report: bool,
    as_json: bool,
) -> None:
    """Run, print, and end with 4 where something was never answered."""
    from harness.cli.eval_result import report
    from harness.cli.progress import Progress

    with Progress() as progress:
        found = _run(project, asked, resume, base_url, how, progress)
    if with_report:
        report_beside(found)
    report(project, found, as_json=as_json)
    failed = found.gate2.outcomes.failed
    if failed:
        say(f"{failed} examples were never answered; {_what_to_do(found.run)}")
        raise typer.Exit(4)


def _forecast(
    project: "Project", asked: dict[str, Any], resume: str | None, base_url: str | None, *, as_json: bool
) -> None:
    """What a run, or the rest of one, would ask and cost. Nothing is opened or written."""
    from harness.grading import evaluate
    from harness.report.money import forecast_view
    from harness.runs.folder import find_run
    from harness.runs.manifest import Asked, load_manifest

    if resume is None:
        request = Asked.model_validate({**DEFAULTS, **asked, "base_url": base_url})
        found = evaluate.foresee(project, request)
    else:
        folder = find_run(project, resume)
        before = load_manifest(folder).asked
        _refuse_changes(asked, before)
        request = before.model_copy(update={"base_url": base_url or before.base_url})
        found = evaluate.foresee(project, request, folder)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        show(forecast_view(found))


def _what_to_do(run: "Run") -> str:
    if run.manifest.asked.model.startswith("replay"):
        return "the file has no grade for them: complete it, and start a new run"
    return f"harness eval --resume {run.folder.name} asks again"


def _run(
    project: "Project",
    asked: dict[str, Any],
    resume: str | None,
    base_url: str | None,
    how: dict[str, Any],
    progress: "Progress",
) -> "Assessment":
    from harness.grading import evaluate
    from harness.grading.job import Limits
    from harness.runs.folder import find_run
    from harness.runs.manifest import Asked, load_manifest

    limits = Limits(**how)
    if resume is None:
        more = {"base_url": base_url, "no_cache": not limits.cache}
        request = Asked.model_validate({**DEFAULTS, **asked, **more})
        return evaluate.evaluate(project, request, progress, limits)
    folder = find_run(project, resume)
    _refuse_changes(asked, load_manifest(folder).asked)
    return evaluate.resume(project, folder, progress, limits, base_url)


def _wrong_in(project: "Project", text: str) -> dict[str, Any]:
    """What a run got wrong or could not be read on, and where that lies."""
    from harness.score.items import voted
    from harness.score.reading import reading_of

    reading = reading_of(project, text)
    asked = reading.run.manifest.asked
    if asked.canaries:
        raise BadInput(f"--disagreements-of {text}: that run graded canaries, which are graded all together")
    items = map(voted, reading.items)
    wrong = tuple(item.item for item in items if item.answers[0].grade != item.golden)
    if not wrong:
        raise BadInput(f"--disagreements-of {text}: that run agrees with every golden grade")
    return {"only": wrong, "splits": asked.splits, "policy": asked.policy}


def _refuse_changes(given: dict[str, Any], before: "Asked") -> None:
    """A resumed run keeps its settings: another one is a new run."""
    was = before.model_dump()
    changed = [name for name, value in given.items() if not _same(value, was[name])]
    if changed:
        shown = ", ".join(f"{name} {'not given' if was[name] is None else was[name]}" for name in changed)
        raise BadInput(f"--resume goes on as the run began ({shown}); start a new run to change it")


def _same(given: Any, before: Any) -> bool:
    """`teacher` names what `teacher@v2` was, when the digests agree too."""
    return bool(given == before or (isinstance(before, str) and before.partition("@")[0] == given))


def _from_root(model: str, project: "Project") -> str:
    """A replayed file by its path from the project's folder, so that a run can be resumed from anywhere."""
    provider, file = model[: len("replay")], model[len("replay") + 1 :]
    if provider != "replay" or not file:
        return model
    path = Path.cwd() / file
    return f"replay/{path.relative_to(project.root) if path.is_relative_to(project.root) else path}"


def _aggregate(text: str | None) -> str | None:
    if text not in (None, "mean", "vote"):
        raise BadInput(f"--aggregate {text!r} is not one of: mean, vote")
    return text


def _splits(split: str | None) -> tuple[str, ...] | None:
    from harness.golden.splits import parse_splits

    return None if split is None else parse_splits(split)
