"""Ctrl-C and SIGTERM: the first lets what is in flight end, the second leaves at once."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import Interrupted
from harness.grading.stop import Stop


@contextmanager
def draining(stop: Stop, told: Callable[[], None]) -> Iterator[None]:
    """While the block runs, signals stop the run; `told` is called at the first one.

    Outside the main thread, as in a notebook's, signals stay whose they are.
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
        # Where the run is ending anyway, its own reason stands.
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
