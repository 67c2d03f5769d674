"""Files without a name, for rows that wait on disk: they vanish when the process ends."""

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from harness.errors import Unfinished

SMALL = 4 << 20
"""How many bytes are held in memory before they go into a file."""


def nameless_file(owner: object, small: int | None = None) -> Any:
    """A file in the folder for temporary files (`TMPDIR`), closed with its owner at the latest.

    `small`: the bytes of it that are held in memory, SMALL at most.
    """
    file = tempfile.SpooledTemporaryFile(max_size=small or SMALL)  # noqa: SIM115 - its owner closes it
    weakref.finalize(owner, file.close)
    return file


@contextmanager
def written() -> Iterator[None]:
    """Unfinished, with what to do, where the disk is full."""
    try:
        yield
    except OSError as error:
        what = f"rows of the log that wait there were not written ({error.strerror or error})"
        where = tempfile.gettempdir()
        raise Unfinished(f"{where}: {what}; free some space, or name another folder with TMPDIR") from error


class RecordFile:
    """Records of one numpy type, appended and read by their place."""

    def __init__(self, kind: Any) -> None:
        self.kind = np.dtype(kind)
        self._file = nameless_file(self)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, records: Any) -> None:
        """Append records. Unfinished where the disk is full."""
        with written():
            self._file.seek(0, 2)
            self._file.write(records.tobytes())
        self._count += len(records)

    def read(self, start: int, count: int) -> Any:
        """Read so many records from a position."""
        self._file.seek(start * self.kind.itemsize)
        return np.frombuffer(self._file.read(count * self.kind.itemsize), dtype=self.kind)

    def close(self) -> None:
        """Free the disk space."""
        self._file.close()
