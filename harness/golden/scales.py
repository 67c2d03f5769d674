"""The scale of grades: read, written, and found in a table's cells."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from harness.errors import BadInput
from harness.golden.table_faults import NO_GRADE
from harness.nouns.pair import one_form
from harness.nouns.policy import Policy
from harness.storage.cells import number_of

MOST_GRADES = 101
"""0 to 100: people cannot distinguish more grades, and kappa's matrix grows with their square."""


def parse_scale(text: str) -> tuple[int, ...]:
    """`0-4` as (0, 1, 2, 3, 4); `0,1,3` as (0, 1, 3)."""
    plain = "".join(text.split())
    span = re.fullmatch(r"(\d{1,9})-(\d{1,9})", plain)
    scale: Sequence[int] = ()
    if span:
        scale = range(int(span[1]), int(span[2]) + 1)
    elif re.fullmatch(r"-?\d{1,9}(,-?\d{1,9})*", plain):
        scale = sorted({int(part) for part in plain.split(",")})
    if not 2 <= len(scale) <= MOST_GRADES:
        raise BadInput(
            f"invalid scale {text[:80]!r}; expected 2 to {MOST_GRADES} grades, such as 0-4 or 0,1,3"
        )
    return tuple(scale)


def grade_reader(
    labels: Mapping[str, int | None], scale: tuple[int, ...], option: str = "--labels"
) -> Callable[[str], tuple[int | None, str | None]]:
    """A function that reads a cell as a grade, None if it is empty; or returns its fault.

    `option`: the option that gives the labels.
    """
    off = [f"{word}={grade}" for word, grade in labels.items() if grade not in (None, *scale)]
    if off:
        raise BadInput(f"{option}: {', '.join(off)} is not on the scale {scale_text(scale)}")

    labels = {one_form(word): grade for word, grade in labels.items()}
    numbers = {number_of(word): grade for word, grade in labels.items()}
    recoded = any(grade not in (None, number) for number, grade in numbers.items() if number is not None)

    @lru_cache(maxsize=1024)
    def read(text: str) -> tuple[int | None, str | None]:
        text = one_form(text)
        if text in labels or not text:
            return labels.get(text), None
        # Spreadsheets and data frames write whole numbers as 3.0, or as 3,0.
        number = number_of(text)
        if number is not None and number in numbers:
            return numbers[number], None
        if number is None:
            return None, NO_GRADE
        if recoded:
            return None, f"{text} has no label, and {option} changes other numbers: add {text}=N to it"
        if number not in scale:
            return None, f"{text} is not on the scale {scale_text(scale)}"
        return int(number), None

    return read


def off_scale(grade: int, policy: Policy) -> str:
    """The fault text for a grade that the policy's scale does not have."""
    return f"grade {grade} is not on the scale {scale_text(policy.scale)} of {policy.label}"


def scale_text(scale: tuple[int, ...]) -> str:
    """A scale in words: 0-4, or 0,1,3 where it has gaps."""
    whole = scale[0] >= 0 and tuple(range(scale[0], scale[-1] + 1)) == scale
    return f"{scale[0]}-{scale[-1]}" if whole else ",".join(map(str, scale))
