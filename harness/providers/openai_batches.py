"""OpenAI's batch API: a file of requests goes up, files of answers and of errors come down."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from harness.errors import CallError, RejectedError
from harness.nouns.records import Prompt, Reply
from harness.providers.batches import Answer, BatchStatus, answered, faulted, listed, part
from harness.providers.reading import read_answer
from harness.providers.served import Served

LABEL = "harness_mark"
"""The entry of a batch's metadata by which it is found again."""
OVER = ("completed", "failed", "expired", "cancelled")
SHOWN = 3
"""Faults of a refused batch that are shown: every line of it can have the same."""


class OpenAIBatches:
    """Batches for chat completions or responses, whichever the teacher speaks."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._wire = served.wire

    @property
    def settled(self) -> bool:
        """As the teacher is."""
        return self._served.settled

    def line(self, id: str, prompt: Prompt) -> bytes:
        """One line of the file. In ASCII, since some readers end a line at more than its end."""
        body = self._served.dialect.body(prompt, self._served.taken)
        request = {"custom_id": id, "method": "POST", "url": self._endpoint, "body": body}
        return json.dumps(request).encode("ascii") + b"\n"

    async def submit(self, lines: Sequence[bytes], mark: str) -> str:
        """The file first, then the batch that reads it."""
        text = await self._wire.send(
            "/files",
            body={"purpose": "batch"},
            files={"file": (f"{mark}.jsonl", b"".join(lines))},
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )
        file = read_answer(text, _BatchFile, "a file")
        made = {
            "input_file_id": file.id,
            "endpoint": self._endpoint,
            "completion_window": "24h",
            "metadata": {LABEL: mark},
        }
        return read_answer(await self._wire.post("/batches", made), _OpenAIBatch, "a batch").id

    async def find(self, mark: str, size: int, since: datetime) -> list[str]:
        """Those whose metadata hold the mark."""
        found = await listed(self._wire, "/batches", "after", since)
        return [one.id for one in found if (one.metadata or {}).get(LABEL) == mark]

    async def standing(self, batch: str) -> BatchStatus:
        """The batch's status and counts."""
        found = await self._batch(batch)
        counts = found.request_counts or _Counts()
        failure = found.why() if found.status == "failed" else None
        done = counts.completed + counts.failed
        word = found.status.replace("_", " ")
        return BatchStatus(word, found.status in OVER, done, counts.total, failure)

    async def results(self, batch: str) -> list[Answer]:
        """Both files' lines. An expired or cancelled batch has files too, of what was done before."""
        found = await self._batch(batch)
        files = [id for id in (found.output_file_id, found.error_file_id) if id]
        texts = [await self._wire.get(f"/files/{part(id)}/content") for id in files]
        lines = [line for text in texts for line in text.split("\n") if line.strip()]
        return [self._answer(read_answer(line, _OutputLine, "a line of a batch")) for line in lines]

    @property
    def _endpoint(self) -> str:
        return f"/v1{self._served.dialect.path}"

    async def _batch(self, id: str) -> "_OpenAIBatch":
        return read_answer(await self._wire.get(f"/batches/{part(id)}"), _OpenAIBatch, "a batch")

    def _answer(self, line: "_OutputLine") -> Answer:
        response = line.response
        if response is not None and response.status_code == 200:
            return line.custom_id, answered(self._served.dialect, response.body)
        return line.custom_id, _fault(line)


class _BatchFile(BaseModel):
    id: str


class _Counts(BaseModel):
    completed: int = 0
    failed: int = 0
    total: int = 0


class _BatchError(BaseModel):
    code: str | None = None
    type: str | None = None
    message: str | None = None
    line: int | None = None

    @property
    def words(self) -> str:
        where = f" (line {self.line})" if self.line is not None else ""
        return f"{self.code or self.type}: {self.message}{where}"


class _BatchErrors(BaseModel):
    data: list[_BatchError] | None = None


class _OpenAIBatch(BaseModel):
    id: str
    status: str
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: _Counts | None = None
    errors: _BatchErrors | None = None

    def why(self) -> str:
        """What the server holds against the batch as a whole."""
        faults = (self.errors and self.errors.data) or []
        return "; ".join(fault.words for fault in faults[:SHOWN]) or "no reason is given"


class _Response(BaseModel):
    status_code: int
    body: Any = None


class _OutputLine(BaseModel):
    custom_id: str
    response: _Response | None = None
    error: _BatchError | None = None


class _Refused(BaseModel):
    error: _BatchError


def _fault(line: _OutputLine) -> Reply | CallError:
    if line.response is None:
        return RejectedError((line.error or _BatchError(code="no answer", message="nor an error")).words)
    body = line.response.body
    found = (
        _Refused.model_validate(body).error if isinstance(body, dict) and body.get("error") else _BatchError()
    )
    names = {name for name in (found.code, found.type) if name}
    return faulted(line.response.status_code, names, found.words)
