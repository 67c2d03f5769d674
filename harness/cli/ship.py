"""`harness ship`: the whole check before a policy version ships."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.compare import keep_verdict
from harness.cli.options import Json, Root, guarded, print_json, project_at, say, show, shown_path
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.project import Project
    from harness.scorecards.ship import Override


@guarded
def ship_command(
    version: Annotated[str, typer.Argument(metavar="V2", help="The version that is to ship: name@v2.")],
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Default: the version's latest finished run on all of test."),
    ] = None,
    base: Annotated[str, typer.Option(metavar="RUN|baseline", help="What is in use now.")] = "baseline",
    allow_provisional: Annotated[
        bool,
        typer.Option(
            "--allow-provisional",
            help="Ship on a Gate 1 that people have not passed; with --by and --because.",
        ),
    ] = False,
    by: Annotated[str | None, typer.Option(help="Who answers for --allow-provisional.")] = None,
    because: Annotated[str | None, typer.Option(help="Why it may ship all the same.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Append the page as Markdown, for a summary.")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """May this version of a policy ship? Policy, golden set, both gates, regression, canaries, on one page.

    Ends with 0 when every step passes, 1 when one fails, 3 when one is open.
    """
    from harness.evidence import gather
    from harness.gates import EXIT_CODES
    from harness.report.regression import annotations
    from harness.report.ship import shipping_markdown, shipping_view
    from harness.ship import judge_shipping

    project = project_at(root)
    label = _version(version)
    override = _override(label, allow_provisional, by, because)
    evidence = gather(project, label, run, base)
    found = judge_shipping(evidence, override)
    if found.override:
        _record(project, found.override)
    elif override:
        say("--allow-provisional was not needed: people's ratings are there")
    if evidence.run:
        keep_verdict(evidence.run.run.folder, "ship", found, exclude={"impact"})
    if markdown is not None:
        with markdown.open("a", encoding="utf-8") as file:
            file.write(shipping_markdown(found))
    for line in annotations(found.steps):
        say(line)
    print_json(found) if json else show(shipping_view(found))
    if EXIT_CODES[found.verdict]:
        raise typer.Exit(EXIT_CODES[found.verdict])


def _version(label: str) -> str:
    """What ships is one version, drafts above all, so that none is guessed."""
    from harness.project import split_label

    if split_label(label)[1] is None:
        raise BadInput(f"which version of {label} is to ship? Name it: {label}@v2")
    return label


def _override(label: str, allowed: bool, by: str | None, because: str | None) -> "Override | None":
    from datetime import UTC, datetime

    from harness.scorecards.ship import Override

    who, why = (" ".join((text or "").split()) for text in (by, because))
    if not allowed:
        if by is not None or because is not None:
            raise BadInput("--by and --because go with --allow-provisional")
        return None
    if not who or not why:
        raise BadInput("--allow-provisional takes a person and a reason: --by NAME --because TEXT")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Override(at=now, policy=label, by=who, because=why)


def _record(project: "Project", override: "Override") -> None:
    """The override where git keeps it."""
    from harness.golden.examples import golden_path
    from harness.golden.overrides import OVERRIDES, note_override
    from harness.project import split_label

    path = golden_path(project, split_label(override.policy)[0]).with_name(OVERRIDES)
    if note_override(path, override):
        say(f"recorded in {shown_path(path)}")
