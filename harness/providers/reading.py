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
"""The most tokens of a call: a larger count is ignored."""
MOST_BESIDE = 300_000
"""The most tokens of thinking that can be counted beside the output: a larger count is ignored."""
LONGEST_MARK = 200
"""How many characters of a server's mark are kept."""
LONG = 100
"""How many digits a meaningless number may have."""

COUNTED = ("total_tokens", "prompt_tokens", "input_tokens", "completion_tokens", "output_tokens")
"""The names of the token counts in the APIs."""
INPUT = (
    "prompt_tokens|input_tokens", "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
    "cached_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
)  # fmt: skip
"""The names of the parts of the input in the APIs. Some count a part twice."""
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
"""The names of the parts of an answer in the APIs, in lower case."""
_DIGITS = re.compile(r"[0-9]{1,12}(?:\.0{1,12})?")

Body = TypeVar("Body", bound=BaseModel)
Stop = Literal["end", "cut_off", "refused", "filtered"]


def answered_by(model: str | None, host: Any = None) -> str:
    """The name of the model that answered, on one line; with its host if a router names it.

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
    """An answer's body, checked.

    TransientError for HTML, half an answer, or one without the parts that are read. A body with an error is
    that error, under any status.
    """
    try:
        data = read_json(text)
        told = told_in(data)
        # A failed response holds its own error and is read with it.
        failed = "output" in model.model_fields and isinstance(data, dict) and data.get("output") is not None
        if told is None or failed:
            return model.model_validate(data)
    except (ValueError, ValidationError, RecursionError) as error:
        raise TransientError(f"the server's answer is not {what}: {clip(text)!r}") from error
    raise told_error(told)


def counts_in(text: str) -> Any:
    """The tokens that an answer counts, since it may be billed even with an error. None if it counts none."""
    found = _usage_of(text)
    return found if any(read_number(found, name) for name in COUNTED) else None


def input_read(text: str) -> int:
    """The largest count of input tokens in an answer; 0 without a count."""
    counted = ((_usage_of(text), INPUT), (parsed(text), TIMED))
    return max(sum(read_number(data, paths) or 0 for paths in names) for data, names in counted)


def _usage_of(text: str) -> Any:
    data = parsed(text)
    return data.get("usage") if isinstance(data, dict) else None


def read_json(text: str, *, unique: bool = False) -> Any:
    """A text as data. ValueError or RecursionError if it is not JSON, or with `unique` if a key comes twice.

    Python refuses a number of thousands of digits; it must not lose an answer.
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
    """Why an answer ends; a regular end if the server does not say. TransientError for an unknown reason.

    Other spellings are known too: `content-filter`, `maxTokens`, `FINISH_REASON_STOP`.
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
    """How an answer with a possible refusal ends: if it is cut off, it may not be a refusal."""
    return "refused" if refused and stop != "cut_off" else stop


def read_content(content: Any) -> tuple[str, str, str]:
    """An answer's text, refusal and thinking, where its content is a text or a list of parts.

    A part of an unknown kind is named beside the thinking: it is never an answer.
    """
    if not isinstance(content, list | dict):
        # Nearly every answer is such.
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
    """The tokens, if the server counts them in its API's usual way; a faulty count does not lose the answer.

    `names` maps the fields of Usage to dotted paths, several with | between them; the fields in `extra` come
    on top of the input. There is no count if the input is 0, if the output is 0 though something was `said`,
    if the parts do not add up to the total in any known way, or if a number cannot be read.
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

    Some leave cached tokens out of the input, and some leave thinking out of the output: the difference
    between the total and its parts is either. A server that `is_silent` of thinking has it in the total.
    """
    read, written, thinking = counted["input_tokens"], counted["output_tokens"], counted["reasoning_tokens"]
    cache = counted["cached_tokens"] + counted["written_tokens"]
    least = thinking if thinking > written else 0
    more = max(0, (total or 0) - read - written) or least
    ways = [(0, 0), (0, thinking), (cache, 0), (cache, thinking)]
    # Cached tokens cannot be more than those that were read.
    top = cache if cache > read else 0
    if is_silent and more - top <= MOST_BESIDE:
        ways.append((top, more - top))
    return next((way for way in ways if sum(way) == more and way[0] >= top and way[1] >= least), None)


def read_number(data: Any, paths: str) -> int | None:
    """The number at the first of several dotted paths; a non-zero one is preferred.

    Some servers write 8040 as 8040.0 or "8040". A number that is too large for a call is ignored.
    """
    found = [number for value in _told(data, paths) if (number := _number(value)) is not None]
    return next(filter(None, found), 0) if found else None


def _told(data: Any, paths: str) -> list[Any]:
    """The values at several dotted paths."""
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
