"""Text files and pipes, to be read again for each pass; what a pipe gives is kept in a file.

`<(zcat log.gz)` is a pipe, and so is a file of mkfifo, which may have no writer. A device has no end and is
refused.
"""

import io
import os
import select
import stat
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO

from harness.errors import BadInput
from harness.storage.plural import plural
from harness.storage.regular import LARGEST, LONGEST_LINE, lines_of, open_regular, unreadable

PATIENCE = 10.0
"""Seconds to wait until a writer opens the pipe. After that, it may take any time."""
PIECE = 1 << 16
Opener = Callable[[], BinaryIO]


def opener_of(path: Path) -> Opener:
    """How to open a file, again for each pass. BadInput for a folder, a device, a pipe without a writer."""
    try:
        found = path.stat()
        if stat.S_ISFIFO(found.st_mode):
            return partial(_again, _of_pipe(path, found))
        # Open it only to find faults before anything is read.
        open_regular(path).close()
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error
    return partial(open_regular, path)


def text_of(source: Opener, encoding: str) -> TextIO:
    """The text that is read, its line ends as they are."""
    return io.TextIOWrapper(source(), encoding=encoding, newline="")


def lines_in(text: TextIO, path: Path) -> Iterator[str]:
    """The lines of a text, with their ends. BadInput for a line over the limit."""
    return lines_of(text, path, plural(LONGEST_LINE, "letter"))


class _Kept:
    """The content of a pipe, in a file without a name that vanishes with this object."""

    def __init__(self, file: BinaryIO) -> None:
        self.handle = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.handle)


_PIPES: dict[tuple[int, int], _Kept] = {}
"""The content of pipes without a name, by device and inode: some tables are read again, a pipe cannot be."""


def _of_pipe(path: Path, found: os.stat_result) -> _Kept:
    if path.absolute().parts[:2] not in (("/", "dev"), ("/", "proc")):
        return _kept(path)
    key = found.st_dev, found.st_ino
    if key not in _PIPES:
        _PIPES[key] = _kept(path)
    return _PIPES[key]


def _kept(path: Path) -> _Kept:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with tempfile.TemporaryFile() as file:
            size = 0
            for data in _given(handle, path):
                size += len(data)
                if size > LARGEST:
                    what = f"gives more than {LARGEST >> 20:,} MB, the most that is read of a pipe"
                    raise BadInput.at(path, f"{what}; save it to a file")
                file.write(data)
            file.flush()
            return _Kept(file)
    finally:
        os.close(handle)


def _given(handle: int, path: Path) -> Iterator[bytes]:
    """The content of a pipe, until its writers have closed it. BadInput if no writer comes."""
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    ends, writer = time.monotonic() + PATIENCE, False
    while True:
        known = bool(waiting.poll(100))
        try:
            data = os.read(handle, PIECE)
        except BlockingIOError:
            # Nothing to read yet, but a writer has the pipe open.
            writer = True
            continue
        if data:
            yield data
        elif known or writer:
            return
        elif time.monotonic() > ends:
            what = f"is a pipe that no program opened to write in {PATIENCE:g} seconds"
            raise BadInput.at(path, f"{what}; name a file (a command may read it twice)")


class _FromStart(io.RawIOBase):
    """A file from its start, independently of other readers."""

    def __init__(self, kept: _Kept) -> None:
        self._kept, self._at = kept, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # of any buffer
        data = os.pread(self._kept.handle, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _again(kept: _Kept) -> BinaryIO:
    return io.BufferedReader(_FromStart(kept))
