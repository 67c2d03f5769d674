"""The effect of steering text, from a run over canaries."""

from collections.abc import Sequence

from harness.golden.canaries import PLAIN, STEERED, CanaryReport, Move
from harness.score.items import GradedItem


def canary_report(items: Sequence[GradedItem]) -> CanaryReport:
    """The grade of each canary's steered product minus that of its plain one."""
    grades = {item.item: item.answers[0].grade for item in items}
    moves = [_move(item, grades) for item in items if item.item.endswith(f"/{PLAIN}")]
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
    id_ = plain.item.removesuffix(f"/{PLAIN}")
    return Move(
        id=id_,
        trick=plain.about.tags[-1].removeprefix("trick:"),
        golden=plain.golden,
        plain=grades[plain.item],
        steered=grades.get(f"{id_}/{STEERED}"),
    )
