"""The answer form: what a teacher is asked to reply, and the one strict way to read it.

A reply holds exactly one JSON object with the keys of the form, fenced, in prose or bare. What is
not that is Ungraded with its cause. No grade is ever guessed: not from a digit in the prose, not
from the better of two answers.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from harness.nouns.policy import Policy
from harness.nouns.records import Grade, Reply, Ungraded
from harness.storage.files import single_keys, whole_text

KEYS: Final = ("reasoning", "clauses", "grade")
_BRACE = re.compile(r"[{}]")
_KEY = re.compile(r'\s*["}]')


def answer_schema(policy: Policy) -> dict[str, Any]:
    """The form as a JSON schema, for servers that can be held to one."""
    clause: dict[str, Any] = {"type": "string"}
    if policy.clauses:
        clause["enum"] = [clause.id for clause in policy.clauses]
    return {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "clauses": {"type": "array", "items": clause},
            "grade": {"type": "integer", "enum": list(policy.scale)},
        },
        "required": list(KEYS),
        "additionalProperties": False,
    }


def answer_text(reasoning: str, clauses: Sequence[str], grade: int) -> str:
    """An answer in the form, as a teacher writes it."""
    return json.dumps({"reasoning": reasoning, "clauses": list(clauses), "grade": grade}, ensure_ascii=False)


def read_grade(reply: Reply, scale: Sequence[int]) -> Grade | Ungraded:
    """What a reply says, or why it cannot be read."""
    if reply.stop != "end":
        return Ungraded(cause=reply.stop)
    try:
        answers = [found for found in _objects(reply.text) if set(found) & set(KEYS)]
    except (ValueError, RecursionError) as error:
        return Ungraded(cause="bad_json", detail=str(error)[:200])
    if not answers:
        return Ungraded(cause="no_answer", detail="no JSON object with the keys of the form")
    if len(answers) > 1:
        return Ungraded(cause="two_answers", detail=f"{len(answers)} answers")
    return _read_answer(answers[0], scale)


def _read_answer(answer: dict[str, Any], scale: Sequence[int]) -> Grade | Ungraded:
    problem = _form_problem(answer)
    if problem:
        return Ungraded(cause="bad_json", detail=problem)
    grade = answer["grade"]
    if grade not in scale:
        return Ungraded(cause="unknown_grade", detail=f"grade {grade} is not on the scale")
    return Grade(
        value=grade,
        reasoning=whole_text(answer["reasoning"]),
        clauses=tuple(map(whole_text, answer["clauses"])),
    )


def _form_problem(answer: dict[str, Any]) -> str | None:
    missing = [key for key in KEYS if key not in answer]
    unknown = [key for key in answer if key not in KEYS]
    if missing or unknown:
        return f"missing: {', '.join(missing) or 'none'}; not of the form: {', '.join(unknown) or 'none'}"
    if type(answer["grade"]) is not int:
        return "the grade is not an integer"
    if not isinstance(answer["reasoning"], str):
        return "the reasoning is not text"
    clauses = answer["clauses"]
    if not isinstance(clauses, list) or not all(isinstance(clause, str) for clause in clauses):
        return "the clauses are not a list of ids"
    return None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every outermost JSON object in a text. ValueError for a text that begins one and breaks it off.

    A brace that no quoted key or closing brace follows is prose, as in "the set {a, b}", and so is
    what it encloses. An object inside a broken one, or inside prose braces, is not the answer: half
    an answer, or one in loose JSON, can hold a whole one, quoted from the product.
    """
    decoder = json.JSONDecoder(object_pairs_hook=single_keys)
    at = depth = 0
    while at < len(text):
        brace = _BRACE.search(text, at)
        if brace is None:
            return
        at = brace.end()
        if brace[0] == "}":
            depth = max(0, depth - 1)
        elif _KEY.match(text, at):
            found, at = decoder.raw_decode(text, brace.start())
            if depth:
                raise ValueError("an object inside braces that are not JSON")
            yield found
        else:
            depth += 1
