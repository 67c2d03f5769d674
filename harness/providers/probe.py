"""A dialect that asks for more than a run does, to find out what a server takes."""

import json
from typing import Any

from harness.nouns.records import Prompt, Reply
from harness.providers.features import GIVEN_UP, SENT, TEMPERATURE, Feature, Taken
from harness.providers.served import Dialect

LOGPROBS = "logprobs"
ASKS_LOGPROBS: dict[str, dict[str, Any]] = {
    "/chat/completions": {"logprobs": True},
    "/responses": {"include": ["message.output_text.logprobs"]},
}
"""How log-probabilities are asked for, where an API has them."""
UNSAID = ("",)
"""No note for the manifest: a run never asks for these."""


class ProbeDialect:
    """A dialect that also asks for a temperature and log-probabilities, until the server refuses."""

    def __init__(self, inner: Dialect, *, temperature: bool) -> None:
        self._inner = inner
        self._asks = ASKS_LOGPROBS.get(inner.path, {})
        self.path, self.usage = inner.path, inner.usage
        ways = (SENT, GIVEN_UP)
        more = []
        if temperature:
            more.append(Feature(TEMPERATURE, ("temperature",), ways, UNSAID))
        if self._asks:
            marks = ("logprob", "'include", '"include')
            more.append(Feature(LOGPROBS, marks, ways, UNSAID))
        # A run would note what it cannot send; here it is a finding.
        self.features = (*more, *(feature for feature in inner.features if feature.name != TEMPERATURE))
        self.gave_logprobs = False

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """The inner request, with the features that are not given up."""
        return {**self._inner.body(prompt, taken), **(self._asks if taken.get(LOGPROBS) == SENT else {})}

    def reply(self, text: str) -> Reply:
        """The inner reply; whether the answer held log-probabilities is noted."""
        reply = self._inner.reply(text)
        self.gave_logprobs = _holds(json.loads(text), LOGPROBS)
        return reply


def _holds(data: Any, key: str) -> bool:
    """Whether a key with a non-empty value is anywhere in JSON data."""
    if isinstance(data, dict):
        return bool(data.get(key)) or any(_holds(value, key) for value in data.values())
    return isinstance(data, list) and any(_holds(value, key) for value in data)
