"""Limits of connections: how long one may take, and how many there may be at once.

uvicorn closes a connection that is idle between two requests. It keeps one that sends half a request, or
reads half of an answer, for ever; a few hundred of these use up the file descriptors, and lock others out.
"""

import asyncio
import resource
from operator import attrgetter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = BODY = 20.0
"""Seconds for a request's headers, and for its body. The rating page itself gives up after 15."""
ANSWER = 120.0
"""Seconds until the browser has read the answer: a round's pairs over a slow telephone line."""
AT_ONCE = 400
"""The most connections. Thirty raters have six each."""
BACKLOG = 100
"""The most connections that are accepted in one go."""
UNCOUNTED = 3
"""Lots taken in one go before the surplus of the first is closed. asyncio takes a lot in each turn of its
loop, makes connections of it in the next turn, and closes the surplus in the one after."""
OWN = 64
"""File descriptors for the process itself: databases, logs, the listening socket."""


def backlog() -> int:
    """How many connections are accepted in one go: few enough for the file descriptors that are left."""
    return max(1, min(BACKLOG, _files() // 8))


def most() -> int:
    """The most connections at once: the file descriptors that are left for them."""
    return max(8, min(AT_ONCE, _files() - UNCOUNTED * backlog() - OWN))


def _files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class PatientProtocol(H11Protocol):
    """HTTP with a time limit for every stage; of too many connections, the oldest wait is closed."""

    _stage: tuple[str, object] = "", None
    _ends: asyncio.TimerHandle | None = None
    since = 0.0
    """When its stage began, by the loop's clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, and make room."""
        super().connection_made(transport)
        self._watch()
        others: set[Any] = self.connections - {self}
        if len(others) < most():
            return
        waiting = [one for one in others if isinstance(one, PatientProtocol) and one.waits]
        # A browser sends its request at once, and opens another connection where an idle one is gone.
        (min(waiting, key=attrgetter("since")) if waiting else self).abort()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """The answer is written; the browser may still have to read it."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting it."""
        if self._ends is not None:
            self._ends.cancel()
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Whether the server waits for a request or the rest of it, and works on none."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def abort(self) -> None:
        """Close it without an answer; what is left to be sent is dropped."""
        self.transport.abort()
        self.connections.discard(self)

    def _watch(self) -> None:
        """Begin a new stage, if it has changed. A slow trickle of bytes does not prolong a stage."""
        stage = self._now()
        if stage == self._stage or self.transport.is_closing():
            return
        if self._ends is not None:
            self._ends.cancel()
        self._stage, self.since = stage, self.loop.time()
        self._ends = self.loop.call_later(
            {"head": HEAD, "body": BODY, "answer": ANSWER}[stage[0]], self.abort
        )

    def _now(self) -> tuple[str, object]:
        if self.cycle is None:
            return "head", None
        if not self.cycle.response_complete:
            return ("body" if self.cycle.more_body else "answer"), self.cycle
        # Between two requests uvicorn's own limit holds, until a byte of the next one has come.
        begun = self.timeout_keep_alive_task is None
        return ("head" if begun else "answer"), self.cycle
