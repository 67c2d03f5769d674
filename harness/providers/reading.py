"""Reading what a server sends: a body, why an answer ends, its content and its tokens, in any API."""

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import TransientError
from harness.nouns.records import Usage
from harness.providers.error_body import parsed, told_by, told_in
from harness.providers.wire import clip, told_error
from harness.storage.strict_json import whole_text

MOST = 1_000_000_000
"""Tokens that a call can have at most: a count beyond is no count."""
MOST_BESIDE = 300_000
"""Tokens of thinking that can be counted beside the output: more is no count of one answer."""
LONGEST_MARK = 200
"""Characters that are kept of a server's mark."""
LONG = 100
"""Digits of a number that means nothing."""

COUNTED = ("total_tokens", "prompt_tokens", "input_tokens", "completion_tokens", "output_tokens")
"""What the APIs call the tokens of a call."""
INPUT = (
    "prompt_tokens|input_tokens", "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
    "cached_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
)  # fmt: skip
"""What the APIs call the parts of the input. Some count a part twice."""
TIMED = ("prompt_eval_count", "timings.prompt_n", "timings.cache_n")
"""Where local servers count the input outside of `usage`."""
THINKING = (
    "completion_tokens_details.reasoning_tokens|output_tokens_details.reasoning_tokens"
    "|output_tokens_details.thinking_tokens|reasoning_tokens|thoughts_token_count"
)
"""Where servers count thinking, whatever API they speak."""

TOTAL = "total_tokens"
_KINDS = {
    **dict.fromkeys(("text", "output_text"), "text"),
    **dict.fromkeys(("thinking", "reasoning", "reasoning_text", "thought"), "thinking"),
    "refusal": "refusal",
}
"""What the APIs call the parts of an answer, in lower case."""
_DIGITS = re.compile(r"[0-9]{1,12}(?:\.0{1,12})?")

Body = TypeVar("Body", bound=BaseModel)
Stop = Literal["end", "cut_off", "refused", "filtered"]


def answered_by(model: str | None, host: Any = None) -> str:
    """The name of the model that answered, on one line, with who runs it where a router says so.

    One name at two hosts can be two models: other weights, another quantisation.
    """
    name = " ".join(whole_text(model or "").split())
    told = " ".join(whole_text(host).split()) if isinstance(host, str) else ""
    return f"{name} at {told}" if name and told else name


def marked_by(fingerprint: Any) -> str | None:
    """A server's mark of the model behind the name, on one line; None where it gives none."""
    told = " ".join(whole_text(fingerprint).split()) if isinstance(fingerprint, str) else ""
    return told[:LONGEST_MARK] or None


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
    raise told_error(told)


def counts_in(text: str) -> Any:
    """The tokens that an answer counts: it may be billed though it holds an error. None if it counts none."""
    found = _usage_of(text)
    return found if any(read_number(found, name) for name in COUNTED) else None


def input_read(text: str) -> int:
    """Tokens of the input that an answer counts at most, whatever its other counts say; 0 without a count."""
    counted = ((_usage_of(text), INPUT), (parsed(text), TIMED))
    return max(sum(read_number(data, paths) or 0 for paths in names) for data, names in counted)


def _usage_of(text: str) -> Any:
    data = parsed(text)
    return data.get("usage") if isinstance(data, dict) else None


def read_json(text: str, *, unique: bool = False) -> Any:
    """A text as data. ValueError or RecursionError where it is no JSON, or `unique` and a key comes twice.

    A number of hundreds of digits is beyond what Python takes for one, and no reason to lose an answer.
    """
    return (_UNIQUE if unique else _DECODER).decode(text)


def _whole(digits: str) -> float:
    return int(digits) if len(digits) < LONG else math.inf


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


_DECODER = json.JSONDecoder(parse_int=_whole)
_UNIQUE = json.JSONDecoder(parse_int=_whole, object_pairs_hook=_once)


def read_stop(reason: str | None, stops: Mapping[str, Stop]) -> Stop:
    """Why an answer ends; the end where the server does not say. TransientError for a reason that is none.

    The words are known in other spellings: `content-filter`, `maxTokens`, `FINISH_REASON_STOP`.
    """
    if not reason:
        return "end"
    stop = stops.get(reason.casefold())
    if stop is None:
        letters = re.sub("^finishreason", "", _letters(reason))
        stop = next((stop for word, stop in stops.items() if _letters(word) == letters), None)
    if stop is None:
        raise TransientError(f"the server broke the answer off, with the reason {clip(reason)!r}")
    return stop


def _letters(words: str) -> str:
    return re.sub("[^a-z]", "", words.casefold())


def end_of(stop: Stop, *, refused: bool) -> Stop:
    """How an answer ends that may hold a refusal: one that is cut off is not known to be one."""
    return "refused" if refused and stop != "cut_off" else stop


