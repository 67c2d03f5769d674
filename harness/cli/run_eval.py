"""`harness eval`: grade the golden set with a teacher, and score it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    from harness.project import Project
    from harness.runs import Asked, Run
    from harness.scorecards.gate2 import Gate2

DEFAULTS: dict[str, Any] = {
    "model": "builtin/lexical",
    "policy": DEFAULT_POLICY,
    "prompt": "teacher",
    "splits": ("dev",),
}


@guarded
def eval_command(
    model: Annotated[
        str | None, typer.Option(help="provider/model. Default: builtin/lexical, no key, no network.")
    ] = None,
    policy: Annotated[str | None, typer.Option(help="name or name@v1. Default: product-search.")] = None,
    prompt: Annotated[str | None, typer.Option(help="name or name@v2. Default: teacher, the latest.")] = None,
    split: Annotated[str | None, typer.Option(help="dev, test or dev+test. Default: dev.")] = None,
    canaries: Annotated[
        bool, typer.Option("--canaries", help="Grade the canaries instead: does text in a product steer it?")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Grade a sample of this many examples.")] = None,
    shots: Annotated[
        int | None, typer.Option(min=0, help="Golden examples in the prompt. Default: as the prompt says.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, max=100, help="Ask about every example this many times. Default: 1.")
    ] = None,
    aggregate: Annotated[
        str | None,
        typer.Option(help="What repeats count for: mean (each its share) or vote. Default: mean."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="For the sample of --limit; sent to the model where given.")
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(min=0, max=10, help="Sent to the model where given; some models refuse it."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="A server of your own that speaks the provider's API.")
    ] = None,
    max_connections: Annotated[
        int | None,
        typer.Option(min=1, max=5000, help="Calls in flight at most. Default: as many as the server bears."),
    ] = None,
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Ask anew, whatever earlier runs were answered, and keep nothing."),
    ] = False,
    only: Annotated[str | None, typer.Option(help="Grade just these examples, by id: a,b,c")] = None,
    disagreements_of: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Grade just what this run got wrong, or gave no readable answer to."
        ),
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with a run: ask only what has no answer.")
    ] = None,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Go on with a run (latest, or --resume): ask only what failed."),
    ] = False,
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Stop before the run costs more than this.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked and cost, and ask nothing.")
    ] = False,
    columns: Columns = None,
    wide: Wide = None,
    format: Format = None,
    rater: Rater = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Leave out report.html, which up to 2,000 pairs get.")
    ] = False,
    root: Root = None,
    json: Json = False,
) -> None:
    """Grade the golden set with a teacher and say how far it agrees.

    With replay/FILE the grades come from a file; --columns, --wide, --format and --rater say how to read it.
    """
    from harness.cli.eval_result import report
    from harness.cli.progress import Progress

    project = project_at(root)
    load_keys(project)
    given: dict[str, Any] = {
        "model": _from_root(model, project) if model else None,
        "policy": policy,
        "prompt": prompt,
        "splits": _splits(split),
        "limit": limit,
        "repeats": repeats,
        "aggregate": _aggregate(aggregate),
        "shots": shots,
        "seed": seed,
        "temperature": temperature,
    }
    table = layout(columns, wide, format)
    given |= {"columns": dict(table.columns) or None, "wide": table.wide or None}
    given |= {"format": format, "rater": rater}
    chosen = only or disagreements_of
    if canaries and (split or limit or repeats or chosen):
        raise BadInput(
            "--canaries grades every canary once: it goes without --split, --limit, --repeats, --only"
        )
    if chosen and (limit or (only and disagreements_of)):
        raise BadInput("--only, --disagreements-of and --limit each say what to grade: give one of them")
    given["canaries"] = canaries or None
    if only:
        given["only"] = tuple(dict.fromkeys(id_.strip() for id_ in only.split(",") if id_.strip()))
    if disagreements_of:
        given |= {
            name: value for name, value in _wrong_in(project, disagreements_of).items() if not given.get(name)
        }
    asked = {name: value for name, value in given.items() if value is not None}
    again = resume or ("latest" if retry_failed else None)
    if dry_run:
        _forecast(project, asked, again, base_url, as_json=json)
        return
    how: dict[str, Any] = {"connections": max_connections, "cache": not no_cache}
    how |= {"only_failed": retry_failed, "max_cost": max_cost}
    with Progress() as progress:
        run, score = _run(project, asked, again, base_url, how, progress)
    if not no_report:
        report_beside(run, score)
    report(project, run, score, as_json=json)
    if score.outcomes.failed:
        say(f"{score.outcomes.failed} examples were never answered; {_what_to_do(run)}")
        raise typer.Exit(4)


def _forecast(
    project: "Project", asked: dict[str, Any], resume: str | None, base_url: str | None, *, as_json: bool
) -> None:
    """What a run, or the rest of one, would ask and cost. Nothing is opened or written."""
    from harness import evaluate
    from harness.report.money import forecast_view
    from harness.runs import Asked, find_run, load_manifest

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
) -> "tuple[Run, Gate2]":
    from harness import evaluate
    from harness.engine.job import Limits
    from harness.runs import Asked, find_run, load_manifest

    limits = Limits(**how)
    if resume is None:
        request = Asked.model_validate({**DEFAULTS, **asked, "base_url": base_url})
        return evaluate.evaluate(project, request, progress, limits)
    folder = find_run(project, resume)
    _refuse_changes(asked, load_manifest(folder).asked)
    return evaluate.resume(project, folder, progress, limits, base_url)


def _wrong_in(project: "Project", text: str) -> dict[str, Any]:
    """What a run got wrong or could not be read on, and where that lies."""
    from harness.runs import find_run, load_run
    from harness.score.judged import judged, voted

    run = load_run(find_run(project, text))
    if run.manifest.asked.canaries:
        raise BadInput(f"--disagreements-of {text}: that run graded canaries, which are graded all together")
    wrong = tuple(item.item for item in map(voted, judged(run)) if item.answers[0].grade != item.golden)
    if not wrong:
        raise BadInput(f"--disagreements-of {text}: that run agrees with every golden grade")
    return {"only": wrong, "splits": run.manifest.asked.splits, "policy": run.manifest.asked.policy}


def _refuse_changes(given: dict[str, Any], before: "Asked") -> None:
    """A resumed run keeps its settings: another one is a new run."""
    was = before.model_dump()
    changed = [name for name, value in given.items() if not _same(value, was[name])]
    if changed:
        shown = ", ".join(f"{name} {was[name]}" for name in changed)
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
