"""`harness estimate`: how good is production?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from harness.cli.groups import Html, Uniform
from harness.cli.options import RATINGS_COLUMNS, Json, Options, Root, argument, option, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.rated import LevelOptions, TableOptions, refuse
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.golden.graded_files import Levels
    from harness.nouns.policy import Policy
    from harness.score.estimate_files import GivenRatings, Labelled


class SampleRatings(Options):
    """The human ratings of a sample of the rows."""

    ratings: Annotated[
        Path | None, option("The ratings of a sample; a table can have a column `human` instead.")
    ] = None
    ratings_columns: Annotated[str | None, option("Like --columns, for the ratings.")] = None
    ratings_format: Annotated[str | None, option("Like --format, for the ratings.")] = None
    uniform: Uniform = False

    def rated(self, table: TableOptions, policy: "Policy | None", root: Path | None) -> "GivenRatings | None":
        """The ratings, with the author's decisions on them."""
        from harness.score.estimate_files import GivenRatings

        if self.ratings is None:
            refuse(self.given(), " goes with --ratings")
            return None
        how = table.layout_of(self.ratings_columns, self.ratings_format, mapped_by=RATINGS_COLUMNS)
        return GivenRatings(self.ratings, how, self.uniform, decided(policy, root))


class FigureOptions(Options):
    """What to estimate."""

    over: Annotated[
        Literal["items", "queries"], option("What counts once: a row, as shoppers see, or a query.")
    ] = "items"
    by: Annotated[
        str | None,
        option("Strata: some of stratum, action, grade (the teacher's). Default: stratum if there."),
    ] = None
    at_least: Annotated[int | None, option("Only the share of this grade or more.")] = None
    k: Annotated[int, option("P@k and NDCG@k, where positions are known.", "--k", min=1, max=50)] = 5


def estimate_command(
    source: Annotated[
        Path,
        argument(
            "A label set, or a table: item, query, teacher, and human, weight, stratum, pi, position.",
            metavar="LABELS",
        ),
    ],
    *,
    rated: SampleRatings,
    figures: FigureOptions,
    other: Annotated[
        Path | None, option("A second label set or table: what differs, by the same ratings.")
    ] = None,
    levels: LevelOptions,
    table: TableOptions,
    html: Html = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """How good is production? Many grades of a teacher, corrected by few human ones.

    The interval allows for errors of the teacher.
    """
    from harness.report.estimate import estimate_view
    from harness.report.page.labels import write_estimate
    from harness.score.estimate import EstimateRequest
    from harness.score.estimate_files import Labelled, estimate_files
    from harness.score.frame import parse_by

    known = _levels(source, levels, table, root)
    least = figures.at_least
    if least is not None and least not in known.scale[1:]:
        grades = ", ".join(map(str, known.scale[1:]))
        raise BadInput(f"--at-least {least}: the scale has {grades} above its lowest grade")
    wanted = EstimateRequest(figures.over, parse_by(figures.by), least, figures.k)
    beside = None if other is None else _beside(other, known, levels, table, root)
    people = rated.rated(table, known.policy, root)
    found = estimate_files(Labelled(source, table.layout, known), people, wanted, beside)
    print_json(found) if json else show(estimate_view(found))
    if html is not None:
        write_estimate(html, found, source)
        say(f"page: {shown_path(html.absolute())}")


def levels_of_source(path: Path, scale: "tuple[int, ...]", table: TableOptions) -> "Levels":
    """The levels of a label set, or those of `scale` for a table. BadInput for another scale."""
    from harness.golden.graded_files import Levels
    from harness.runs.labels import is_label_set
    from harness.score.estimate_files import levels_of_labels

    if not is_label_set(path):
        return Levels(scale)
    found = levels_of_labels(path)
    if found.scale != scale:
        raise BadInput(f"{path} has another scale, so its grades mean something else")
    return found


def _levels(path: Path, levels: LevelOptions, table: TableOptions, root: Path | None) -> "Levels":
    """The levels of a label set, by its policy, or of a table."""
    from harness.runs.labels import is_label_set
    from harness.score.estimate_files import levels_of_labels

    if not path.exists():
        raise BadInput.at(path, "no such label set or table; `harness label` makes a label set")
    if path.is_dir() and not is_label_set(path):
        raise BadInput.at(path, "a folder that is not a label set; `harness label` makes one")
    if not is_label_set(path):
        return levels.levels(root)
    own = {**vars(levels), "columns": table.columns, "format": table.format}
    refuse(own, " goes with a table; a label set has its own")
    return levels_of_labels(path)


def _beside(
    path: Path, known: "Levels", levels: LevelOptions, table: TableOptions, root: Path | None
) -> "Labelled":
    """The second label set. BadInput if its scale differs."""
    from harness.score.estimate_files import Labelled

    own = _levels(path, levels, table, root)
    if own.scale != known.scale or own.policy != known.policy:
        raise BadInput(f"--other {path} has another policy or scale, so its grades mean something else")
    return Labelled(path, table.layout, own)


def decided(policy: "Policy | None", root: Path | None) -> "Mapping[str, int]":
    """The author's decisions on items, from the project; empty outside of one."""
    from harness.golden.rating.adjudications import decided_grades

    if policy is None:
        return {}
    try:
        folder = project_at(root).golden / policy.name
    except BadInput:
        return {}
    return decided_grades(folder, policy.version)
