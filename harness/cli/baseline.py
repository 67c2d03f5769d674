"""`harness baseline`: set, show."""

from typing import Annotated

from harness.cli.options import Json, Root, argument, project_at
from harness.cli.output import print_json, say, show, shown_path


def set_command(
    run: Annotated[str, argument("Its folder, name, or latest.", metavar="RUN")] = "latest",
    root: Root = None,
) -> None:
    """Keep a run as the baseline of its policy and split, in runs/baselines/, for git."""
    from harness.comparison.baseline import set_baseline
    from harness.runs.folder import find_run, open_run

    project = project_at(root)
    path = set_baseline(project, open_run(find_run(project, run)))
    say(f"baseline: {shown_path(path)}")


def show_command(root: Root = None, json: Json = False) -> None:
    """Every baseline: which run it was, and its kappa."""
    from harness.comparison.baseline import load_baseline
    from harness.report.comparison import baselines_view
    from harness.runs.folder import BASELINES

    folder = project_at(root).runs / BASELINES
    found = [(path, load_baseline(path)) for path in sorted(folder.glob("*.json"))]
    if json:
        rows = [one.model_dump(mode="json", exclude={"cases"}) | {"n": len(one.cases)} for _, one in found]
        print_json({"baselines": rows})
    elif found:
        show(baselines_view([(shown_path(path), one) for path, one in found]))
    else:
        show(["no baseline yet; set one with `harness baseline set RUN`"])
