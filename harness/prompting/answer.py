"""The answer form: what a teacher is asked to reply, and the one strict way to read it.

An answer is exactly one JSON object with the keys of the form, bare, fenced or behind prose, and nothing
but marks comes after it. Thinking that a server left in the text is not a part of the answer. Other replies
are Ungraded with a cause. No grade is ever guessed: not from a digit in the prose, not from the better of
two answers, not from an object that the reply only quotes.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from harness.nouns.policy import Policy
from harness.nouns.records import Grade, Reply, Ungraded
from harness.prompting.thinking import TwoAnswers, without_thinking
from harness.storage.plural import plural
from harness.storage.strict_json import single_keys, whole_text

SHOWN: Final = 80
"""Letters of the thinking beside an empty answer that are shown."""
KEYS: Final = ("reasoning", "clauses", "grade")
_BRACE = re.compile(r"[{}]")
_KEY = re.compile(r'\s*["}]')
_MARKS = re.compile(r"(?:[\s`*_~.\-]|<[^<>\s]{1,40}>|\[/[A-Z_]{1,20}\])*")
"""What may follow an answer: the end of a fence, of emphasis, or of the model's turn."""
_REFUSAL = re.compile(
    r"\bI(?: will not|['\u2019]ll not| won['\u2019]t| cannot| can not| can['\u2019]t| refuse to| decline to"
    r"|['\u2019]m unable to| am unable to|['\u2019]m not able to| am not able to)"
    r" (?:\w+ )?(?:grade|rate|judge|score|assess|evaluate|answer|help|assist|comply)\b",
    re.IGNORECASE,
)
"""A refusal to answer: an object behind it is a quotation."""
_DECODER = json.JSONDecoder(object_pairs_hook=single_keys)


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
    """The grade in a reply, or why it cannot be read."""
    if reply.stop != "end":
        return Ungraded(cause=reply.stop)
    text = reply.text
    try:
        if not _is_one_object(text):
            text = without_thinking(text)
        answers = [found for found in _objects(text) if set(found[0]) & set(KEYS)]
    except TwoAnswers as error:
        return Ungraded(cause="two_answers", detail=str(error))
    except (ValueError, RecursionError) as error:
        return Ungraded(cause="bad_json", detail=str(error)[:200])
    if not answers:
        return Ungraded(cause="no_answer", detail=_why_none(reply, text))
    if len(answers) > 1:
        return Ungraded(cause="two_answers", detail=plural(len(answers), "answer"))
    answer, start, end = answers[0]
    if not _MARKS.fullmatch(text, end):
        return Ungraded(cause="no_answer", detail="words follow the object: it is quoted, and not the answer")
    if _REFUSAL.search(text, 0, start):
        return Ungraded(cause="refused", detail="the words before the object refuse to grade")
    return _read_answer(answer, scale)


def _is_one_object(text: str) -> bool:
    """Whether a text is one JSON object and nothing else: a mark inside it then ends no thinking."""
    start = text.lstrip()
    if not start.startswith("{"):
        return False
    try:
        _, end = _DECODER.raw_decode(start)
    except (ValueError, RecursionError):
        return False
    return not start[end:].strip()


def _why_none(reply: Reply, text: str) -> str:
    if reply.thinking and not text.strip():
        return f"the answer is empty: all that came is thinking beside it, {reply.thinking[:SHOWN]!r}"
    if text != reply.text:
        return "no JSON object with the keys of the form behind the thinking"
    return "no JSON object with the keys of the form"


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


def _objects(text: str) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Every outermost JSON object in a text, with its place. ValueError for one that is cut off.

    A brace that no quoted key or closing brace follows is prose, as in "the set {a, b}", and so is
    what it encloses. An object inside a broken one, or inside prose braces, is not the answer: half
    an answer, or one in loose JSON, can hold a whole one, quoted from the product.
    """
    at = depth = 0
    while at < len(text):
        brace = _BRACE.search(text, at)
        if brace is None:
            return
        at = brace.end()
        if brace[0] == "}":
            depth = max(0, depth - 1)
        elif _KEY.match(text, at):
            found, at = _DECODER.raw_decode(text, brace.start())
            if depth:
                raise ValueError("an object inside braces that are not JSON")
            yield found, brace.start(), at
        else:
            depth += 1
