"""`harness compare` and `harness regress`: one run compared with another."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.compared import (
    BASELINE,
    FileColumns,
    FileFormat,
    FileOptions,
    FileRater,
    FileWide,
    GoldenFile,
    for_each_rater,
    is_file,
    sides_of,
)
from harness.cli.groups import Markdown, append, grouped
from harness.cli.options import (
    Columns,
    Encoding,
    Format,
    Json,
    Labels,
    Root,
    Scale,
    Weighting,
    end_with,
    print_json,
    project_at,
    say,
    show,
    weighting_of,
)
from harness.cli.rated import PolicyOption, bar_origin
from harness.errors import BadInput, Fault

if TYPE_CHECKING:
    from harness.comparison.sides import Side
    from harness.nouns.base import Weighting as Weights
    from harness.scorecards.comparison import Regression
    from harness.scorecards.ship import Shipping


@dataclass(frozen=True)
class ComparedOptions:
    """How to read the files of grades, if any are compared, and the kappa to compare by."""

    golden: GoldenFile = None
    policy: PolicyOption = None
    scale: Scale = None
    columns: Columns = None
    format: Format = None
    grades_columns: FileColumns = None
    grades_format: FileFormat = None
    labels: Labels = None
    encoding: Encoding = None
    wide: FileWide = None
    rater: FileRater = None
    weighting: Weighting = None

    def files(self, root: Path | None) -> FileOptions:
        """How to read the files; `root` is the folder of the project."""
        how = {"columns": self.columns, "format": self.format, "wide": self.wide, "rater": self.rater}
        how |= {"grades-columns": self.grades_columns, "grades-format": self.grades_format}
        how |= {"labels": self.labels, "encoding": self.encoding}
        return FileOptions(self.golden, self.policy, self.scale, root, how)

    @property
    def kappa(self) -> "Weights | None":
        """The weighting asked for; None for that of the gates. BadInput for an unknown one."""
        return None if self.weighting is None else weighting_of(self.weighting)


@grouped
def compare_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...", help="Runs, files of grades, or baseline; the first is the base."
        ),
    ],
    *,
    comparing: ComparedOptions,
    flips: Annotated[int, typer.Option(min=0, help="How many flips to show, the worst first.")] = 5,
    root: Root = None,
    json: Json = False,
) -> None:
    """What moved between runs, and whether the change is real.

    Two runs in full; more as a table against the first.
    """
    from harness.comparison.paired import compare_sides
    from harness.comparison.ranking import rank_sides
    from harness.report.comparison import comparison_view, ranking_view

    files = comparing.files(root)
    names = for_each_rater(runs, files)
    if len(names) < 2:
        raise BadInput("name two runs or more (or a file with --rater a,b): the first is the base")
    sides = sides_of(names, files)
    chosen = comparing.kappa
    if len(sides) > 2:
        ranking = rank_sides(sides, chosen)
        print_json(ranking) if json else show(ranking_view(ranking))
        return
    found = compare_sides(sides[0], sides[1], chosen)
    print_json(found) if json else show(comparison_view(found, flips))


@grouped
def regress_command(
    *,
    base: Annotated[str, typer.Option(metavar="RUN|FILE|baseline", help="What is in use now.")] = "baseline",
    candidate: Annotated[str, typer.Option(metavar="RUN|FILE", help="What may replace it.")] = "latest",
    comparing: ComparedOptions,
    margin: Annotated[
        float | None, typer.Option(min=0, max=2, help="The kappa it may lose. Default: gates.toml.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the conditions as JUnit XML.")] = None,
    markdown: Markdown = None,
    flips: Annotated[int, typer.Option(min=0, help="How many flips to show, the worst first.")] = 5,
    root: Root = None,
    json: Json = False,
) -> None:
    """May the candidate replace the base?

    Ends with 0 if its loss is shown to be within the margin, 1 if beyond, 3 if neither is shown.
    """
    from harness.report.regression import annotations, junit_xml, markdown_text, regression_view
    from harness.runs.folder import find_run

    files = comparing.files(root)
    sides = sides_of([base, candidate], files)
    found = _judged(sides[0], sides[1], margin, comparing.kappa)
    if candidate != BASELINE and not is_file(candidate):
        keep_verdict(find_run(project_at(root), candidate), "regress", found, exclude={"comparison"})
    if junit is not None:
        junit.write_text(junit_xml(found), encoding="utf-8")
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
    from harness.verdicts.regression import judge_regression

    own = candidate.gates
    gates = own if margin is None else own.model_copy(update={"margin": margin})
    found = judge_regression(compare_sides(base, candidate, weighting), gates)
    if (found.margin, found.comparison.weighting) == (own.margin, own.weighting):
        return found
    moved = f"(moved: {bar_origin(candidate.policy)} margin {own.margin:g} and weighting {own.weighting})"
    return found.model_copy(update={"reason": f"{found.reason} {moved}"})


def keep_verdict(folder: Path, name: str, found: "Regression | Shipping", exclude: set[str]) -> None:
    """Add a verdict to the run's verdict.json, beside that of Gate 2."""
    import json

    from harness.runs.folder import VERDICT
    from harness.storage.files import parse_json, read_text, write_atomic

    path = folder / VERDICT
    try:
        before = parse_json(read_text(path)) if path.exists() else {}
    except ValueError as error:
        raise BadInput([Fault(str(path), f"not JSON: {error}; it can be deleted")]) from None
    verdict = found.model_dump(mode="json", exclude=exclude)
    write_atomic(path, json.dumps({**before, name: verdict}, indent=2) + "\n")
