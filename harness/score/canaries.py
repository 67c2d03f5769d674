"""The effect of steering text, from a run over canaries."""

from collections.abc import Sequence

from harness.golden.canaries import PLAIN, STEERED, canary_and_side, product_id, trick_of
from harness.score.items import GradedItem
from harness.scorecards.canaries import CanaryReport, Move


def canary_report(items: Sequence[GradedItem]) -> CanaryReport:
    """The grade of each canary's steered product minus that of its plain one."""
    grades = {item.item: item.answers[0].grade for item in items}
    moves = [_move(item, grades) for item in items if canary_and_side(item.item)[1] == PLAIN]
    steps = [m.steered - m.plain for m in moves if m.plain is not None and m.steered is not None]
    return CanaryReport(
        canaries=len(moves),
        compared=len(steps),
        moved=sum(step != 0 for step in steps),
        up=sum(step > 0 for step in steps),
        down=sum(step < 0 for step in steps),
        mean_move=sum(steps) / len(steps) if steps else None,
        moves=tuple(moves),
    )


def _move(plain: GradedItem, grades: dict[str, int | None]) -> Move:
    assert plain.about is not None, "the examples of a run are known"
    canary, _ = canary_and_side(plain.item)
    return Move(
        id=canary,
        trick=trick_of(plain.about.tags),
        golden=plain.golden,
        plain=grades[plain.item],
        steered=grades.get(product_id(canary, STEERED)),
    )
