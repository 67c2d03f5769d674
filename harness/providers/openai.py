"""openai/MODEL: chat completions, at OpenAI or at any compatible server (`--base-url`)."""

import json
import os
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from harness.errors import BadInput, CallError, FatalError, RejectedError, TransientError
from harness.files import whole_text
from harness.grading import answer_schema
from harness.providers.base import Setup, Teacher
from harness.records import Prompt, Reply, Usage

if TYPE_CHECKING:
    import openai

TIMEOUT = 120.0
"""Seconds that one attempt may take."""
SPENT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
"""Codes of a 429 that waiting does not cure."""
HOPELESS = 3
"""After this many rejections without one answer, the request itself is at fault."""

STOPS: dict[str, Literal["end", "cut_off", "filtered"]] = {
    "stop": "end",
    "length": "cut_off",
    "content_filter": "filtered",
}


def open_teacher(model: str, setup: Setup) -> Teacher:
    """A client for one model. FatalError where a key is needed and there is none."""
    base_url = setup.base_url
    if base_url is not None:
        _check_url(base_url)
    key = os.environ.get("OPENAI_API_KEY") or None
    if key is None and base_url is None:
        raise FatalError(
            "OPENAI_API_KEY is not set: put it into the environment or into .env, or name a server of "
            "your own with --base-url"
        )
    if key is not None and not key.isascii():
        raise FatalError("OPENAI_API_KEY holds characters that no key has: check how it was pasted")
    return OpenAI(model, setup, base_url, key)


class OpenAI:
    """Asks one model for the answer form, held to its JSON schema."""

    def __init__(self, model: str, setup: Setup, base_url: str | None, key: str | None) -> None:
        import openai

        self._errors = openai
        self._key = key
        # Retries are the run's, not the SDK's: two layers of them would multiply.
        self._client = openai.AsyncOpenAI(
            # A local server asks for no key, but the client insists on one.
            api_key=key or "none",
            base_url=base_url,
            max_retries=0,
            timeout=TIMEOUT,
            http_client=openai.DefaultAioHttpClient(),
        )
        self._request: dict[str, Any] = {
            "model": model,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": answer_schema(setup.policy)},
            },
        }
        # A parameter is sent only where it was asked for: some models refuse it.
        asked = {"temperature": setup.temperature, "seed": setup.seed}
        self._request |= {name: value for name, value in asked.items() if value is not None}
        self._answered = False
        self._rejected = 0

    async def ask(self, prompt: Prompt) -> Reply:
        """One request, one reply."""
        request = {**self._request, "messages": [message.model_dump() for message in prompt.messages]}
        try:
            raw = await self._client.chat.completions.with_raw_response.create(**request)
            reply = read_body(raw.http_response.text)
        except self._errors.OpenAIError as error:
            raise self._translate(error) from None
        self._answered = True
        return reply

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _translate(self, error: "openai.OpenAIError") -> CallError:
        """The SDK's errors as ours. `from None`: a chained error would print the request's headers."""
        sdk = self._errors
        message = str(error).replace(self._key, "***") if self._key else str(error)
        if isinstance(error, sdk.RateLimitError):
            if error.code in SPENT:
                return FatalError(f"the quota is spent: {message}")
            return TransientError(f"rate limit: {message}", _retry_after(error.response.headers))
        if isinstance(error, sdk.APIStatusError):
            return self._translate_status(error, message)
        if isinstance(error, sdk.APIConnectionError):
            # The SDK calls every lost connection a time-out; what lies behind it says which it was.
            return TransientError(f"no connection to {self._client.base_url}: {error.__cause__ or message}")
        return TransientError(message)

    def _translate_status(self, error: "openai.APIStatusError", message: str) -> CallError:
        status = error.status_code
        if status in (401, 402, 403, 404):
            return FatalError(f"the server refuses every request ({status}): {message}")
        if status in (408, 409) or status >= 500:
            return TransientError(
                f"the server failed ({status}): {message}", _retry_after(error.response.headers)
            )
        self._rejected += 1
        if not self._answered and self._rejected >= HOPELESS:
            return FatalError(f"the server rejects every request ({status}): {message}")
        return RejectedError(f"the server rejected the request ({status}): {message}")


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Cached(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Cached | None = None


class _Body(BaseModel):
    """The parts of a chat completion that are read. The SDK itself accepts a body without any of them."""

    model: str | None = None
    choices: list[_Choice]
    usage: Any = None


def read_body(text: str) -> Reply:
    """A chat completion's body as a Reply. TransientError for what is none."""
    try:
        body = _Body.model_validate(json.loads(text))
        choice = body.choices[0]
    except (ValueError, ValidationError, IndexError, RecursionError) as error:
        raise TransientError(f"the server's answer is not a chat completion: {text[:80]!r}") from error
    message = choice.message
    refused = bool(message.refusal)
    return Reply(
        text=whole_text((message.refusal if refused else message.content) or ""),
        model=body.model or "",
        stop="refused" if refused else STOPS.get(choice.finish_reason or "stop", "end"),
        usage=_usage(body.usage),
    )


def _usage(data: Any) -> Usage | None:
    """The tokens where the server counts them in the usual way: no reason to lose an answer over."""
    try:
        usage = _Usage.model_validate(data)
    except ValidationError:
        return None
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    return Usage(
        input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, cached_tokens=cached or 0
    )


def _retry_after(headers: Any) -> float | None:
    """Seconds that the server asks us to wait; None where it says nothing that can be read."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None


def _check_url(url: str) -> None:
    """A base URL is kept in the manifest, so that it must hold no secret."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise BadInput("the base URL is no URL: write http://host:port/v1")
    if "@" in parts.netloc or parts.query:
        raise BadInput("the base URL holds a user or a query: put the key into OPENAI_API_KEY instead")
