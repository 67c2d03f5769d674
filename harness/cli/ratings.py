"""`harness ratings`: import ratings into a golden set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli.groups import grouped
from harness.cli.options import Root, argument, option, project_at, with_note
from harness.cli.output import say, shown_path
from harness.cli.rated import RatedTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.golden.rating.importing import RatingsImported

app = typer.Typer(help="Ratings: people's blind grades for a golden set.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Without a callback, typer would take a single command for the whole group."""


@app.command("import")
@grouped
def import_ratings_command(
    ratings: Annotated[Path, argument("A table of ratings, as gate1 takes it.", metavar="FILE")],
    policy: Annotated[str, option("name, or name@v1: whose golden set, rated by which version.")],
    table: RatedTable,
    *,
    rater: Annotated[
        str | None, option("Whose ratings to take; or who gave them, in a table without raters.")
    ] = None,
    kind: Annotated[
        Literal["human", "llm"] | None, option("What the raters are that raters.toml does not have yet.")
    ] = None,
    replace: Annotated[
        bool, option("Replace other ratings of the same items by the same raters.", "--replace")
    ] = False,
    dry_run: Annotated[bool, option("Say what would be added; write nothing.", "--dry-run")] = False,
    root: Root = None,
) -> None:
    """Take a table of ratings into the golden set's ratings.jsonl.

    Nothing is written unless every row is sound. Ratings that are there already are left as they are.
    """
    from harness.golden.rating.importing import RatingsTable, import_ratings
    from harness.policy.load import load_policy, policy_path

    project = project_at(root)
    wanted = RatingsTable(ratings, table.layout, rater, kind, replace)
    under = load_policy(policy_path(project, with_note(policy, project)))
    found = import_ratings(project, under, wanted, dry_run=dry_run)
    for line in _said(found, dry_run=dry_run):
        say(line)


def _said(found: "RatingsImported", *, dry_run: bool) -> "Iterator[str]":
    would = "that would be " if dry_run else ""
    for version, count in found.added.items():
        under = f"under {found.policy}@{version}, by {', '.join(found.raters[version])}"
        yield f"ratings {would}added to {shown_path(found.path)} {under}: {count:,}"
    if found.replaced:
        yield f"ratings {would}replaced: {found.replaced:,}"
    if found.same:
        yield f"ratings that are there already: {found.same:,}"
    if found.unmatched:
        yield f"warning: left out: {found.unmatched}"
    yield from (f"warning: {warning}" for warning in found.warnings)
    if found.kinds:
        kinds = ", ".join(f"{rater} ({kind})" for rater, kind in found.kinds.items())
        yield f"raters {would}added to raters.toml: {kinds}"
    if found.unsaid:
        todo = "say it with --kind human or --kind llm"
        yield f"warning: raters.toml does not say what these raters are: {', '.join(found.unsaid)}; {todo}"
