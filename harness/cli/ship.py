"""`harness ship`: the whole check before a policy version ships."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.compare import keep_verdict
from harness.cli.groups import CallOptions, PairsOptions, grouped
from harness.cli.impact import measure
from harness.cli.options import Json, Root, guarded, print_json, project_at, say, show, shown_path
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.scorecards.ship import Override
    from harness.shipping.verdict import Evidence
    from harness.storage.project import Project


@guarded
@grouped
def ship_command(
    version: Annotated[str, typer.Argument(metavar="V2", help="The version that is to ship: name@v2.")],
    *,
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
    pairs: PairsOptions,
    calls: CallOptions,
    markdown: Annotated[Path | None, typer.Option(help="Append the page as Markdown, for a summary.")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """May this version of a policy ship? Policy, golden set, both gates, regression, canaries, on one page.

    Ends with 0 when every step passes, 1 when one fails, 3 when one is open. With --pairs, the run's teacher
    grades them under this version and the one in use, as harness policy impact does.
    """
    from harness.report.regression import annotations
    from harness.report.ship import shipping_markdown, shipping_view
    from harness.shipping.evidence import gather
    from harness.shipping.verdict import judge_shipping
    from harness.verdicts.gates import EXIT_CODES

    project = project_at(root)
    label = _version(version)
    override = _override(label, allow_provisional, by, because)
    _refuse_idle(pairs)
    evidence = gather(project, label, run, base)
    if pairs.pairs is not None:
        evidence = _with_impact(project, evidence, pairs, calls.limits())
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
    from harness.storage.project import split_label

    if split_label(label)[1] is None:
        raise BadInput(f"which version of {label} is to ship? Name it: {label}@v2")
    return label


def _refuse_idle(pairs: PairsOptions) -> None:
    """An option that would do nothing is refused."""
    given = [f"--{name}" for name, value in vars(pairs).items() if value is not None]
    if pairs.pairs is None and given:
        raise BadInput(f"{', '.join(given)} says how a file of pairs is read: --pairs FILE names it")


def _with_impact(
    project: "Project", evidence: "Evidence", pairs: PairsOptions, limits: "Limits"
) -> "Evidence":
    """What the change does to production pairs, by the teacher whose Gate 2 is judged."""
    from dataclasses import replace

    from harness.grading.policy_impact import teacher_of
    from harness.shipping.evidence import version_before

    before = version_before(project, evidence)
    if evidence.run is None:
        return replace(evidence, pairs_given=True)
    teacher = teacher_of(evidence.run.run.manifest.asked, str(pairs.path))
    impact = measure(project, (before, evidence.policy.label), pairs, teacher, limits)
    return replace(evidence, pairs_given=True, impact=impact)


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
    from harness.storage.project import split_label

    path = golden_path(project, split_label(override.policy)[0]).with_name(OVERRIDES)
    if note_override(path, override):
        say(f"recorded in {shown_path(path)}")
