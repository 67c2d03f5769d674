"""Replies: what is read, and above all what is not."""

import json
import tomllib
from pathlib import Path

import pytest
from builders import CLAUSE, policy, reply
from hypothesis import given
from hypothesis import strategies as st

from harness.nouns.records import Grade, Ungraded
from harness.prompting.answer import answer_schema, answer_text, read_grade

SCALE = (0, 1, 2, 3, 4)
CASES = sorted(Path(__file__).parent.glob("cases/replies/*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_reply_ends_as_its_case_says(path: Path) -> None:
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    outcome = read_grade(reply(case["text"], stop=case["stop"]), SCALE)
    said = f"grade {outcome.value}" if isinstance(outcome, Grade) else outcome.cause
    assert said == case["expected"]


@given(st.text(), st.lists(st.text()), st.sampled_from(SCALE))
def test_answer_text_is_read_back_as_it_was_written(reasoning: str, clauses: list[str], grade: int) -> None:
    outcome = read_grade(reply(answer_text(reasoning, clauses, grade)), SCALE)
    assert outcome == Grade(value=grade, reasoning=reasoning, clauses=tuple(clauses))


@given(st.text())
def test_any_text_ends_in_an_outcome(text: str) -> None:
    assert isinstance(read_grade(reply(text), SCALE), (Grade, Ungraded))


@given(st.integers(min_value=0))
def test_half_an_answer_is_never_a_grade(cut: int) -> None:
    whole = answer_text('quotes {"reasoning": "", "clauses": [], "grade": 4}', ["a"], 0)
    assert isinstance(read_grade(reply(whole[: cut % len(whole)]), SCALE), Ungraded)


def test_very_deep_json_is_bad_json() -> None:
    outcome = read_grade(reply('{"reasoning":' * 100_000), SCALE)
    assert isinstance(outcome, Ungraded)
    assert outcome.cause == "bad_json"


def test_half_a_surrogate_pair_is_made_storable() -> None:
    outcome = read_grade(reply('{"reasoning": "\\ud83d", "clauses": [], "grade": 1}'), SCALE)
    assert isinstance(outcome, Grade)
    assert outcome.reasoning.encode("utf-8") == b"?"


def test_schema_names_the_grades_and_clauses_of_the_policy() -> None:
    schema = answer_schema(policy((0, 1), CLAUSE))
    assert schema["properties"]["grade"]["enum"] == [0, 1]
    assert schema["properties"]["clauses"]["items"]["enum"] == ["accessory", "plain"]
    assert schema["required"] == list(schema["properties"]) == ["reasoning", "clauses", "grade"]
    assert json.dumps(schema)
