"""Anthropic's Message Batches API: one request holds them all, one file of results comes back."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel

from harness.nouns.records import Prompt, Reply
from harness.providers.batches import Batches, BatchResult, BatchStatus, UnaskedError, UnreadError, part
from harness.providers.error_body import tells, told_by, words_of
from harness.providers.reading import read_answer, read_number
from harness.providers.wire import shown, told_error

PATH = "/v1/messages/batches"
COUNTED = ("processing", "succeeded", "errored", "canceled", "expired")


class AnthropicBatches(Batches):
    """Batches of messages. They have no label: a lost one is recognised by its time, size and ids."""

    def line(self, id: str, prompt: Prompt) -> bytes:
        """One of the requests."""
        return json.dumps({"custom_id": id, "params": self._body(prompt)}).encode("ascii")

    async def submit(self, lines: Sequence[bytes], mark: str) -> str:
        """All requests in one, joined as they are."""
        content = b'{"requests":[' + b",".join(lines) + b"]}"
        return (await self._wire.post(PATH, content, _read_batch)).id

    async def find(self, mark: str, size: int, since: datetime) -> list[str]:
        """Batches of the same size, the nearest in time first."""
        found = await self._listed(PATH, "after_id", since)
        alike = [one for one in found if sum(_counts(one.request_counts).values()) == size]
        return [one.id for one in sorted(alike, key=lambda one: abs(one.created_at - since))]

    async def standing(self, batch: str) -> BatchStatus:
        """The batch's status. The API counts nothing as done until all is done."""
        found = await self._wire.get(f"{PATH}/{part(batch)}", _read_batch)
        counts = _counts(found.request_counts)
        total = sum(counts.values())
        return BatchStatus(
            found.processing_status.replace("_", " "),
            found.processing_status.casefold() == "ended",
            total - counts["processing"],
            total,
            unasked=counts["canceled"] + counts["expired"],
        )

    async def results(self, batch: str) -> list[BatchResult]:
        """The lines of the result file, from its path in the API: the key is sent to no other address."""
        return await self._lines(f"{PATH}/{part(batch)}/results", "results", _MessageLine, self._answer)

    def _answer(self, line: "_MessageLine") -> Reply:
        result = line.result
        if result.message and (result.type != "succeeded" or tells(result.error)):
            raise UnreadError(f"an answer and an error: {shown(words_of(result.error)) or result.type}")
        if result.type == "succeeded":
            return self._served.read(json.dumps(result.message))
        if result.type == "errored":
            raise told_error(told_by(result.error))
        raise UnaskedError(f"the request is {result.type}: it was not asked")


class _MessageBatch(BaseModel):
    id: str
    processing_status: str
    request_counts: Any = None


class _MessageResult(BaseModel):
    type: Literal["succeeded", "errored", "canceled", "expired"]
    message: Any = None
    error: Any = None


class _MessageLine(BaseModel):
    result: _MessageResult


def _counts(counts: Any) -> dict[str, int]:
    return {name: read_number(counts, name) or 0 for name in COUNTED}


_read_batch = partial(read_answer, model=_MessageBatch, what="a batch")
