"""Counts by question that lie on the disk: they count as those in memory do."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.grading.answered import Answered, record_of
from harness.nouns.records import Grade, Key, Reply
from harness.runs import counts
from harness.runs.call_log import Call, CallLog, unanswered_calls
from harness.runs.counts import DiskCounts
from harness.runs.paid import PaidAnswers

KEYS = st.tuples(st.sampled_from("abc\U0001f3d5é"), st.integers(0, 2))


@given(st.lists(st.tuples(KEYS, st.integers(-2, 2))), st.integers(1, 5))
def test_they_are_those_of_a_counter(steps: list[tuple[Key, int]], held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "HELD", held)
        memory, disk = Counter[Key](), DiskCounts()
        for key, count in steps:
            memory[key] += count
            disk[key] += count
            assert disk[key] == memory[key]
        assert dict(disk.below_zero()) == {key: count for key, count in memory.items() if count < 0}
        assert disk["none", 0] == 0
        assert all(disk[key] == count for key, count in memory.items())
        disk.close()


def test_lost_calls_are_found_whichever_counts(tmp_path: Path) -> None:
    log = CallLog(tmp_path)
    for number in range(40):
        log.add(Call(example=f"p{number}", input_tokens=number, output_tokens=1, worst=0.1 * number))
    log.close()
    reply = Reply(text="{}", model="m")
    grade = Grade(value=1, reasoning="", clauses=())
    found = []
    for paid in (PaidAnswers(), PaidAnswers(DiskCounts())):
        for number in range(0, 40, 2):
            list(paid.take(record_of(f"p{number}", 0, "", Answered(grade, reply))))
        found.append(unanswered_calls(tmp_path, paid.answers).calls)
    first, second = (sorted(calls, key=lambda call: call.input_tokens) for calls in found)
    assert first == second and [one.example for one in first] == [f"p{n}" for n in range(1, 40, 2)]
