"""Served: a teacher behind a model API. A Dialect defines the requests and answers of one API."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from harness.errors import CallError, FatalError, RejectedError
from harness.nouns.pair import Pair
from harness.nouns.records import Message, Prompt, Reply, Usage
from harness.pricing.tokens import tokens_of
from harness.providers.base import UnusableError
from harness.providers.features import Feature, Taken
from harness.providers.reading import counts_in, input_read
from harness.providers.wire import FilteredError, MissingError, UnsureError, Wire
from harness.storage.digest import digest
from harness.storage.plural import plural

HOPELESS = 3
"""After this many rejections without one answer, the request itself is at fault."""
SAMPLE = Prompt(
    item="",
    repeat=0,
    messages=(Message(role="system", content=""), Message(role="user", content="")),
    pair=Pair.model_validate({"query": "query", "result": {"title": "title"}}),
)
"""A request without a question: everything else that the answer depends on."""


class Dialect(Protocol):
    """One API: its path, what a prompt looks like there, and how an answer is read."""

    @property
    def path(self) -> str:
        """The path of requests, after the base URL."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features of the API that not every server accepts."""

    @property
    def usage(self) -> Callable[..., Usage | None]:
        """`read_usage`, with the names that the API has for its tokens."""

    def body(self, prompt: Prompt, taken: Taken) -> dict[str, Any]:
        """The request for a prompt, in the ways that the server takes."""

    def reply(self, text: str) -> Reply:
        """The answer as a Reply. CallError if it is not one: an error in a body is like an error status."""


