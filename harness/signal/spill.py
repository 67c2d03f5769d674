"""Rows that wait on disk, in parts by a key, so that one part at a time is held.

What has to be seen together, such as all rows of a session, lies anywhere in a log. Few rows wait in memory.
"""

import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np

from harness.errors import Unfinished
from harness.stats.agreement import Integers

PARTS = 32
WAITING = 200_000
"""Rows that wait in memory; with more they go to disk."""
BYTES = 64 << 20
"""And their bytes."""


class Spill:
    """Pieces (pyarrow.Table, all of the same columns) by a text column; a context manager.

    Files are in the folder for temporary files, and gone at the end.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._waiting: list[Any] = []
        self._rows = self._bytes = 0
        self._files = ExitStack()
        self._folder: Path | None = None
        self._writers: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()

    def add(self, piece: Any) -> None:
        """Add rows. Unfinished where the disk is full."""
        if not piece.num_rows:
            return
        self._waiting.append(piece)
        self._rows += piece.num_rows
        self._bytes += piece.nbytes
        if self._rows > WAITING or self._bytes > BYTES:
            self.to_disk()

    @property
    def on_disk(self) -> bool:
        """Whether rows were written."""
        return bool(self._writers)

    def to_disk(self) -> None:
        """Write what waits."""
        import pyarrow as pa

        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting, self._rows, self._bytes = [], 0, 0
        try:
            if not self._writers:
                self._open(table.schema)
            part = part_of(table.column(self._key))
            for number, writer in enumerate(self._writers):
                writer.write_table(table.filter(pa.array(part == number)))
        except OSError as error:
            where = self._folder or tempfile.gettempdir()
            what = f"{where}: rows of the log that wait there were not written ({error.strerror or error})"
            raise Unfinished(f"{what}; free some space, or name another folder with TMPDIR") from error

    def _open(self, schema: Any) -> None:
        import pyarrow as pa

        self._folder = Path(self._files.enter_context(tempfile.TemporaryDirectory(prefix="harness-")))
        how = pa.ipc.IpcWriteOptions(compression="lz4")
        for number in range(PARTS):
            path = self._folder / str(number)
            self._writers.append(self._files.enter_context(pa.ipc.new_stream(str(path), schema, options=how)))

    def parts(self) -> Iterator[Any]:
        """The rows by parts, each a pyarrow.Table; None where a part has none. Nothing is added after."""
        import pyarrow as pa

        if not self._writers:
            yield pa.concat_tables(self._waiting) if self._waiting else None
            return
        self.to_disk()
        assert self._folder is not None, "made with the writers"
        for number, writer in enumerate(self._writers):
            writer.close()
            with pa.ipc.open_stream(str(self._folder / str(number))) as file:
                found = file.read_all()
            yield found if found.num_rows else None


def parts_together(first: Spill, second: Spill) -> Iterator[tuple[Any, Any]]:
    """The parts of two, of the same keys each."""
    if first.on_disk or second.on_disk:
        first.to_disk()
        second.to_disk()
    if first.on_disk != second.on_disk:
        # One of them has no row at all.
        yield from (
            (one, None) if first.on_disk else (None, one)
            for one in (first if first.on_disk else second).parts()
        )
        return
    yield from zip(first.parts(), second.parts(), strict=True)


def part_of(keys: Any) -> Integers:
    """The part of each row, by its key's bytes."""
    coded = keys.combine_chunks().dictionary_encode()
    texts = coded.dictionary.to_pylist()
    parts = np.array([zlib.crc32(text.encode("utf-8", "replace")) % PARTS for text in texts], dtype=np.int64)
    return np.asarray(parts[coded.indices.to_numpy(zero_copy_only=False)], dtype=np.int64)
