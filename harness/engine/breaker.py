"""The circuit breaker: a server that is gone ends the run, instead of failing its examples one by one."""

import time
from collections.abc import Callable

from harness.errors import TransientError, Unfinished

FAULTS = 20
"""Attempts without one answer between them before a silence counts; fewer where fewer are in flight."""
SILENCE = 30.0
"""Seconds without an answer that a server may need to come back from a fault."""
PATIENCE = 600.0
"""Seconds without an answer where it only says that it is asked too often."""
EXHAUSTED = 5
"""Examples in a row that all attempts failed on."""


class Breaker:
    """Counts what went wrong since the last answer; raises Unfinished when that is enough."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults = self._exhausted = 0
        self._since = clock()

    def answered(self) -> None:
        """The server answered, whatever it said: it is there."""
        self._faults = self._exhausted = 0
        self._since = self._clock()

    def failed(self, error: TransientError, in_flight: int) -> None:
        """One attempt failed."""
        self._faults += 1
        silence = self._clock() - self._since
        enough = min(FAULTS, 2 * in_flight)
        if self._faults >= enough and silence >= (PATIENCE if error.busy else SILENCE):
            raise Unfinished(f"no answer for {silence:.0f} s, in {self._faults} attempts: {error}")

    def exhausted(self, error: TransientError) -> None:
        """Every attempt for one example failed."""
        self._exhausted += 1
        if self._exhausted >= EXHAUSTED:
            raise Unfinished(f"{self._exhausted} examples in a row got no answer in any attempt: {error}")
