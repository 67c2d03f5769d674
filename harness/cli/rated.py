"""Shared by the commands that read files of grades: scale, policy, layouts."""

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

PolicyOption = Annotated[str | None, typer.Option(help="The policy that sets scale, actions and bars.")]


def refuse(options: Mapping[str, str | None], why: str) -> None:
    """BadInput for options that would have no effect."""
    if given := given_in(options):
        raise BadInput(f"{given} goes with a file; {why}")


def given_in(options: Mapping[str, object]) -> str:
    """The names of the options that were given, for a sentence."""
    return ", ".join(f"--{name}" for name, value in options.items() if value is not None)


def levels_of(policy: str | None, scale: str | None, root: Path | None) -> "Levels":
    """The scale from --scale, or from a policy, then with the policy and its gates."""
    from harness.golden.grade_tables import parse_scale
    from harness.golden.graded_files import Levels, policy_levels

    if policy is None:
        if scale is None:
            raise BadInput("give the scale: --scale 0-4, or --policy NAME")
        return Levels(parse_scale(scale))
    if scale is not None:
        raise BadInput("a policy has its own scale; give either --policy or --scale")
    return policy_levels(project_at(root), policy)


def bar_origin(policy: "Policy | str | None") -> str:
    """Where the bars come from, for a sentence."""
    return "gates.toml has" if policy else "the default is"


def golden_table(how: Mapping[str, str | None]) -> "Layout":
    """How to read the golden file; `how` holds the options by name."""
    return layout(how["columns"], None, how["format"], how["labels"], how["encoding"])


def grades_table(how: Mapping[str, str | None]) -> "Layout":
    """How to read a grader's file: by default, like the golden file."""
    columns, format = how["grades-columns"] or how["columns"], how["grades-format"] or how["format"]
    return layout(columns, how["wide"], format, how["labels"], how["encoding"])
