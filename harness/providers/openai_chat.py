"""Chat completions: the API that every OpenAI-compatible server speaks."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from harness.nouns.records import Prompt, Reply
from harness.prompting.answer import answer_schema
from harness.providers.base import Setup
from harness.providers.served import FORM, Feature, Taken, read_answer, read_usage
from harness.storage.files import whole_text

STOPS: dict[str, Literal["end", "cut_off", "filtered"]] = {
    "stop": "end",
    "length": "cut_off",
    "content_filter": "filtered",
}
USAGE = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cached_tokens": "prompt_tokens_details.cached_tokens",
    "written_tokens": "prompt_tokens_details.cache_write_tokens",
    "reasoning_tokens": "completion_tokens_details.reasoning_tokens",
}
JSON_FORM = Feature(
    FORM,
    ("response_format", "json_schema", "json schema", "json_object", "text.format", "guided", "grammar"),
    ("schema", "object", "plain"),
    (
        "The server takes no JSON schema: answers were asked for in JSON mode and read strictly.",
        "The server takes no JSON mode: the prompt alone asked for the form, and answers were read strictly.",
    ),
)


class Chat:
    """What chat completions look like."""

    path = "/chat/completions"
    features = (JSON_FORM,)

    def __init__(self, model: str, setup: Setup) -> None:
        self._model = model
        schema = {"name": "answer", "strict": True, "schema": answer_schema(setup.policy)}
        self._formats: dict[str, Any] = {
            "schema": {"response_format": {"type": "json_schema", "json_schema": schema}},
            "object": {"response_format": {"type": "json_object"}},
            "plain": {},
        }
        # A parameter is sent only where it was asked for: some models refuse it.
        self._asked = {} if setup.temperature is None else {"temperature": setup.temperature}
        self._seed = setup.seed

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """The prompt's messages as they are."""
        messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
        # Every repeat has a seed of its own: the same one would ask for the same answer.
        seed = {} if self._seed is None else {"seed": self._seed + prompt.repeat}
        form = self._formats[taken[FORM]]
        return {"model": self._model, "messages": messages, **form, **self._asked, **seed}

    def reply(self, text: str) -> Reply:
        """The first choice."""
        body = read_answer(text, _ChatBody, "a chat completion")
        choice = body.choices[0]
        refusal = choice.message.refusal
        return Reply(
            text=whole_text(refusal or choice.message.content or ""),
            model=whole_text(body.model or ""),
            stop="refused" if refusal else STOPS.get(choice.finish_reason or "stop", "end"),
            usage=read_usage(body.usage, USAGE),
        )


class _ChatMessage(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _ChatMessage
    finish_reason: str | None = None


class _ChatBody(BaseModel):
    """The parts of a chat completion that are read. The SDK itself accepts a body without any of them."""

    model: str | None = None
    choices: list[_Choice] = Field(min_length=1)
    usage: Any = None
