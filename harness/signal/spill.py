"""Rows that wait on disk, in parts by a key, so that one part at a time is held.

What has to be seen together, such as all rows of a session, lies anywhere in a log. Few rows wait in memory.
"""

import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import numpy as np

from harness.signal.nameless import SMALL, nameless_file, written
from harness.signal.text_hash import whole
from harness.stats.agreement import Integers

PARTS = 32
WAITING = 200_000
"""How many rows wait in memory; more go to disk. A part with more rows is split again."""
BYTES = 64 << 20
"""How many bytes they may have."""
DEEPEST = 3
"""How often a part is split again: after that, its rows have one key, or a few."""


class Spill:
    """Pieces (pyarrow.Table, all of the same columns) by a text column; a context manager.

    Files are in the folder for temporary files, without a name. `depth`: which of the parts of a part it is.
    """

    def __init__(self, key: str, depth: int = 0) -> None:
        self._key, self._depth = key, depth
        self._waiting: list[Any] = []
        self._rows = self._bytes = 0
        self._files = ExitStack()
        self._parts: list[Any] = []
        self._writers: list[Any] = []
        self._counts: Integers = np.zeros(PARTS, dtype=np.int64)

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
        part = part_of(table.column(self._key), self._depth)
        self._counts += np.bincount(part, minlength=PARTS)
        with written():
            if not self._writers:
                self._open(table.schema)
            for number, writer in enumerate(self._writers):
                writer.write_table(table.filter(pa.array(part == number)))

    def _open(self, schema: Any) -> None:
        import pyarrow as pa

        how = pa.ipc.IpcWriteOptions(compression="lz4")
        for _ in range(PARTS):
            file = nameless_file(self, SMALL // PARTS)
            self._files.callback(file.close)
            self._parts.append(file)
            self._writers.append(pa.ipc.new_stream(file, schema, options=how))

    def parts(self) -> Iterator[Any]:
        """The rows by parts, each a pyarrow.Table; None where a part has none. Then add no more."""
        import pyarrow as pa

        if not self._writers:
            yield pa.concat_tables(self._waiting) if self._waiting else None
            return
        self.to_disk()
        for number in range(PARTS):
            if self.is_large(number):
                with self.finer(number) as parts:
                    yield from parts.parts()
            else:
                yield self.part(number)

    def is_large(self, number: int) -> bool:
        """Whether a part has too many rows to be held, and can be split."""
        return bool(self._counts[number] > WAITING) and self._depth < DEEPEST

    def part(self, number: int) -> Any:
        """One part; None where it has no rows."""
        import pyarrow as pa

        if not self._counts[number]:
            return None
        return pa.Table.from_batches(self._batches(number))

    def finer(self, number: int) -> "Spill":
        """Split one part."""
        import pyarrow as pa

        found = Spill(self._key, self._depth + 1)
        for batch in self._batches(number) if self._counts[number] else ():
            found.add(pa.Table.from_batches([batch]))
        return found

    def _batches(self, number: int) -> Iterator[Any]:
        import pyarrow as pa

        with written():
            self._writers[number].close()
        self._parts[number].seek(0)
        yield from pa.ipc.open_stream(self._parts[number])
        self._parts[number].close()


def parts_together(first: Spill, second: Spill) -> Iterator[tuple[Any, Any]]:
    """The parts of two spills side by side, by the same keys; None where one has no rows."""
    if not first.on_disk and not second.on_disk:
        yield from zip(first.parts(), second.parts(), strict=True)
        return
    first.to_disk()
    second.to_disk()
    for number in range(PARTS):
        if first.is_large(number) or second.is_large(number):
            with first.finer(number) as one, second.finer(number) as other:
                yield from parts_together(one, other)
        else:
            yield first.part(number), second.part(number)


def part_of(keys: Any, depth: int = 0) -> Integers:
    """The part of each row, by its key's bytes."""
    coded = whole(keys).dictionary_encode()
    texts = coded.dictionary.to_pylist()
    marks = (zlib.crc32(text.encode("utf-8", "replace")) for text in texts)
    parts = np.array([mark // PARTS**depth % PARTS for mark in marks], dtype=np.int64)
    return np.asarray(parts[coded.indices.to_numpy(zero_copy_only=False)], dtype=np.int64)
