"""Anthropic's Message Batches API: one request holds them all, one file of results comes back."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from harness.errors import RejectedError
from harness.nouns.records import Prompt
from harness.providers.batches import Answer, BatchStatus, answered, faulted, listed, part
from harness.providers.reading import read_answer
from harness.providers.served import Served
from harness.providers.wire import MissingError

PATH = "/v1/messages/batches"
STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""What each type of error would be as a status; any other is the server's own failure."""


class AnthropicBatches:
    """Batches of messages. They carry no label: a lost one is known by its time, its size and its ids."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._wire = served.wire

    @property
    def settled(self) -> bool:
        """As the teacher is."""
        return self._served.settled

    def line(self, id: str, prompt: Prompt) -> bytes:
        """One of the requests."""
        params = self._served.dialect.body(prompt, self._served.taken)
        return json.dumps({"custom_id": id, "params": params}).encode("ascii")

    async def submit(self, lines: Sequence[bytes], mark: str) -> str:
        """All requests in one, joined as they are."""
        content = b'{"requests":[' + b",".join(lines) + b"]}"
        kind = {"headers": {"Content-Type": "application/json"}}
        text = await self._wire.send(PATH, content=content, options=kind)
        return read_answer(text, _MessageBatch, "a batch").id

    async def find(self, mark: str, size: int, since: datetime) -> list[str]:
        """Those of the same size, the nearest in time first."""
        found = await listed(self._wire, PATH, "after_id", since)
        alike = [one for one in found if sum((one.request_counts or {}).values()) == size]
        return [one.id for one in sorted(alike, key=lambda one: abs(one.created_at - since))]

    async def standing(self, batch: str) -> BatchStatus:
        """The batch's status. It counts nothing as done until all is."""
        found = await self._batch(batch)
        total = sum(found.request_counts.values())
        done = total - found.request_counts.get("processing", 0)
        return BatchStatus(
            found.processing_status.replace("_", " "), found.processing_status == "ended", done, total
        )

    async def results(self, batch: str) -> list[Answer]:
        """The lines of the result file, at its place in the API: the key goes to no other address."""
        if (await self._batch(batch)).archived_at:
            raise MissingError(f"the results of batch {batch} are no longer kept")
        text = await self._wire.get(f"{PATH}/{part(batch)}/results")
        lines = [line for line in text.split("\n") if line.strip()]
        return [self._answer(read_answer(line, _MessageLine, "a line of a batch")) for line in lines]

    async def _batch(self, id: str) -> "_MessageBatch":
        return read_answer(await self._wire.get(f"{PATH}/{part(id)}"), _MessageBatch, "a batch")

    def _answer(self, line: "_MessageLine") -> Answer:
        result = line.result
        if result.type == "succeeded":
            return line.custom_id, answered(self._served.dialect, result.message)
        if result.type == "errored" and result.error is not None:
            found = result.error.error
            return line.custom_id, faulted(
                STATUS.get(found.type, 500), {found.type}, f"{found.type}: {found.message}"
            )
        return line.custom_id, RejectedError(f"the request is {result.type}: it was not asked")


class _MessageBatch(BaseModel):
    id: str
    processing_status: str
    request_counts: dict[str, int]
    archived_at: Any = None


class _MessageError(BaseModel):
    type: str
    message: str = ""


class _Fell(BaseModel):
    error: _MessageError


class _MessageResult(BaseModel):
    type: Literal["succeeded", "errored", "canceled", "expired"]
    message: Any = None
    error: _Fell | None = None


class _MessageLine(BaseModel):
    custom_id: str
    result: _MessageResult
