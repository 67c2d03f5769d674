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


@pytest.mark.parametrize(
    ("text", "cause", "detail"),
    [
        ("no object", "no_answer", "no JSON object with the keys of the form"),
        ('{"color": "red"}', "no_answer", "no JSON object with the keys of the form"),
        (answer_text("", [], 1) * 3, "two_answers", "3 answers"),
        (f"so</think>or</think>{answer_text('', [], 1)}", "two_answers", "the thinking ends 2 times"),
        (answer_text("", [], 7), "unknown_grade", "grade 7 is not on the scale"),
        ('{"grade": 1}', "bad_json", "missing: reasoning, clauses; not of the form: none"),
        (
            '{"reasoning": "", "clauses": [], "grade": 1, "sure": 1, "mood": 2}',
            "bad_json",
            "missing: none; not of the form: sure, mood",
        ),
        ('{"reasoning": "", "clauses": [], "grade": "1"}', "bad_json", "the grade is not an integer"),
        ('{"reasoning": 1, "clauses": [], "grade": 1}', "bad_json", "the reasoning is not text"),
        ('{"reasoning": "", "clauses": "a", "grade": 1}', "bad_json", "the clauses are not a list of ids"),
        (
            '{"reasoning": "", "clauses": ["a", 1], "grade": 1}',
            "bad_json",
            "the clauses are not a list of ids",
        ),
        (f"{{a {answer_text('', [], 1)}}}", "bad_json", "an object inside braces that are not JSON"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, cause: str, detail: str) -> None:
    assert read_grade(reply(text), SCALE) == Ungraded(cause=cause, detail=detail)


@pytest.mark.parametrize(
    ("mark", "longer"),
    [
        ("<|reserved_special_token_246|>", f"<{'x' * 41}>"),
        (f"<{'x' * 40}>", "<two words>"),
        ("[/AVAILABLE_TOOLS]", f"[/{'A' * 21}]"),
        (f"[/{'A' * 20}]", "[/of the turn]"),
        ("\n```\n", "\n```\nsays the listing"),
    ],
)
def test_answer_may_be_followed_by_the_mark_that_ends_a_turn_and_by_nothing_longer(
    mark: str, longer: str
) -> None:
    whole = answer_text("So.", [], 1)
    assert read_grade(reply(whole + mark), SCALE) == Grade(value=1, reasoning="So.", clauses=())
    assert read_grade(reply(whole + longer), SCALE) == Ungraded(
        cause="no_answer", detail="words follow the object: it is quoted, and not the answer"
    )


VERBS = "grade rate judge score assess evaluate answer help assist comply"


@pytest.mark.parametrize(
    "wont",
    [
        "I will not", "I'll not", "I won't", "I won\u2019t", "I cannot", "I can not", "I can't",
        "I refuse to", "I decline to", "I'm unable to", "I\u2019m unable to", "I am unable to",
        "I'm not able to", "I am not able to",
    ],
)  # fmt: skip
def test_words_of_somebody_who_will_not_answer_make_the_object_a_quotation(wont: str) -> None:
    whole = answer_text("So.", [], 1)
    for verb in VERBS.split():
        for words in (f"{wont} {verb} this.", f"Sorry, {wont} really {verb} it.", f"{wont.upper()} {verb}"):
            found = read_grade(reply(f"{words} An answer looks so: {whole}"), SCALE)
            assert isinstance(found, Ungraded) and found.cause == "refused", words
    # Other doubts are no refusal, and words of the answer itself are not before it.
    for words in (f"{wont} see a brand.", f"{wont} upgrade it.", f"{wont} be sure, so {VERBS}."):
        assert isinstance(read_grade(reply(f"{words} {whole}"), SCALE), Grade), words
    inside = read_grade(reply(answer_text(f"{wont} grade it lower.", [], 1)), SCALE)
    assert isinstance(inside, Grade)


def test_of_the_thinking_beside_an_empty_answer_eighty_letters_are_shown() -> None:
    said = reply(" \n").model_copy(update={"thinking": 79 * "a" + "bc"})
    shown = f"the answer is empty: all that came is thinking beside it, '{79 * 'a'}b'"
    assert read_grade(said, SCALE) == Ungraded(cause="no_answer", detail=shown)
    # Where there is an answer, it is what cannot be read.
    other = read_grade(said.model_copy(update={"text": "Two."}), SCALE)
    assert other == Ungraded(cause="no_answer", detail="no JSON object with the keys of the form")


def test_detail_of_a_fault_is_cut_where_it_goes_on_and_on() -> None:
    key = "k" * 300
    outcome = read_grade(reply(f'{{"{key}": 1, "{key}": 2}}'), SCALE)
    assert isinstance(outcome, Ungraded)
    assert (len(outcome.detail or ""), key[:100] in (outcome.detail or "")) == (200, True)


@pytest.mark.parametrize(
    ("clauses", "items"), [("", {}), (CLAUSE, {"enum": ["accessory", "plain"]})], ids=["none", "two"]
)
def test_schema_is_the_form_with_the_grades_and_clauses_of_the_policy(
    clauses: str, items: dict[str, list[str]]
) -> None:
    schema = answer_schema(policy((0, 1), clauses))
    assert schema == {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "clauses": {"type": "array", "items": {"type": "string", **items}},
            "grade": {"type": "integer", "enum": [0, 1]},
        },
        "required": ["reasoning", "clauses", "grade"],
        "additionalProperties": False,
    }
    assert list(schema["properties"]) == schema["required"]
    assert json.dumps(schema)


def test_answer_text_spells_letters_as_they_are() -> None:
    assert answer_text("Größe 🙂", ["ä"], 1) == '{"reasoning": "Größe 🙂", "clauses": ["ä"], "grade": 1}'
