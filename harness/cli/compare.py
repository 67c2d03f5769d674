"""`harness compare` and `harness regress`: one run held against another."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from harness.cli.options import (
    Columns,
    Json,
    Root,
    Scale,
    Weighting,
    guarded,
    print_json,
    project_at,
    say,
    show,
)
from harness.cli.rated import PolicyOption, refuse, scale_of
from harness.errors import BadInput, Fault

if TYPE_CHECKING:
    from harness.comparison.sides import Side
    from harness.noun import Weighting as Weights
    from harness.project import Project
    from harness.rubric import Gates, Policy
    from harness.runs import Run
    from harness.scorecards.comparison import Regression
    from harness.scorecards.ship import Shipping

GoldenFile = Annotated[Path | None, typer.Option(help="A file of golden grades, where files are compared.")]


class _Files(NamedTuple):
    """How files of grades are to be read."""

    golden: Path | None
    policy: str | None
    scale: str | None
    columns: str | None
    root: Path | None

    @property
    def given(self) -> dict[str, str | None]:
        """The options that say how a file is read."""
        golden = None if self.golden is None else str(self.golden)
        return {"golden": golden, "policy": self.policy, "scale": self.scale, "columns": self.columns}


@guarded
def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...", help="Runs, files of grades, or baseline; the first is the base."
        ),
    ],
    golden: GoldenFile = None,
    policy: PolicyOption = None,
    scale: Scale = None,
    columns: Columns = None,
    weighting: Weighting = None,
    flips: Annotated[int, typer.Option(min=0, help="How many flips to show, the worst first.")] = 5,
    root: Root = None,
    json: Json = False,
) -> None:
    """What moved between runs, and whether it is real.

    Two runs in full; more as a table against the first.
    """
    from harness.comparison.paired import compare_sides
    from harness.comparison.ranking import rank_sides
    from harness.report.comparison import comparison_view, ranking_view

    if len(runs) < 2:
        raise BadInput("name two runs or more: the first is the base")
    files = _Files(golden, policy, scale, columns, root)
    sides = _sides(project_at(root), runs, files)
    chosen = _weighting(weighting)
    if len(sides) > 2:
        ranking = rank_sides(sides, chosen)
        print_json(ranking) if json else show(ranking_view(ranking))
        return
    found = compare_sides(sides[0], sides[1], chosen)
    print_json(found) if json else show(comparison_view(found, flips))


@guarded
def regress_command(
    base: Annotated[str, typer.Option(metavar="RUN|baseline", help="What is in use now.")] = "baseline",
    candidate: Annotated[str, typer.Option(metavar="RUN", help="What may replace it.")] = "latest",
    golden: GoldenFile = None,
    policy: PolicyOption = None,
    scale: Scale = None,
    columns: Columns = None,
    weighting: Weighting = None,
    margin: Annotated[
        float | None, typer.Option(min=0, max=2, help="The kappa it may lose. Default: gates.toml.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the conditions as JUnit XML.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Append the result as Markdown, for a summary.")
    ] = None,
    flips: Annotated[int, typer.Option(min=0, help="How many flips to show, the worst first.")] = 5,
    root: Root = None,
    json: Json = False,
) -> None:
    """May the candidate replace the base?

    Ends with 0 when it surely loses no more than the margin, 1 when it surely does, 3 when neither is shown.
    """
    from harness.comparison.paired import compare_sides
    from harness.gates import EXIT_CODES
    from harness.regress import judge_regression
    from harness.report.regression import annotations, junit_xml, markdown_text, regression_view
    from harness.runs import find_run

    project = project_at(root)
    files = _Files(golden, policy, scale, columns, root)
    sides = _sides(project, [base, candidate], files)
    own, chosen = sides[1].gates, _weighting(weighting)
    gates = own if margin is None else own.model_copy(update={"margin": margin})
    found = judge_regression(compare_sides(sides[0], sides[1], chosen), gates)
    if (found.margin, found.comparison.weighting) != (own.margin, own.weighting):
        moved = f"(moved: gates.toml has margin {own.margin:g} and weighting {own.weighting})"
        found = found.model_copy(update={"reason": f"{found.reason} {moved}"})
    if candidate != "baseline" and not Path(candidate).is_file():
        keep_verdict(find_run(project, candidate), "regress", found, exclude={"comparison"})
    for path, text, mode in ((junit, junit_xml(found), "w"), (markdown, markdown_text(found, flips), "a")):
        if path is not None:
            with path.open(mode, encoding="utf-8") as file:
                file.write(text)
    for line in annotations(found.conditions):
        say(line)
    print_json(found) if json else show(regression_view(found, flips))
    if EXIT_CODES[found.verdict]:
        raise typer.Exit(EXIT_CODES[found.verdict])


def _sides(project: "Project", names: list[str], files: _Files) -> "list[Side]":
    """What is compared; a baseline is that of the first run beside it."""
    from harness.comparison.baseline import baseline_path, load_baseline, side_of_baseline
    from harness.comparison.sides import side_of_run
    from harness.runs import find_run, load_run

    runs: dict[str, Run] = {
        name: load_run(find_run(project, name))
        for name in names
        if name != "baseline" and not Path(name).is_file()
    }
    sides = []
    for name in names:
        if name in runs:
            sides.append(side_of_run(runs[name]))
        elif name == "baseline":
            if not runs:
                raise BadInput("baseline goes with a run: its policy and split say which baseline it is")
            beside = next(iter(runs.values()))
            path = baseline_path(project, beside.policy.name, beside.manifest.asked.part)
            sides.append(side_of_baseline(load_baseline(path)))
        else:
            sides.append(_side_of_file(Path(name), files))
    if any(Path(name).is_file() for name in names if name != "baseline"):
        # A file knows an item by its name alone.
        sides = [replace(side, items={one.item: one for one in side.items.values()}) for side in sides]
    else:
        refuse(files.given, "a run has its own")
    if len({side.name for side in sides}) < len(sides):
        # The same run named twice is still two sides.
        sides = [replace(side, name=f"{side.name} ({at + 1})") for at, side in enumerate(sides)]
    return sides


def _side_of_file(path: Path, files: _Files) -> "Side":
    from harness.cli.options import layout
    from harness.comparison.sides import Side
    from harness.golden.graded import read_golden_grades, read_grades
    from harness.score.judged import judged_files

    if files.golden is None:
        raise BadInput(f"{path} is a file of grades: --golden FILE says which grades are right")
    levels: tuple[tuple[int, ...], Policy | None, Gates] = scale_of(files.policy, files.scale, files.root)
    scale, policy, gates = levels
    table = layout(files.columns, None, None)
    golden = read_golden_grades(files.golden, table, scale)
    items, _ = judged_files(golden, read_grades(path, table, scale))
    return Side(
        name=path.name,
        items={item.item: item for item in items},
        scale=scale,
        policy=policy.label if policy else None,
        action_of=policy.action_of if policy else None,
        gates=gates,
        knows_queries=any(row.query for row in golden.values()),
    )


def _weighting(text: str | None) -> "Weights | None":
    from harness.score.bar import WEIGHTINGS

    for known in WEIGHTINGS:
        if text == known:
            return known
    if text is not None:
        raise BadInput(f"weighting {text!r} is not one of: {', '.join(WEIGHTINGS)}")
    return None


def keep_verdict(folder: Path, name: str, found: "Regression | Shipping", exclude: set[str]) -> None:
    """A verdict beside Gate 2's, in the run's verdict.json."""
    import json

    from harness.files import parse_json, read_text, write_atomic
    from harness.runs import VERDICT

    path = folder / VERDICT
    try:
        before = parse_json(read_text(path)) if path.exists() else {}
    except ValueError as error:
        raise BadInput([Fault(str(path), f"not JSON: {error}; it can be deleted")]) from None
    verdict = found.model_dump(mode="json", exclude=exclude)
    write_atomic(path, json.dumps({**before, name: verdict}, indent=2) + "\n")
