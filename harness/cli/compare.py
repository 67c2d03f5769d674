"""`harness compare` and `harness regress`: one run compared with another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli import completion
from harness.cli.compared import BASELINE, for_each_rater, is_file, sides_of
from harness.cli.groups import Markdown, append
from harness.cli.options import Json, Margin, Root, Weighting, argument, option, project_at, weighting_of
from harness.cli.output import end_with, print_json, say, show
from harness.cli.rated import FileOptions, bar_origin
from harness.errors import BadInput
from harness.storage.outputs import JUNIT

if TYPE_CHECKING:
    from harness.comparison.sides import Side
    from harness.nouns.base import Weighting as Weights
    from harness.scorecards.comparison import Regression
    from harness.scorecards.ship import Shipping


Flips = Annotated[int, option("How many flips to show, the worst first.", min=0)]
Base = Annotated[
    str, option("What is in use now.", metavar="RUN|FILE|baseline", autocompletion=completion.runs)
]


def compare_command(
    runs: Annotated[
        list[str],
        argument(
            "Runs, files of grades, or baseline; the first is the base.",
            metavar="RUN RUN...",
            autocompletion=completion.runs,
        ),
    ],
    *,
    files: FileOptions,
    weighting: Weighting = None,
    flips: Flips = 5,
    root: Root = None,
    json: Json = False,
) -> None:
    """What moved between runs, and whether the change is real.

    Two runs in full; more as a table against the first. Of several files of grades, --wide, --grades-columns
    and --grades-format can be given for each, separated by ";", and --rater as a list: ann,bob.
    """
    from harness.comparison.paired import compare_sides
    from harness.comparison.ranking import rank_sides
    from harness.report.comparison import comparison_view, ranking_view

    names = for_each_rater(runs, files)
    if len(names) < 2:
        raise BadInput("name two runs or more (or a file with --rater a,b): the first is the base")
    sides = sides_of(names, files, root)
    chosen = weighting_of(weighting)
    if len(sides) > 2:
        ranking = rank_sides(sides, chosen)
        print_json(ranking) if json else show(ranking_view(ranking))
        return
    found = compare_sides(sides[0], sides[1], chosen)
    print_json(found) if json else show(comparison_view(found, flips))


def regress_command(
    *,
    base: Base = BASELINE,
    candidate: Annotated[
        str, option("What may replace it.", metavar="RUN|FILE", autocompletion=completion.runs)
    ] = "latest",
    files: FileOptions,
    weighting: Weighting = None,
    margin: Margin = None,
    junit: Annotated[Path | None, option("Write the conditions as JUnit XML."), JUNIT] = None,
    markdown: Markdown = None,
    flips: Flips = 5,
    root: Root = None,
    json: Json = False,
) -> None:
    """May the candidate replace the base?

    Ends with 0 if its loss is shown to be within the margin, 1 if beyond, 3 if neither is shown.
    """
    from harness.report.regression import annotations, junit_xml, markdown_text, regression_view
    from harness.runs.folder import find_run
    from harness.storage.files import write_atomic

    sides = sides_of([base, candidate], files, root)
    found = _judged(sides[0], sides[1], margin, weighting_of(weighting))
    if candidate != BASELINE and not is_file(candidate):
        keep_verdict(find_run(project_at(root), candidate), "regress", found, exclude={"comparison"})
    if junit is not None:
        write_atomic(junit, junit_xml(found))
    append(markdown, markdown_text(found, flips))
    for line in annotations(found.conditions):
        say(line)
    print_json(found) if json else show(regression_view(found, flips))
    end_with(found.verdict)


def _judged(
    base: "Side", candidate: "Side", margin: float | None, weighting: "Weights | None"
) -> "Regression":
    """The verdict by the candidate's gates; its reason names a margin or weighting that replaces them."""
    from harness.comparison.paired import compare_sides
    from harness.comparison.sides import of_itself
    from harness.verdicts.regression import judge_regression

    own = candidate.gates
    gates = own if margin is None else own.model_copy(update={"margin": margin})
    found = judge_regression(compare_sides(base, candidate, weighting), gates)
    found = found.model_copy(update={"reason": f"{found.reason}{of_itself(base, candidate)}"})
    if (found.margin, found.comparison.weighting) == (own.margin, own.weighting):
        return found
    moved = f"(moved: {bar_origin(candidate.policy)} margin {own.margin:g} and weighting {own.weighting})"
    return found.model_copy(update={"reason": f"{found.reason} {moved}"})


def keep_verdict(folder: Path, name: str, found: "Regression | Shipping", exclude: set[str]) -> None:
    """Add a verdict to the run's verdict.json, beside that of Gate 2."""
    import json

    from harness.runs.folder import VERDICT
    from harness.storage.files import read_json, write_atomic

    path = folder / VERDICT
    before = read_json(path, todo="; it can be deleted") if path.exists() else {}
    if not isinstance(before, dict):
        raise BadInput.at(path, "expected a JSON object; it can be deleted")
    verdict = found.model_dump(mode="json", exclude=exclude)
    write_atomic(path, json.dumps({**before, name: verdict}, indent=2) + "\n")
