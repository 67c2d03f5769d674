"""Parquet files as plain rows, read in pieces.

pyarrow is slow to import, so functions here import it when called.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.plural import plural
from harness.storage.regular import LARGEST, open_regular, unreadable

STEP = 100
"""Rows that are decoded before it is known how long they are."""
MOST_UNPACKED = 1_000
"""How many times its size a file may decode to, if that is more than LARGEST bytes."""


def parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a Parquet file, one by one. BadInput for what is none."""
    with parquet_file(path) as file:
        # A row as plain data would have the last of them, and nobody would hear of the others.
        twice = (name for name, count in Counter(file.schema_arrow.names).items() if count > 1)
        refuse_faults(Fault(str(path), f"the header {name!r} comes twice") for name in twice)
        for batch in bounded(file.iter_batches(batch_size=STEP), path):
            yield from batch.to_pylist()


def bounded(batches: Iterable[Any], path: Path) -> Iterator[Any]:
    """The batches of a file. BadInput where they are out of all proportion to its size.

    A text that a file has once can stand in every row: a file of 300 KB can hold 20 million long rows.
    """
    most, unpacked, rows = max(LARGEST, MOST_UNPACKED * path.stat().st_size), 0, 0
    for batch in batches:
        unpacked, rows = unpacked + batch.nbytes, rows + batch.num_rows
        if unpacked > most:
            what = f"its first {plural(rows, 'row')} unpack to more than {most >> 20:,} MB"
            raise BadInput([Fault(str(path), f"{what}; save what is meant of it as a file of its own")])
        yield batch


@contextmanager
def parquet_file(path: Path, *, links: bool = True) -> Iterator[Any]:
    """A Parquet file while it is read. BadInput where it cannot be, or is none."""
    import pyarrow
    import pyarrow.parquet

    try:
        with open_regular(path, links=links) as source:
            yield pyarrow.parquet.ParquetFile(source, memory_map=False)
    except pyarrow.ArrowException as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInput([Fault(str(path), f"not readable as Parquet: {first}")]) from error
    except OSError as error:
        if error.errno is None:
            # What is wrong with the content comes from pyarrow as an OSError too.
            first = (str(error).strip().splitlines() or ["damaged"])[0]
            raise BadInput([Fault(str(path), f"not readable as Parquet: {first}")]) from error
        raise BadInput([unreadable(path, error)]) from error


def pieces(batches: Iterable[Any], rows: int, most: int) -> Iterator[Any]:
    """Short pyarrow.RecordBatches put together to ones of so many rows, or of `most` bytes, about.

    What a few rows decode to nobody knows before: a text that a file has once can stand in every row.
    """
    held: list[Any] = []
    for batch in batches:
        held.append(batch)
        if sum(one.num_rows for one in held) >= rows or sum(one.nbytes for one in held) >= most:
            yield from _joined(held)
            held = []
    yield from _joined(held)


def _joined(batches: Sequence[Any]) -> Iterator[Any]:
    """One batch of several; none of none."""
    import pyarrow as pa

    if len(batches) > 1:
        table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
        yield from table.to_batches()
    else:
        yield from batches
