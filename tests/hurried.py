"""An event loop in which minutes pass in no time, and a teacher that answers as it is told."""

import asyncio
import selectors
import time
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar
from unittest import mock

from harness.nouns.records import Prompt, Reply

T = TypeVar("T")
STARTED = 1000.0
"""What the clock shows at first. As with a real one, only differences say anything."""
Said = Reply | Exception
"""What a teacher says: an answer, or what goes wrong."""


class _Loop(asyncio.SelectorEventLoop):
    """Its clock stands still while something is done, and runs ahead to the next timer when nothing is."""

    def __init__(self) -> None:
        self.now = STARTED
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: _Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everything waits, and nothing will ever happen"
        self._loop.now += max(0.0, timeout)
        return super().select(0)


def hurry(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """What the work returns, and the seconds that it would have taken. Only what sleeps takes time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        loop = runner.get_loop()
        with mock.patch.object(time, "monotonic", loop.time):
            return runner.run(work), loop.time() - STARTED


class Scripted:
    """A teacher that says one thing after the other, the last of them for ever; each takes some seconds."""

    notes: tuple[str, ...] = ()
    identity: str | None = None

    def __init__(self, *says: Said, seconds: float = 0.0, varies: bool = True) -> None:
        self.varies = varies
        self.asked: list[float] = []
        """When each call came, in seconds of the loop."""
        self.prompts: list[Prompt] = []
        self.most = self._at_once = 0
        """Calls in flight at most."""
        self._says: Iterable[Said] = iter(says)
        self._last = says[-1]
        self._seconds = seconds

    async def ask(self, prompt: Prompt) -> Reply:
        """The next of what it is told to say."""
        self.asked.append(asyncio.get_running_loop().time())
        self.prompts.append(prompt)
        said = next(iter(self._says), self._last)
        self._at_once += 1
        self.most = max(self.most, self._at_once)
        await asyncio.sleep(self._seconds)
        self._at_once -= 1
        if isinstance(said, Exception):
            raise said
        return said

    async def close(self) -> None:
        """Nothing is open."""
