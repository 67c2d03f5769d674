"""The end of a run before its time: what is in flight is waited for, and nothing new is asked."""

import asyncio

from harness.errors import HarnessError


class DrainedError(Exception):
    """The run is ending and this question has no answer yet: a resume will ask it."""


class Stop:
    """Whether the run is to end early, and why: the first reason counts."""

    def __init__(self) -> None:
        self.why: HarnessError | None = None
        self._called = asyncio.Event()

    def call(self, why: HarnessError) -> None:
        """End the run: no new question, no further attempt."""
        self.why = self.why or why
        self._called.set()

    @property
    def called(self) -> bool:
        """Whether the run is ending."""
        return self.why is not None

    async def sleep(self, seconds: float) -> None:
        """Wait, unless the run ends meanwhile: then DrainedError, at once."""
        try:
            async with asyncio.timeout(seconds):
                await self._called.wait()
        except TimeoutError:
            return
        raise DrainedError
