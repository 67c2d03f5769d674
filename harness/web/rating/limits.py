"""How many requests a link and an address may make."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

KNOWN = 10_000
"""How many names are remembered; the one that was quiet for longest is forgotten first."""


class Limit:
    """Allows each name so many requests a second, and at most `burst` at once."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._alone = threading.Lock()

    def take(self, name: str) -> bool:
        """Count a request; returns whether the name may make it."""
        now = self._clock()
        with self._alone:
            left, then = self._left.pop(name, (float(self._burst), now))
            left = min(self._burst, left + (now - then) * self._per_second)
            allowed = left >= 1
            self._left[name] = (left - 1 if allowed else left, now)
            if len(self._left) > KNOWN:
                self._left.popitem(last=False)
        return allowed
