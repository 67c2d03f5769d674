"""`harness stages`: what it costs to have several policies instead of one."""

from typing import Annotated

from harness.cli.options import Json, Root, argument, option, project_at
from harness.cli.output import print_json, show
from harness.errors import BadInput


def stages_command(
    runs: Annotated[
        list[str], argument("A run of each stage's policy, on the same pairs.", metavar="RUN RUN...")
    ],
    unified: Annotated[
        str | None, option("A run of one policy for all, on the same pairs.", metavar="RUN")
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """How often are several stages right together?

    Three independent stages that are each right on 80 % are right together on 51 %.
    """
    from harness.comparison.sides import side_of_run
    from harness.comparison.stages import join_stages
    from harness.report.stages import stages_view
    from harness.score.reading import reading_of

    if len(runs) < 2:
        raise BadInput("name two runs or more, one for each stage")
    project = project_at(root)
    sides = [side_of_run(reading_of(project, name)) for name in runs]
    whole = side_of_run(reading_of(project, unified)) if unified else None
    found = join_stages(sides, whole)
    print_json(found) if json else show(stages_view(found))
