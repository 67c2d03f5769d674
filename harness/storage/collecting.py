"""How often Python looks for reference cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def collect_rarely() -> None:
    """Collect less often, in a process that goes through many rows.

    They make millions of small objects and few cycles. Collecting as often as Python does by default took a
    third of the time with a file of 200,000 grades.
    """
    gc.set_threshold(100_000, 20, 100)


def collect_no_more() -> None:
    """For a process that ends, and all that it holds with it: Python would look for cycles in it first.

    With an SDK and numpy in memory that takes a third of a second.
    """
    gc.freeze()


@contextmanager
def without_collecting() -> Iterator[None]:
    """While a large library is imported: its objects stay, and the search for cycles takes a tenth."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
