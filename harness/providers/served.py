"""Served: a teacher behind a model API. A Dialect says what one API's requests and answers look like."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import FatalError, RejectedError, TransientError
from harness.nouns.pair import Pair
from harness.nouns.records import Message, Prompt, Reply, Usage
from harness.providers.wire import FilteredError, Wire
from harness.storage.digest import digest

HOPELESS = 3
"""After this many rejections without one answer, the request itself is at fault."""
FORM = "form"
"""The feature that holds an answer to the form."""
CACHE = "cache"
"""The feature that marks where the constant prefix ends."""

SAMPLE = Prompt(
    item="",
    repeat=0,
    messages=(Message(role="system", content=""), Message(role="user", content="")),
    pair=Pair.model_validate({"query": "query", "result": {"title": "title"}}),
)
"""What a request looks like without a question: all that its answer depends on besides."""

Body = TypeVar("Body", bound=BaseModel)
Taken = Mapping[str, str]
"""The way that the server takes of each feature."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that not every server takes. `ways`, the best first, each with what giving it up means.

    `marks` are the words, in lower case, by which a server names the parameter when it rejects it.
    """

    name: str
    marks: tuple[str, ...]
    ways: tuple[str, ...]
    lost: tuple[str, ...]
    """A sentence for each way but the last: what it means that the server did not take it."""


class Dialect(Protocol):
    """One API: its path, what a prompt looks like there, and how an answer is read."""

    @property
    def path(self) -> str:
        """Where requests go, from the base URL on."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the API has that not every server takes."""

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """The request for a prompt, in the ways that the server takes."""

    def reply(self, text: str) -> Reply:
        """The answer as a Reply. TransientError for what is none."""


class Served:
    """Asks through a wire. The first request finds out what the server takes, while the others wait.

    They lose nothing by that: until the first is answered, the prefix that they share is in no cache.
    """

    varies = True

    def __init__(self, dialect: Dialect, wire: Wire) -> None:
        self.notes: tuple[str, ...] = ()
        self.dialect = dialect
        self.wire = wire
        self._taken = {feature.name: feature.ways[0] for feature in dialect.features}
        self.identity = digest([dialect.path, dialect.body(SAMPLE, self._taken)])
        self._settled = False
        self._probing = asyncio.Lock()
        self._dead: FatalError | None = None
        self._rejected = 0
        self.requests = 0
        """How many were sent, with those that were rejected."""

    @property
    def settled(self) -> bool:
        """Whether a request was answered, so that it is known what the server takes."""
        return self._settled

    @property
    def taken(self) -> Taken:
        """The way of each feature that the server takes, once it has answered."""
        return self._taken

    def trying(self, change: Callable[[Dialect], Dialect]) -> "Served":
        """The same server, asked in a changed dialect: to find out what else it takes."""
        return Served(change(self.dialect), self.wire)

    async def ask(self, prompt: Prompt) -> Reply:
        """One request, one reply."""
        try:
            text = await self._post(prompt)
        except FilteredError as error:
            return filtered_reply(error)
        return self.dialect.reply(text)

    async def close(self) -> None:
        """Close the connections."""
        await self.wire.close()

    async def _post(self, prompt: Prompt) -> str:
        if self._settled:
            return await self._send(prompt)
        async with self._probing:
            if self._dead:
                raise self._dead
            while not self._settled:
                try:
                    text = await self._send(prompt)
                except FatalError as error:
                    # Those that waited would only hear the same.
                    self._dead = error
                    raise
                except FilteredError:
                    raise
                except RejectedError as error:
                    if not self._give_way(str(error).casefold()):
                        raise self._hopeless(error) from None
                    continue
                self._settled = True
                return text
        return await self._send(prompt)

    async def _send(self, prompt: Prompt) -> str:
        self.requests += 1
        return await self.wire.post(self.dialect.path, self.dialect.body(prompt, self._taken))

    def _give_way(self, message: str) -> bool:
        """Ask for less of the feature that a rejection names, and note it; False where it names none."""
        for feature in self.dialect.features:
            at = feature.ways.index(self._taken[feature.name])
            if at + 1 < len(feature.ways) and any(mark in message for mark in feature.marks):
                self._taken[feature.name] = feature.ways[at + 1]
                self.notes += (feature.lost[at],)
                return True
        return False

    def _hopeless(self, error: RejectedError) -> RejectedError | FatalError:
        self._rejected += 1
        if self._rejected >= HOPELESS:
            return FatalError(f"{self._rejected} requests were rejected and none was answered: {error}")
        return error


def filtered_reply(error: FilteredError) -> Reply:
    """The verdict of a filter as an answer. No model gave it: the reply names none."""
    return Reply(text=str(error), model="", stop="filtered")


def read_answer(text: str, model: type[Body], what: str) -> Body:
    """An answer's body, checked. TransientError for HTML, half an answer, or one without what is read."""
    try:
        return model.model_validate(json.loads(text))
    except (ValueError, ValidationError, RecursionError) as error:
        raise TransientError(f"the server's answer is not {what}: {text[:80]!r}") from error


def read_usage(data: Any, names: Mapping[str, str], *, extra: tuple[str, ...] = ()) -> Usage | None:
    """The tokens, where the server counts them in its API's usual way: no reason to lose an answer over.

    `names` maps the fields of Usage to dotted paths; the fields in `extra` come on top of the input.
    """
    found = {field: _number(data, path) for field, path in names.items()}
    if found["input_tokens"] is None or found["output_tokens"] is None:
        return None
    counted = {field: value or 0 for field, value in found.items()}
    counted["input_tokens"] += sum(counted[field] for field in extra)
    return Usage(**counted)


def _number(data: Any, path: str) -> int | None:
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data if type(data) is int and data >= 0 else None
