"""Queries and items of graded pairs, on disk: few of them are ever shown."""

from typing import Any

import numpy as np

from harness.signal.coded import Small
from harness.signal.nameless import nameless_file, written


class PairTexts:
    """The texts of pairs by their number, in the order they came."""

    def __init__(self) -> None:
        self._file = nameless_file(self)
        self._writer: Any = None
        self._closed = False

    def add(self, queries: Any, items: Any) -> None:
        """Add pyarrow arrays of texts. Unfinished where the disk is full."""
        import pyarrow as pa

        batch = pa.record_batch([queries, items], names=["query", "item"])
        with written():
            if self._writer is None:
                how = pa.ipc.IpcWriteOptions(compression="lz4")
                self._writer = pa.ipc.new_stream(self._file, batch.schema, options=how)
            self._writer.write_batch(batch)

    def of(self, pairs: Small) -> dict[int, tuple[str, str]]:
        """Query and item of each of these pairs. Add nothing after this call."""
        import pyarrow as pa

        if not len(pairs):
            return {}
        if not self._closed:
            with written():
                self._writer.close()
            self._closed = True
        self._file.seek(0)
        wanted, found, before = np.unique(pairs), dict[int, tuple[str, str]](), 0
        for batch in pa.ipc.open_stream(self._file):
            low, high = np.searchsorted(wanted, (before, before + batch.num_rows))
            mine = wanted[low:high]
            part = batch.take(pa.array(mine - before))
            texts = zip(*(part.column(at).to_pylist() for at in (0, 1)), strict=True)
            found |= dict(zip(mine.tolist(), texts, strict=True))
            before += batch.num_rows
        return found
