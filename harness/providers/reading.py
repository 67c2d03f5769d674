"""Reading what a server sends: a body, why an answer ends, its content and its tokens, in any API."""

import json
import math
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import CallError, TransientError
from harness.nouns.records import Usage
from harness.providers.error_body import Told, told_by, told_in
from harness.providers.wire import clip, told_error
from harness.storage.files import whole_text

MOST = 1_000_000_000
"""Tokens that a call can have at most: a count beyond is no count."""
MOST_BESIDE = 300_000
"""Tokens of thinking that can be counted beside the output: more is no count of one answer."""
LONG = 100
"""Digits of a number that means nothing."""

COUNTED = ("total_tokens", "prompt_tokens", "input_tokens", "completion_tokens", "output_tokens")
"""What the APIs call the tokens of a call."""

Body = TypeVar("Body", bound=BaseModel)
Stop = Literal["end", "cut_off", "refused", "filtered"]


def read_answer(text: str, model: type[Body], what: str) -> Body:
    """An answer's body, checked. TransientError for HTML, half an answer, or one without what is read.

    A body that tells of an error is that error, though its status says that all is well.
    """
    try:
        data = read_json(text)
        told = told_in(data)
        # A response that failed holds an error of its own and is read with it.
        failed = "output" in model.model_fields and isinstance(data, dict) and data.get("output") is not None
        if told is None or failed:
            return model.model_validate(data)
    except (ValueError, ValidationError, RecursionError) as error:
        raise TransientError(f"the server's answer is not {what}: {clip(text)!r}") from error
    raise told_beside(told, data.get("usage") if isinstance(data, dict) else None)


def told_beside(told: Told, usage: Any) -> CallError:
    """The error of an answer. Where the answer counts tokens, it may be billed all the same."""
    error = told_error(told)
    error.may_be_billed |= any(read_number(usage, name) for name in COUNTED)
    return error


def read_json(text: str, *, unique: bool = False) -> Any:
    """A text as data. ValueError or RecursionError where it is no JSON, or `unique` and a key comes twice.

    A number of hundreds of digits is beyond what Python takes for one, and no reason to lose an answer.
    """
    return json.loads(
        text,
        parse_int=lambda digits: int(digits) if len(digits) < LONG else math.inf,
        object_pairs_hook=_once if unique else None,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def read_stop(reason: str | None, stops: Mapping[str, Stop]) -> Stop:
    """Why an answer ends; the end where the server does not say. TransientError for a reason that is none."""
    if not reason:
        return "end"
    stop = stops.get(reason.casefold())
    if stop is None:
        raise TransientError(f"the server broke the answer off, with the reason {clip(reason)!r}")
    return stop


def read_content(content: Any) -> tuple[str, str, str]:
    """An answer's text, refusal and thinking, where its content is a text or a list of parts."""
    parts = content if isinstance(content, list) else [content]
    said: dict[str, list[str]] = {"text": [], "refusal": [], "thinking": []}
    for part in parts:
        kind = part.get("type", "text") if isinstance(part, dict) else "text"
        if kind == "error":
            raise told_error(told_by(part))
        kind = {"output_text": "text", "reasoning": "thinking"}.get(str(kind), kind)
        if isinstance(kind, str) and kind in said:
            said[kind].append(_text_of(part, kind))
    text, refusal, thinking = (whole_text("".join(found)) for found in said.values())
    return text, refusal, thinking


def _text_of(part: Any, kind: str) -> str:
    """The text of a part, which may be made of parts again."""
    if isinstance(part, dict):
        inner = part.get(kind, part.get("text"))
        return "".join(_text_of(one, "text") for one in inner) if isinstance(inner, list) else _text(inner)
    return _text(part)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def read_usage(
    data: Any, names: Mapping[str, str], said: str, *, extra: tuple[str, ...] = ()
) -> Usage | None:
    """The tokens, where the server counts them in its API's usual way: no reason to lose an answer over.

    `names` maps the fields of Usage to dotted paths, several with | between them; the fields in `extra` come
    on top of the input. No input, or no output beside what was `said`, is no count; nor is more output than
    any answer has.
    """
    found = {field: read_number(data, path) for field, path in names.items()}
    if found["input_tokens"] is None or found["output_tokens"] is None:
        return None
    counted = {field: value or 0 for field, value in found.items()}
    counted["input_tokens"] += sum(counted[field] for field in extra)
    total = read_number(data, "total_tokens")
    cache = counted["cached_tokens"] + counted["written_tokens"]
    # Some servers leave out of the input what a cache had a part in; the total shows it.
    if (
        cache > counted["input_tokens"]
        and total == counted["input_tokens"] + cache + counted["output_tokens"]
    ):
        counted["input_tokens"] += cache
    beside = _beside(counted, total)
    counted["output_tokens"] += beside
    if not counted["input_tokens"] or (said and not counted["output_tokens"]) or beside > MOST_BESIDE:
        return None
    counted["reasoning_tokens"] = max(counted["reasoning_tokens"], beside)
    # What a cache had a part in is part of the input, whatever the server says.
    counted["cached_tokens"] = min(counted["cached_tokens"], counted["input_tokens"])
    counted["written_tokens"] = min(
        counted["written_tokens"], counted["input_tokens"] - counted["cached_tokens"]
    )
    return Usage(**counted)


def _beside(counted: Mapping[str, int], total: int | None) -> int:
    """Tokens of output that the server does not count as such: some put the thinking beside it.

    They are what the total has more than its parts, or, without a total that says so, thinking that is more
    than all of the output.
    """
    more = (total or 0) - counted["input_tokens"] - counted["output_tokens"]
    if more > 0:
        return more
    thinking = counted["reasoning_tokens"]
    return thinking if thinking > counted["output_tokens"] else 0


def read_number(data: Any, paths: str) -> int | None:
    """The number at the first of several dotted paths that has one. More than any call has is none."""
    for path in paths.split("|"):
        found = data
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if type(found) is int and 0 <= found <= MOST:
            return found
    return None
