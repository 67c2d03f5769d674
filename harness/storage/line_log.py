"""Append-only logs of JSON lines. A line that a kill cut off, at the end, was never written."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from harness.storage.regular import lines_of, open_to_append, reading


def whole_lines(path: Path) -> Iterator[bytes]:
    """Each line with its end; empty without a log. BadInput for a link or a special file."""
    if os.path.lexists(path):
        with reading(path, links=False) as file:
            yield from (line for line in lines_of(file, path) if line.endswith(b"\n"))


def open_log(path: Path) -> BinaryIO:
    """A log to append to, created if missing, without a line that was cut off."""
    whole = sum(map(len, whole_lines(path)))
    file = open_to_append(path)
    file.truncate(whole)
    return file
