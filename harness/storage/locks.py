"""Locks between processes. The system releases the lock of a process that ends, by a kill too."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.storage.regular import open_regular

if TYPE_CHECKING:
    from filelock import BaseFileLock


def alone(lock: Path) -> "BaseFileLock":
    """A lock for read-modify-write of a file, so that processes do not overwrite each other's changes.

    A context manager that waits for the lock. OSError if its folder is missing or read-only.
    """
    # Imported here: it loads slowly, and most commands lock nothing.
    from filelock import FileLock

    # Open it first: filelock would create a missing folder and follow a link.
    open_regular(lock, os.O_WRONLY | os.O_APPEND | os.O_CREAT, links=False).close()
    return FileLock(lock)
