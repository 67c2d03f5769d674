"""Imports what is needed once all is answered while the answers are on their way."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread


@contextmanager
def imported_meanwhile(*modules: str) -> Iterator[None]:
    """Import modules in a thread while the body waits for its answers."""
    thread = Thread(target=_import, args=(modules,), name="import")
    thread.start()
    try:
        yield
    finally:
        # A process that ends while a library is being loaded can crash.
        thread.join()


def _import(modules: tuple[str, ...]) -> None:
    for module in modules:
        # It is imported again where it is used, and says there what is wrong.
        with suppress(Exception):
            import_module(module)
