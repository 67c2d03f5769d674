"""The evidence on a policy version: its golden set, its ratings, its runs."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from harness.comparison.baseline import baseline_path, load_baseline, side_of_baseline
from harness.comparison.sides import Side, side_of_run
from harness.errors import BadInput
from harness.golden.examples import golden_path, load_examples
from harness.golden.lint import lint_golden
from harness.golden.rating.open_rounds import with_rounds
from harness.golden.rating.ratings import RATINGS, Rated, rated_under, raters_by_version
from harness.golden.rejudging import golden_lines, left_to_judge
from harness.grading.plan import make_plan
from harness.nouns.pair import Example
from harness.nouns.policy import Gates, Policy
from harness.policy.judged import notes_no_rules
from harness.policy.lint import shared_surfaces, unfinished
from harness.policy.load import load_policy, load_with_gates, policy_names, policy_path, policy_versions
from harness.providers import reads_grades
from harness.runs.folder import find_run, open_run, run_names
from harness.runs.kind import CANARIES, GOLDEN
from harness.runs.manifest import Asked, Manifest, load_manifest
from harness.score.reading import reading_of
from harness.scorecards.gate1 import Gate1
from harness.shipping.verdict import RunFound, ShipEvidence
from harness.storage.project import Project, version_number
from harness.verdicts.assessment import assess
from harness.verdicts.raters import judge_raters

SPLIT = "test"
"""The split that a version is gated on, unless a run is named."""


def gather(project: Project, label: str, run: str | None, base: str) -> ShipEvidence:
    """All evidence on a version. `run` defaults to its latest finished run on `test`.

    BadInput for what cannot be read, and for a named run of another version.
    """
    policy, gates = load_with_gates(policy_path(project, label))
    golden = golden_path(project, policy.name)
    lines = golden_lines(golden)
    found = _named_run(project, policy, gates, run) if run else _latest(project, gates, _on_test(policy))
    asked = found.run.manifest.asked if found else None
    part = asked.part if asked else SPLIT
    canaries = _latest(project, gates, _canaries_of(policy, asked))
    before = _base(project, policy, part, base)
    return ShipEvidence(
        policy=policy,
        gates=gates,
        split=part,
        unfinished=unfinished(policy),
        findings=lint_golden(golden, policy),
        judged=len(lines),
        stale=len(left_to_judge(lines, policy)),
        unnoted=sum(notes_no_rules(one, policy) for one in lines.values()),
        bare=sum(
            isinstance(one, Example) and not one.under(policy.version).reasoning for one in lines.values()
        ),
        gate1=_gate1(project, golden, policy, gates),
        raters=raters_by_version(golden.with_name(RATINGS)),
        waiting=with_rounds(project, policy, Rated(())).unfinished,
        run=found,
        base=before,
        canaries=canaries,
        canaries_exist=any(one.split == "canaries" for one in lines.values()),
        warnings=(*_surfaces(project, policy), *_about_run(part, asked), *_mixed(found, canaries, before)),
    )


def version_before(project: Project, found: ShipEvidence) -> str:
    """The version in use: that of the base, else the one before this. BadInput if there is none."""
    new, base = found.policy, found.base.policy if found.base else None
    if base is not None and base != new.label and base.partition("@")[0] == new.name:
        return base
    known = policy_versions(project.policies / new.name)
    earlier = [v for v in known if version_number(v) < version_number(new.version)]
    if not earlier:
        raise BadInput(f"--pairs: {new.label} is the first version, so there is no change to measure")
    return f"{new.name}@{max(earlier, key=version_number)}"


def _gate1(project: Project, golden: Path, policy: Policy, gates: Gates) -> Gate1 | None:
    """Gate 1 on the current ratings of the golden set; None with fewer than two raters."""
    path = golden.with_name(RATINGS)
    about = {example.id: example for example in load_examples(golden, policy)}
    rated = replace(rated_under(path, policy, about.values()), about=about)
    if len(rated.raters) < 2:
        return None
    return judge_raters(with_rounds(project, policy, rated), policy.scale, gates)


Wanted = Callable[[Asked], bool]


def _on_test(policy: Policy) -> Wanted:
    def wanted(asked: Asked) -> bool:
        return (asked.policy, asked.kind, asked.part, asked.limit) == (policy.label, GOLDEN, SPLIT, None)

    return wanted


def _canaries_of(policy: Policy, teacher: Asked | None) -> Wanted:
    """Canary runs of the judged teacher, or of any teacher if there is no run."""

    def wanted(asked: Asked) -> bool:
        known = teacher is None or _teacher(asked) == _teacher(teacher)
        return known and asked.kind is CANARIES and asked.policy == policy.label

    return wanted


def _teacher(asked: Asked) -> tuple[object, ...]:
    """The teacher's settings. The grader of a replay is unknown, so all replays count as one teacher."""
    model = None if reads_grades(asked.model) else asked.model
    sent = asked.temperature, asked.max_tokens, asked.no_schema, asked.fold_system
    return model, asked.prompt, asked.shots, sent, asked.base_url


