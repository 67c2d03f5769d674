"""What `harness eval` prints when a run has ended."""

import re
from typing import TYPE_CHECKING

from harness.cli.options import policy_or_only
from harness.cli.output import print_json, scored_json, show, shown_path
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.runs.folder import Run
    from harness.verdicts.assessment import Assessment

WIDEST = 78
"""The length of a command that fits into 80 columns after two spaces."""


def report(project: Project, found: "Assessment", *, as_json: bool) -> None:
    """Print the scorecard, the spending and the run's folder."""
    from rich.text import Text

    from harness.report.canaries import canary_view
    from harness.report.money import spending_view
    from harness.report.sections import details_words, gate2_view
    from harness.runs.folder import find_run

    run, spent = found.run, found.reading.spending
    if as_json:
        print_json(scored_json(found.gate2, found.canaries) | {"run": str(run.folder), "spending": spent})
        return
    asked = run.manifest.asked
    if found.canaries:
        mixed = found.reading.mixed
        show([*canary_view(found.canaries, asked.model, mixed), "", f"Run: {shown_path(run.folder)}"])
        return
    show(gate2_view(found.gate2, *run.manifest.sides))
    money = list(spending_view(spent))
    show(["", *money] if money else [])
    words = details_words(found.gate2)
    name = "latest" if find_run(project, "latest") == run.folder else run.folder.name
    show(_remarks(project, run))
    show(["", Text(f"More in `harness gate2 {name}`: {words}.")] if words else [])
    show(["", f"Run: {shown_path(run.folder)}"])


def _remarks(project: Project, run: "Run") -> list[str]:
    """What a reader of the table should know about the run."""
    from harness.golden.holdout_log import LOOKS, looks
    from harness.providers import provider_of

    manifest = run.manifest
    remarks = [line for note in manifest.notes for line in ("", note)]
    if "test" in manifest.asked.splits:
        count = len(looks(project.golden / run.policy.name / LOOKS))
        remarks += ["", f"Looks at the test split so far: {count}. Choose on dev, gate on test."]
    provider = provider_of(manifest.asked.model)
    if provider and provider.floor:
        policy = None if run.policy.label == _default(project) else run.policy.label
        own = project.how_to(
            "eval", "--base-url http://localhost:8000/v1", policy=policy, model="openai/NAME"
        )
        if len(own) > WIDEST:
            own = re.sub(r" (?=FLAGS=|--base-url )", r" \\\n    ", own)
        remarks += [
            "",
            "This grader is a floor to beat, not a teacher. Run a real one:",
            f"  {project.how_to('eval', policy=policy, model='openai/gpt-6-luna')}",
            "with OPENAI_API_KEY in the environment or in .env, or a server of your own:",
            f"  {own}",
        ]
    return remarks


def _default(project: Project) -> str | None:
    """The policy version that `harness eval` grades under by default."""
    from harness.policy.load import policy_path

    name = policy_or_only(None, project)
    if not (project.policies / name).is_dir():
        return None
    return f"{name}@{policy_path(project, name).stem}"
