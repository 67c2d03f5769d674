"""Which of the proposed templates is better, on pairs that no edit was made from."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.comparison.paired import compare_items
from harness.errors import BadInput
from harness.improve.grading import Grader
from harness.improve.parts import Parts
from harness.improve.search import Found
from harness.improve.variant import Variant
from harness.nouns.base import Reason, Weighting
from harness.nouns.pair import Example
from harness.score.items import GradedItem
from harness.scorecards.comparison import Change
from harness.scorecards.improvement import Candidate
from harness.stats.paired import holm

TESTED = 5
"""The most candidates that are tried on `select`: each one makes the correction stricter for the others."""
ALPHA = 0.05


class Terms(NamedTuple):
    """How candidates are scored."""

    scale: tuple[int, ...]
    weighting: Weighting


def judged(grader: Grader, found: Sequence[Found], parts: Parts, terms: Terms) -> list[Candidate]:
    """The best candidates on `propose`, tried on `select`; accepted where the change is sure after Holm."""
    scored = [(one, _change(grader, one.variant, parts.propose, terms)) for one in found]
    better = [(one, change) for one, change in scored if (change.delta or 0) > 0]
    better.sort(key=lambda one: (-(one[1].delta or 0), one[0].number))
    return decided([_tried(grader, *one, parts, terms) for one in better[:TESTED]])


def decided(tried: Sequence[Candidate]) -> list[Candidate]:
    """Each with p after Holm over all of them, and whether it is accepted or why not."""
    adjusted = holm([one.select.p for one in tried])
    return [_decided(one, p) for one, p in zip(tried, adjusted, strict=True)]


def chosen(candidates: Sequence[Candidate]) -> Candidate | None:
    """The accepted candidate whose change is at least the most; None where none is accepted."""
    accepted = [one for one in candidates if one.accepted and one.select.ci is not None]
    return max(accepted, key=lambda one: one.select.ci.low if one.select.ci else 0, default=None)


def _tried(grader: Grader, one: Found, propose: Change, parts: Parts, terms: Terms) -> Candidate:
    select = _change(grader, one.variant, parts.select, terms)
    before, after = (_unread(grader.items(variant, parts.select)) for variant in (grader.base, one.variant))
    inflation = None
    if propose.delta is not None and select.delta is not None:
        inflation = propose.delta - select.delta
    return Candidate(
        number=one.number,
        template=one.variant.system,
        shots=one.variant.shots,
        edits=one.edits,
        propose=propose,
        select=select,
        inflation=inflation,
        unread=after,
        unread_base=before,
    )


def _decided(one: Candidate, p: float | None) -> Candidate:
    """Accepted: sure to be better after Holm, and read no less often."""
    why = ""
    if one.select.delta is None or p is None:
        why = one.select.reason.text if one.select.reason else "its change on select is undefined"
    elif one.select.delta <= 0:
        why = "no better on select"
    elif p > ALPHA:
        why = "its change on select could be chance"
    elif one.unread > one.unread_base:
        why = "more answers cannot be read than before"
    return one.model_copy(update={"p_holm": p, "accepted": not why, "why": why})


def _change(grader: Grader, variant: Variant, examples: Sequence[Example], terms: Terms) -> Change:
    before, after = (grader.items(one, examples) for one in (grader.base, variant))
    try:
        found = compare_items(before, after, terms.scale, ("before", "after"), terms.weighting)
    except BadInput as error:
        return Change(base=None, candidate=None, delta=None, reason=Reason("undefined", str(error)))
    change: Change = getattr(found, found.gated)
    return change


def _unread(items: Sequence[GradedItem]) -> int:
    return sum(item.answers[0].grade is None for item in items)
