"""Parquet files as plain rows, read in pieces.

pyarrow is slow to import, so functions here import it when called.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.regular import open_regular, unreadable

PIECE = 2_000
"""Rows that are decoded at a time."""


def parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a Parquet file, one by one. BadInput for what is none."""
    with parquet_file(path) as file:
        # A row as plain data would have the last of them, and nobody would hear of the others.
        twice = (name for name, count in Counter(file.schema_arrow.names).items() if count > 1)
        refuse_faults(Fault(str(path), f"the header {name!r} comes twice") for name in twice)
        for batch in file.iter_batches(batch_size=PIECE):
            yield from batch.to_pylist()


@contextmanager
def parquet_file(path: Path, *, links: bool = True, coded: Sequence[str] = ()) -> Iterator[Any]:
    """A Parquet file while it is read. BadInput where it cannot be, or is none.

    `coded`: columns of texts that are read as dictionaries, each text once.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with open_regular(path, links=links) as source:
            yield pyarrow.parquet.ParquetFile(source, memory_map=False, read_dictionary=list(coded))
    except pyarrow.ArrowException as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInput([Fault(str(path), f"not readable as Parquet: {first}")]) from error
    except OSError as error:
        if error.errno is None:
            # What is wrong with the content comes from pyarrow as an OSError too.
            first = (str(error).strip().splitlines() or ["damaged"])[0]
            raise BadInput([Fault(str(path), f"not readable as Parquet: {first}")]) from error
        raise BadInput([unreadable(path, error)]) from error


def written_out(batch: Any, names: Sequence[str], most: int) -> Iterator[Any]:
    """A pyarrow.RecordBatch with these columns as plain texts, in parts of at most so many bytes of texts."""
    import pyarrow as pa

    if batch.num_rows > 1 and _text_bytes(batch) > most:
        half = batch.num_rows // 2
        yield from written_out(batch.slice(0, half), names, most)
        yield from written_out(batch.slice(half), names, most)
        return
    columns = [
        column.dictionary_decode() if name in names and pa.types.is_dictionary(column.type) else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    yield pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _text_bytes(batch: Any) -> int:
    """How long the texts are that are read as dictionaries, each as often as it occurs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [column for column in batch.columns if pa.types.is_dictionary(column.type)]
    lengths = (pc.binary_length(column.dictionary).cast("int64").take(column.indices) for column in columns)
    return sum(pc.sum(each).as_py() or 0 for each in lengths)
