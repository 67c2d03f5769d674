"""`harness runs`: list, show."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.options import Json, Root, guarded, print_json, project_at, say, show
from harness.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(help="Runs: what was asked, answered and scored.", no_args_is_help=True)


@app.command("list")
@guarded
def list_runs(root: Root = None, json: Json = False) -> None:
    """Every run, the latest last."""
    from harness.report.runs import runs_view
    from harness.runs import run_names

    project = project_at(root)
    rows = [row for name in run_names(project) if (row := _row(project.runs / name))]
    if json:
        print_json({"runs": rows})
    elif rows:
        show(runs_view(rows))
    else:
        show(["no run yet; `make eval` makes one"])


def _row(folder: "Path") -> dict[str, Any] | None:
    """A run in a line; a folder that cannot be read is named and left out."""
    from harness.gates import judge_run
    from harness.runs import load_run

    try:
        run = load_run(folder)
    except BadInput as error:
        say(f"left out: {error.faults[0]}")
        return None
    score = judge_run(run)
    asked = run.manifest.asked
    return {
        "run": folder.name,
        "model": asked.model,
        "prompt": asked.prompt,
        "policy": asked.policy,
        "split": asked.part,
        "n": score.n,
        "coverage": score.coverage,
        "gated": score.gated,
        "kappa": score.gated_kappa.value,
        "ci": score.gated_kappa.ci,
        "band": score.band,
        "verdict": score.verdict,
        "finished": run.manifest.finished_at is not None,
    }


@app.command("show")
@guarded
def show_run(
    run: Annotated[
        str, typer.Argument(help="Its folder, its name or the beginning of it, or latest.")
    ] = "latest",
    root: Root = None,
    json: Json = False,
) -> None:
    """What one run was: model, prompt, policy, digests, versions."""
    from harness.report.runs import manifest_view
    from harness.runs import find_run, load_manifest

    folder = find_run(project_at(root), run)
    manifest = load_manifest(folder)
    print_json(manifest) if json else show(manifest_view(manifest, folder))
