"""Chat completions: the API that every OpenAI-compatible server speaks."""

from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import BaseModel, Field

from harness.nouns.records import Prompt, Reply
from harness.prompting.answer import answer_schema
from harness.providers.base import Setup
from harness.providers.error_body import told_by
from harness.providers.features import (
    FORM,
    LIMIT,
    ROLE,
    SEED,
    SENT,
    TEMPERATURE,
    Feature,
    Taken,
    form_of,
    parameter,
)
from harness.providers.reading import (
    THINKING,
    Stop,
    answered_by,
    end_of,
    marked_by,
    read_answer,
    read_content,
    read_stop,
    read_usage,
)
from harness.providers.wire import told_error
from harness.storage.strict_json import whole_text

STOPS: dict[str, Stop] = {
    **dict.fromkeys(("stop", "stop_sequence", "end_turn", "eos", "eos_token", "completed"), "end"),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "model_length"), "cut_off"),
    "model_context_window_exceeded": "cut_off",
    **dict.fromkeys(("content_filter", "content_filtered", "guardrail_intervened", "sensitive"), "filtered"),
    **dict.fromkeys(("safety", "recitation", "blocklist", "prohibited_content", "spii"), "filtered"),
    "refusal": "refused",
}
"""Why an answer ends, in the words of all servers with this API, in lower case."""
USAGE = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cached_tokens": "prompt_tokens_details.cached_tokens|prompt_cache_hit_tokens|cached_tokens",
    "written_tokens": "prompt_tokens_details.cache_write_tokens",
    "reasoning_tokens": THINKING,
}
read_tokens = partial(read_usage, names=USAGE)
JSON_FORM = Feature(
    FORM,
    ("response_format", "json_schema", "json schema", "json_object", "text.format", "guided", "grammar"),
    ("schema", "object", "plain"),
    (
        "The server takes no JSON schema: answers were asked for in JSON mode and read strictly.",
        "The server takes no JSON mode: the prompt alone asked for the form, and answers were read strictly.",
    ),
)
ROLES = Feature(
    ROLE,
    (
        "system role", "system message", "system prompt", "system instruction", "developer instruction",
        "role: system", "role 'system'", 'role "system"', "'system'", "`system`", "roles must alternate",
        "only user and assistant", "'user' or 'assistant'", ".role",
    ),
    ("system", "user"),
    ("The model takes no system message: its text stood at the head of the user message.",),
)  # fmt: skip
LIMITS = Feature(LIMIT, ("max_tokens",), ("max_tokens", "max_completion_tokens"), ("",))
"""The limit of an answer goes by two names: local servers know the older one, newer models the other."""


class Chat:
    """The dialect of chat completions."""

    path = "/chat/completions"
    usage = staticmethod(read_tokens)

    def __init__(self, model: str, setup: Setup) -> None:
        self._model = model
        self.features = _features(setup)
        schema = {"name": "answer", "strict": True, "schema": answer_schema(setup.policy)}
        self._formats: dict[str, Any] = {
            "schema": {"response_format": {"type": "json_schema", "json_schema": schema}},
            "object": {"response_format": {"type": "json_object"}},
            "plain": {},
        }
        # A parameter is sent only where it was asked for: some models refuse it.
        self._asked = {} if setup.temperature is None else {"temperature": setup.temperature}
        self._seed = setup.seed
        self._limit = setup.max_tokens

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """The prompt's messages as they are, or all in one."""
        messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
        if taken[ROLE] == "user":
            messages = [{"role": "user", "content": "\n\n".join(one["content"] for one in messages)}]
        sent: dict[str, Any] = self._asked if taken.get(TEMPERATURE) == SENT else {}
        if self._limit is not None:
            sent = {**sent, taken[LIMIT]: self._limit}
        if self._seed is not None and taken[SEED] == SENT:
            # Every repeat has a seed of its own: the same one would ask for the same answer.
            sent = {**sent, "seed": self._seed + prompt.repeat}
        return {"model": self._model, "messages": messages, **self._formats[taken[FORM]], **sent}

    def reply(self, text: str) -> Reply:
        """The requested choice. If several choices differ, none is preferred: all count."""
        body = read_answer(text, _ChatBody, "a chat completion")
        for one in body.choices:
            if one.error:
                raise told_error(told_by(one.error))
        # A reason that does not mean an end is treated alike beside a refusal, and at any choice.
        stops = [read_stop(one.finish_reason, STOPS) for one in body.choices]
        refused = any(one.message.refused for one in body.choices)
        said = "\n".join(dict.fromkeys(one.message.said for one in body.choices))
        return Reply(
            text=said,
            model=answered_by(body.model, body.provider),
            stop=end_of(next((stop for stop in stops if stop != "end"), "end"), refused=refused),
            thinking=None if said else body.choices[0].message.thought or None,
            usage=self.usage(body.usage, said=said),
            fingerprint=marked_by(body.system_fingerprint),
        )


def _features(setup: Setup) -> tuple[Feature, ...]:
    given = {TEMPERATURE: setup.temperature, SEED: setup.seed}
    sent = [parameter(name) for name, value in given.items() if value is not None]
    role = replace(ROLES, ways=("user",), lost=()) if setup.fold_system else ROLES
    limit = () if setup.max_tokens is None else (LIMITS,)
    return (form_of(JSON_FORM, setup), *sent, role, *limit)


class _ChatMessage(BaseModel):
    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    thinking: Any = None

    @property
    def refused(self) -> str:
        """The refusal, if it is one."""
        return whole_text(self.refusal or read_content(self.content)[1])

    @property
    def said(self) -> str:
        """The refusal, or else the answer."""
        return self.refused or read_content(self.content)[0]

    @property
    def thought(self) -> str:
        """The thinking that servers put beside the answer, in a field of its own or among its parts."""
        found = [
            text for text, _, _ in map(read_content, (self.reasoning_content, self.reasoning, self.thinking))
        ]
        return next(filter(None, (*found, read_content(self.content)[2])), "")


class _Choice(BaseModel):
    message: _ChatMessage
    finish_reason: str | None = None
    error: Any = None
    """The error of a server behind a gateway, which answers with status 200 all the same."""


class _ChatBody(BaseModel):
    """The parts of a chat completion that are read. The SDK itself accepts a body without any of them."""

    model: str | None = None
    provider: Any = None
    system_fingerprint: Any = None
    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None