class Served:
    """Asks through a wire. The first request finds out what the server takes, while the others wait.

    The wait costs nothing: until the first is answered, their common prefix is not cached.
    """

    varies = True

    def __init__(self, dialect: Dialect, wire: Wire) -> None:
        self.notes: tuple[str, ...] = ()
        self.dialect = dialect
        self.wire = wire
        self.taken: Taken = {feature.name: feature.ways[0] for feature in dialect.features}
        """The way of each feature that the server takes, once it has answered."""
        self.identity = digest([dialect.path, dialect.body(SAMPLE, self.taken)])
        self.settled = False
        """Whether a request was answered, so that the server's features are known."""
        self._counted = False
        """Whether an answer showed that the whole prompt was read."""
        self._probing = asyncio.Lock()
        self._dead: FatalError | None = None
        self._rejected = 0
        self._before: Taken | None = None
        self._guesses: dict[tuple[str, int], str] = {}
        """The server's words when a way was given up on a guess, by feature and number of the way."""
        self._doubted: list[Feature] = []
        """Ways that were given up on a guess without effect: each is tried again with the next questions."""
        self._hears_failures = True
        self.guessed = False
        """Whether a way was given up on a guess, since the server did not say what it rejects."""
        self.requests = 0
        """How many requests were sent, rejected ones included."""

    async def ask(self, prompt: Prompt) -> Reply:
        """One request, one reply."""
        try:
            return await self._ask(prompt)
        except FilteredError as error:
            return filtered_reply(error)

    async def close(self) -> None:
        """Close the connections."""
        await self.wire.close()

    async def _ask(self, prompt: Prompt) -> Reply:
        if self.settled:
            return await self._send(prompt)
        async with self._probing:
            if self._dead:
                raise self._dead
            if not self.settled:
                try:
                    return await self._find_out(prompt)
                except FatalError as error:
                    # The requests that waited would get the same error; the answer is not theirs.
                    self._dead = FatalError(str(error)) if isinstance(error, UnusableError) else error
                    raise
        return await self._send(prompt)

    async def _find_out(self, prompt: Prompt) -> Reply:
        """The first reply: features are given up one by one until the server accepts the request."""
        if self._doubted:
            return await self._try_more(prompt)
        first: RejectedError | MissingError | None = None
        before: Taken | None = None
        while True:
            try:
                reply = await self._send(prompt)
            except FilteredError:
                raise
            except UnsureError as error:
                # Some servers reject features in this way. If giving them up does not help, it was a failure.
                before = before or self.taken
                if self._hears_failures and self._give_up(error):
                    continue
                self._hears_failures = False
                self._take(before)
                raise
            except (RejectedError, MissingError) as error:
                first = first or error
                if self._give_way(error):
                    continue
                self._take_back()
                raise (first if isinstance(first, MissingError) else self._hopeless(first)) from None
            self.settled = not self._doubted
            return reply

    async def _try_more(self, prompt: Prompt) -> Reply:
        """A reply; ways that were given up on a guess are tried again."""
        feature, works = self._doubted[0], self.taken
        for way in feature.ways[: feature.ways.index(works[feature.name])]:
            self._take({**works, feature.name: way})
            try:
                reply = await self._send(prompt)
                break
            except BaseException as error:
                self._take(works)
                unfit = isinstance(error, RejectedError | MissingError | UnsureError)
                if not unfit or isinstance(error, FilteredError):
                    raise
        else:
            reply = await self._send(prompt)
        self._doubted.pop(0)
        self.settled = not self._doubted
        return reply

    async def _send(self, prompt: Prompt) -> Reply:
        self.requests += 1
        body = self.dialect.body(prompt, self.taken)
        try:
            return await self.wire.post(self.dialect.path, body, lambda text: self._read_whole(prompt, text))
        except CallError as error:
            self.count(error)
            raise

    def count(self, error: CallError) -> None:
        """Read the tokens that an error counts."""
        if error.counts:
            error.usage = self.dialect.usage(error.counts, said="")

    def read(self, text: str) -> Reply:
        """The answer as a Reply. CallError if it is not one; it may be billed if it counts tokens."""
        try:
            return self.dialect.reply(text)
        except CallError as error:
            error.counts = error.counts or counts_in(text)
            error.may_be_billed |= bool(error.counts)
            raise

    def _read_whole(self, prompt: Prompt, text: str) -> Reply:
        """The answer, checked if it is the first that says how much of its prompt was read."""
        reply = self.read(text)
        if not self._counted:
            read = reply.usage.input_tokens if reply.usage else input_read(text)
            check_whole(prompt, reply, read)
            self._counted = read > 0
        return reply

    def _give_way(self, error: RejectedError | MissingError) -> bool:
        """Give up a way of each feature that a rejection names; if it names none, guess one feature."""
        if isinstance(error, MissingError) and error.named:
            return False
        if self._give_up(error):
            return True
        if self._before is None:
            if self.guessed:
                return False
            self._before, self.guessed = self.taken, True
        # A guess can help and still be wrong: the note quotes the server.
        return self._give_up(error, guess=True)

    def _give_up(self, error: CallError, *, guess: bool = False) -> bool:
        """The next way of the first feature that has one and is named, or any on a guess; else False."""
        words = str(error).casefold()
        for feature in self.dialect.features:
            at = feature.ways.index(self.taken[feature.name])
            if at + 1 < len(feature.ways) and (guess or any(mark in words for mark in feature.marks)):
                if guess:
                    self._guesses[feature.name, at] = f" It was a guess: {error}"
                self._take({**self.taken, feature.name: feature.ways[at + 1]})
                guessed = {name for name, _ in self._guesses} - {feature.name}
                self._doubted = [one for one in self.dialect.features if one.name in guessed]
                return True
        return False

    def _take(self, taken: Taken) -> None:
        """Ask in these ways from now on, and note what that means."""
        self.taken = taken
        self.notes = tuple(
            lost + self._guesses.get((feature.name, at), "")
            for feature in self.dialect.features
            for at, lost in enumerate(feature.lost[: feature.ways.index(taken[feature.name])])
            if lost
        )

    def _take_back(self) -> None:
        """Restore the ways that were given up on a guess that did not help."""
        if self._before:
            self._take(self._before)
            self._before, self._doubted = None, []

    def _hopeless(self, error: RejectedError) -> RejectedError | FatalError:
        self._rejected += 1
        if self._rejected >= HOPELESS:
            count = plural(self._rejected, "request was", "requests were")
            return FatalError(f"{count} rejected and none was answered: {error}")
        return error


def check_whole(prompt: Prompt, reply: Reply, read: int) -> None:
    """UnusableError if the server `read` fewer tokens of the first prompt than its prefix must have.

    Local servers cut a prompt at their context size and answer all the same. Only the first answer that
    counts its tokens shows it: later on, some count what was not in their cache.
    """
    least = sum(tokens_of(message.content).low for message in prompt.messages if message.role == "system")
    if 0 < read < least:
        raise UnusableError(
            f"the server read {plural(read, 'token')} of a prompt whose constant prefix alone has at least "
            f"{least:,.0f}: it cut the prompt at its context size, so the policy was not read whole; raise "
            "that (OLLAMA_CONTEXT_LENGTH or num_ctx at Ollama, --ctx-size at llama-server, "
            "--max-model-len at vLLM)",
            reply,
        )


def filtered_reply(error: FilteredError) -> Reply:
    """The verdict of a filter as an answer. The reply names no model, since none gave it."""
    return Reply(text=str(error), model="", stop="filtered", usage=error.usage)
