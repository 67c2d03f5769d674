"""May a policy version ship? Every check in order, one page, one verdict.

Whatever is missing is not passed: a step without its run is inconclusive, and says which command makes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.comparison.paired import compare_sides
from harness.comparison.sides import Side, side_of_run
from harness.errors import BadInput
from harness.golden.checks import Finding
from harness.nouns.policy import Gates, Policy
from harness.runs.folder import Run
from harness.scorecards.comparison import Condition
from harness.scorecards.gate1 import Gate1
from harness.scorecards.impact import Impact
from harness.scorecards.shared import Verdict
from harness.scorecards.ship import GATE1, Override, Shipping
from harness.verdicts.assessment import Assessment
from harness.verdicts.regression import judge_regression


@dataclass(frozen=True, slots=True)
class RunFound:
    """A run, by today's gates. `outdated`: why it is no evidence for what would be graded today."""

    assessment: Assessment
    outdated: str | None = None

    @property
    def run(self) -> Run:
        """The run."""
        return self.assessment.run


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to judge a version by; None for what is missing.

    `unfinished` lists what policy lint says, `findings` what golden lint says; `stale` counts the golden
    grades, canaries' too, that are not yet those of the version, of `judged`. `raters` counts who rated by
    policy version. `canaries_exist`, `pairs_given`: whether there is anything to grade.
    """

    policy: Policy
    gates: Gates
    split: str
    unfinished: Sequence[str]
    findings: Sequence[Finding]
    judged: int
    stale: int
    gate1: Gate1 | None
    raters: Mapping[str, int]
    run: RunFound | None
    base: Side | None
    canaries: RunFound | None
    canaries_exist: bool
    pairs_given: bool = False
    impact: Impact | None = None
    warnings: Sequence[str] = ()


def judge_shipping(found: Evidence, override: Override | None = None) -> Shipping:
    """The verdict: fail where a step fails, else inconclusive where one is open, else pass."""
    lacking = gate1_lacks(found)
    used = override.model_copy(update={"gate1": lacking}) if override and lacking else None
    steps = tuple(_steps(found, used))
    verdict, reason = _worst(steps)
    return Shipping(
        policy=found.policy.label,
        verdict=verdict,
        reason=reason,
        steps=steps,
        override=used,
        run=found.run.run.folder.name if found.run else None,
        base=found.base.name if found.base else None,
        canaries=found.canaries.run.folder.name if found.canaries else None,
        impact=found.impact,
        warnings=tuple(found.warnings),
    )


def gate1_lacks(found: Evidence) -> str | None:
    """What keeps Gate 1 from being people's word on this version: missing, stale or provisional."""
    if found.gate1 is not None:
        why = found.gate1.provisional or found.gate1.doubt
        return f"provisional: {why}" if why else None
    label, before = found.policy.label, [v for v in found.raters if v != found.policy.version]
    if found.raters.get(found.policy.version):
        return f"missing: one rater alone rated under {label}, and it takes two to agree"
    if before:
        return f"stale: rated under {', '.join(before)}, and by nobody under {label}"
    return f"missing: nobody rated under {label}"


def _worst(steps: Sequence[Condition]) -> tuple[Verdict, str]:
    for verdict in ("fail", "inconclusive"):
        reasons = [f"{step.name}: {step.reason}" for step in steps if step.verdict == verdict]
        if reasons:
            return verdict, "; ".join(reasons)
    return "pass", "every step passed"


def _steps(found: Evidence, override: Override | None) -> Iterator[Condition]:
    yield _policy(found)
    yield _golden(found)
    yield _gate1(found, override)
    yield _gate2(found)
    yield _regression(found)
    if found.canaries_exist:
        yield _canaries(found)
    if found.pairs_given:
        yield _impact(found.impact, found.gates)


def _policy(found: Evidence) -> Condition:
    name = "the policy is complete"
    if not found.unfinished:
        return Condition(name=name, verdict="pass", reason=f"{found.policy.label} has no finding")
    count = len(found.unfinished)
    return Condition(name=name, verdict="fail", reason=f"{count} to mend (the first: {found.unfinished[0]})")


def _golden(found: Evidence) -> Condition:
    name = "the golden set is complete and fresh"
    errors = [finding for finding in found.findings if finding.level == "error"]
    if found.stale:
        reason = (
            f"{found.stale} of {found.judged} golden grades were not yet judged under {found.policy.label}"
        )
        return Condition(name=name, verdict="fail", reason=reason)
    if errors:
        reason = f"{len(errors)} errors (the first: {errors[0].where}: {errors[0].what})"
        return Condition(name=name, verdict="fail", reason=reason)
    return Condition(name=name, verdict="pass", reason=f"{found.judged} golden grades, none stale")


