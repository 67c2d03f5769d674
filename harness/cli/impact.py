"""`harness policy impact`: what a policy change does to production pairs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from harness.cli import eval_options as opt
from harness.cli.options import (
    Columns,
    Format,
    Json,
    Root,
    guarded,
    layout,
    load_keys,
    print_json,
    project_at,
    say,
    show,
)
from harness.cli.policy import two_versions
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.runs.manifest import Asked
    from harness.runs.pairs import ShownPair
    from harness.scorecards.impact import Impact
    from harness.storage.project import Project
    from harness.storage.stream import Stream

Pairs = Annotated[
    Path | None, typer.Option(help="Production pairs: a table with item, query and title, without grades.")
]
Traffic = Annotated[str | None, typer.Option(help="The column that says how often a pair is seen.")]
Attributes = Annotated[str | None, typer.Option(help="Further columns that the surface shows: colour,size")]
Twice = Annotated[
    bool, typer.Option("--twice", help="Ask twice under V1, to see what the teacher changes by itself.")
]


class PairsFile(NamedTuple):
    """Which pairs to grade, and how their file is to be read."""

    path: Path
    traffic: str | None
    attributes: str | None
    columns: str | None
    format: str | None

    def read(self) -> "Stream[ShownPair]":
        """The pairs."""
        from harness.runs.pairs import read_pairs

        names = tuple(part.strip() for part in (self.attributes or "").split(",") if part.strip())
        return read_pairs(self.path, layout(self.columns, None, self.format), self.traffic, names)


@guarded
def impact_command(
    old: Annotated[
        str, typer.Argument(metavar="V1", help="name@v1; or a name alone: its two latest versions.")
    ],
    new: Annotated[
        str | None, typer.Argument(metavar="[V2]", help="name@v2. Default: the version after V1.")
    ] = None,
    pairs: Pairs = None,
    traffic: Traffic = None,
    attributes: Attributes = None,
    columns: Columns = None,
    format: Format = None,
    model: Annotated[
        str, typer.Option(help="provider/model. The default needs no key and no network.")
    ] = "builtin/lexical",
    prompt: Annotated[str, typer.Option(help="name or name@v2.")] = "teacher",
    shots: opt.Shots = None,
    temperature: opt.Temperature = None,
    seed: Annotated[int | None, typer.Option(help="Sent to the model where given.")] = None,
    base_url: opt.BaseUrl = None,
    max_connections: opt.Connections = None,
    no_cache: opt.NoCache = False,
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
    from harness.grading.job import Limits
    from harness.report.impact import impact_markdown, impact_view
    from harness.runs.manifest import Asked

    if pairs is None:
        raise BadInput("which pairs? --pairs FILE, a table with item, query and title")
    project = project_at(root)
    before, after = two_versions(project, old, new)
    if before == after:
        raise BadInput(f"{before} is one version; the impact is that of a change from one to another")
    teacher = Asked(
        model=model,
        policy=after,
        prompt=prompt,
        splits=(),
        pairs=str(pairs),
        shots=shots,
        temperature=temperature,
        seed=seed,
        base_url=base_url,
    )
    file = PairsFile(pairs, traffic, attributes, columns, format)
    limits = Limits(connections=max_connections, cache=not no_cache)
    found = measure(project, (before, after), file, teacher, limits, twice=twice)
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
    file: PairsFile,
    teacher: "Asked",
    limits: "Limits",
    *,
    twice: bool = False,
) -> "Impact":
    """Grade the pairs under both versions, as far as they were not, and say what changes."""
    from harness.cli.progress import Progress
    from harness.grading.policy_impact import impact_of

    load_keys(project)
    pairs = file.read()
    before, after = versions
    with Progress() as progress:
        return impact_of(project, (before, after), pairs, teacher, progress, limits, twice=twice)


def register(app: typer.Typer) -> None:
    """Put the command beside the others of `harness policy`."""
    app.command("impact")(impact_command)
