"""May a policy version ship? Every check in order, one page, one verdict.

Whatever is missing is not passed: a step without its run is inconclusive, and says which command makes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.comparison.paired import compare_sides
from harness.comparison.sides import Side, side_of_run
from harness.gates import judge_run
from harness.golden.canaries import CanaryReport
from harness.golden.judgements import Finding
from harness.regress import judge_regression
from harness.rubric import Gates, Policy
from harness.runs import Run
from harness.scorecards.comparison import Condition
from harness.scorecards.gate1 import Gate1
from harness.scorecards.impact import Impact
from harness.scorecards.shared import Verdict
from harness.scorecards.ship import Override, Shipping


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to judge a version by; None for what is missing.

    `unfinished` lists what policy lint says, `findings` what golden lint says, `stale` counts examples
    not yet judged under the version, of `examples`. `canaries_exist`: whether there are any to grade.
    """

    policy: Policy
    gates: Gates
    unfinished: Sequence[str]
    findings: Sequence[Finding]
    examples: int
    stale: int
    gate1: Gate1 | None
    run: Run | None
    run_is_current: bool
    base: Side | None
    canaries: CanaryReport | None
    canaries_exist: bool
    impact: Impact | None


def judge_shipping(found: Evidence, override: Override | None = None) -> Shipping:
    """The verdict: fail where a step fails, else inconclusive where one is open, else pass."""
    steps = tuple(_steps(found, override))
    verdict, reason = _worst(steps)
    used = override if found.gate1 is None or found.gate1.provisional else None
    return Shipping(
        policy=found.policy.label,
        verdict=verdict,
        reason=reason,
        steps=steps,
        override=used,
        run=found.run.folder.name if found.run else None,
        base=found.base.name if found.base else None,
    )


def _worst(steps: Sequence[Condition]) -> tuple[Verdict, str]:
    for verdict in ("fail", "inconclusive"):
        reasons = [f"{step.name}: {step.reason}" for step in steps if step.verdict == verdict]
        if reasons:
            return verdict, "; ".join(reasons)
    return "pass", "every step passed"


def _steps(found: Evidence, override: Override | None) -> Iterator[Condition]:
    yield _policy(found)
    yield _golden(found)
    yield _gate1(found.gate1, override, found.policy)
    yield _gate2(found)
    yield _regression(found)
    if found.canaries_exist:
        yield _canaries(found)
    if found.impact is not None:
        yield _impact(found.impact, found.gates.impact)


def _policy(found: Evidence) -> Condition:
    name = "the policy is complete"
    if not found.unfinished:
        return Condition(name=name, verdict="pass", reason=f"{found.policy.label} has no finding")
    count = len(found.unfinished)
    return Condition(name=name, verdict="fail", reason=f"{count} findings (the first: {found.unfinished[0]})")


def _golden(found: Evidence) -> Condition:
    name = "the golden set is complete and fresh"
    errors = [finding for finding in found.findings if finding.level == "error"]
    if found.stale:
        reason = f"{found.stale} of {found.examples} examples were not judged under {found.policy.label}"
        return Condition(name=name, verdict="fail", reason=reason)
    if errors:
        reason = f"{len(errors)} errors (the first: {errors[0].where}: {errors[0].what})"
        return Condition(name=name, verdict="fail", reason=reason)
    return Condition(name=name, verdict="pass", reason=f"{found.examples} examples, none stale")


def _gate1(gate1: Gate1 | None, override: Override | None, policy: Policy) -> Condition:
    """Missing, stale or provisional is a fail, unless somebody answers for it."""
    name = "Gate 1: the raters agree"
    if gate1 is None:
        weak = f"nobody rated under {policy.label}"
    elif gate1.provisional:
        weak = f"provisional: {gate1.provisional}"
    else:
        assert gate1.verdict is not None, "a judged scorecard"
        return Condition(name=name, verdict=gate1.verdict, reason=gate1.reason or "")
    if override is None:
        return Condition(name=name, verdict="fail", reason=weak)
    if gate1 is not None and gate1.verdict != "pass":
        verdict: Verdict = gate1.verdict or "inconclusive"
        return Condition(name=name, verdict=verdict, reason=f"{weak}; {gate1.reason}")
    allowed = f"allowed by {override.by}: {override.because}"
    return Condition(name=name, verdict="pass", reason=f"{weak}; {allowed}")


def _gate2(found: Evidence) -> Condition:
    name = "Gate 2: the teacher agrees with the golden set"
    if found.run is None:
        how = f"harness eval --policy {found.policy.label} --split test"
        return Condition(name=name, verdict="inconclusive", reason=f"no finished run yet: {how}")
    if not found.run_is_current:
        reason = f"{found.run.folder.name} was made with other words of the policy or another golden set"
        return Condition(name=name, verdict="inconclusive", reason=reason)
    score = judge_run(found.run)
    return Condition(name=name, verdict=score.verdict or "inconclusive", reason=score.reason or "")


def _regression(found: Evidence) -> Condition:
    name = "no regression against the baseline"
    if found.run is None:
        return Condition(name=name, verdict="inconclusive", reason="there is no run to hold against it")
    if found.base is None:
        reason = "there is no baseline: harness baseline set RUN keeps one"
        return Condition(name=name, verdict="inconclusive", reason=reason)
    result = judge_regression(compare_sides(found.base, side_of_run(found.run)), found.gates)
    return Condition(name=name, verdict=result.verdict, reason=result.reason)


def _canaries(found: Evidence) -> Condition:
    name = "canaries do not move the teacher"
    report, allowed = found.canaries, found.gates.canaries_moved
    if report is None:
        how = f"harness eval --policy {found.policy.label} --canaries"
        return Condition(name=name, verdict="inconclusive", reason=f"never graded: {how}")
    reason = f"{report.moved} of {report.compared} grades moved, {allowed} are allowed"
    if report.moved > allowed:
        return Condition(name=name, verdict="fail", reason=reason)
    open_ = report.compared < report.canaries
    if open_:
        reason += f"; {report.canaries - report.compared} could not be compared"
    return Condition(name=name, verdict="inconclusive" if open_ else "pass", reason=reason)


def _impact(impact: Impact, limit: float | None) -> Condition:
    """Shown always; a condition only where gates.toml declares how much may change."""
    name = "impact on what people see"
    moved = impact.action_moved
    span = f" ({moved.ci[0]:.1%} to {moved.ci[1]:.1%})" if moved.ci else ""
    share = "-" if moved.share is None else f"{moved.share:.1%}{span}"
    reason = f"another action for {share} of {impact.n} pairs"
    if limit is None:
        return Condition(name=name, verdict="pass", reason=f"{reason}; no limit is declared")
    reason += f", the limit is {limit:.1%}"
    if moved.ci is None:
        return Condition(name=name, verdict="inconclusive", reason=reason)
    if moved.ci[1] <= limit:
        return Condition(name=name, verdict="pass", reason=reason)
    return Condition(name=name, verdict="fail" if moved.ci[0] > limit else "inconclusive", reason=reason)
