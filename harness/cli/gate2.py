"""`harness gate2`: agreement of a grader with the golden set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from harness.cli.options import (
    BarValue,
    Bootstrap,
    Columns,
    Format,
    Json,
    Rater,
    Root,
    Scale,
    Weighting,
    Wide,
    bar_of,
    end_by,
    guarded,
    layout,
    print_json,
    project_at,
    scored_json,
    show,
)
from harness.cli.rated import PolicyOption, grade_names, ratings_in, refuse, scale_of
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.golden.canaries import CanaryReport
    from harness.golden.graded import GradedRow
    from harness.project import Project
    from harness.rubric import Gates, Policy
    from harness.runs import Run
    from harness.score.terms import Raters
    from harness.scorecards.gate1 import Gate1
    from harness.scorecards.gate2 import Gate2
    from harness.tables import Layout


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
    grades_columns: Annotated[
        str | None, typer.Option(help="Like --columns, where the grades file has other headers.")
    ] = None,
    rater: Rater = None,
    ratings: Annotated[
        Path | None,
        typer.Option(help="A file of ratings, for Gate 1, the human ceiling and the diagnosis of misses."),
    ] = None,
    wide: Wide = None,
    format: Format = None,
    grades_format: Annotated[
        str | None, typer.Option(help="Like --format, where the grades file has another one.")
    ] = None,
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
    canaries = None
    if run is not None:
        for_files = {"policy": policy, "scale": scale, "columns": columns, "grades-columns": grades_columns}
        for_files |= {"rater": rater, "wide": wide, "format": format, "grades-format": grades_format}
        for_files |= {"ratings": str(ratings) if ratings else None}
        refuse(for_files, "a run brings its own")
        score, canaries, names = _score_run(project_at(root), run, weighting, bar, bootstrap)
    elif golden is not None and grades is not None:
        files = _Files(
            golden=(golden, layout(columns, None, format)),
            grades=(grades, layout(grades_columns or columns, wide, grades_format or format)),
            ratings=(ratings, layout(columns, None, None)) if ratings else None,
            rater=rater,
            bootstrap=bootstrap,
        )
        score = _score_files(files, scale_of(policy, scale, root), weighting, bar)
        names = rater or grades.name, golden.name
    else:
        raise BadInput("--golden FILE and --grades FILE go together")
    if json:
        print_json(scored_json(score, canaries))
    else:
        show([*gate2_view(score, *names), *details_view(score, misses)])
        if canaries:
            show(["", *canary_view(canaries, names[0])])
    end_by(score)


def _score_run(
    project: "Project", name: str, weighting: str | None, bar: float | None, bootstrap: bool
) -> "tuple[Gate2, CanaryReport | None, tuple[str, str]]":
    """A run's score, its canaries where it graded those, and what to call the two sides."""
    from dataclasses import replace

    from harness.gates import judge_run
    from harness.runs import find_run, load_run
    from harness.score.run import canaries_of, own_bar

    run = load_run(find_run(project, name))
    chosen = bar_of(weighting, bar, own_bar(run))
    now = _bar_now(project, run)
    if chosen.moved is None and now is not None:
        # The run is judged by the bars it was made under; that they have changed since must show.
        chosen = replace(chosen, moved=now)
    return judge_run(run, chosen, bootstrap=bootstrap), canaries_of(run), run.manifest.asked.sides


def _bar_now(project: "Project", run: "Run") -> str | None:
    """What the project's gates.toml asks for now, where that is not what it asked for then."""
    from harness.policies import load_gates
    from harness.score.bar import Bar
    from harness.score.run import own_bar

    path = project.policies / run.policy.name / "gates.toml"
    if not path.exists():
        return None
    gates = load_gates(path, run.policy)
    now = Bar(gates.weighting, gates.gate2.bar)
    return None if now == own_bar(run) else now.text


class _Files(NamedTuple):
    """A file of golden grades, one of a grader's, and one of raters', each with its layout."""

    golden: "tuple[Path, Layout]"
    grades: "tuple[Path, Layout]"
    ratings: "tuple[Path, Layout] | None"
    rater: str | None
    bootstrap: bool


def _score_files(
    files: _Files,
    levels: "tuple[tuple[int, ...], Policy | None, Gates]",
    weighting: str | None,
    bar: float | None,
) -> "Gate2":
    """A file of grades against a file of golden grades."""
    from harness.gates import judge_gate2
    from harness.golden.graded import read_golden_grades, read_grades
    from harness.score.bar import Bar
    from harness.score.gate2 import score_gate2
    from harness.score.judged import judged_files
    from harness.score.terms import Terms

    scale, policy, gates = levels
    golden = read_golden_grades(*files.golden, scale)
    grades = read_grades(*files.grades, scale, files.rater)
    items, strangers = judged_files(golden, grades)
    names = files.grades[0].name, files.golden[0].name
    warnings = [f"{len(strangers)} items of {names[0]} are not in {names[1]}"] if strangers else []
    chosen = bar_of(weighting, bar, Bar(gates.weighting, gates.gate2.bar))
    action_of = policy.action_of if policy else None
    # A file of one rater's grades names the grader, whether or not --rater does.
    grader = next((row.rater for row in grades.values()), None)
    gate1, raters = _raters_beside(files, grader, golden, levels)
    terms = Terms(scale=scale, bar=chosen, gates=gates, action_of=action_of, bootstrap=files.bootstrap)
    return judge_gate2(score_gate2(items, terms, raters, tuple(warnings)), gates, gate1)


def _raters_beside(
    files: _Files,
    grader: str | None,
    golden: "Mapping[str, GradedRow]",
    levels: "tuple[tuple[int, ...], Policy | None, Gates]",
) -> "tuple[Gate1 | None, Raters | None]":
    """Gate 1 on a file of ratings, and its raters; without the one who is graded here.

    A grader's own ratings say nothing about whether people find the policy clear.
    """
    from harness.gates import judge_gate1
    from harness.score.bar import Bar
    from harness.score.gate1 import score_gate1
    from harness.score.panel import panel_of
    from harness.score.terms import Raters

    if files.ratings is None:
        return None, None
    scale, policy, gates = levels
    found, kinds = ratings_in(*files.ratings, scale, golden)
    others = [rating for rating in found if rating.rater != grader]
    if len({rating.rater for rating in others}) < 2:
        return None, None
    bar = Bar(gates.weighting, gates.gate1.bar)
    gate1 = judge_gate1(score_gate1(others, scale, bar, kinds), grade_names(policy))
    return gate1, Raters(panel_of(others, scale), gate1.provisional)