def read_content(content: Any) -> tuple[str, str, str]:
    """An answer's text, refusal and thinking, where its content is a text or a list of parts.

    A part of a kind that is not known is named beside the thinking: it is in no case an answer.
    """
    if not isinstance(content, list | dict):
        # As nearly every answer is.
        return whole_text(content) if isinstance(content, str) else "", "", ""
    parts = content if isinstance(content, list) else [content]
    said: dict[str, list[str]] = {"text": [], "refusal": [], "thinking": []}
    for part in parts:
        told = str(part.get("type") or "text") if isinstance(part, dict) else "text"
        kind = _KINDS.get(told.casefold())
        if told.casefold() == "error":
            raise told_error(told_by(part))
        if isinstance(part, dict) and part.get("thought") is True:
            kind = "thinking"
        said[kind or "thinking"].append(_text_of(part, kind) if kind else f"[{clip(told)}: not read]")
    text, refusal, thinking = (whole_text("".join(found)) for found in said.values())
    return text, refusal, thinking


def _text_of(part: Any, kind: str = "text") -> str:
    """The text of a part, which may be made of parts again."""
    if isinstance(part, list):
        return "".join(map(_text_of, part))
    if isinstance(part, dict):
        names = (kind, "text", "value")
        return _text_of(next((part[name] for name in names if part.get(name) is not None), None))
    return part if isinstance(part, str) else ""


def read_usage(
    data: Any, names: Mapping[str, str], said: str, *, extra: tuple[str, ...] = ()
) -> Usage | None:
    """The tokens, where the server counts them in its API's usual way: no reason to lose an answer over.

    `names` maps the fields of Usage to dotted paths, several with | between them; the fields in `extra` come
    on top of the input. No input, or no output beside what was `said`, is no count; nor are parts that do not
    make the total, in whatever way servers are known to count, or a number that is there and cannot be read.
    """
    found = {field: read_number(data, path) for field, path in names.items()}
    total = read_number(data, TOTAL)
    unread = any(value is None and _told(data, names[field]) for field, value in found.items())
    if unread or (total is None and _told(data, TOTAL)):
        return None
    if found["input_tokens"] is None or found["output_tokens"] is None:
        return None
    counted = {field: value or 0 for field, value in found.items()}
    counted["input_tokens"] += sum(counted[field] for field in extra)
    beside = _beside(counted, total, is_silent=found["reasoning_tokens"] is None)
    if beside is None:
        return None
    counted["input_tokens"] += beside[0]
    counted["output_tokens"] += beside[1]
    if not counted["input_tokens"] or (said and not counted["output_tokens"]):
        return None
    counted["reasoning_tokens"] = max(counted["reasoning_tokens"], beside[1])
    return Usage(**counted)


def _beside(counted: Mapping[str, int], total: int | None, *, is_silent: bool) -> tuple[int, int] | None:
    """Tokens that the server counts beside its input and its output; None where its counts contradict it.

    Some leave out of the input what a cache had a part in, and some the thinking out of the output: either is
    what the total has more than its parts. A server that `is_silent` of thinking has it in the total alone.
    """
    read, written, thinking = counted["input_tokens"], counted["output_tokens"], counted["reasoning_tokens"]
    cache = counted["cached_tokens"] + counted["written_tokens"]
    least = thinking if thinking > written else 0
    more = max(0, (total or 0) - read - written) or least
    ways = [(0, 0), (0, thinking), (cache, 0), (cache, thinking)]
    # A cache can have had no part in more than was read.
    top = cache if cache > read else 0
    if is_silent and more - top <= MOST_BESIDE:
        ways.append((top, more - top))
    return next((way for way in ways if sum(way) == more and way[0] >= top and way[1] >= least), None)


def read_number(data: Any, paths: str) -> int | None:
    """The number at the first of several dotted paths that has one, one that is not 0 before one that is.

    Some servers write 8040 as 8040.0 or "8040". More than any call has is none.
    """
    found = [number for value in _told(data, paths) if (number := _number(value)) is not None]
    return next(filter(None, found), 0) if found else None


def _told(data: Any, paths: str) -> list[Any]:
    """What stands at several dotted paths."""
    found = []
    for path in _ways(paths):
        value = data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            found.append(value)
    return found


@cache
def _ways(paths: str) -> tuple[tuple[str, ...], ...]:
    """The keys of each of several paths."""
    return tuple(tuple(path.split(".")) for path in paths.split("|"))


def _number(value: Any) -> int | None:
    if isinstance(value, str):
        value = float(value) if _DIGITS.fullmatch(value) else None
    if type(value) not in (int, float) or not 0 <= value <= MOST or value != int(value):
        return None
    return int(value)
