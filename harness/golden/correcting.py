"""Correct the judgement of an example under a policy version, also if a later version judged it since."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import Fault, refuse_faults
from harness.golden.regrading import judgement_in, regrade, regrade_faults, unargued
from harness.golden.rejudging import (
    Judged,
    Judgement,
    golden_lines,
    judgement_faults,
    order_faults,
    rewrite,
)
from harness.nouns.pair import Example, judged_under
from harness.nouns.policy import Policy
from harness.storage.locks import alone
from harness.storage.project import is_version, version_number


def correct(path: Path, policy: Policy, id_: str, said: Judgement, why: str, at: str) -> bool:
    """Give an example this judgement under a policy version. False if it has it already.

    A judgement under a later version stays in use: the corrected one is inserted into the history, after
    the judgement that it corrects.
    """
    one = golden_lines(path).get(id_)
    if one is None or not judged_later(one, policy):
        return regrade(path, policy, id_, said, why, at)
    with alone(path.parent / ".golden.lock"):
        golden = golden_lines(path)
        refuse_faults(correction_faults(id_, golden, policy, said))
        was = golden[id_]
        assert isinstance(was, Example), "checked"
        then = was.under(policy.version)
        if then is not was and judgement_in(then) == judgement_in(said):
            return False
        rewrite(path, {id_: _corrected(was, policy, said, why, at)})
    return True


def judged_later(one: Judged, policy: Policy) -> bool:
    """Whether an example was judged under a later version than this one."""
    return bool(order_faults(one, policy))


def correction_faults(id_: str, golden: Mapping[str, Judged], policy: Policy, said: Judgement) -> list[Fault]:
    """The faults of a judgement for an example; empty if it can be recorded."""
    one = golden.get(id_)
    if one is None or not isinstance(one, Example):
        return [Fault(id_, "not an example of this set")]
    if not judged_later(one, policy):
        return regrade_faults(id_, golden, policy, said)
    before = one.under(policy.version).reasoning
    return [*judgement_faults(id_, said, policy), *unargued(id_, before, said)]


def _corrected(
    was: Example, policy: Policy, said: Judgement, why: str, at: str
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function that inserts the judgement after the last one under its version or an earlier one."""
    then = judged_under(policy.version, was.history, was.reasoning, was.clauses)

    def change(line: dict[str, Any]) -> dict[str, Any]:
        history = [dict(past) for past in line.get("history", [])]
        place = max((n for n, past in enumerate(history, 1) if _until(past, policy)), default=0)
        made: dict[str, Any] = {"policy_version": policy.version, "rules": policy.rules}
        made |= said.model_dump(mode="json")
        left = {"changed_at": at, "why": why}
        if then is not None:
            # The later judgement may have kept the reasoning of this one.
            corrected = history[place - 1]
            left = {key: corrected.pop(key, "") for key in ("changed_at", "why")}
            corrected.pop("stands", None)
            worded = {"reasoning": then["reasoning"], "clauses": list(then["clauses"])}
            history[place - 1] = {**corrected, **worded, "changed_at": at, "why": why}
        return line | {"history": [*history[:place], {**made, **left}, *history[place:]]}

    return change


def _until(past: Mapping[str, Any], policy: Policy) -> bool:
    version = past["policy_version"]
    return is_version(version) and version_number(version) <= version_number(policy.version)
