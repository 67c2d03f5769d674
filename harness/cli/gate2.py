"""`harness gate2`: agreement of a grader with the golden set."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.options import RATINGS_COLUMNS, Json, OptionalRun, Options, Root, option, project_at
from harness.cli.output import end_with, print_json, say, scored_json, show
from harness.cli.rated import FileOptions, GatedOptions, bar_origin, given_in, refuse
from harness.errors import BadInput
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.visible import shown_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.golden.graded_files import GradesFile
    from harness.runs.folder import Run
    from harness.scorecards.gate2 import Gate2
    from harness.storage.tables import Layout
    from harness.verdicts.assessment import Assessment


class RatingsOptions(Options):
    """A file of ratings, and how to read it."""

    ratings: Annotated[
        Path | None, option("A file of ratings, for Gate 1, the human ceiling and the diagnosis of misses.")
    ] = None
    ratings_columns: Annotated[str | None, option("Like --columns, for the ratings file.")] = None
    ratings_wide: Annotated[str | None, option("Like --wide, for the ratings file.")] = None
    ratings_format: Annotated[str | None, option("Like --format, for the ratings file.")] = None

    def table(self, files: FileOptions, graded: "GradesFile") -> "Layout":
        """By default like the golden file, or like the grades if it is the same file."""
        own = self.given("ratings")
        if self.ratings is None:
            refuse(own, " goes with a file; name one with --ratings")
        if self.ratings == graded.path and not given_in(own):
            return graded.table
        return self.layout(files, self.ratings_columns or files.columns)

    def layout(self, files: FileOptions, columns: str | None) -> "Layout":
        """How to read the ratings, with these columns."""
        return files.layout_of(columns, self.ratings_format, self.ratings_wide, RATINGS_COLUMNS)


def gate2_command(
    run: OptionalRun = None,
    *,
    grades: Annotated[Path | None, option("The file of grades to compare with --golden.")] = None,
    files: FileOptions,
    rated: RatingsOptions,
    gated: GatedOptions,
    root: Root = None,
    misses: Annotated[int, option("How many misses to show, the worst first.", min=0)] = 3,
    json: Json = False,
) -> None:
    """Gate 2: does a grader agree with the golden set?

    If it does, it can be said to encode the policy.
    """
    from harness.report.sections import details_view, gate2_view

    if (run is None) == (files.golden is None and grades is None):
        raise BadInput("name either a run, such as latest, or --golden FILE and --grades FILE")
    if run is not None:
        project = project_at(root)
        found = _assessed(project, run, gated, _rated_by(files, rated))
        if note := _later_ratings(project, found):
            say(note)
        _show_run(found, misses, as_json=json)
        if not found.canaries:
            end_with(found.gate2.verdict)
        return
    if files.golden is None or grades is None:
        raise BadInput("--golden FILE and --grades FILE go together")
    score = _score_files(files.golden, grades, files, rated, gated, root)
    names = files.rater or shown_name(grades), shown_name(files.golden)
    print_json(scored_json(score, None)) if json else show(
        [*gate2_view(score, *names), *details_view(score, misses)]
    )
    end_with(score.verdict)


def _show_run(found: "Assessment", misses: int, *, as_json: bool) -> None:
    from harness.report.canaries import canary_view
    from harness.report.runs import unfinished_sentence
    from harness.report.sections import details_view, gate2_view

    score, canaries, names = found.gate2, found.canaries, found.run.manifest.sides
    if as_json:
        print_json(scored_json(score, canaries))
        return
    unfinished = unfinished_sentence(found.reading)
    show([unfinished, ""] if unfinished else [])
    if canaries:
        show([*canary_view(canaries, names[0], found.reading.mixed), "", f"No verdict: {score.reason}."])
    else:
        show([*gate2_view(score, *names), *details_view(score, misses)])


def _score_files(
    golden: Path,
    grades: Path,
    files: FileOptions,
    rated: RatingsOptions,
    gated: GatedOptions,
    root: Path | None,
) -> "Gate2":
    """A file of grades against a file of golden ones."""
    from harness.golden.graded_files import GradesFile, read_golden
    from harness.golden.rating.files import rated_in, ratings_beside
    from harness.score.settings import gate2_bar
    from harness.verdicts.graded_files import judge_files

    levels = files.levels(root)
    bar = gated.threshold(gate2_bar(levels.gates), bar_origin(levels.policy))
    right = read_golden(golden, files.golden_table, levels)
    graded = GradesFile(grades, files.grades_table, files.rater)
    table = rated.table(files, graded)
    ratings = None
    if rated.ratings is not None:
        version = levels.policy.version if levels.policy else None
        ratings = rated_in(rated.ratings, table, levels.scale, right.rows, version)
    elif levels.policy is not None:
        ratings = ratings_beside(project_at(root), levels, golden)
    return judge_files(right, graded, levels, bar, rated=ratings, bootstrap=gated.bootstrap)


def _rated_by(files: FileOptions, rated: RatingsOptions) -> "Callable[[Run], Run]":
    """Returns how to give a run the ratings of a file. BadInput for options that have no effect."""
    ratings = rated.ratings
    if ratings is None:
        refuse({**vars(files), **vars(rated)}, " goes with a file; a run has its own")
        return lambda run: run
    from harness.runs.rated import with_ratings

    idle = files.given("labels", "encoding")
    refuse(idle, " goes with a file; a run has its own (for the ratings: --ratings-columns, ...)")
    say(f"with the ratings of {ratings}, instead of the run's own")
    table = rated.layout(files, rated.ratings_columns)

    def with_these(run: "Run") -> "Run":
        rated_run, warnings = with_ratings(run, ratings, table)
        for warning in warnings:
            say(f"warning: {warning}")
        return rated_run

    return with_these


def _assessed(
    project: Project, name: str, gated: GatedOptions, rated_by: "Callable[[Run], Run]"
) -> "Assessment":
    """A run by the bars that it was made under, or by those of the command line."""
    from harness.runs.folder import earlier_runs, find_run, open_run
    from harness.score.settings import gate2_bar
    from harness.verdicts.assessment import assess

    run = rated_by(open_run(find_run(project, name)))
    given = given_in(gated.given())
    if given and not run.manifest.asked.kind.scored:
        raise BadInput(f"{given}: no gate applies to a run over canaries")
    # The run is judged by the bars it was made under; the verdict says if they have changed since.
    now = _bars_now(project, run)
    origin = "the run was made under" if now else "gates.toml has"
    chosen = gated.threshold(gate2_bar(run.gates).moved_from(now), origin)
    return assess(run, chosen, earlier=earlier_runs(run.folder), bootstrap=gated.bootstrap)


def _later_ratings(project: Project, found: "Assessment") -> str | None:
    """A note if people have rated by now under the policy version of a run without ratings."""
    from harness.golden.rating.ratings import RATINGS, load_said
    from harness.nouns.pair import Rating

    if found.gate1 is not None or found.run.ratings:
        return None
    policy = found.run.policy
    path = project.golden / policy.name / RATINGS
    # Faults in ratings that the run does not use do not concern it.
    with suppress(BadInput):
        said = (one for one in load_said(path) if one.policy_version in ("", policy.version))
        raters = {one.rater for one in said if isinstance(one, Rating)}
        if len(raters) > 1:
            count = plural(len(raters), "rater")
            return f"note: {count} have rated since the run was made: --ratings {path} reads them"
    return None


def _bars_now(project: Project, run: "Run") -> str | None:
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
