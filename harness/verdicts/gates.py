"""Decide the verdict of a scorecard: pass, fail or inconclusive, with the reason in words.

The verdict is read from the 95 % interval, never from the point value. An inconclusive verdict is not a pass.
Missing answers can only prevent a pass.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from harness.nouns.base import Interval
from harness.nouns.policy import Gates
from harness.score.advice import advice
from harness.score.threshold import bands_differ
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import CellScore, Gate2
from harness.scorecards.shared import Estimate, Gate, Verdict
from harness.stats.three_way import items_needed, three_way

EXIT_CODES: dict[Verdict, int] = {"pass": 0, "fail": 1, "inconclusive": 3}
VERDICT_KEYS = {
    "gate", "verdict", "reason", "items_needed", "queries_needed", "band", "bar", "bar_moved", "weighting",
    "gated", "kappa", "kappa_linear", "kappa_quadratic", "n", "n_clusters", "coverage", "gate1",
    "provisional",
}  # fmt: skip
UNMEASURED = "Gate 1 was not measured here, {why}, so it is unknown whether the policy is clear"
NO_RATERS = UNMEASURED.format(why="as it takes two raters")

G = TypeVar("G", bound=Gate)
Check = tuple[Verdict, str]
"""The verdict of one condition, and why."""


def judge_gate1(
    score: Gate1,
    grade_names: Mapping[int, str] | None = None,
    unfinished: str | None = None,
    machines: Collection[str] = (),
) -> Gate1:
    """Gate 1 with its verdict and advice. Ratings that look copied do not pass.

    `unfinished`: why planned ratings are missing, if any are. Then the verdict is inconclusive, without band
    and advice, which would show what it may become. `machines`: the raters that are language models.
    """
    check = _kappa_check(score)
    if unfinished:
        waiting = {"verdict": "inconclusive", "reason": unfinished, "band": None}
        of_bands = bands_differ(score.bands)
        warnings = tuple(one for one in score.warnings if one not in of_bands)
        return _with_verdict(score, check).model_copy(update={**waiting, "warnings": warnings})
    if score.copies and check[0] == "pass":
        check = "inconclusive", score.copies
    elif score.copies:
        score = score.model_copy(update={"warnings": (*score.warnings, score.copies)})
    judged = _with_verdict(score, check)
    return judged.model_copy(update={"advice": advice(judged, grade_names or {}, machines)})


def judge_gate2(score: Gate2, gates: Gates, gate1: Gate1 | None, stale: str | None = None) -> Gate2:
    """Gate 2 with its verdict; `gate1` is the judged Gate 1 of the same policy, None if unmeasured.

    `stale` says why the golden grades are not those of the policy; the verdict is then inconclusive.
    """
    judged = _with_verdict(score, ("inconclusive", stale) if stale else _gate2_check(score, gates))
    said = gate1.verdict if gate1 else None
    return judged.model_copy(update={"gate1": said, "provisional": _provisional(gate1)})


def verdict_of(score: Gate) -> dict[str, Any]:
    """The content of verdict.json: the verdict and the figures it was read from."""
    return score.model_dump(mode="json", include=VERDICT_KEYS)


def _with_verdict(score: G, check: Check) -> G:
    verdict, reason = check
    # More items do not help if something other than kappa, such as missing answers, left it open.
    needed = _needed(score) if verdict == "inconclusive" and check == _kappa_check(score) else None
    queries = _queries_of(needed, score) if needed else None
    update = {"verdict": verdict, "reason": reason, "items_needed": needed, "queries_needed": queries}
    return score.model_copy(update=update)


def _queries_of(items: int, score: Gate) -> int | None:
    """How many queries the items take, at the present items per query; None if each item has its own."""
    n = score.gated_kappa.n
    return math.ceil(items * score.n_clusters / n) if score.n_clusters < n else None


def _needed(score: Gate) -> int | None:
    """How many items would decide it; None if more items would not, or the number is unknown."""
    found = score.gated_kappa
    if found.value is None or found.se is None or found.ci is None:
        return None
    needed = items_needed(found.n, found.value, found.se, score.n_clusters, score.bar)
    return needed if needed is not None and needed > found.n else None


def _kappa_check(score: Gate) -> Check:
    return _against(score.gated_kappa, score.bar, score.gated_words)


def _against(estimate: Estimate, bar: float, name: str) -> Check:
    if estimate.ci is None:
        why = estimate.reason
        if why and why.kind == "undefined":
            return "inconclusive", f"{name} is {why}"
        return "inconclusive", f"{name} has no interval: {why.after_no_interval if why else ''}"
    interval = f"the 95 % interval of {name}, {estimate.ci.low:.3f} to {estimate.ci.high:.3f},"
    verdict = three_way(estimate.ci, bar)
    where = {"pass": "lies above", "fail": "lies below", "inconclusive": "contains"}[verdict]
    return verdict, f"{interval} {where} the bar {bar:g}"


def _gate2_check(score: Gate2, gates: Gates) -> Check:
    """Check in order: coverage, missing answers, failures, open conditions. Pass if none is found."""
    if score.coverage < gates.coverage_floor:
        floor = f"the floor of {gates.coverage_floor:.1%}"
        return "inconclusive", f"coverage {score.coverage:.1%} is under {floor}"
    checks = [(_kappa_check(score), _worst_kappa_check(score)), *_action_checks(score), *_cell_checks(score)]
    checks += _uncounted(score, gates)
    for found, worst in checks if score.coverage < 1 else ():
        if found[0] != worst[0]:
            return (
                "inconclusive",
                f"the missing answers could change the verdict: in the worst case, {worst[1]}",
            )
    return together([found for found, _ in checks])


def together(checks: Sequence[Check], passed: str | None = None) -> Check:
    """The worst verdict, fail before inconclusive, with its reasons; `passed`: the reason of a pass."""
    verdicts: tuple[Verdict, ...] = ("fail", "inconclusive", "pass")
    worst = next(verdict for verdict in verdicts if any(found == verdict for found, _ in checks))
    reasons = [reason for found, reason in checks if found == worst]
    return worst, passed if passed and worst == "pass" else "; ".join(reasons)


def _worst_kappa_check(score: Gate2) -> Check:
    reason = score.reasons.get("kappa_worst_case")
    worst = Estimate(value=score.kappa_worst_case, ci=score.kappa_worst_case_ci, reason=reason)
    return _against(worst, score.bar, score.gated_words)


def _action_checks(score: Gate2) -> list[tuple[Check, Check]]:
    """The actions' kappa against its threshold, as found and at worst; empty if none is declared."""
    actions = score.actions
    if actions is None or actions.bar is None:
        return []
    found, worst = (
        Estimate(value=actions.kappa, ci=ci, reason=actions.reason)
        for ci in (actions.ci, actions.ci_worst_case)
    )
    name = "the actions' kappa"
    return [(_against(found, actions.bar, name), _against(worst, actions.bar, name))]


