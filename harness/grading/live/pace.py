"""How many calls may be in flight: as many as the server accepts, found out during the run.

The limit doubles with every clean round until the first 429. A 429 cuts it by a fifth, at most once in CALM
seconds, and from then on it grows by a twentieth. A fault of
the server stops the growth for a round and cuts nothing: fewer calls would not cure it.
"""

import time
from collections.abc import Callable

START = 20
AUTOMATIC = 200
"""Default maximum of calls in flight."""
CUT, GROWTH = 0.8, 1.05
CALM = 15.0
"""Seconds after a cut in which no other cut is made: what was sent before it still comes back."""
BUSY = 0.8
"""The share of the limit that has to be in use before a round counts: else nothing was put to the test."""


class Pace:
    """The limit, and what it learns from. `note` is told of every change."""

    def __init__(
        self,
        most: int | None,
        note: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most or AUTOMATIC
        self.limit = min(START, self._most)
        self._note = note
        self._clock = clock
        self._clean = 0
        self._turned_away = False
        self._cut_at: float | None = None

    def answered(self, in_flight: int) -> None:
        """A call came back whole, with so many in flight."""
        if self.limit >= self._most or in_flight < BUSY * self.limit:
            return
        self._clean += 1
        if self._clean >= self.limit:
            grown = max(self.limit + 1, int(self.limit * GROWTH)) if self._turned_away else self.limit * 2
            self._change(min(grown, self._most), "a clean round")

    def failed(self) -> None:
        """The server failed, or the connection: the round begins anew."""
        self._clean = 0

    def turned_away(self) -> None:
        """The server said that it was asked too often."""
        self._clean = 0
        self._turned_away = True
        now = self._clock()
        if self.limit > 1 and (self._cut_at is None or now - self._cut_at >= CALM):
            self._cut_at = now
            self._change(max(1, int(self.limit * CUT)), "the server's rate limit")

    def _change(self, limit: int, why: str) -> None:
        self._note(f"connections {self.limit} -> {limit}: {why}")
        self.limit = limit
        self._clean = 0
