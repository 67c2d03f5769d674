"""Temporary files: they hold what is being written, and remain after a kill."""

import os
import re
from pathlib import Path

_NAME = re.compile(r"\..+\.[0-9]+\.tmp", re.DOTALL)


def beside_of(path: Path) -> Path:
    """The temporary file in which this process writes a file."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def is_partial(name: str) -> bool:
    """Whether a name is that of a temporary file, perhaps of a process that was killed."""
    return bool(_NAME.fullmatch(name))


def clear_partial(folder: Path) -> None:
    """Delete the temporary files of killed processes. Only for the sole writer in the folder."""
    for path in folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ():
        if is_partial(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)
