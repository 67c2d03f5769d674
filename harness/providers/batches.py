"""The seam for batches: many prompts are handed over at once, and answered within a day at half price."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from harness.errors import CallError
from harness.nouns.records import Prompt, Reply
from harness.providers.reading import read_answer
from harness.providers.served import Dialect, filtered_reply
from harness.providers.wire import FilteredError, Wire, call_error, clip

SKEW = timedelta(hours=1)
"""How far the server's clock may be from ours."""
PAGE = 100

Answer = tuple[str, Reply | CallError]
"""The id of a request within its batch, and what came of it."""


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch is, in the API's own word for it."""

    word: str
    over: bool
    """No more answers will come."""
    done: int
    total: int
    failure: str | None = None
    """Why the API asked nothing of it, where it refused the batch as a whole."""


class Batches(Protocol):
    """The batch API of one teacher. Raises as Teacher.ask does."""

    @property
    def settled(self) -> bool:
        """Whether it is known what the server takes: a batch cannot find out."""

    def line(self, id: str, prompt: Prompt) -> bytes:
        """One request of a batch, as it is sent. `id`: up to 64 letters, digits, - and _."""

    async def submit(self, lines: Sequence[bytes], mark: str) -> str:
        """Hand over a batch; the id that the server gives it. Where the API can, it is labelled `mark`."""

    async def find(self, mark: str, size: int, since: datetime) -> list[str]:
        """The batches that may be what was submitted with that mark and size since then, likeliest first."""

    async def standing(self, batch: str) -> BatchStatus:
        """How far a batch is. MissingError where the server knows none of that id."""

    async def results(self, batch: str) -> list[Answer]:
        """What came of each request of a batch that is over, in any order; of some perhaps nothing.

        MissingError where the server no longer keeps it.
        """


class ListedBatch(BaseModel):
    """What a list of batches says of each."""

    id: str
    created_at: datetime
    metadata: dict[str, str] | None = None
    request_counts: dict[str, int] | None = None


class _Page(BaseModel):
    data: list[ListedBatch]
    has_more: bool = False


async def listed(wire: Wire, path: str, cursor: str, since: datetime) -> list[ListedBatch]:
    """The batches made since then, the newest first. `cursor` is what the API calls its place in the list."""
    found: list[ListedBatch] = []
    query = {"limit": str(PAGE)}
    while True:
        page = read_answer(await wire.get(f"{path}?{urlencode(query)}"), _Page, "a list of batches")
        found += [one for one in page.data if one.created_at >= since - SKEW]
        if not page.has_more or not page.data or page.data[-1].created_at < since - SKEW:
            return sorted(found, key=lambda one: one.created_at, reverse=True)
        query[cursor] = page.data[-1].id


def answered(dialect: Dialect, body: Any) -> Reply | CallError:
    """The answer that a request of a batch got, read as it would be by itself."""
    try:
        return dialect.reply(json.dumps(body))
    except CallError as error:
        return error


def faulted(status: int, names: set[str], words: str) -> Reply | CallError:
    """The error that a request of a batch got, as it would be by itself: a filter's verdict is an answer."""
    error = call_error(status, names, clip(words))
    return filtered_reply(error) if isinstance(error, FilteredError) else error


def part(id: str) -> str:
    """A server's id as a part of a path: it may hold anything."""
    return quote(id, safe="")
