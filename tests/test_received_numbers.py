"""Numbers that no answer has, in the files of a run that a stranger sent, are damage."""

import json
from typing import Any

import pytest
from builders import example
from pydantic import ValidationError

from harness.nouns.base import MOST, Noun
from harness.nouns.pair import Example, Rating
from harness.nouns.records import Record
from harness.runs.call_log import Call
from harness.score.money import Sums
from harness.storage.files import parse

RECORD = {
    "example": "a", "pair": "p", "at": "t", "seconds": 1.5, "attempts": 1, "cost": 0.5, "repeat": 0,
    "outcome": {"kind": "grade", "value": 1, "reasoning": "", "clauses": []},
    "reply": {
        "text": "t", "model": "m", "probabilities": {"0": 0.5},
        "usage": {"input_tokens": 1, "output_tokens": 1, "cached_tokens": 0, "written_tokens": 0,
                  "reasoning_tokens": 0},
    },
}  # fmt: skip
CALL = {"example": "a", "repeat": 0, "input_tokens": 1, "output_tokens": 1, "worst": 0.5}
STORED: list[tuple[type[Noun], dict[str, Any]]] = [
    (Record, RECORD), (Call, CALL),
    (Rating, {"item": "a", "rater": "b", "grade": 1}), (Example, example().data()),
]  # fmt: skip


def numbers(data: Any, put: str) -> list[Any]:
    """The data once for each number in it, with another in its place."""
    if isinstance(data, dict):
        return [{**data, key: other} for key, value in data.items() for other in numbers(value, put)]
    return [put] if isinstance(data, int | float) else []


@pytest.mark.parametrize("number", ["1e308", "1e999", "NaN", "Infinity", "1" + "0" * 400, "-1" + "0" * 400])
@pytest.mark.parametrize(("noun", "data"), STORED, ids=lambda one: getattr(one, "__name__", ""))
def test_a_number_that_no_answer_has_is_damage(noun: type[Noun], data: dict[str, Any], number: str) -> None:
    assert parse(noun, json.dumps(data), "here")[1] == []
    for other in numbers(data, "@"):
        found, faults = parse(noun, json.dumps(other).replace('"@"', number), "here")
        assert found is None and faults


@pytest.mark.parametrize("name", ["seconds", "attempts", "cost", "repeat"])
def test_less_than_nothing_is_damage(name: str) -> None:
    with pytest.raises(ValidationError):
        Record.model_validate({**RECORD, name: -1})


def test_the_tokens_of_a_long_run_are_more_than_one_call_can_have() -> None:
    sums = Sums()
    sums.counted, sums.tokens["input_tokens"] = 2, 2 * MOST
    assert sums.used is not None and sums.used.input_tokens == 2 * MOST
