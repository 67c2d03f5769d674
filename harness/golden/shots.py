"""Which of the safe shots a prompt shows, and in which order."""

from collections.abc import Sequence

from harness.records import Example


def choose_shots(shots: Sequence[Example], count: int | None, scale: tuple[int, ...]) -> list[Example]:
    """`count` shots balanced over the grades (None: all), in a fixed order that runs through the scale.

    Within a grade, the shot that cites most clauses not yet shown comes first; ties go by id.
    """
    left = {grade: sorted(_of(shots, grade), key=lambda shot: shot.id) for grade in scale}
    shown: set[str] = set()
    chosen: list[Example] = []
    wanted = len(shots) if count is None else min(count, len(shots))
    while len(chosen) < wanted:
        for grade in scale:
            if left[grade] and len(chosen) < wanted:
                best = max(left[grade], key=lambda shot: len(set(shot.clauses) - shown))
                left[grade].remove(best)
                shown |= set(best.clauses)
                chosen.append(best)
    return chosen


def _of(shots: Sequence[Example], grade: int) -> list[Example]:
    return [shot for shot in shots if shot.grade == grade]
