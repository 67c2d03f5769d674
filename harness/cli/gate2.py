"""`harness gate2`: agreement of a grader with the golden set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.graded_files import files_of, score_files
from harness.cli.options import (
    BarValue,
    Bootstrap,
    Columns,
    Format,
    GradesColumns,
    GradesFormat,
    Json,
    Rater,
    Root,
    Scale,
    Weighting,
    Wide,
    bar_of,
    end_by,
    guarded,
    print_json,
    project_at,
    scored_json,
    show,
)
from harness.cli.rated import PolicyOption, refuse
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.golden.canaries import CanaryReport
    from harness.runs.folder import Run
    from harness.scorecards.gate2 import Gate2
    from harness.storage.project import Project


@guarded
def gate2_command(
    run: Annotated[
        str | None, typer.Argument(help="A run: its folder, its name or the beginning of it, or latest.")
    ] = None,
    golden: Annotated[Path | None, typer.Option(help="A file of golden grades, instead of a run.")] = None,
    grades: Annotated[Path | None, typer.Option(help="The file of grades to hold against it.")] = None,
    policy: PolicyOption = None,
    scale: Scale = None,
    columns: Columns = None,
    grades_columns: GradesColumns = None,
    rater: Rater = None,
    ratings: Annotated[
        Path | None,
        typer.Option(help="A file of ratings, for Gate 1, the human ceiling and the diagnosis of misses."),
    ] = None,
    ratings_columns: Annotated[
        str | None, typer.Option(help="Like --columns, where the ratings file has other headers.")
    ] = None,
    ratings_wide: Annotated[str | None, typer.Option(help="Like --wide, for the ratings file.")] = None,
    ratings_format: Annotated[str | None, typer.Option(help="Like --format, for the ratings file.")] = None,
    wide: Wide = None,
    format: Format = None,
    grades_format: GradesFormat = None,
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
    from harness.report.gate2 import details_view, gate2_view

    if (run is None) == (golden is None and grades is None):
        raise BadInput("name either a run, or --golden FILE and --grades FILE")
    how = {"columns": columns, "grades-columns": grades_columns, "ratings-columns": ratings_columns}
    how |= {"wide": wide, "ratings-wide": ratings_wide, "rater": rater}
    how |= {"format": format, "grades-format": grades_format, "ratings-format": ratings_format}
    canaries = unfinished = None
    if run is not None:
        named = {"policy": policy, "scale": scale, "ratings": str(ratings) if ratings else None}
        refuse({**named, **how}, "a run brings its own")
        score, canaries, unfinished, names = _score_run(project_at(root), run, weighting, bar, bootstrap)
    elif golden is not None and grades is not None:
        files = files_of(golden, grades, ratings, root, how)
        score, names = score_files(files, policy, scale, weighting, bar, bootstrap), files.names
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


def _score_run(
    project: "Project", name: str, weighting: str | None, bar: float | None, bootstrap: bool
) -> "tuple[Gate2, CanaryReport | None, str | None, tuple[str, str]]":
    """A run's score, its canaries where it graded those, what it lacks, and what to call the two sides."""
    from harness.report.runs import unfinished_sentence
    from harness.runs.folder import find_run, load_run
    from harness.score.score_run import canaries_of, own_bar
    from harness.verdicts.gates import judge_run

    run = load_run(find_run(project, name))
    if not run.manifest.asked.kind.scored:
        held = {"--weighting": weighting, "--bar": bar, "--bootstrap": bootstrap or None}
        given = [name for name, value in held.items() if value is not None]
        if given:
            raise BadInput(f"{', '.join(given)}: a run over canaries is held to no gate")
    # The run is judged by the bars it was made under; that they have changed since must show.
    now = _bars_now(project, run)
    whence = "the run was made under" if now else "gates.toml has"
    chosen = bar_of(weighting, bar, own_bar(run).moved_from(now), whence)
    score = judge_run(run, chosen, bootstrap=bootstrap)
    return score, canaries_of(run), unfinished_sentence(run), run.manifest.asked.sides


def _bars_now(project: "Project", run: "Run") -> str | None:
    """What the project's gates.toml asks for now, where that is not what it asked for then."""
    from harness.policy.load import load_gates
    from harness.verdicts.threshold_changes import differing

    path = project.policies / run.policy.name / "gates.toml"
    if not path.parent.is_dir():
        return None
    try:
        found = differing(load_gates(path, run.policy), run.gates)
    except BadInput:
        return None  # bars for another version of the policy, which cannot be held against this one's
    return f"gates.toml has {found} now" if found else None
