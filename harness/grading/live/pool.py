"""A pool of workers over one stream: as many as the pace allows, hired and let go as it changes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, TypeVar

from harness.errors import FatalError, Unfinished
from harness.grading.live.pace import Pace
from harness.grading.stop import DrainedError, Stop

T = TypeVar("T")


class Pool(Generic[T]):
    """Works through a stream; a worker takes the next of it when it is done with one.

    What ends the run (FatalError, Unfinished) is raised when everything in flight has come back.
    """

    def __init__(self, stream: Iterator[T], work: Callable[[T], Awaitable[None]], pace: Pace, stop: Stop):
        self._stream = stream
        self._work = work
        self._pace = pace
        self._stop = stop
        self._left = True
        self._broken: Exception | None = None
        self.working = 0
        """Workers that are at it: as many calls are in flight, or wait to be made again."""

    async def run(self) -> None:
        """Until the stream is empty, or the run is stopped: then the reason is raised."""
        try:
            async with asyncio.TaskGroup() as self._group:
                self._hire()
        except BaseExceptionGroup as several:
            raise _first(several) from None
        if self._broken:
            raise self._broken
        if self._stop.why:
            raise self._stop.why

    def _hire(self) -> None:
        while self._left and self.working < self._pace.limit and not self._stop.called:
            self.working += 1
            self._group.create_task(self._work_on())

    async def _work_on(self) -> None:
        try:
            while self.working <= self._pace.limit and not self._stop.called:
                try:
                    one = next(self._stream)
                except StopIteration:
                    self._left = False
                    return
                await self._work(one)
                self._hire()
                # Work that never waits must not keep the others, or Ctrl-C, waiting.
                await asyncio.sleep(0)
        except DrainedError:
            return
        except (FatalError, Unfinished) as error:
            self._stop.call(error)
        except Exception as error:  # noqa: BLE001 - raised when the answers on their way have come in
            self._broken = self._broken or error
            self._stop.call(Unfinished(f"{type(error).__name__}: {error}"))
        finally:
            self.working -= 1


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
