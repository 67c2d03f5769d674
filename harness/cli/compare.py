"""`harness compare` and `harness regress`: one run held against another."""

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
from harness.cli.groups import grouped
from harness.cli.options import (
    Columns,
    Encoding,
    Format,
    Json,
    Labels,
    Root,
    Scale,
    Weighting,
    guarded,
    print_json,
    project_at,
    say,
    show,
)
from harness.cli.rated import PolicyOption
from harness.errors import BadInput, Fault

if TYPE_CHECKING:
    from harness.comparison.sides import Side
    from harness.nouns.base import Weighting as Weights
    from harness.scorecards.comparison import Regression
    from harness.scorecards.ship import Shipping


@dataclass(frozen=True)
class ComparedOptions:
    """How files of grades are read, where any are compared, and by which kappa."""

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
        """How the files are read; `root` is the project that they lie in."""
        how = {"columns": self.columns, "format": self.format, "wide": self.wide, "rater": self.rater}
        how |= {"grades-columns": self.grades_columns, "grades-format": self.grades_format}
        how |= {"labels": self.labels, "encoding": self.encoding}
        return FileOptions(self.golden, self.policy, self.scale, root, how)

    @property
    def kappa(self) -> "Weights | None":
        """The weighting asked for; None for that of the gates. BadInput for an unknown one."""
        from harness.score.threshold import WEIGHTINGS

        for known in WEIGHTINGS:
            if self.weighting == known:
                return known
        if self.weighting is not None:
            raise BadInput(f"weighting {self.weighting!r} is not one of: {', '.join(WEIGHTINGS)}")
        return None


@guarded
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
    """What moved between runs, and whether it is real.

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


@guarded
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
    from harness.report.regression import annotations, junit_xml, markdown_text, regression_view
    from harness.runs.folder import find_run
    from harness.verdicts.gates import EXIT_CODES

    files = comparing.files(root)
    sides = sides_of([base, candidate], files)
    found = _judged(sides[0], sides[1], margin, comparing.kappa)
    if candidate != BASELINE and not is_file(candidate):
        keep_verdict(find_run(project_at(root), candidate), "regress", found, exclude={"comparison"})
    for path, text, mode in ((junit, junit_xml(found), "w"), (markdown, markdown_text(found, flips), "a")):
        if path is not None:
            with path.open(mode, encoding="utf-8") as file:
                file.write(text)
    for line in annotations(found.conditions):
        say(line)
    print_json(found) if json else show(regression_view(found, flips))
    if EXIT_CODES[found.verdict]:
        raise typer.Exit(EXIT_CODES[found.verdict])


def _judged(
    base: "Side", candidate: "Side", margin: float | None, weighting: "Weights | None"
) -> "Regression":
    """The verdict by the candidate's gates; what was asked for instead of them is said."""
    from harness.comparison.paired import compare_sides
    from harness.verdicts.regression import judge_regression

    own = candidate.gates
    gates = own if margin is None else own.model_copy(update={"margin": margin})
    found = judge_regression(compare_sides(base, candidate, weighting), gates)
    if (found.margin, found.comparison.weighting) == (own.margin, own.weighting):
        return found
    whence = "gates.toml has" if candidate.policy else "the default is"
    moved = f"(moved: {whence} margin {own.margin:g} and weighting {own.weighting})"
    return found.model_copy(update={"reason": f"{found.reason} {moved}"})


def keep_verdict(folder: Path, name: str, found: "Regression | Shipping", exclude: set[str]) -> None:
    """A verdict beside Gate 2's, in the run's verdict.json."""
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
