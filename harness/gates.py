"""A scorecard and the bars become a verdict: pass, fail or inconclusive, with the reason in words.

The verdict is read from the 95 % interval, never from the point value, and an inconclusive one never ships
silently. What was not answered can only take a pass away.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from harness.rubric import Gates
from harness.runs import Run
from harness.score.advice import advice
from harness.score.bar import Bar
from harness.score.run import own_bar, score_raters, score_run
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import CellScore, Gate2
from harness.scorecards.shared import Estimate, Gate, Verdict
from harness.stats.verdicts import items_needed, three_way

EXIT_CODES: dict[Verdict, int] = {"pass": 0, "fail": 1, "inconclusive": 3}
VERDICT_KEYS = {
    "gate", "verdict", "reason", "items_needed", "band", "bar", "bar_moved", "weighting", "gated", "kappa",
    "kappa_linear", "kappa_quadratic", "n", "n_clusters", "coverage", "gate1", "provisional",
}  # fmt: skip
NEVER_MEASURED = "Gate 1 was never measured, so that nobody knows whether the policy is clear"

G = TypeVar("G", bound=Gate)
Check = tuple[Verdict, str]
"""What one condition says, and why."""


def judge_gate1(score: Gate1, grade_names: Mapping[int, str] | None = None) -> Gate1:
    """Gate 1 with its verdict, and with what to do about it."""
    judged = _with_verdict(score, _kappa_check(score), score.n_items)
    return judged.model_copy(update={"advice": advice(judged, grade_names or {})})


def judge_gate2(score: Gate2, gates: Gates, gate1: Gate1 | None) -> Gate2:
    """Gate 2 with its verdict; `gate1` is the judged Gate 1 of the same policy, None where unmeasured."""
    judged = _with_verdict(score, _gate2_check(score, gates), round(score.n * score.coverage))
    said = gate1.verdict if gate1 else None
    return judged.model_copy(update={"gate1": said, "provisional": _provisional(gate1)})


def judge_run(run: Run, bar: Bar | None = None) -> Gate2:
    """A run scored and judged by its own policy, gates and ratings, unless another bar is given."""
    measured = score_raters(run)
    names = {level.value: level.name for level in run.policy.grades}
    gate1 = judge_gate1(measured, names) if measured else None
    return judge_gate2(score_run(run, bar or own_bar(run), gate1), run.gates, gate1)


def verdict_of(score: Gate) -> dict[str, Any]:
    """What verdict.json holds: the verdict and what it was read from."""
    return score.model_dump(mode="json", include=VERDICT_KEYS)


def exit_code(score: Gate) -> int:
    """How a command ends that was asked for this gate."""
    assert score.verdict is not None, "a scorecard that was never judged"
    return EXIT_CODES[score.verdict]


def _with_verdict(score: G, check: Check, n: int) -> G:
    verdict, reason = check
    needed = _needed(score, n) if verdict == "inconclusive" else None
    return score.model_copy(update={"verdict": verdict, "reason": reason, "items_needed": needed})


def _needed(score: Gate, n: int) -> int | None:
    """How many items would decide it; None where more of the same would not, or nobody can say."""
    found = score.gated_kappa
    if found.value is None or found.se is None:
        return None
    needed = items_needed(n, found.value, found.se, score.n_clusters, score.bar)
    return needed if needed is not None and needed > n else None


def _kappa_check(score: Gate) -> Check:
    return _against(score.gated_kappa, score.bar, score.gated)


def _against(estimate: Estimate, bar: float, name: str) -> Check:
    if estimate.ci is None:
        return "inconclusive", f"{name} has no interval: {estimate.reason}"
    low, high = estimate.ci
    interval = f"the 95 % interval of {name}, {low:.3f} to {high:.3f},"
    verdict = three_way(low, high, bar)
    where = {"pass": "lies above", "fail": "lies below", "inconclusive": "holds"}[verdict]
    return verdict, f"{interval} {where} the bar {bar:g}"


def _gate2_check(score: Gate2, gates: Gates) -> Check:
    """What is missing comes first, then what fails, then what is open: a pass is what remains."""
    kappa = _kappa_check(score)
    missing = _missing(score, gates, kappa[0])
    if missing:
        return "inconclusive", missing
    checks = [kappa, *_action_checks(score), *map(_cell_check, filter(_limited, score.never_grow))]
    for verdict in ("fail", "inconclusive"):
        reasons = [reason for found, reason in checks if found == verdict]
        if reasons:
            return verdict, "; ".join(reasons)
    return "pass", "; ".join(reason for _, reason in checks)


def _missing(score: Gate2, gates: Gates, verdict: Verdict) -> str | None:
    """Why the answers that are missing leave it open."""
    if score.coverage < gates.coverage_floor:
        return f"coverage {score.coverage:.1%} is under the floor of {gates.coverage_floor:.1%}"
    if score.coverage == 1 or score.gated_kappa.ci is None:
        return None
    reason = score.reasons.get("kappa_worst_case")
    worst = Estimate(value=score.kappa_worst_case, ci=score.kappa_worst_case_ci, reason=reason)
    other, why = _against(worst, score.bar, f"{score.gated} with every missing answer counted worst")
    return f"the missing answers could change the verdict: {why}" if other != verdict else None


def _action_checks(score: Gate2) -> list[Check]:
    actions = score.actions
    if actions is None or actions.bar is None:
        return []
    found = Estimate(value=actions.kappa, ci=actions.ci, reason=actions.reason)
    return [_against(found, actions.bar, "the actions' kappa")]


def _limited(cell: CellScore) -> bool:
    return cell.limit is not None


def _cell_check(cell: CellScore) -> Check:
    """A cell against its limit: the share must lie below it."""
    name = f"golden {cell.golden} with action {cell.action}"
    assert cell.limit is not None, "only cells with a limit are checked"
    if cell.ci is None:
        return "inconclusive", f"{name} has no item"
    low, high = cell.ci
    share = f"{name}: {cell.count} of {cell.n}, at most {high:.1%},"
    if high <= cell.limit:
        return "pass", f"{share} within the limit {cell.limit:.1%}"
    return ("fail" if low > cell.limit else "inconclusive"), f"{share} against the limit {cell.limit:.1%}"


def _provisional(gate1: Gate1 | None) -> str | None:
    """Why a Gate 2 cannot be relied on yet."""
    if gate1 is None:
        return NEVER_MEASURED
    if gate1.provisional:
        return f"in Gate 1, {gate1.provisional}"
    if gate1.verdict != "pass":
        return f"Gate 1 has not passed ({gate1.verdict})"
    return None
