"""`harness ship`: the whole check before a policy version ships."""

from typing import TYPE_CHECKING, Annotated

from harness.cli.compare import keep_verdict
from harness.cli.groups import CallOptions, Markdown, PairsOptions, append
from harness.cli.impact import measure
from harness.cli.options import Json, Options, Root, option, project_at
from harness.cli.output import end_with, print_json, say, show, shown_path
from harness.cli.policy_options import NewPolicy
from harness.cli.rated import refuse
from harness.errors import BadInput
from harness.storage.project import Project, split_label

if TYPE_CHECKING:
    from harness.grading.job import Limits
    from harness.scorecards.ship import Override
    from harness.shipping.verdict import ShipEvidence


class OverrideOptions(Options):
    """Whether to ship on a provisional Gate 1, and who is responsible."""

    allow_provisional: Annotated[
        bool,
        option(
            "Ship on a Gate 1 that people have not passed; needs --by and --because.", "--allow-provisional"
        ),
    ] = False
    by: Annotated[str | None, option("Who is responsible for --allow-provisional.")] = None
    because: Annotated[str | None, option("The reason for --allow-provisional.")] = None

    def override(self, label: str) -> "Override | None":
        """The override; None if none was asked for. BadInput without a person and a reason."""
        from datetime import UTC, datetime

        from harness.scorecards.ship import Override

        who, why = (" ".join((text or "").split()) for text in (self.by, self.because))
        if not self.allow_provisional:
            if self.by is not None or self.because is not None:
                raise BadInput("--by and --because go with --allow-provisional")
            return None
        if not who or not why:
            raise BadInput("--allow-provisional needs a person and a reason: --by NAME --because TEXT")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Override(at=now, policy=label, by=who, because=why)


def ship_command(
    which: NewPolicy,
    *,
    run: Annotated[
        str | None, option("Default: the version's latest finished run on all of test.", metavar="RUN")
    ] = None,
    base: Annotated[str, option("What is in use now.", metavar="RUN|baseline")] = "baseline",
    override: OverrideOptions,
    pairs: PairsOptions,
    base_url: Annotated[str | None, option("Confirms the address of the run's teacher, for --pairs.")] = None,
    calls: CallOptions,
    markdown: Markdown = None,
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
    from harness.shipping.verdict import judge_shipping, not_passed

    project = project_at(root)
    label = which.label_in(project)
    asked = override.override(label)
    if pairs.pairs is None:
        refuse({**vars(pairs), "base_url": base_url}, ": only for a file of pairs; add --pairs FILE")
    evidence = gather(project, label, run, base)
    if pairs.pairs is not None:
        evidence = _with_impact(project, evidence, pairs, base_url, calls.limits())
    found = judge_shipping(evidence, asked)
    if found.override:
        _record(project, found.override)
    elif asked:
        why = "Gate 1 has not passed" if not_passed(evidence) else "Gate 1 has people's ratings"
        say(f"--allow-provisional has no effect: {why}")
    if evidence.run:
        keep_verdict(evidence.run.run.folder, "ship", found, exclude={"impact"})
    append(markdown, shipping_markdown(found))
    for line in annotations(found.steps):
        say(line)
    print_json(found) if json else show(shipping_view(found))
    end_with(found.verdict)


def _with_impact(
    project: Project, evidence: "ShipEvidence", pairs: PairsOptions, base_url: str | None, limits: "Limits"
) -> "ShipEvidence":
    """Measure the change on production pairs, by the teacher of the judged run."""
    from dataclasses import replace

    from harness.grading.policy_impact import teacher_of
    from harness.shipping.evidence import version_before

    before = version_before(project, evidence)
    if evidence.run is None:
        return replace(evidence, pairs_given=True)
    run = evidence.run.run
    teacher = teacher_of(run.manifest.asked, str(pairs.path), base_url, run.folder)
    label = evidence.policy.label
    impact = measure(
        project, (before, label), pairs, teacher, limits, command=f"harness ship --policy {label}"
    )
    return replace(evidence, pairs_given=True, impact=impact)


def _record(project: Project, override: "Override") -> None:
    """Keep the override beside the golden set, in git."""
    from harness.golden.examples import golden_path
    from harness.golden.overrides import OVERRIDES, note_override

    path = golden_path(project, split_label(override.policy)[0]).with_name(OVERRIDES)
    if note_override(path, override):
        say(f"recorded in {shown_path(path)}")
