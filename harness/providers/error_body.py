"""What a server says went wrong, whatever form it says it in: no two of them agree on one."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SAID = (
    "message",
    "msg",
    "status_msg",
    "detail",
    "title",
    "error",
    "error_description",
    "raw",
    "reason",
    "description",
)
"""Keys that hold a sentence; of any other, the key is shown too."""
NAMED = (
    "code", "error_code", "statusCode", "status_code", "http_status", "status", "type", "error_type",
)  # fmt: skip
"""Keys that hold a word for the kind of error, the one that says most first."""
SILENT = ("request_id", "id", "object", "instance", "user_id", "url", "input", "provider_name")
"""Keys that say nothing of what went wrong, or repeat what was sent."""
WELL = {"0", "200", "ok", "success", "successful", "succeeded", "none", "null", "no error", ""}
"""What stands where an error would and says that there is none."""
ANSWERS = {"choices", "content", "output", "answers"}
"""Keys of which a body that answers has one."""
DEEP, MANY = 8, 40
"""Levels of a body that are read, and values that are shown of it."""
ELSE = 502
"""The status of an error that names none that is known: the server's own failure."""
STATUS = {
    "invalid_request_error": 400, "invalid_argument": 400, "bad_request": 400, "badrequesterror": 400,
    "authentication_error": 401, "invalid_api_key": 401, "unauthenticated": 401, "unauthorized": 401,
    "billing_error": 402, "payment_required": 402, "permission_error": 403, "permission_denied": 403,
    "forbidden": 403, "not_found_error": 404, "model_not_found": 404, "not_found": 404, "notfounderror": 404,
    "request_too_large": 413, "rate_limit_error": 429, "rate_limit_exceeded": 429, "rate_limited": 429,
    "resource_exhausted": 429, "too_many_requests": 429, "api_error": 500, "server_error": 500,
    "insufficient_balance": 402, "throttling": 429,
    "timeout_error": 504, "vector_store_timeout": 504, "overloaded_error": 529,
}  # fmt: skip
"""What each name of an error would be as a status, in lower case. Its strokes do not count."""
_STATUS = {name.replace("_", ""): status for name, status in STATUS.items()}
WAITS = {"retryafter": 1.0, "retryafterseconds": 1.0, "retrydelay": 1.0, "retryafterms": 0.001}
"""Keys that hold a wait, without their strokes and in lower case, and what their unit is in seconds."""


@dataclass(frozen=True, slots=True)
class ErrorTold:
    """An error that a body tells of: as a status, by every name that it goes by, and in words.

    `wait`: seconds that the server asks us to wait, where the body says so. `counts`: the tokens that it
    counts: what counts any was worked on first.
    """

    status: int
    names: frozenset[str]
    words: str
    wait: float | None = None
    counts: Any = None


def told_in(body: Any) -> ErrorTold | None:
    """The error that an answer under status 200 holds instead of an answer; None where it holds none."""
    found = body[0] if isinstance(body, list) and body else body
    if not isinstance(found, dict):
        return None
    errors = [found[key] for key in ("error", "errors") if tells(found.get(key))]
    if errors and holds_answer(found):
        # The rest of the body is the answer, which is not what went wrong.
        return told_by(errors)
    marked = tells(found.get("error")) or "error" in (found.get("object"), found.get("type"))
    bare = not holds_answer(found) and bool({"detail", "message", "msg", "base_resp"} & found.keys())
    return told_by(found) if marked or bare else None


def tells(error: Any) -> bool:
    """Whether what stands where an error would says anything: some fill its form with nothing, or success."""
    return error is True or (error is not None and _says(error))


def _says(error: Any) -> bool:
    return any(value.strip(" .!").casefold() not in WELL for _, value in _leaves(error, ()))


def holds_answer(body: Any) -> bool:
    """Whether a body has something in it where an answer would be."""
    return isinstance(body, dict) and any(body.get(key) for key in ANSWERS)


def told_by(body: Any) -> ErrorTold:
    """A body that is an error, or the part of one that is, as an error."""
    # Every code and type: the APIs put them into different fields.
    names = frozenset(value for path, value in _leaves(body, ()) if path and path[-1] in NAMED)
    usage = body.get("usage") if isinstance(body, dict) else None
    counts = usage if isinstance(usage, dict) and any(usage.values()) else None
    return ErrorTold(_status_of(body), names, words_of(body), wait_of(body), counts)


def words_of(body: Any) -> str:
    """All that a body says, its sentences first, and in brackets what it names beside them."""
    said: list[str] = []
    beside: list[str] = []
    for number, (path, value) in enumerate(_leaves(body, ())):
        if number >= MANY:
            break
        key = next((part for part in reversed(path) if part), "")
        if key in SAID or not key:
            said.append(value)
        else:
            beside.append(f"{key} {value}")
    words = "; ".join(dict.fromkeys(said))
    more = ", ".join(dict.fromkeys(beside))
    return f"{words} ({more})" if words and more else words or more


def wait_of(body: Any) -> float | None:
    """Seconds that a body asks us to wait: 7, "7" or "7s"; None where it says nothing that can be read."""
    for path, value in _leaves(body, ()):
        unit = WAITS.get(path[-1].replace("_", "").replace("-", "").casefold()) if path else None
        try:
            if unit:
                return max(0.0, float(value.removesuffix("s")) * unit)
        except ValueError:
            continue
    return None


def parsed(text: str) -> Any:
    """A body as data; the text itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def _status_of(body: Any) -> int:
    """The status that a body names, by a number or else a name: its own rather than one that is handed on."""
    found = []
    for path, value in _leaves(body, ()):
        if path and path[-1] in NAMED:
            number = int(value) if re.fullmatch("[45][0-9][0-9]", value) else None
            name = re.sub("[^a-z]", "", value.casefold().partition(".")[0])
            status = number or _STATUS.get(name.removesuffix("exception"))
            found += [(len(path), number is None, NAMED.index(path[-1]), status)] if status else []
    return min(found)[-1] if found else ELSE


def _leaves(data: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every value of a body in words, with the keys that lead to it. A place is one value: body.a.0."""
    if len(path) > DEEP or data is None or isinstance(data, bool):
        return
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "loc" and isinstance(value, list):
                yield (*path, "at"), ".".join(str(part) for part in value[:DEEP])
            elif key not in SILENT:
                yield from _leaves(value, (*path, str(key)))
    elif isinstance(data, list):
        for value in data[:MANY]:
            yield from _leaves(value, (*path, ""))
    else:
        yield from _words(str(data), path)


def _words(text: str, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """A text, or what is in it where an error of somebody further up is handed on as it came in."""
    inner = parsed(text) if path and text.lstrip()[:1] in ("{", "[") else text
    if not isinstance(inner, str):
        yield from _leaves(inner, path)
    elif inner:
        yield path, inner
