"""`harness gate1`: agreement among raters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.options import Json, Root, argument, option, policy_or_only, project_at
from harness.cli.output import end_with, print_json, show
from harness.cli.rated import GatedOptions, LevelOptions, RatedTable, bar_origin, refuse

if TYPE_CHECKING:
    from harness.golden.graded_files import Levels
    from harness.golden.rating.ratings import Rated


def gate1_command(
    ratings: Annotated[
        Path | None, argument("A file of ratings. Default: the policy's own golden/.../ratings.jsonl.")
    ] = None,
    *,
    grades: LevelOptions,
    table: RatedTable,
    gated: GatedOptions,
    root: Root = None,
    disputes: Annotated[
        int,
        option(
            "How many disputed pairs to list (five or more), and how many with the raters' reasons.", min=0
        ),
    ] = 1,
    all: Annotated[bool, option("Every rater and pair of raters, not the ten lowest.", "--all")] = False,
    json: Json = False,
) -> None:
    """Gate 1: do the raters agree?

    If they do, the policy can be called clear.
    """
    from harness.report.gate1 import gate1_view
    from harness.score.settings import gate1_bar, grade_names
    from harness.verdicts.raters import judge_raters

    if ratings is None:
        idle = {"scale": grades.scale, **vars(table)}
        refuse(idle, " goes with a file; the policy's own ratings need none")
        grades = LevelOptions(policy=policy_or_only(grades.policy, project_at(root)))
    scale, known, gates = levels = grades.levels(root)
    rated = _rated(ratings, levels, table, root)
    bar = gated.threshold(gate1_bar(gates), bar_origin(known))
    score = judge_raters(rated, scale, gates, bar, names=grade_names(known), bootstrap=gated.bootstrap)
    print_json(score) if json else show(gate1_view(score, disputes, every=all))
    end_with(score.verdict)


def _rated(ratings: Path | None, levels: "Levels", table: RatedTable, root: Path | None) -> "Rated":
    """The ratings of a file, or the policy's own."""
    from dataclasses import replace

    from harness.golden.graded_files import examples_of
    from harness.golden.rating.files import own_ratings, rated_in
    from harness.golden.rating.open_rounds import with_rounds

    about = examples_of(project_at(root), levels.policy) if levels.policy else {}
    if ratings is not None:
        version = levels.policy.version if levels.policy else None
        rated = rated_in(ratings, table.layout, levels.scale, about, version, every=True)
        rated = replace(rated, about=about)
        return with_rounds(project_at(root), levels.policy, rated, ratings) if levels.policy else rated
    assert levels.policy is not None, "without a file there is a default policy"
    return own_ratings(project_at(root), levels.policy, about)
