"""Locks between processes. The system releases the lock of a process that ends, by a kill too."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock


def alone(lock: Path) -> "BaseFileLock":
    """One process at a time: who reads a file, changes it and writes it back must not overwrite another.

    A context manager that waits for the lock. OSError where its folder is missing or cannot be written.
    """
    # Imported where it is needed: it loads slowly, and most commands lock nothing.
    from filelock import FileLock

    lock.touch()  # a missing folder is an error, which filelock would create instead
    return FileLock(lock)
