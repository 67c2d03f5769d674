"""The items that two graders grade differently; those whose action changes come first."""

from collections.abc import Sequence

from harness.comparison.sides import Side
from harness.score.items import GradedItem
from harness.scorecards.comparison import Flip, Kind


def find_flips(
    base: Side, candidate: Side, votes: Sequence[tuple[GradedItem, GradedItem]]
) -> tuple[Flip, ...]:
    """Every flip; `votes` holds the pairs with one answer each."""
    found = [_flip(base, candidate, one, other) for one, other in votes if _differ(one, other)]
    return tuple(sorted(found, key=_worst_first))


def _differ(one: GradedItem, other: GradedItem) -> bool:
    before, after = one.answers[0].grade, other.answers[0].grade
    return before != after or (before == one.golden) != (after == other.golden)


def _flip(base: Side, candidate: Side, one: GradedItem, other: GradedItem) -> Flip:
    before, after = one.answers[0], other.answers[0]
    assert before.grade is not None and after.grade is not None, "only readable answers are compared"
    about = other.about or one.about
    # The action changes only if both sides' policies name actions.
    actions = (base.action_of, candidate.action_of) if base.action_of and candidate.action_of else None
    return Flip(
        item=other.item,
        query=about.query if about else None,
        title=about.title if about else None,
        golden=one.golden,
        golden_candidate=other.golden if other.golden != one.golden else None,
        base=before.grade,
        candidate=after.grade,
        kind=_kind(before.grade == one.golden, after.grade == other.golden),
        base_action=actions[0][before.grade] if actions else None,
        candidate_action=actions[1][after.grade] if actions else None,
        golden_reasoning=about.reasoning if about else "",
        base_reasoning=before.reasoning,
        candidate_reasoning=after.reasoning,
    )


def _kind(before: bool, after: bool) -> Kind:
    if before == after:
        return "moved"
    return "fixed" if after else "broken"


def _worst_first(flip: Flip) -> tuple[bool, bool, int, str]:
    same = flip.base_action == flip.candidate_action
    return same, flip.kind != "broken", -abs(flip.candidate - flip.base), flip.item