def _gate1(found: Evidence, override: Override | None) -> Condition:
    """Missing, stale or provisional is a fail, unless somebody answers for it."""
    name, lacking, gate1 = GATE1, gate1_lacks(found), found.gate1
    if not lacking:
        assert gate1 is not None and gate1.verdict is not None, "a judged scorecard"
        return Condition(name=name, verdict=gate1.verdict, reason=gate1.reason or "")
    if override is None:
        return Condition(name=name, verdict="fail", reason=lacking)
    if gate1 is not None and gate1.verdict != "pass" and not gate1.doubt:
        # Nobody can answer for raters who do not agree.
        verdict: Verdict = gate1.verdict or "inconclusive"
        return Condition(name=name, verdict=verdict, reason=f"{lacking}; {gate1.reason}")
    allowed = f"allowed by {override.by}: {override.because}"
    return Condition(name=name, verdict="pass", reason=f"{lacking}; {allowed}")


def _gate2(found: Evidence) -> Condition:
    name = "Gate 2: the teacher agrees with the golden set"
    if found.run is None:
        how = f"harness eval --policy {found.policy.label} --split {found.split}"
        return Condition(name=name, verdict="inconclusive", reason=f"no finished run yet: {how}")
    if found.run.outdated:
        return Condition(name=name, verdict="inconclusive", reason=_outdated(found.run))
    run, score = found.run.run, found.run.assessment.gate2
    moved = "" if run.gates == found.gates else " (gates.toml has changed since the run: today's bars hold)"
    return Condition(name=name, verdict=score.verdict or "inconclusive", reason=f"{score.reason}{moved}")


def _outdated(found: RunFound) -> str:
    return f"{found.run.folder.name} is out of date: {found.outdated}; make a new one"


def _regression(found: Evidence) -> Condition:
    name = "no regression against the baseline"
    if found.run is None:
        return Condition(name=name, verdict="inconclusive", reason="there is no run to hold against it")
    if found.base is None:
        reason = f"{found.policy.name} has no baseline on {found.split}: harness baseline set RUN keeps one"
        return Condition(name=name, verdict="inconclusive", reason=reason)
    candidate = side_of_run(found.run.assessment.reading, found.gates)
    try:
        result = judge_regression(compare_sides(found.base, candidate), found.gates)
    except BadInput as error:
        # Another scale, or no pair in common: what cannot be compared is not known to be no worse.
        return Condition(name=name, verdict="inconclusive", reason=str(error))
    itself = " (the run is the baseline itself)" if candidate.run == found.base.run else ""
    return Condition(name=name, verdict=result.verdict, reason=f"{result.reason}{itself}")


def _canaries(found: Evidence) -> Condition:
    name = "canaries do not move the teacher"
    report = found.canaries.assessment.canaries if found.canaries else None
    if found.canaries is None or report is None:
        how = f"harness eval --policy {found.policy.label} --canaries"
        return Condition(name=name, verdict="inconclusive", reason=f"this teacher never graded them: {how}")
    if found.canaries.outdated:
        return Condition(name=name, verdict="inconclusive", reason=_outdated(found.canaries))
    allowed = found.gates.canaries_moved
    reason = f"{report.moved} of {report.compared} grades moved, {allowed} are allowed"
    if report.moved > allowed:
        return Condition(name=name, verdict="fail", reason=reason)
    open_ = report.compared < report.canaries
    if open_:
        reason += f"; {report.canaries - report.compared} could not be compared"
    return Condition(name=name, verdict="inconclusive" if open_ else "pass", reason=reason)


def _impact(impact: Impact | None, gates: Gates) -> Condition:
    """Shown always; a condition only where gates.toml declares how much may change."""
    name, limit = "impact on what people see", gates.impact
    if impact is None:
        reason = "there is no run whose teacher could grade the pairs"
        return Condition(name=name, verdict="inconclusive", reason=reason)
    moved, reason = impact.action_moved, _impact_words(impact)
    if limit is None:
        return Condition(name=name, verdict="pass", reason=f"{reason}; no limit is declared")
    reason += f"; the limit is {limit:.1%}"
    if moved.ci is None or impact.n < gates.coverage_floor * (impact.n + impact.unread):
        return Condition(name=name, verdict="inconclusive", reason=reason)
    if moved.ci.high <= limit:
        return Condition(name=name, verdict="pass", reason=reason)
    return Condition(name=name, verdict="fail" if moved.ci.low > limit else "inconclusive", reason=reason)


def _impact_words(impact: Impact) -> str:
    moved = impact.action_moved
    span = f" ({moved.ci.low:.1%} to {moved.ci.high:.1%})" if moved.ci else ""
    share = "nobody knows what share" if moved.share is None else f"{moved.share:.1%}{span}"
    whole = "the traffic" if impact.weighted else f"{impact.n:,} pairs"
    unread = f"; {impact.unread:,} pairs could not be read under both" if impact.unread else ""
    return f"another action for {share} of {whole}{unread}"
