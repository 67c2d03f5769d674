"""Ctrl-C and SIGTERM: the first waits for calls in flight, the second stops at once."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import Interrupted
from harness.grading.stop import Stop


@contextmanager
def draining(stop: Stop, told: Callable[[], None]) -> Iterator[None]:
    """While the block runs, signals stop the run; the first one calls `told`.

    Outside the main thread, as in a notebook's, signal handlers are left alone.
    """
    loop = asyncio.get_running_loop()
    running = asyncio.current_task()
    assert running is not None, "signals are for a running task"
    task = running

    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals > 1:
            task.cancel()
            return
        # A run that is already ending keeps its own reason.
        stop.call(Interrupted("interrupted"))
        told()

    caught = []
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal)
            caught.append(number)
    except (ValueError, RuntimeError):
        pass
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
