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
    scored_json,
    show,
    shown_path,
)
from harness.cli.reports import report_beside
from harness.errors import BadInput

if TYPE_CHECKING:
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
    max_connections: Annotated[int, typer.Option(min=1, help="Calls in flight at once.")] = 8,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with a run: ask only what has no answer.")
    ] = None,
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
    if canaries and (split or limit or repeats):
        raise BadInput("--canaries grades every canary once: it goes without --split, --limit and --repeats")
    given["canaries"] = canaries or None
    asked = {name: value for name, value in given.items() if value is not None}
    with Progress() as progress:
        run, score = _run(project, asked, resume, base_url, max_connections, progress)
    if not no_report:
        report_beside(run, score)
    _report(project, run, score, as_json=json)
    if score.outcomes.failed:
        say(f"{score.outcomes.failed} examples were never answered; {_what_to_do(run)}")
        raise typer.Exit(4)


def _what_to_do(run: "Run") -> str:
    if run.manifest.asked.model.startswith("replay"):
        return "the file has no grade for them: complete it, and start a new run"
    return f"harness eval --resume {run.folder.name} asks again"


def _run(
    project: "Project",
    asked: dict[str, Any],
    resume: str | None,
    base_url: str | None,
    connections: int,
    progress: Any,
) -> "tuple[Run, Gate2]":
    from harness import evaluate
    from harness.runs import Asked, find_run, load_manifest

    watch = evaluate.Watch(started=progress.start, recorded=progress.advance)
    if resume is None:
        request = Asked.model_validate({**DEFAULTS, **asked, "base_url": base_url})
        return evaluate.evaluate(project, request, watch, connections=connections)
    folder = find_run(project, resume)
    _refuse_changes(asked, load_manifest(folder).asked)
    return evaluate.resume(project, folder, watch, connections=connections, base_url=base_url)


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


def _report(project: "Project", run: "Run", score: "Gate2", *, as_json: bool) -> None:
    from harness.report.canaries import canary_view
    from harness.report.gate2 import gate2_view
    from harness.score.run import canaries_of

    asked = run.manifest.asked
    canaries = canaries_of(run)
    if as_json:
        print_json({**scored_json(score, canaries), "run": str(run.folder)})
        return
    if canaries:
        show([*canary_view(canaries, asked.model), "", f"Run: {shown_path(run.folder)}"])
        return
    show(gate2_view(score, *asked.sides))
    more = "More in `harness gate2 latest`: clauses, tags, confidence, the worst misses."
    show([*_remarks(project, run), "", more, "", f"Run: {shown_path(run.folder)}"])


def _remarks(project: "Project", run: "Run") -> list[str]:
    """What a reader of the table should know about the run."""
    from harness.golden.looks import LOOKS, looks

    manifest = run.manifest
    remarks = [line for note in manifest.notes for line in ("", note)]
    if "test" in manifest.asked.splits:
        count = len(looks(project.golden / run.policy.name / LOOKS))
        remarks += ["", f"Looks at the test split so far: {count}. Choose on dev, gate on test."]
    if manifest.asked.model.startswith("builtin"):
        remarks += [
            "",
            "This grader is a floor to beat, not a teacher. Run a real one:",
            "  make eval MODEL=openai/gpt-6-luna",
            "with OPENAI_API_KEY in the environment or in .env, or a server of your own:",
            "  make eval MODEL=openai/NAME FLAGS='--base-url http://localhost:8000/v1'",
        ]
    return remarks
