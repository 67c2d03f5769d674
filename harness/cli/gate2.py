"""`harness gate2`: agreement of a grader with the golden set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import (
    BarValue,
    Bootstrap,
    Columns,
    Encoding,
    Format,
    GradesColumns,
    GradesFormat,
    Json,
    Labels,
    Rater,
    Root,
    Scale,
    Weighting,
    Wide,
    bar_of,
    end_by,
    layout,
    print_json,
    project_at,
    say,
    scored_json,
    show,
)
from harness.cli.rated import (
    PolicyOption,
    bar_origin,
    given_in,
    golden_table,
    grades_table,
    levels_of,
    refuse,
)
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.golden.graded_files import GradesFile, Levels
    from harness.golden.rating.ratings import Rated
    from harness.runs.folder import Run
    from harness.score.threshold import Threshold
    from harness.scorecards.gate2 import Gate2
    from harness.storage.project import Project
    from harness.storage.tables import Layout
    from harness.verdicts.assessment import Assessment


def gate2_command(
    run: Annotated[
        str | None, typer.Argument(help="A run: its folder, its name or the beginning of it, or latest.")
    ] = None,
    golden: Annotated[Path | None, typer.Option(help="A file of golden grades, instead of a run.")] = None,
    grades: Annotated[Path | None, typer.Option(help="The file of grades to compare with it.")] = None,
    policy: PolicyOption = None,
    scale: Scale = None,
    columns: Columns = None,
    grades_columns: GradesColumns = None,
    rater: Rater = None,
    ratings: Annotated[
        Path | None,
        typer.Option(help="A file of ratings, for Gate 1, the human ceiling and the diagnosis of misses."),
    ] = None,
    ratings_columns: Annotated[str | None, typer.Option(help="Like --columns, for the ratings file.")] = None,
    ratings_wide: Annotated[str | None, typer.Option(help="Like --wide, for the ratings file.")] = None,
    ratings_format: Annotated[str | None, typer.Option(help="Like --format, for the ratings file.")] = None,
    wide: Wide = None,
    format: Format = None,
    grades_format: GradesFormat = None,
    labels: Labels = None,
    encoding: Encoding = None,
    weighting: Weighting = None,
    bar: BarValue = None,
    bootstrap: Bootstrap = False,
    root: Root = None,
    misses: Annotated[int, typer.Option(min=0, help="How many misses to show, the worst first.")] = 3,
    json: Json = False,
) -> None:
    """Gate 2: does a grader agree with the golden set?

    If it does, it can be said to encode the policy.
    """
    from harness.report.canaries import canary_view
    from harness.report.runs import unfinished_sentence
    from harness.report.sections import details_view, gate2_view
    from harness.score.settings import gate2_bar

    if (run is None) == (golden is None and grades is None):
        raise BadInput("name either a run, or --golden FILE and --grades FILE")
    how = {"columns": columns, "grades-columns": grades_columns, "ratings-columns": ratings_columns}
    how |= {"wide": wide, "ratings-wide": ratings_wide, "rater": rater}
    how |= {"format": format, "grades-format": grades_format, "ratings-format": ratings_format}
    how |= {"labels": labels, "encoding": encoding}
    canaries = unfinished = None
    if run is not None:
        _refuse_beside_run({"policy": policy, "scale": scale, **how}, ratings)
        found = _assessed(project_at(root), run, weighting, bar, bootstrap, _rated_by(ratings, how))
        score, canaries, names = found.gate2, found.canaries, found.run.manifest.asked.sides
        unfinished = unfinished_sentence(found.reading)
    elif golden is not None and grades is not None:
        levels = levels_of(policy, scale, root)
        asked = bar_of(weighting, bar, gate2_bar(levels.gates), bar_origin(levels.policy))
        score = _score_files(golden, grades, ratings, levels, asked, root, how, bootstrap)
        names = how["rater"] or grades.name, golden.name
    else:
        raise BadInput("--golden FILE and --grades FILE go together")
    if unfinished and not json:
        show([unfinished, ""])
    if json:
        print_json(scored_json(score, canaries))
    elif canaries:
        show([*canary_view(canaries, names[0]), "", f"No verdict: {score.reason}."])
    else:
        show([*gate2_view(score, *names), *details_view(score, misses)])
    if not canaries:
        end_by(score)


def _score_files(
    golden: Path,
    grades: Path,
    ratings: Path | None,
    levels: "Levels",
    bar: "Threshold",
    root: Path | None,
    how: "Mapping[str, str | None]",
    bootstrap: bool,
) -> "Gate2":
    """A file of grades against a file of golden ones; `how` holds the options for reading them."""
    from harness.golden.graded_files import GradesFile, read_golden
    from harness.golden.rating.files import rated_in, ratings_beside
    from harness.verdicts.graded_files import judge_files

    right = read_golden(golden, golden_table(how), levels)
    file = GradesFile(grades, grades_table(how), how["rater"])
    table = _ratings_table(ratings, file, how)
    rated: Rated | None = None
    if ratings is not None:
        rated = rated_in(ratings, table, levels.scale, right.rows)
    elif levels.policy is not None:
        rated = ratings_beside(project_at(root), levels, golden)
    return judge_files(right, file, levels, bar, rated=rated, bootstrap=bootstrap)


def _ratings_table(ratings: Path | None, file: "GradesFile", how: "Mapping[str, str | None]") -> "Layout":
    """How to read the ratings: by default like the golden file, or like the grades if it is the same file."""
    own = {name: how[name] for name in ("ratings-columns", "ratings-wide", "ratings-format")}
    if ratings is None:
        refuse(own, "name one with --ratings")
    if ratings == file.path and all(value is None for value in own.values()):
        return file.table
    columns = own["ratings-columns"] or how["columns"]
    return layout(columns, own["ratings-wide"], own["ratings-format"], how["labels"], how["encoding"])


def _refuse_beside_run(options: "Mapping[str, str | None]", ratings: Path | None) -> None:
    """BadInput for options that a run leaves no use for; those for ratings have one if a file is named."""
    for_ratings = ("ratings-columns", "ratings-wide", "ratings-format", "labels", "encoding")
    used = for_ratings if ratings else ()
    why = "a run brings its own" + (" (for the ratings: --ratings-columns, ...)" if ratings else "")
    refuse({name: value for name, value in options.items() if name not in used}, why)


def _rated_by(ratings: Path | None, how: "Mapping[str, str | None]") -> "Callable[[Run], Run]":
    """What gives a run the ratings of a file instead of its own, where a file is named."""
    from harness.runs.rated import with_ratings

    if ratings is None:
        return lambda run: run
    say(f"with the ratings of {ratings}, instead of the run's own")
    table = layout(
        how["ratings-columns"], how["ratings-wide"], how["ratings-format"], how["labels"], how["encoding"]
    )
    return lambda run: with_ratings(run, ratings, table)


def _assessed(
    project: "Project",
    name: str,
    weighting: str | None,
    bar: float | None,
    bootstrap: bool,
    rated_by: "Callable[[Run], Run]",
) -> "Assessment":
    """A run by the bars that it was made under, or by those of the command line."""
    from harness.runs.folder import earlier_runs, find_run, open_run
    from harness.score.settings import gate2_bar
    from harness.verdicts.assessment import assess

    run = rated_by(open_run(find_run(project, name)))
    given = given_in({"weighting": weighting, "bar": bar, "bootstrap": bootstrap or None})
    if given and not run.manifest.asked.kind.scored:
        raise BadInput(f"{given}: no gate applies to a run over canaries")
    # The run is judged by the bars it was made under; the verdict says if they have changed since.
    now = _bars_now(project, run)
    origin = "the run was made under" if now else "gates.toml has"
    chosen = bar_of(weighting, bar, gate2_bar(run.gates).moved_from(now), origin)
    return assess(run, chosen, earlier=earlier_runs(run.folder), bootstrap=bootstrap)


def _bars_now(project: "Project", run: "Run") -> str | None:
    """What the project's gates.toml asks for now, if that has changed since the run."""
    from harness.policy.load import load_gates
    from harness.verdicts.threshold_changes import differing

    path = project.policies / run.policy.name / "gates.toml"
    if not path.parent.is_dir():
        return None
    try:
        found = differing(load_gates(path, run.policy), run.gates)
    except BadInput:
        return None  # bars for another version of the policy, not comparable
    return f"gates.toml has {found} now" if found else None
