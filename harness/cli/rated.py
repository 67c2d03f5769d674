"""What the commands that read files of grades take from the command line: a scale, a policy, layouts."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import layout, project_at
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.golden.graded_files import Levels
    from harness.nouns.policy import Policy
    from harness.storage.tables import Layout

PolicyOption = Annotated[str | None, typer.Option(help="The policy whose scale, actions and bars hold.")]


def refuse(options: Mapping[str, str | None], why: str) -> None:
    """Options that would go unheeded are refused, so that nobody believes they did something."""
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise BadInput(f"{', '.join(given)} goes with a file; {why}")


def levels_of(policy: str | None, scale: str | None, root: Path | None) -> "Levels":
    """The scale, from a policy or from --scale, with the policy and its gates where there is one."""
    from harness.golden.grade_tables import parse_scale
    from harness.golden.graded_files import Levels, policy_levels

    if policy is None:
        if scale is None:
            raise BadInput("say which grades there are: --scale 0-4, or --policy NAME")
        return Levels(parse_scale(scale))
    if scale is not None:
        raise BadInput("--policy brings its own scale: give one of --policy and --scale")
    return policy_levels(project_at(root), policy)


def whence_of(policy: "Policy | None") -> str:
    """Where the bars come from, for a sentence."""
    return "gates.toml has" if policy else "the default is"


def golden_table(how: Mapping[str, str | None]) -> "Layout":
    """How the golden file is read; `how` holds the options that say it, by name."""
    return layout(how["columns"], None, how["format"], how["labels"], how["encoding"])


def grades_table(how: Mapping[str, str | None]) -> "Layout":
    """How a grader's file is read: as the golden file, where nothing else is said of it."""
    columns, format = how["grades-columns"] or how["columns"], how["grades-format"] or how["format"]
    return layout(columns, how["wide"], format, how["labels"], how["encoding"])
