"""Open untrusted files safely: only regular files, within size limits, and optionally no links.

A pipe blocks its reader, a device has no end, and a link in an untrusted folder leads outside: appended data
would go to another file.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, AnyStr, BinaryIO

from harness.errors import BadInput, Fault

LARGEST = 1 << 30
"""The most bytes of a file that is read whole, such as a table."""
SETTINGS = 16 << 20
"""The most bytes of a file of settings: a manifest, a policy, a prompt, a log of batches."""
LONGEST_LINE = 16 << 20
"""The most bytes of a line. The number of lines is unlimited."""
LINK = "is a link; expected a regular file: copy its target here"


def open_regular(path: Path, flags: int = os.O_RDONLY, *, links: bool = True) -> BinaryIO:
    """Open a regular file. OSError for a folder, a pipe, a device and, without `links`, a link."""
    if not links and path.is_symlink():
        raise OSError(errno.ELOOP, LINK, str(path))
    if not flags & os.O_CREAT or path.exists():
        # Check before opening, since opening a device can have effects, and again once it is open.
        _refuse_odd(path.stat().st_mode, path)
    no_follow = 0 if links else getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(
        path, flags | no_follow | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        _refuse_odd(os.fstat(handle).st_mode, path)
        return os.fdopen(handle, "ab" if flags & os.O_APPEND else "r+b" if flags & os.O_RDWR else "rb")
    except BaseException:
        os.close(handle)
        raise


def open_to_append(path: Path) -> BinaryIO:
    """Open a file to append, creating it if missing. BadInput for a link or a special file."""
    try:
        return open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, links=False)
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error


def append_whole(file: BinaryIO, data: bytes) -> None:
    """Append to a file whole or not at all: if the disk is full, no part of a line stays.

    A part in the middle of a file would be damage. Goes past the file's buffer, which must be empty.
    """
    handle = file.fileno()
    before = os.lseek(handle, 0, os.SEEK_END)
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(handle, left) :]
    except OSError:
        os.ftruncate(handle, before)
        raise


def _refuse_odd(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        what = "is a pipe or a device; expected a file: save its content to a file"
        raise OSError(errno.EINVAL, what, str(path))


@contextmanager
def reading(path: Path, *, links: bool = True) -> Iterator[BinaryIO]:
    """A regular file while it is read. BadInput if it cannot be read."""
    try:
        with open_regular(path, links=links) as file:
            yield file
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error


def read_bytes(path: Path, most: int = LARGEST, *, links: bool = True) -> bytes:
    """A file's bytes. BadInput if it cannot be read or has more than `most` bytes."""
    with reading(path, links=links) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise BadInput.at(path, f"larger than {most >> 20} MB, the most that is read of such a file")
    return content


def lines_of(file: IO[AnyStr], path: Path, most: str = f"{LONGEST_LINE >> 20} MB") -> Iterator[AnyStr]:
    """The lines of a file, with their ends. BadInput for a line over the limit, which is `most` in words."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            what = f"longer than {most}, the most that a line may have"
            raise BadInput.at(f"{path}, line {number}", what)
        yield line


def unreadable(path: Path, error: OSError) -> Fault:
    """The error for a file that cannot be read."""
    if error.errno in (errno.ELOOP, errno.EINVAL) and error.strerror:
        return Fault(str(path), error.strerror)
    missing = isinstance(error, FileNotFoundError)
    return Fault(str(path), "no such file" if missing else f"cannot be read: {error.strerror}")


def odd_files(folder: Path) -> list[Fault]:
    """Faults of an untrusted folder: links, pipes or devices in it, or a link instead of the folder."""
    if folder.is_symlink():
        return [Fault(str(folder), "is a link: name the folder that it leads to, or copy it here")]
    faults: list[Fault] = []
    try:
        with os.scandir(folder) as found:
            for entry in found:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    faults.append(Fault(entry.path, LINK))
                elif not stat.S_ISREG(mode) and not (stat.S_ISDIR(mode) and "." not in entry.name):
                    faults.append(
                        Fault(
                            entry.path,
                            "is not a regular file: delete it, or take the folder anew from its source",
                        )
                    )
    except OSError as error:
        return [unreadable(folder, error)]
    return faults
