"""`harness judged`: do people side with users or with the labels, where the two contradict each other?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import Html
from harness.cli.options import Json, Root, argument, option, policy_or_only, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.rated import LevelOptions, RatedTable, refuse
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.signal.judged_files import People


def judged_command(
    plan: Annotated[Path, argument("The rating plan that `harness signal -o` wrote.", metavar="PLAN")],
    *,
    round: Annotated[
        str | None,
        option("The round that judged it. Default: the latest of production pairs.", metavar="NAME"),
    ] = None,
    ratings: Annotated[
        Path | None, option("A file of ratings instead of a round: item, rater, grade.", metavar="FILE")
    ] = None,
    levels: LevelOptions,
    table: RatedTable,
    html: Html = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Do people side with users or with the labels, where the two contradict each other?

    It reads the pairs of a rating plan after people have judged them, blind, and answers by clause and by
    boundary. It changes no grade.
    """
    from harness.report.judged import judged_view
    from harness.report.page.judged import write_judged
    from harness.signal.judged_files import judged_files

    people = (
        _of_round(round, levels, table, root)
        if ratings is None
        else _of_file(ratings, round, levels, table, root)
    )
    found = judged_files(plan, people)
    print_json(found) if json else show(judged_view(found))
    if html is not None:
        write_judged(html, found)
        say(f"page: {shown_path(html.absolute())}")


def _of_round(name: str | None, levels: LevelOptions, table: RatedTable, root: Path | None) -> "People":
    from harness.golden.rating.production_rounds import production_round
    from harness.signal.judged_files import people_of_round

    refuse({"scale": levels.scale, **vars(table)}, " goes with --ratings; a round has its own")
    project = project_at(root)
    return people_of_round(project, production_round(project, policy_or_only(levels.policy, project), name))


def _of_file(
    path: Path, name: str | None, levels: LevelOptions, table: RatedTable, root: Path | None
) -> "People":
    from harness.signal.judged_files import people_of_file

    if name is not None:
        raise BadInput("give either --round or --ratings: a round has its ratings")
    return people_of_file(path, table.layout, levels.levels(root))
