"""OpenAI's Responses API, with the constant prefix marked for its cache."""

import hashlib
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from pydantic import BaseModel

from harness.nouns.records import Prompt, Reply
from harness.prompting.answer import answer_schema
from harness.providers.base import Setup, refuse
from harness.providers.error_body import ELSE, tells, told_by
from harness.providers.features import CACHE, FORM, SENT, TEMPERATURE, Feature, Taken, form_of, parameter
from harness.providers.openai_chat import JSON_FORM
from harness.providers.reading import (
    THINKING,
    Stop,
    answered_by,
    end_of,
    read_answer,
    read_content,
    read_stop,
    read_usage,
)
from harness.providers.wire import FILTERED, shown, told_error

API = "the Responses API"
USAGE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_tokens": "input_tokens_details.cached_tokens",
    "written_tokens": "input_tokens_details.cache_write_tokens",
    "reasoning_tokens": THINKING,
}
read_tokens = partial(read_usage, names=USAGE)
STOPS: dict[str, Stop] = {
    "max_output_tokens": "cut_off",
    "max_tokens": "cut_off",
    "length": "cut_off",
    "content_filter": "filtered",
}
CACHE_MARK = Feature(
    CACHE,
    ("prompt_cache",),
    ("explicit", "automatic"),
    ("The model takes no mark at the end of the constant prefix: what it caches is left to it.",),
)


class Responses:
    """The dialect of the Responses API. `store` is false: OpenAI would keep every answer for a month."""

    path = "/responses"
    usage = staticmethod(read_tokens)

    def __init__(self, model: str, setup: Setup) -> None:
        refuse(API, setup, "seed", "fold_system")
        self._constant: dict[str, Any] = {"model": model, "store": False}
        if setup.max_tokens is not None:
            self._constant["max_output_tokens"] = setup.max_tokens
        self._asked = {} if setup.temperature is None else {"temperature": setup.temperature}
        sent = (parameter(TEMPERATURE),) if self._asked else ()
        self.features: tuple[Feature, ...] = (form_of(JSON_FORM, setup), CACHE_MARK, *sent)
        schema = answer_schema(setup.policy)
        format = {"type": "json_schema", "name": "answer", "strict": True, "schema": schema}
        self._formats: dict[str, Any] = {
            "schema": {"text": {"format": format}},
            "object": {"text": {"format": {"type": "json_object"}}},
            "plain": {},
        }

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """The system message in the developer role; the cached prefix ends with it."""
        marked = marked_input(prompt, explicit=taken[CACHE] == "explicit")
        sent = self._asked if taken.get(TEMPERATURE) == SENT else {}
        return {**self._constant, **sent, **self._formats[taken[FORM]], **marked}

    def reply(self, text: str) -> Reply:
        """The text of the output's messages, or the refusal in them; the reasoning where there is neither."""
        body = read_answer(text, _ResponseBody, "a response")
        ended = body.status in (None, "completed", "incomplete") and not tells(body.error)
        filtered = "" if ended else _verdict(body)
        answer, refusal, thinking = read_content([part for item in body.output for part in item.parts])
        stop = "filtered" if filtered else _stop(body)
        return Reply(
            text=filtered or refusal or answer,
            model=answered_by(body.model),
            stop=end_of(stop, refused=bool(refusal and not filtered)),
            thinking=None if filtered or refusal or answer else thinking or None,
            usage=self.usage(body.usage, said=answer or thinking),
        )


def marked_input(prompt: Prompt, *, explicit: bool) -> dict[str, Any]:
    """A prompt's messages, with a cache break behind the system message and a key that its text gives.

    By default, newer models put the only break after the latest message, and would write the cache again for
    every pair.
    """
    turns = [_turn(message.role, message.content) for message in prompt.messages]
    cached: dict[str, Any] = {"prompt_cache_key": _cache_key(prompt.messages[0].content)}
    if explicit:
        turns[0]["content"][0]["prompt_cache_breakpoint"] = {"mode": "explicit"}
        cached["prompt_cache_options"] = {"mode": "explicit", "ttl": "30m"}
    return {"input": turns, **cached}


def _turn(role: str, text: str) -> dict[str, Any]:
    developer = "developer" if role == "system" else role
    return {"role": developer, "content": [{"type": "input_text", "text": text}]}


@lru_cache(maxsize=8)
def _cache_key(prefix: str) -> str:
    return "teacher-" + hashlib.sha256(prefix.encode("utf-8", "surrogatepass")).hexdigest()[:24]


class _Item(BaseModel):
    type: str
    status: Any = None
    phase: str | None = None
    summary: Any = None
    content: Any = None

    @property
    def parts(self) -> list[Any]:
        """The parts of a message, unless it is only commentary, and those of a reasoning."""
        if self.type == "reasoning":
            return [{"type": "thinking", "text": text} for text in (self.summary, self.content) if text]
        if self.type != "message" or self.phase == "commentary":
            return []
        return self.content if isinstance(self.content, list) else [self.content]


class _ResponseBody(BaseModel):
    """The parts of a response that are read."""

    status: str | None = None
    model: str | None = None
    output: list[_Item]
    incomplete_details: dict[str, Any] | None = None
    error: Any = None
    usage: Any = None


def _verdict(body: _ResponseBody) -> str:
    """Why a response was incomplete, if it was the filter. CallError for any other reason."""
    told = told_by(body.error)
    told = replace(told, words=f"the response is {body.status}: {told.words or 'no reason is given'}")
    if told.names & set(FILTERED):
        return shown(told.words)
    # An unknown name means a fault of this prompt; without a name, a fault of the server.
    told = replace(told, status=400) if told.names and told.status == ELSE else told
    raise told_error(told)


def _stop(body: _ResponseBody) -> Stop:
    """Why a response ends: it can be cut off under any status, as a whole or in one of its items."""
    details = body.incomplete_details or {}
    if not details and "incomplete" not in (body.status, *(item.status for item in body.output)):
        return "end"
    return read_stop(str(details.get("reason") or "incomplete"), STOPS)
