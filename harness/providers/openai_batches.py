"""OpenAI's batch API: a file of requests goes up, files of answers and of errors come down."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel

from harness.errors import RejectedError
from harness.nouns.records import Prompt, Reply
from harness.providers.batches import (
    Batches,
    BatchResult,
    BatchStatus,
    UnaskedError,
    UnreadError,
    part,
)
from harness.providers.error_body import holds_answer, tells, told_by, words_of
from harness.providers.reading import read_answer, read_number
from harness.providers.wire import MissingError, shown, told_error

LABEL = "harness_mark"
"""The entry of a batch's metadata by which it is found again."""
OPEN = ("validating", "in_progress", "finalizing", "cancelling")
OVER = ("completed", "failed", "expired", "cancelled", "canceled")


class OpenAIBatches(Batches):
    """Batches for chat completions or responses, whichever the teacher speaks."""

    def line(self, id: str, prompt: Prompt) -> bytes:
        """One line of the file. In ASCII, since some readers end a line at more than its end."""
        request = {"custom_id": id, "method": "POST", "url": self._endpoint, "body": self._body(prompt)}
        return json.dumps(request).encode("ascii") + b"\n"

    async def submit(self, lines: Sequence[bytes], mark: str) -> str:
        """Upload the file, then create the batch that reads it."""
        content = {"file": (f"{mark}.jsonl", b"".join(lines))}
        file = await self._wire.upload("/files", {"purpose": "batch"}, content, _read_file)
        made = {
            "input_file_id": file.id,
            "endpoint": self._endpoint,
            "completion_window": "24h",
            "metadata": {LABEL: mark},
        }
        return (await self._wire.post("/batches", made, _read_batch)).id

    async def find(self, mark: str, size: int, since: datetime) -> list[str]:
        """The batches whose metadata hold the mark."""
        found = await self._listed("/batches", "after", since)
        return [one.id for one in found if isinstance(one.metadata, dict) and one.metadata.get(LABEL) == mark]

    async def standing(self, batch: str) -> BatchStatus:
        """The batch's status and counts."""
        found = await self._batch(batch)
        total, done, failed = (
            read_number(found.request_counts, name) or 0 for name in ("total", "completed", "failed")
        )
        status = found.status.casefold()
        has_files = bool(found.output_file_id or found.error_file_id)
        # It can fail midway, and still have answers.
        is_idle = status != "completed" and not (has_files or done or failed)
        word = status.replace("_", " ")
        if status == "failed":
            why = shown(words_of(found.errors)) or "no reason is given"
            word = f"{'refused as a whole' if is_idle else word}: {why}"
        return BatchStatus(
            word,
            status in OVER or (status not in OPEN and has_files and 0 < total <= done + failed),
            done + failed,
            total,
            unasked=None if is_idle else 0 if status == "completed" else max(0, total - done - failed),
        )

    async def results(self, batch: str) -> list[BatchResult]:
        """The lines of both files. An expired or cancelled batch has files of the requests done before."""
        found = await self._batch(batch)
        files = {"output file": found.output_file_id, "error file": found.error_file_id}
        lines, missing = list[BatchResult](), list[BatchResult]()
        for name, id in files.items():
            try:
                path = f"/files/{part(id or '')}/content"
                lines += await self._lines(path, name, _OutputLine, self._answer) if id else []
            except (MissingError, RejectedError) as error:
                missing.append(BatchResult(name, None, UnreadError(f"the file is missing: {error}")))
        return [*lines, *missing]

    @property
    def _endpoint(self) -> str:
        return f"/v1{self._served.dialect.path}"

    async def _batch(self, id: str) -> "_OpenAIBatch":
        return await self._wire.get(f"/batches/{part(id)}", _read_batch)

    def _answer(self, line: "_OutputLine") -> Reply:
        response, error = line.response, line.error
        if response is None:
            raise (
                UnaskedError(shown(words_of(error)))
                if tells(error)
                else UnreadError("no answer and no error")
            )
        if holds_answer(response.body) if response.status_code != 200 else tells(error):
            what = shown(words_of(error)) or f"status {response.status_code}"
            raise UnreadError(f"an answer and an error: {what}")
        if response.status_code not in (200, *range(400, 600)):
            raise UnreadError(f"neither an answer nor an error: status {response.status_code}")
        if response.status_code != 200:
            raise told_error(replace(told_by(response.body or error), status=response.status_code))
        return self._served.read(json.dumps(response.body))


class _BatchFile(BaseModel):
    id: str


class _OpenAIBatch(BaseModel):
    id: str
    status: str
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: Any = None
    errors: Any = None


class _Response(BaseModel):
    status_code: int
    body: Any = None


class _OutputLine(BaseModel):
    response: _Response | None = None
    error: Any = None


_read_file = partial(read_answer, model=_BatchFile, what="a file")
_read_batch = partial(read_answer, model=_OpenAIBatch, what="a batch")
