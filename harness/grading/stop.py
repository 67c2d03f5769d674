"""Stopping a run early: wait for calls in flight, and start no new ones."""

import asyncio

from harness.errors import HarnessError


class DrainedError(Exception):
    """The run is ending before this question has an answer: a resume asks it."""


class Stop:
    """Whether the run ends early, and why: the first reason counts."""

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
        """Wait; DrainedError as soon as the run ends."""
        try:
            async with asyncio.timeout(seconds):
                await self._called.wait()
        except TimeoutError:
            return
        raise DrainedError
