"""`harness stages`: what several policies instead of one cost."""

from typing import Annotated

import typer

from harness.cli.options import Json, Root, print_json, project_at, show
from harness.errors import BadInput


def stages_command(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN...", help="A run of each stage's policy, on the same pairs."),
    ],
    unified: Annotated[
        str | None, typer.Option(metavar="RUN", help="A run of one policy for all, on the same pairs.")
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
