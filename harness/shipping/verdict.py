"""May a policy version ship? Every check in order, one page, one verdict.

A step without its run is inconclusive, and names the command that makes the run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.comparison.paired import compare_sides
from harness.comparison.sides import Side, of_itself, side_of_run
from harness.errors import BadInput
from harness.golden.checks import Finding
from harness.golden.rating.raters import how_to_plan
from harness.nouns.policy import Gates, Policy
from harness.providers import is_prompted
from harness.runs.folder import Run
from harness.scorecards.comparison import Condition
from harness.scorecards.gate1 import Gate1
from harness.scorecards.impact import Impact
from harness.scorecards.ship import CANARIES, GATE1, IMPACT, Override, Shipping
from harness.storage.plural import plural
from harness.verdicts.assessment import Assessment
from harness.verdicts.gates import Check, together
from harness.verdicts.regression import judge_regression


@dataclass(frozen=True, slots=True)
class RunFound:
    """A run, by today's gates. `outdated`: why a run made today would differ from it."""

    assessment: Assessment
    outdated: str | None = None

    @property
    def run(self) -> Run:
        """The run."""
        return self.assessment.run


@dataclass(frozen=True, slots=True)
class ShipEvidence:
    """The evidence on a version; None for what is missing.

    `unfinished`: the findings of policy lint; `findings`: those of golden lint. `stale`: how many of the
    `judged` golden grades, with canaries, were not yet judged under the version; `unnoted`: how many of the
    others note no rules, so that it is unknown; `bare`: how many examples have no reasoning. `raters`: how
    many rated, by policy version. `canaries_exist`, `pairs_given`: whether there is something to grade.
    `waiting`: the ratings that a round under this version still lacks, in words.
    """

    policy: Policy
    gates: Gates
    split: str
    unfinished: Sequence[str]
    findings: Sequence[Finding]
    judged: int
    stale: int
    unnoted: int
    bare: int
    gate1: Gate1 | None
    raters: Mapping[str, int]
    run: RunFound | None
    base: Side | None
    canaries: RunFound | None
    canaries_exist: bool
    pairs_given: bool = False
    impact: Impact | None = None
    warnings: Sequence[str] = ()
    waiting: str | None = None


def judge_shipping(found: ShipEvidence, override: Override | None = None) -> Shipping:
    """The verdict: fail where a step fails, else inconclusive where one is open, else pass."""
    lacking = gate1_lacks(found)
    useful = override and lacking and not not_passed(found)
    used = override.model_copy(update={"gate1": lacking}) if override and useful else None
    not_run = dict(_not_run(found))
    steps = tuple(
        Condition(name=name, verdict=verdict, reason=reason)
        for name, (verdict, reason) in _steps(found, used)
        if name not in not_run
    )
    checks = [(step.verdict, f"{step.name}: {step.reason}") for step in steps]
    verdict, reason = together(checks, passed="every step passed")
    return Shipping(
        policy=found.policy.label,
        verdict=verdict,
        reason=reason,
        steps=steps,
        not_run=not_run,
        override=used,
        run=found.run.run.folder.name if found.run else None,
        base=found.base.name if found.base else None,
        canaries=found.canaries.run.folder.name if found.canaries else None,
        impact=found.impact,
        impact_limit=found.gates.impact,
        warnings=tuple(found.warnings),
    )


def not_passed(found: ShipEvidence) -> bool:
    """Whether Gate 1 was measured and not passed. An override covers doubts about the raters, not this."""
    gate1 = found.gate1
    return gate1 is not None and gate1.verdict != "pass" and not gate1.doubt


def gate1_lacks(found: ShipEvidence) -> str | None:
    """Why Gate 1 does not hold for this version: missing, stale or provisional; None if it does."""
    if found.gate1 is not None:
        why = found.gate1.provisional or found.gate1.doubt
        return f"provisional: {why}" if why else None
    label, before = found.policy.label, [v for v in found.raters if v != found.policy.version]
    if found.raters.get(found.policy.version):
        return f"missing: only one rater under {label}; agreement needs two"
    if before:
        return f"stale: rated under {', '.join(before)}, not under {label}"
    return f"missing: no ratings under {label}"


def _steps(found: ShipEvidence, override: Override | None) -> Iterator[tuple[str, Check]]:
    yield "the policy is complete", _policy(found)
    yield "the golden set has no errors and none is known to be stale", _golden(found)
    yield GATE1, _gate1(found, override)
    yield "Gate 2: the teacher agrees with the golden set", _gate2(found)
    yield "no regression against the baseline", _regression(found)
    yield CANARIES, _canaries(found)
    yield IMPACT, _impact(found.impact, found.gates)


def _not_run(found: ShipEvidence) -> Iterator[tuple[str, str]]:
    """The checks without an input, each with the input that is missing."""
    if not found.canaries_exist:
        yield CANARIES, f"there are none; add golden/{found.policy.name}/canaries.jsonl"
    if not found.pairs_given:
        yield IMPACT, "no production pairs were given; name a file with --pairs"


def _policy(found: ShipEvidence) -> Check:
    if not found.unfinished:
        return "pass", f"{found.policy.label} has no findings"
    return "fail", f"{plural(len(found.unfinished), 'finding')} to fix (the first: {found.unfinished[0]})"


