"""The regression verdict: non-inferiority of kappa, and conditions that hold for any kappa.

"Not significantly worse" is not "no regression": a candidate passes by showing that it loses less than the
margin.
"""

from collections.abc import Iterator

from harness.nouns.base import Interval
from harness.nouns.policy import UNDECIDED, Gates
from harness.scorecards.comparison import Change, Comparison, Condition, Regression
from harness.stats.paired import SAME, one_sided_limits
from harness.storage.plural import plural
from harness.verdicts.gates import together


def judge_regression(found: Comparison, gates: Gates, loss: Condition | None = None) -> Regression:
    """The verdict on a comparison by these gates: pass only where every condition passes.

    `loss`: other limits for the loss of kappa, if its standard error is not enough.
    """
    limits = _limits(found.gated_change, found.n_clusters)
    cells = dict(_cells(found, gates))
    conditions = (
        loss or _non_inferior(found, gates.margin, limits),
        *cells.values(),
        _coverage(found, gates.coverage_floor),
        *_cases(found, gates.coverage_floor),
        *_golden(found),
        *_sample(found),
    )
    subjects = {one.name: f"{cell}: " for cell, one in cells.items()}
    checks = [(one.verdict, f"{subjects.get(one.name, '')}{one.reason}") for one in conditions]
    verdict, reason = together(checks, passed=conditions[0].reason)
    return Regression(
        verdict=verdict,
        reason=reason,
        margin=gates.margin,
        low=limits and limits.low,
        high=limits and limits.high,
        conditions=conditions,
        comparison=found,
    )


def _limits(change: Change, clusters: int) -> Interval | None:
    if change.delta is None or not change.se:
        return None  # without an error there is no interval
    return one_sided_limits(change.delta, change.se, clusters)


def _non_inferior(found: Comparison, margin: float, limits: Interval | None) -> Condition:
    """Pass if the one-sided 95 % lower limit of the change is above minus the margin."""
    name = f"{found.gated} loses less than {margin:g}"
    if found.gated_change.reason == SAME:
        reason = f"{found.gated} did not move: base and candidate graded every item alike"
        return Condition(name=name, verdict="pass", reason=reason)
    if limits is None:
        return _open(name, f"{found.gated} cannot be compared: {found.gated_change.reason}")
    return loss_condition(found.gated, found.gated_change.delta or 0.0, limits, margin)


def loss_condition(gated: str, delta: float, limits: Interval, margin: float) -> Condition:
    """Whether a change stays within the margin, by its one-sided 95 % limits."""
    name = f"{gated} loses less than {margin:g}"
    change = f"{gated} moved by {delta:+.3f}"
    if limits.low > -margin:
        reason = f"{change}, surely no loss beyond {margin:g} (95 % limit {limits.low:+.3f})"
        return Condition(name=name, verdict="pass", reason=reason)
    if limits.high < -margin:
        reason = f"{change}, surely a loss beyond {margin:g} (95 % limit {limits.high:+.3f})"
        return Condition(name=name, verdict="fail", reason=reason)
    between = f"one-sided 95 % limits {limits.low:+.3f} and {limits.high:+.3f}"
    return _open(name, f"{change}: a loss beyond {margin:g} is neither shown nor ruled out ({between})")


def _open(name: str, reason: str) -> Condition:
    return Condition(name=name, verdict="inconclusive", reason=reason)


def _cells(found: Comparison, gates: Gates) -> Iterator[tuple[str, Condition]]:
    if not found.never_grow:
        # Declared but not counted: the policy has not decided on its actions.
        for one in gates.never_grow:
            what = f"golden {one.golden} with action {one.action}"
            yield what, _open(f"{what} does not grow", f"unknown, as the policy {UNDECIDED}")
    for cell in found.never_grow:
        grew = cell.candidate - cell.base
        what = f"golden {cell.golden} with action {cell.action}"
        reason = f"{cell.base:,} before, {cell.candidate:,} now"
        failed = grew > cell.allowed
        yield (
            what,
            Condition(
                name=f"{what} does not grow",
                verdict="fail" if failed else "pass",
                reason=f"{reason}, {cell.allowed:,} more are allowed" if failed else reason,
            ),
        )


def _coverage(found: Comparison, floor: float) -> Condition:
    covered = found.coverage.candidate or 0.0
    low = covered < floor
    return Condition(
        name=f"coverage is {floor:.1%} or more",
        verdict="inconclusive" if low else "pass",
        reason=f"coverage {covered:.1%}{f' is under the floor of {floor:.1%}' if low else ''}",
    )


def _golden(found: Comparison) -> Iterator[Condition]:
    """The golden grades of each side must have been judged under its policy version."""
    name = "golden grades are those of the policy"
    for side, stale, whose in (
        ("base", found.stale_base, "the base's"),
        ("candidate", found.stale, "the"),
    ):
        if stale:
            count = plural(stale, "example was", "examples were")
            reason = f"{count} not yet judged under the {side}'s policy version"
            yield _open(f"{whose} {name}", reason)


def _sample(found: Comparison) -> Iterator[Condition]:
    """The items must represent a split, not a selection."""
    if found.apart:
        reason = f"a run {found.apart}: its items do not represent a split"
        yield _open("the items represent a split", reason)


def _cases(found: Comparison, floor: float) -> Iterator[Condition]:
    """Items of one side only: inconclusive if more are missing than the coverage floor allows."""
    unread = {*found.unread_base, *found.unread_candidate}
    relabelled = () if found.policies_differ else found.relabelled
    lost = len(found.only_base) + len(unread) + len(relabelled)
    known = found.n_common + lost
    kept = found.n_common / known
    if lost:
        yield Condition(
            name="the base's cases are compared",
            verdict="inconclusive" if kept < floor else "pass",
            reason=f"{found.n_common:,} of the {plural(known, 'case')} that the base knows could be compared",
        )
    if found.only_candidate:
        new = f"{plural(len(found.only_candidate), 'case is', 'cases are')} not in the base"
        reason = f"{new}, so it is unknown whether they got worse: set a new baseline"
        yield _open("the baseline knows every case", reason)
