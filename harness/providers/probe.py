"""A dialect that asks for more than a run does, to find out what a server takes."""

import json
from typing import Any

from harness.nouns.records import Prompt, Reply
from harness.providers.served import Dialect, Feature, Taken

TEMPERATURE, LOGPROBS = "temperature", "logprobs"
GIVEN_UP = "left out"
ASKS_LOGPROBS: dict[str, dict[str, Any]] = {
    "/chat/completions": {"logprobs": True},
    "/responses": {"include": ["message.output_text.logprobs"]},
}
"""How log-probabilities are asked for, where an API has them."""
UNSAID = ("",)
"""No note for the manifest: a run never asks for these."""


class ProbeDialect:
    """A dialect that asks for a temperature and for log-probabilities too, until the server says no."""

    def __init__(self, inner: Dialect, *, temperature: bool) -> None:
        self._inner = inner
        self._asks = ASKS_LOGPROBS.get(inner.path, {})
        self.path = inner.path
        ways = ("sent", GIVEN_UP)
        more = []
        if temperature:
            more.append(Feature(TEMPERATURE, ("temperature",), ways, UNSAID))
        if self._asks:
            marks = ("logprob", "'include", '"include')
            more.append(Feature(LOGPROBS, marks, ways, UNSAID))
        self.features = (*more, *inner.features)
        self.gave_logprobs = False

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """The inner request, and what is not given up."""
        body = self._inner.body(prompt, taken)
        if taken.get(TEMPERATURE) == GIVEN_UP:
            body.pop("temperature", None)
        return {**body, **(self._asks if taken.get(LOGPROBS) == "sent" else {})}

    def reply(self, text: str) -> Reply:
        """The inner reply; whether the answer held log-probabilities is noted."""
        reply = self._inner.reply(text)
        self.gave_logprobs = _holds(json.loads(text), LOGPROBS)
        return reply


def _holds(data: Any, key: str) -> bool:
    """Whether a key with something in it is anywhere in JSON data."""
    if isinstance(data, dict):
        return bool(data.get(key)) or any(_holds(value, key) for value in data.values())
    return isinstance(data, list) and any(_holds(value, key) for value in data)
