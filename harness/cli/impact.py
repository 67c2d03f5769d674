"""`harness policy impact`: what a policy change does to production pairs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.groups import CallOptions, PairsOptions, TeacherOptions, grouped
from harness.cli.options import Json, Root, guarded, load_keys, print_json, project_at, say, show
from harness.cli.policy import two_versions
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.runs.manifest import Asked
    from harness.scorecards.impact import Impact
    from harness.storage.project import Project

Twice = Annotated[
    bool, typer.Option("--twice", help="Ask twice under V1, to see what the teacher changes by itself.")
]


@guarded
@grouped
def impact_command(
    old: Annotated[
        str, typer.Argument(metavar="V1", help="name@v1; or a name alone: its two latest versions.")
    ],
    new: Annotated[
        str | None, typer.Argument(metavar="[V2]", help="name@v2. Default: the version after V1.")
    ] = None,
    *,
    pairs: PairsOptions,
    teacher: TeacherOptions,
    calls: CallOptions,
    twice: Twice = False,
    examples: Annotated[int, typer.Option(min=0, help="How many changed pairs to show.")] = 5,
    markdown: Annotated[
        Path | None, typer.Option(help="Append the result as Markdown, for a summary.")
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """What does a policy change do to what people see?

    The same teacher grades production pairs under both versions. Run again, it asks nothing twice.
    """
    from harness.report.impact import impact_markdown, impact_view

    path = pairs.path
    project = project_at(root)
    before, after = two_versions(project, old, new)
    if before == after:
        raise BadInput(f"{before} is one version; the impact is that of a change from one to another")
    asked = teacher.asked(after, path)
    found = measure(project, (before, after), pairs, asked, calls.limits(), twice=twice)
    if markdown is not None:
        with markdown.open("a", encoding="utf-8") as out:
            out.write(impact_markdown(found))
    print_json(found) if json else show(impact_view(found, examples))
    if found.unanswered:
        say(f"{found.unanswered} answers never came; the same command asks again")
        raise typer.Exit(4)


def measure(
    project: "Project",
    versions: Sequence[str],
    pairs: PairsOptions,
    teacher: "Asked",
    limits: "Limits",
    *,
    twice: bool = False,
) -> "Impact":
    """Grade the pairs under both versions, as far as they were not, and say what changes."""
    from harness.cli.progress import Progress
    from harness.grading.policy_impact import impact_of

    load_keys(project)
    shown = pairs.read()
    before, after = versions
    with Progress() as progress:
        return impact_of(project, (before, after), shown, teacher, progress, limits, twice=twice)


def register(app: typer.Typer) -> None:
    """Put the command beside the others of `harness policy`."""
    app.command("impact")(impact_command)
