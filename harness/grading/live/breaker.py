"""The circuit breaker: a server that is gone ends the run, instead of failing each example."""

import time
from collections.abc import Callable

from harness.errors import TransientError, Unfinished
from harness.storage.plural import plural

FAULTS = 20
"""Attempts without one answer between them before a silence counts; fewer where fewer are in flight."""
SILENCE = 30.0
"""Seconds of nothing but faults that a server may need to come back from them."""
PATIENCE = 600.0
"""Seconds of nothing but 429s."""
EXHAUSTED = 5
"""Examples in a row that all attempts failed on."""


class Breaker:
    """Counts what went wrong since the last answer; raises Unfinished when that is enough.

    429s and faults are counted separately, each from the first one after an answer.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._exhausted = 0
        self._failed: dict[bool, tuple[int, float]] = {}

    def answered(self) -> None:
        """The server answered, even with a refusal: it is there."""
        self._failed.clear()
        self._exhausted = 0

    def failed(self, error: TransientError, in_flight: int) -> None:
        """One attempt failed."""
        now = self._clock()
        count, since = self._failed.get(error.busy, (0, now))
        self._failed[error.busy] = count + 1, since
        enough = min(FAULTS, 2 * in_flight)
        if count + 1 >= enough and now - since >= (PATIENCE if error.busy else SILENCE):
            raise Unfinished(f"no answer for {now - since:.0f} s, in {plural(count + 1, 'attempt')}: {error}")

    def exhausted(self, error: TransientError) -> None:
        """Every attempt for one example failed."""
        self._exhausted += 1
        if self._exhausted >= EXHAUSTED:
            raise Unfinished(f"{self._exhausted} examples in a row got no answer in any attempt: {error}")