def _cell_checks(score: Gate2) -> list[tuple[Check, Check]]:
    """Each cell with a limit against it, as found and at worst."""
    limited = [cell for cell in score.never_grow if cell.limit is not None]
    return [(_cell_check(cell, cell.ci), _cell_check(cell, cell.ci_worst_case)) for cell in limited]


def _uncounted(score: Gate2, gates: Gates) -> list[tuple[Check, Check]]:
    """A threshold in gates.toml for actions that the policy has not decided on: inconclusive."""
    asked = gates.gate2.actions is not None or any(cell.limit is not None for cell in gates.never_grow)
    if score.actions is not None or not asked:
        return []
    found: Check = "inconclusive", f"gates.toml has a bar for actions: {score.reasons['actions']}"
    return [(found, found)]


def _cell_check(cell: CellScore, ci: Interval | None) -> Check:
    """A cell against its limit: the share must lie below it."""
    name = f"golden {cell.golden} with action {cell.action}"
    assert cell.limit is not None, "only cells with a limit are checked"
    if ci is None:
        return "inconclusive", f"{name} has {cell.reason or 'no item'}"
    share = f"{name}: {cell.found}, at most {ci.high:.1%},"
    if ci.high <= cell.limit:
        return "pass", f"{share} within the limit {cell.limit:.1%}"
    against = f"{share} against the limit {cell.limit:.1%}"
    guard = f" ({cell.guard})" if cell.guard and ci == cell.ci else ""
    return ("fail" if ci.low > cell.limit else "inconclusive"), f"{against}{guard}"


def _provisional(gate1: Gate1 | None) -> str | None:
    """Why a Gate 2 is provisional."""
    if gate1 is None:
        return NO_RATERS
    named = f"Gate 1{gate1.whose}"
    failed = None if gate1.verdict == "pass" else f"{named} has not passed ({gate1.verdict})"
    doubt = f"in {'Gate 1' if failed else named}, {gate1.provisional}" if gate1.provisional else None
    return "; ".join(filter(None, (failed, doubt))) or None
