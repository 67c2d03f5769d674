"""`harness gate1` and `harness gate2`: agreement among raters, and of a grader with the golden set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import (
    DEFAULT_POLICY,
    BarValue,
    Columns,
    Format,
    Json,
    Rater,
    Root,
    Scale,
    Weighting,
    Wide,
    bar_of,
    guarded,
    layout,
    print_json,
    project_at,
    scored_json,
    show,
)
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.golden.canaries import CanaryReport
    from harness.project import Project
    from harness.records import Rating
    from harness.rubric import Gates, Policy
    from harness.scorecards import Gate2
    from harness.tables import Layout

PolicyOption = Annotated[str | None, typer.Option(help="The policy whose scale, actions and bars hold.")]


@guarded
def gate1_command(
    ratings: Annotated[
        Path | None,
        typer.Argument(help="A file of ratings. Default: the policy's own golden/.../ratings.jsonl."),
    ] = None,
    policy: PolicyOption = None,
    scale: Scale = None,
    columns: Columns = None,
    wide: Wide = None,
    format: Format = None,
    weighting: Weighting = None,
    bar: BarValue = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Gate 1: do the raters agree?

    If they do, the policy can be called clear.
    """
    from harness.golden.graded import read_ratings
    from harness.golden.ratings import rater_kinds
    from harness.report.terminal import gate1_view
    from harness.score.bar import Bar
    from harness.score.gate1 import score_gate1

    if ratings is None:
        for_a_file = {"scale": scale, "columns": columns, "wide": wide, "format": format}
        _refuse(for_a_file, "the policy's own ratings need none")
    levels, known, gates = _scale(policy or (None if ratings else DEFAULT_POLICY), scale, root)
    if ratings is None:
        assert known is not None, "a policy is the default where no file is named"
        found, kinds = _own_ratings(project_at(root), known)
    else:
        found = read_ratings(ratings, layout(columns, wide, format), levels)
        beside = ratings.with_name("raters.toml")
        kinds = rater_kinds(beside) if beside.exists() else None
        if known is not None:
            found = _with_queries(found, project_at(root), known)
    own = Bar(gates.weighting, gates.gate1.bar)
    score = score_gate1(found, levels, bar_of(weighting, bar, own), kinds)
    print_json(score) if json else show(gate1_view(score))


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
    wide: Wide = None,
    format: Format = None,
    grades_format: Annotated[
        str | None, typer.Option(help="Like --format, where the grades file has another one.")
    ] = None,
    weighting: Weighting = None,
    bar: BarValue = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Gate 2: does a grader agree with the golden set?

    If it does, it can be said to encode the policy.
    """
    from harness.report.canaries import canary_view
    from harness.report.terminal import gate2_view

    if (run is None) == (golden is None and grades is None):
        raise BadInput("name either a run, or --golden FILE and --grades FILE")
    canaries = None
    if run is not None:
        for_files = {"policy": policy, "scale": scale, "columns": columns, "grades-columns": grades_columns}
        for_files |= {"rater": rater, "wide": wide, "format": format, "grades-format": grades_format}
        _refuse(for_files, "a run brings its own")
        score, canaries, names = _score_run(project_at(root), run, weighting, bar)
    elif golden is not None and grades is not None:
        truth = golden, layout(columns, None, format)
        given = grades, layout(grades_columns or columns, wide, grades_format or format)
        score = _score_files(truth, given, rater, _scale(policy, scale, root), weighting, bar)
        names = rater or grades.name, golden.name
    else:
        raise BadInput("--golden FILE and --grades FILE go together")
    if json:
        print_json(scored_json(score, canaries))
        return
    show(gate2_view(score, *names))
    if canaries:
        show(["", *canary_view(canaries, names[0])])


def _score_run(
    project: "Project", name: str, weighting: str | None, bar: float | None
) -> "tuple[Gate2, CanaryReport | None, tuple[str, str]]":
    """A run's score, its canaries where it graded those, and what to call the two sides."""
    from harness.runs import find_run, load_run
    from harness.score.gate2 import canaries_of, own_bar, score_run

    run = load_run(find_run(project, name))
    score = score_run(run, bar_of(weighting, bar, own_bar(run)))
    return score, canaries_of(run), run.manifest.asked.sides


def _score_files(
    golden: "tuple[Path, Layout]",
    grades: "tuple[Path, Layout]",
    rater: str | None,
    levels: "tuple[tuple[int, ...], Policy | None, Gates]",
    weighting: str | None,
    bar: float | None,
) -> "Gate2":
    """A file of grades against a file of golden grades."""
    from harness.golden.graded import read_golden_grades, read_grades
    from harness.score.bar import Bar
    from harness.score.gate2 import judged_files, score_gate2

    scale, policy, gates = levels
    truth = read_golden_grades(*golden, scale)
    items, strangers = judged_files(truth, read_grades(*grades, scale, rater))
    warnings = (
        [f"{len(strangers)} items of {grades[0].name} are not in {golden[0].name}"] if strangers else []
    )
    chosen = bar_of(weighting, bar, Bar(gates.weighting, gates.gate2.bar))
    return score_gate2(items, scale, chosen, policy.action_of if policy else None, tuple(warnings))


def _refuse(options: "Mapping[str, str | None]", why: str) -> None:
    """Options that would go unheeded are refused, so that nobody believes they did something."""
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise BadInput(f"{', '.join(given)} goes with a file; {why}")


def _scale(
    policy: str | None, scale: str | None, root: Path | None
) -> "tuple[tuple[int, ...], Policy | None, Gates]":
    """The scale, from a policy or from --scale, with the policy and its gates where there is one."""
    from harness.golden.graded import parse_scale
    from harness.policies import load_gates, load_policy, policy_path
    from harness.rubric import Gates

    if policy is None:
        if scale is None:
            raise BadInput("say which grades there are: --scale 0-4, or --policy NAME")
        return parse_scale(scale), None, Gates()
    if scale is not None:
        raise BadInput("--policy brings its own scale: give one of --policy and --scale")
    path = policy_path(project_at(root), policy)
    known = load_policy(path)
    return known.scale, known, load_gates(path.with_name("gates.toml"), known)


def _own_ratings(project: "Project", policy: "Policy") -> "tuple[Sequence[Rating], Mapping[str, str] | None]":
    """The ratings that lie beside a policy's golden set, and what raters.toml says of the raters."""
    from harness.golden.examples import golden_path, load_examples
    from harness.golden.ratings import load_ratings, rater_kinds

    examples = golden_path(project, policy.name)
    path = examples.with_name("ratings.jsonl")
    if not path.exists():
        raise BadInput(f"{policy.name} has no ratings yet: there is no {path}; name a file of ratings")
    kinds = rater_kinds(path.with_name("raters.toml"))
    return load_ratings(path, policy, load_examples(examples, policy)), kinds


def _with_queries(ratings: "Sequence[Rating]", project: "Project", policy: "Policy") -> "list[Rating]":
    """Ratings of a policy's own examples with their queries, where the file does not say them."""
    from harness.golden.examples import FILE, load_examples

    path = project.golden / policy.name / FILE
    queries = {e.id: e.query for e in load_examples(path, policy)} if path.exists() else {}
    return [
        rating if rating.query else rating.model_copy(update={"query": queries.get(rating.item)})
        for rating in ratings
    ]