def _latest(project: Project, gates: Gates, wanted: Wanted) -> RunFound | None:
    """The latest finished run that is wanted; skips folders that cannot be read."""
    for name in reversed(run_names(project)):
        with contextlib.suppress(BadInput):
            manifest = load_manifest(project.runs / name)
            if manifest.finished_at is not None and wanted(manifest.asked):
                return _found(project, project.runs / name, gates)
    return None


def _named_run(project: Project, policy: Policy, gates: Gates, name: str) -> RunFound:
    found = _found(project, find_run(project, name), gates)
    manifest = found.run.manifest
    if found.run.policy.label != policy.label:
        raise BadInput(f"--run: {manifest.name} is a run of {found.run.policy.label}, not of {policy.label}")
    if not manifest.asked.kind.scored or manifest.finished_at is None:
        what = "is not finished" if manifest.asked.kind.scored else manifest.asked.kind.apart
        raise BadInput(f"--run: {manifest.name} {what}; name a finished run over a split")
    return found


def _found(project: Project, folder: Path, gates: Gates) -> RunFound:
    run = open_run(folder)
    outdated = _outdated(project, run.manifest)
    # Today's gates may be for another scale than an outdated run has.
    return RunFound(assess(run, gates=None if outdated else gates), outdated)


def _outdated(project: Project, manifest: Manifest) -> str | None:
    """Why a run made today would differ from this one; None if it would not."""
    try:
        changed = manifest.changed(make_plan(project, manifest.asked).digests)
    except BadInput as error:
        # An input of the run is missing or broken.
        return str(error.faults[0])
    return f"changed since it was made: {changed}" if changed else None


def _base(project: Project, policy: Policy, part: str, name: str) -> Side | None:
    if name != "baseline":
        return side_of_run(reading_of(project, name))
    path = baseline_path(project, policy.name, part)
    return side_of_baseline(load_baseline(path)) if path.exists() else None


def _surfaces(project: Project, policy: Policy) -> list[str]:
    """Warnings about other policies of the same surface; skips policies that do not load."""
    known = [policy]
    for name in policy_names(project):
        with contextlib.suppress(BadInput):
            known += [load_policy(policy_path(project, name))] if name != policy.name else []
    return shared_surfaces(known, policy.name)


def _about_run(part: str, asked: Asked | None) -> list[str]:
    if asked is None or SPLIT in part.split("+"):
        return []
    return [f"the run is over {part}, which serves to choose prompts; a version is gated on {SPLIT}"]


def _mixed(run: RunFound | None, canaries: RunFound | None, base: Side | None) -> Iterator[str]:
    """Warnings of runs that more than one grader answered."""
    for found in (run, canaries):
        yield from side_of_run(found.assessment.reading).warnings if found else ()
    yield from base.warnings if base else ()
