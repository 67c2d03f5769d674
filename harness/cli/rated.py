"""What both gates read from the command line: a scale, a policy, files of ratings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import project_at
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.golden.grade_tables import GradedRow
    from harness.nouns.pair import Example, Rating
    from harness.nouns.policy import Gates, Policy
    from harness.storage.project import Project
    from harness.storage.tables import Layout

PolicyOption = Annotated[str | None, typer.Option(help="The policy whose scale, actions and bars hold.")]


def refuse(options: "Mapping[str, str | None]", why: str) -> None:
    """Options that would go unheeded are refused, so that nobody believes they did something."""
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise BadInput(f"{', '.join(given)} goes with a file; {why}")


def scale_of(
    policy: str | None, scale: str | None, root: Path | None
) -> "tuple[tuple[int, ...], Policy | None, Gates]":
    """The scale, from a policy or from --scale, with the policy and its gates where there is one."""
    from harness.golden.grade_tables import parse_scale
    from harness.nouns.policy import Gates
    from harness.policy.load import load_gates, load_policy, policy_path

    if policy is None:
        if scale is None:
            raise BadInput("say which grades there are: --scale 0-4, or --policy NAME")
        return parse_scale(scale), None, Gates()
    if scale is not None:
        raise BadInput("--policy brings its own scale: give one of --policy and --scale")
    path = policy_path(project_at(root), policy)
    known = load_policy(path)
    return known.scale, known, load_gates(path.with_name("gates.toml"), known)


def whence_of(policy: "Policy | None") -> str:
    """Where the bars come from, for a sentence."""
    return "gates.toml has" if policy else "the default is"


def grade_names(policy: "Policy | None") -> dict[int, str]:
    return {level.value: level.name for level in policy.grades} if policy else {}


def examples_of(project: "Project", policy: "Policy") -> "dict[str, Example]":
    """A policy's golden examples by id; none where it has no golden set."""
    from harness.golden.examples import FILE, load_examples

    path = project.golden / policy.name / FILE
    return {example.id: example for example in load_examples(path, policy)} if path.exists() else {}


def ratings_in(
    path: Path,
    table: "Layout",
    scale: tuple[int, ...],
    about: "Mapping[str, Example] | Mapping[str, GradedRow]",
) -> "tuple[list[Rating], Mapping[str, str] | None]":
    """The ratings of a file, with their queries where the golden set knows them and the file does not."""
    from harness.golden.grade_tables import read_ratings
    from harness.golden.rating.ratings import rater_kinds
    from harness.runs.folder import RATERS

    ratings = [
        rating.model_copy(update={"query": about[rating.item].query})
        if rating.query is None and rating.item in about
        else rating
        for rating in read_ratings(path, table, scale)
    ]
    beside = path.with_name(RATERS)
    return ratings, rater_kinds(beside) if beside.exists() else None


def own_ratings(
    project: "Project", policy: "Policy", about: "Mapping[str, Example]"
) -> "tuple[Sequence[Rating], Mapping[str, str] | None]":
    """The ratings that lie beside a policy's golden set, and what raters.toml says of the raters."""
    from harness.golden.examples import golden_path
    from harness.golden.rating.ratings import load_ratings, rater_kinds
    from harness.runs.folder import RATERS, RATINGS

    path = golden_path(project, policy.name).with_name(RATINGS)
    if not path.exists():
        raise BadInput(f"{policy.name} has no ratings yet: there is no {path}; name a file of ratings")
    return load_ratings(path, policy, list(about.values())), rater_kinds(path.with_name(RATERS))
