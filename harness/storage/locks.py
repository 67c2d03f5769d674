"""Locks between processes. The system releases the lock of a process that ends, by a kill too."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.storage.regular import open_regular

if TYPE_CHECKING:
    from filelock import BaseFileLock


def alone(lock: Path) -> "BaseFileLock":
    """One process at a time: who reads a file, changes it and writes it back must not overwrite another.

    A context manager that waits for the lock. OSError where its folder is missing or cannot be written.
    """
    # Imported where it is needed: it loads slowly, and most commands lock nothing.
    from filelock import FileLock

    # A missing folder is an error, which filelock would create instead, and a link is not followed.
    open_regular(lock, os.O_WRONLY | os.O_APPEND | os.O_CREAT, links=False).close()
    return FileLock(lock)
