"""anthropic/MODEL: Anthropic's Messages API, the answer held to the form's JSON schema."""

from functools import partial
from typing import Any

from pydantic import BaseModel

from harness.nouns.records import Prompt, Reply
from harness.pricing.vendors import ANTHROPIC
from harness.prompting.answer import answer_schema
from harness.providers.base import Setup, Teacher, refuse
from harness.providers.connection import check_url, connect, read_key
from harness.providers.features import CACHE, FORM, Feature, Taken, form_of
from harness.providers.reading import (
    THINKING,
    Stop,
    answered_by,
    read_answer,
    read_content,
    read_stop,
    read_usage,
)
from harness.providers.served import Served
from harness.storage.collecting import without_collecting

KEY = "ANTHROPIC_API_KEY"
API = "Anthropic's Messages API"
LONGEST = 16_000
"""Tokens that an answer may have. The API insists on a limit, and a model's thinking counts towards it."""

STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "refusal": "refused",
    "max_tokens": "cut_off",
    "model_context_window_exceeded": "cut_off",
}
USAGE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cached_tokens": "cache_read_input_tokens",
    "written_tokens": "cache_creation_input_tokens",
    "reasoning_tokens": THINKING,
}
FEATURES = (
    Feature(
        FORM,
        ("output_config", "output_format", "json_schema", "json schema", "structured output"),
        ("schema", "plain"),
        ("The model takes no JSON schema: the prompt alone asked for the form, answers were read strictly.",),
    ),
    Feature(
        CACHE,
        ("cache_control",),
        ("marked", "unmarked"),
        ("The server takes no cache mark: every request was paid in full.",),
    ),
)


class Messages:
    """The dialect of the Messages API. The newest models reject a temperature, and the SDK dropped it."""

    path = "/v1/messages"
    # In this API, cached and written tokens are counted beside the input.
    usage = staticmethod(partial(read_usage, names=USAGE, extra=("cached_tokens", "written_tokens")))

    def __init__(self, model: str, setup: Setup) -> None:
        refuse(API, setup, "temperature", "seed", "fold_system")
        form, cache = FEATURES
        self.features = (form_of(form, setup), cache)
        self._constant: dict[str, Any] = {"model": model, "max_tokens": setup.max_tokens or LONGEST}
        format = {"type": "json_schema", "schema": answer_schema(setup.policy)}
        self._formats: dict[str, Any] = {"schema": {"output_config": {"format": format}}, "plain": {}}

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """System messages as system blocks, with a cache mark on the last: this part is constant."""
        system: list[dict[str, Any]] = [
            {"type": "text", "text": message.content}
            for message in prompt.messages
            if message.role == "system"
        ]
        if taken[CACHE] == "marked":
            system[-1]["cache_control"] = {"type": "ephemeral"}
        turns = [
            {"role": message.role, "content": message.content}
            for message in prompt.messages
            if message.role != "system"
        ]
        return {**self._constant, "system": system, "messages": turns, **self._formats[taken[FORM]]}

    def reply(self, text: str) -> Reply:
        """The text blocks of the answer. A refusal is not an error in this API: the stop reason says it."""
        body = read_answer(text, _MessageBody, "a message")
        answer, _, thinking = read_content(body.content)
        why, _, _ = read_content((body.stop_details or {}).get("explanation"))
        return Reply(
            text=answer or why,
            model=answered_by(body.model),
            stop=read_stop(body.stop_reason, STOPS),
            thinking=None if answer or why else thinking or None,
            usage=self.usage(body.usage, said=answer or thinking),
        )


class _MessageBody(BaseModel):
    """The parts of a message that are read."""

    model: str | None = None
    content: str | list[dict[str, Any]]
    stop_reason: str | None = None
    stop_details: dict[str, Any] | None = None
    usage: Any = None


def open_teacher(model: str, setup: Setup) -> Teacher:
    """A client for one model. FatalError where a key is needed and there is none."""
    check_url(setup.base_url, KEY)
    dialect = Messages(model, setup)
    key = read_key(KEY, needed=ANTHROPIC.sells_at(setup.base_url))
    with without_collecting():
        import anthropic

    # The address may be given with or without /v1.
    address = setup.base_url.rstrip("/").removesuffix("/v1") if setup.base_url else None
    return Served(dialect, connect(anthropic, anthropic.AsyncAnthropic, address, key))
