"""Whether a student and a teacher belong together: their policies, and who taught the student."""

from collections.abc import Iterator

from harness.comparison.sides import Side
from harness.errors import BadInput
from harness.scorecards.student import StudentOrigin


def refuse_other_policy(student: Side, teacher: Side) -> None:
    """Grades of two policies mean different things, though they may be the same numbers."""
    ours, theirs = ((one.policy or "").partition("@")[0] for one in (student, teacher))
    if ours and theirs and ours != theirs:
        what = f"{student.name} was graded under {student.policy}, and {teacher.name} under {teacher.policy}"
        raise BadInput(f"{what}: grade both under one policy (`harness eval --policy NAME`)")


def remarks(student: Side, teacher: Side, origin: StudentOrigin | None) -> Iterator[str]:
    """Notes on where both come from, beside the verdict. `origin`: None where it is not known."""
    if student.policy and teacher.policy and student.policy != teacher.policy:
        each = f"the student was graded under {student.policy}, and the teacher under {teacher.policy}"
        yield f"{each}: each by the golden grades of its own version"
    if origin and origin.other:
        yield f"the student learned from {origin.teacher}, and is held against {origin.held_against}"
    if origin and origin.unknown:
        yield f"the student: {origin.unknown[0].lower()}{origin.unknown[1:].rstrip('.')}"
