"""`harness policy impact`: what a policy change does to production pairs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import CallOptions, Markdown, PairsOptions, TeacherOptions, append
from harness.cli.options import Json, Root, load_keys, option, project_at
from harness.cli.output import end_unanswered, print_json, show
from harness.cli.policy_options import Versions
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.runs.manifest import Asked
    from harness.scorecards.impact import Impact

Twice = Annotated[bool, option("Ask twice under V1, to see how much the teacher varies.", "--twice")]


def impact_command(
    versions: Versions,
    *,
    pairs: PairsOptions,
    teacher: TeacherOptions,
    calls: CallOptions,
    twice: Twice = False,
    examples: Annotated[int, option("How many changed pairs to show.", min=0)] = 5,
    markdown: Markdown = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """What does a policy change do to what people see?

    The same teacher grades production pairs under both versions; earlier answers are reused.
    """
    from harness.report.impact import impact_markdown, impact_view

    path = pairs.path
    project = project_at(root)
    before, after = versions.both(project)
    if before == after:
        raise BadInput(f"{before} on both sides; name two versions")
    asked = teacher.asked(after, path)
    command = f"harness policy impact {before} {after}"
    found = measure(project, (before, after), pairs, asked, calls.limits(), command, twice=twice)
    append(markdown, impact_markdown(found))
    print_json(found) if json else show(impact_view(found, examples))
    end_unanswered(found.unanswered)


def measure(
    project: Project,
    versions: Sequence[str],
    pairs: PairsOptions,
    teacher: "Asked",
    limits: "Limits",
    command: str,
    *,
    twice: bool = False,
) -> "Impact":
    """Grade the pairs that are not yet graded under both versions, and measure the change.

    `command`: the command line, for messages about the file of pairs.
    """
    from harness.cli.progress import Progress
    from harness.grading.policy_impact import impact_of

    load_keys(project)
    shown = pairs.read(command)
    before, after = versions
    with Progress() as progress:
        return impact_of(project, (before, after), shown, teacher, progress, limits, twice=twice)
