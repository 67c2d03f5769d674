"""The interface for batches: many prompts are submitted at once, and answered within a day at half price."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import AwareDatetime, BaseModel

from harness.errors import CallError, RejectedError
from harness.nouns.records import Prompt, Reply
from harness.providers.error_body import parsed, told_in
from harness.providers.reading import Body, read_answer, read_json
from harness.providers.served import Served, filtered_reply
from harness.providers.wire import FilteredError, told_error

SKEW = timedelta(hours=1)
"""How far the server's clock may be from ours."""
PAGE = 100
SHOWN = 80
"""How many letters of an unreadable line are shown."""
_ID = re.compile(r'"custom_id"\s*:\s*"([\w-]+)"', re.ASCII)
"""Where a line that was cut off names its request. Within an answer's text the quotes would be escaped."""


class UnaskedError(RejectedError):
    """The batch ended before the request was asked: nothing is paid for."""


class UnreadError(CallError):
    """The result of a request cannot be read: it may have an answer, and be paid for.

    `replies`: the answers, where there are several and they differ.
    """

    may_be_billed = True

    def __init__(self, message: str, replies: tuple[Reply, ...] = ()) -> None:
        super().__init__(message)
        self.replies = replies


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One line of a batch's results: its place, its request if it names one, and the result."""

    where: str
    id: str | None
    answer: Reply | CallError


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch is, in the API's own word for it."""

    word: str
    over: bool
    """Whether no more answers will come."""
    done: int
    total: int
    unasked: int | None = 0
    """How many requests the batch ended without, None for all: only they may lack a line in its results."""


class ListedBatch(BaseModel):
    """An entry in a list of batches."""

    id: str
    created_at: AwareDatetime
    metadata: Any = None
    request_counts: Any = None


class _Page(BaseModel):
    data: list[ListedBatch]
    has_more: bool = False


_read_page = partial(read_answer, model=_Page, what="a list of batches")


class Batches(ABC):
    """The batch API of one teacher. Raises as Teacher.ask does."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._wire = served.wire

    @property
    def settled(self) -> bool:
        """Whether the server's features are known: a batch cannot find them out."""
        return self._served.settled

    @abstractmethod
    def line(self, id: str, prompt: Prompt) -> bytes:
        """One request of a batch, as it is sent. `id`: up to 64 letters, digits, - and _."""

    @abstractmethod
    async def submit(self, lines: Sequence[bytes], mark: str) -> str:
        """Submit a batch; returns the server's id of it. Where the API can, it is labelled `mark`."""

    @abstractmethod
    async def find(self, mark: str, size: int, since: datetime) -> list[str]:
        """The batches that may be what was submitted with that mark and size since then, likeliest first."""

    @abstractmethod
    async def standing(self, batch: str) -> BatchStatus:
        """How far a batch is. MissingError where the server knows none of that id."""

    @abstractmethod
    async def results(self, batch: str) -> list[BatchResult]:
        """The lines of a batch that is over, in any order.

        MissingError where the server no longer keeps it.
        """

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        return self._served.dialect.body(prompt, self._served.taken)

    async def _listed(self, path: str, cursor: str, since: datetime) -> list[ListedBatch]:
        """The batches made since then, the newest first. `cursor`: what the API calls its place."""
        found: list[ListedBatch] = []
        query = {"limit": str(PAGE)}
        while True:
            page = await self._wire.get(f"{path}?{urlencode(query)}", _read_page)
            found += [one for one in page.data if one.created_at >= since - SKEW]
            if not page.has_more or not page.data or page.data[-1].created_at < since - SKEW:
                return sorted(found, key=lambda one: one.created_at, reverse=True)
            query[cursor] = page.data[-1].id

    async def _lines(
        self, path: str, file: str, model: type[Body], answer: Callable[[Body], Reply]
    ) -> list[BatchResult]:
        """A file of results; each line is read by itself, so that a faulty one does not affect others.

        `answer` is the one that a line holds; CallError where it holds none.
        """

        def counted(line: Body) -> Reply:
            try:
                return answer(line)
            except CallError as error:
                self._served.count(error)
                raise

        def read(text: str) -> list[BatchResult]:
            numbered = [(f"{file}, line {at}", line) for at, line in enumerate(text.split("\n"), 1)]
            found = [
                BatchResult(where, *_read(line, model, counted)) for where, line in numbered if line.strip()
            ]
            # An error can come in place of the whole file.
            told = told_in(parsed(text)) if len(found) == 1 and found[0].id is None else None
            if told is not None:
                raise told_error(told)
            return found

        return await self._wire.get(path, read)


def _read(
    line: str, model: type[Body], read: Callable[[Body], Reply]
) -> tuple[str | None, Reply | CallError]:
    """The id that a line names, and the result of that request."""
    id: Any = None
    try:
        data = read_json(line, unique=True)
        id = data.get("custom_id") if isinstance(data, dict) else None
        if isinstance(id, str):
            return id, read(model.model_validate(data))
    except FilteredError as error:
        # A filter's verdict counts as an answer, as in a live call.
        return id, filtered_reply(error)
    except CallError as error:
        return id, error
    except Exception:  # noqa: BLE001 - whatever is odd about a line, the others are read
        named = set(_ID.findall(line))
        id = id or (named.pop() if len(named) == 1 else None)
    return id if isinstance(id, str) else None, UnreadError(f"it cannot be read: {line[:SHOWN]!r}")


def part(id: str) -> str:
    """A server's id, escaped as a part of a path: it may hold anything."""
    return quote(id, safe="")