def _golden(found: ShipEvidence) -> Check:
    if found.stale:
        was = "was" if found.stale == 1 else "were"
        count = f"{found.stale:,} of {plural(found.judged, 'golden grade')} {was}"
        return "fail", f"{count} not yet judged under {found.policy.label} as it reads now"
    errors = [finding for finding in found.findings if finding.level == "error"]
    if errors:
        return "fail", f"{plural(len(errors), 'error')} (the first: {errors[0].where}: {errors[0].what})"
    bare = f"; {found.bare:,} of them have no reasoning" if found.bare else ""
    rest = len(found.findings)
    warned = f"; {plural(rest, 'warning')} of `harness golden lint`" if rest else ""
    return "pass", f"{plural(found.judged, 'golden grade')}, {_none_stale(found)}{bare}{warned}"


def _none_stale(found: ShipEvidence) -> str:
    """How many grades are known to be stale. One without noted rules may be older than an edit: unknown."""
    if not found.unnoted:
        return "none stale"
    since = f"it is unknown whether {found.policy.label} was edited since they were judged"
    whose = "all" if found.unnoted == found.judged else f"{found.unnoted:,}"
    note = "note" if whose == "all" or found.unnoted > 1 else "notes"
    return f"none known to be stale ({whose} {note} no rules: {since}; `harness golden confirm` notes them)"


def _gate1(found: ShipEvidence, override: Override | None) -> Check:
    """Missing, stale or provisional: fail, unless a named person overrides it; undecided: inconclusive."""
    lacking, gate1 = gate1_lacks(found), found.gate1
    if gate1 is not None and (not_passed(found) or not lacking):
        reason = f"{gate1.reason}; {lacking}" if lacking else gate1.reason or ""
        return gate1.verdict or "inconclusive", reason
    if override is None and gate1 is None and found.waiting:
        return "inconclusive", f"{lacking}; {found.waiting}"
    if override is None:
        how = f"; next: {how_to_plan(found.policy.label)}, or ratings import"
        doubted = gate1 is not None and gate1.verdict == "inconclusive"
        return "inconclusive" if doubted else "fail", f"{lacking}{how if gate1 is None else ''}"
    return "pass", f"{lacking}; allowed by {override.by}: {override.because}"


def _gate2(found: ShipEvidence) -> Check:
    if found.run is None:
        how = f"harness eval --policy {found.policy.label} --split {found.split}"
        return "inconclusive", f"no finished run on {found.split} yet: {how}"
    if found.run.outdated:
        return "inconclusive", _outdated(found.run)
    run, score = found.run.run, found.run.assessment.gate2
    moved = "" if run.gates == found.gates else " (gates.toml has changed since the run: today's bars hold)"
    return score.verdict or "inconclusive", f"{score.reason}{moved}"


def _outdated(found: RunFound) -> str:
    return f"{found.run.folder.name} is out of date: {found.outdated}; make a new one"


def _regression(found: ShipEvidence) -> Check:
    if found.run is None:
        return "inconclusive", f"no finished run on {found.split} to compare with it"
    if found.run.outdated:
        return "inconclusive", _outdated(found.run)
    if found.base is None:
        how = "set one with: harness baseline set RUN"
        return "inconclusive", f"{found.policy.name} has no baseline on {found.split}; {how}"
    candidate = side_of_run(found.run.assessment.reading, found.gates)
    try:
        result = judge_regression(compare_sides(found.base, candidate), found.gates)
    except BadInput as error:
        # Another scale, or no pair in common: a run that cannot be compared may be worse, so it does not
        # pass.
        return "inconclusive", str(error)
    return result.verdict, f"{result.reason}{of_itself(found.base, candidate)}"


def _canaries(found: ShipEvidence) -> Check:
    report = found.canaries.assessment.canaries if found.canaries else None
    if found.canaries is None or report is None:
        how = f"harness eval --policy {found.policy.label} --canaries"
        return "inconclusive", f"this teacher has not graded them: {how}"
    if found.canaries.outdated:
        return "inconclusive", _outdated(found.canaries)
    allowed = found.gates.canaries_moved
    reason = f"{report.moved:,} of {plural(report.compared, 'grade')} moved, {allowed} are allowed"
    if report.moved > allowed:
        return "fail", reason
    if report.compared < report.canaries:
        return "inconclusive", f"{reason}; {report.canaries - report.compared} could not be compared"
    return "pass", reason


def _impact(impact: Impact | None, gates: Gates) -> Check:
    """Always shown; can fail only if gates.toml declares how much may change."""
    if impact is None:
        return "inconclusive", "no run names a teacher to grade the pairs"
    moved, limit, reason = impact.action_moved, gates.impact, _impact_words(impact)
    if not is_prompted(impact.model):
        return "inconclusive", f"{impact.model} reads no policy, so it shows nothing of the change; {reason}"
    if limit is None:
        return "pass", f"{reason}; no limit is declared"
    reason += f"; the limit is {limit:.1%}"
    if moved.ci is None or impact.n < gates.coverage_floor * (impact.n + impact.unread):
        return "inconclusive", reason
    if moved.ci.high <= limit:
        return "pass", reason
    return "fail" if moved.ci.low > limit else "inconclusive", reason


def _impact_words(impact: Impact) -> str:
    moved = impact.action_moved
    span = f" ({moved.ci.low:.1%} to {moved.ci.high:.1%})" if moved.ci else ""
    if moved.reason and moved.share is not None:
        span = f" (no interval: {moved.reason.after_no_interval})"
    share = "an unknown share" if moved.share is None else f"{moved.share:.1%}{span}"
    whole = "the traffic" if impact.weighted else plural(impact.n, "pair")
    unread = f"; {plural(impact.unread, 'pair')} could not be read under both" if impact.unread else ""
    return f"another action for {share} of {whole}{unread}"
