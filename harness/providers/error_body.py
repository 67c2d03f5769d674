"""Read a server's error in whatever form: no two servers have the same one."""

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
"""Keys that hold a word for the kind of error, the most specific first."""
SILENT = ("request_id", "id", "object", "instance", "user_id", "url", "input", "provider_name")
"""Keys that say nothing about the error, or repeat the request."""
WELL = {"0", "200", "ok", "success", "successful", "succeeded", "none", "null", "no error", ""}
"""Values in the place of an error that mean: no error."""
ANSWERS = {"choices", "content", "output", "answers"}
"""Keys of answers: a body with an answer has one of them."""
DEEP, MANY = 8, 40
"""How many levels of a body are read, and how many of its values are shown."""
ELSE = 502
"""The status of an error that names no known one: a failure of the server."""
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
"""The status of each name of an error, in lower case and without hyphens or underscores."""
_STATUS = {name.replace("_", ""): status for name, status in STATUS.items()}
WAITS = {"retryafter": 1.0, "retryafterseconds": 1.0, "retrydelay": 1.0, "retryafterms": 0.001}
"""Keys that hold a wait, in lower case and without hyphens or underscores; and their unit in seconds."""


@dataclass(frozen=True, slots=True)
class ErrorTold:
    """The error in a body: as a status, by all its names, and in words.

    `wait`: seconds that the server asks us to wait, where the body says so. `counts`: the tokens that it
    counts: what counts any was worked on first.
    """

    status: int
    names: frozenset[str]
    words: str
    wait: float | None = None
    counts: Any = None


def told_in(body: Any) -> ErrorTold | None:
    """The error that a body under status 200 holds instead of an answer; None if it holds none."""
    found = body[0] if isinstance(body, list) and body else body
    if not isinstance(found, dict):
        return None
    errors = [found[key] for key in ("error", "errors") if tells(found.get(key))]
    if errors and holds_answer(found):
        # The rest of the body is the answer, not the error.
        return told_by(errors)
    marked = tells(found.get("error")) or "error" in (found.get("object"), found.get("type"))
    bare = not holds_answer(found) and bool({"detail", "message", "msg", "base_resp"} & found.keys())
    return told_by(found) if marked or bare else None


def tells(error: Any) -> bool:
    """Whether a value in the place of an error means one: some servers send an empty form, or "success"."""
    return error is True or any(value.strip(" .!").casefold() not in WELL for _, value in _leaves(error, ()))


def holds_answer(body: Any) -> bool:
    """Whether a body has content in the place of an answer."""
    return isinstance(body, dict) and any(body.get(key) for key in ANSWERS)


def told_by(body: Any) -> ErrorTold:
    """A body, or the part of it that is an error, as an error."""
    # Every code and type: the APIs put them into different fields.
    names = frozenset(value for path, value in _leaves(body, ()) if path and path[-1] in NAMED)
    usage = body.get("usage") if isinstance(body, dict) else None
    counts = usage if isinstance(usage, dict) and any(usage.values()) else None
    return ErrorTold(_status_of(body), names, words_of(body), wait_of(body), counts)


def words_of(body: Any) -> str:
    """Everything a body says: its sentences first, then other values in brackets."""
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
    """Seconds that a body asks us to wait: 7, "7" or "7s"; None if it says nothing readable."""
    for path, value in _leaves(body, ()):
        unit = WAITS.get(path[-1].replace("_", "").replace("-", "").casefold()) if path else None
        try:
            if unit:
                return max(0.0, float(value.removesuffix("s")) * unit)
        except ValueError:
            continue
    return None


def parsed(text: str) -> Any:
    """A body as data; the text itself if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def _status_of(body: Any) -> int:
    """The status that a body names, by number or else by name; its own before one of a server behind it."""
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
    """A text; or the JSON in it, if a gateway passes on the error of a server behind it."""
    inner = parsed(text) if path and text.lstrip()[:1] in ("{", "[") else text
    if not isinstance(inner, str):
        yield from _leaves(inner, path)
    elif inner:
        yield path, inner
