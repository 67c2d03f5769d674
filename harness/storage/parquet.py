"""Parquet files as plain rows, read in pieces.

pyarrow is slow to import, so functions here import it when called.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.plural import plural
from harness.storage.regular import LARGEST, open_regular, unreadable

STEP = 100
"""Rows that are decoded at a time, at most."""
LONGEST_STEP = 64 << 20
"""The bytes that they may decode to, by the longest that a text of each column's dictionary can be."""
STEP_CELLS = 100_000
"""The cells of these rows, at most."""
MOST_UNPACKED = 1_000
"""How many times its size a file may decode to, if that is more than LARGEST bytes."""
LEAST_CELLS, MOST_CELLS = 20_000_000, 20
"""The cells that a file may have, and how many for each of its bytes, if that is more."""


def parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a Parquet file, one by one. BadInput for another file."""
    with parquet_file(path) as file:
        # As plain data, a row would keep only the last of them, and the others would be lost silently.
        twice = (name for name, count in Counter(file.schema_arrow.names).items() if count > 1)
        refuse_faults(Fault(str(path), f"the header {name!r} comes twice") for name in twice)
        for batch in row_batches(file, path):
            yield from batch.to_pylist()


def row_batches(file: Any, path: Path) -> Iterator[Any]:
    """The rows of a `parquet_file`, a few at a time. BadInput where they are out of proportion to its size.

    A text that a file has once can stand in every row: a file of 300 KB can hold 20 million long rows.
    """
    refuse_cells(file, path, file.schema_arrow.types)
    yield from in_proportion(_batches(file, path), path)


def in_proportion(batches: Iterable[Any], path: Path) -> Iterator[Any]:
    """The same batches, of a file. BadInput where their bytes are out of proportion to its size."""
    most, unpacked, rows = max(LARGEST, MOST_UNPACKED * path.stat().st_size), 0, 0
    for batch in batches:
        unpacked, rows = unpacked + batch.nbytes, rows + batch.num_rows
        if unpacked > most:
            what = f"its first {plural(rows, 'row')} unpack to more than {most >> 20:,} MB"
            raise BadInput.at(path, f"{what}; {_SAVE}")
        yield batch


def refuse_cells(file: Any, path: Path, kinds: Iterable[Any]) -> None:
    """BadInput where columns of these types have cells out of proportion to the size of the file.

    3,000 empty cells are a few bits in the file, and hundreds of kilobytes as a row.
    """
    groups = (file.metadata.row_group(at) for at in range(file.metadata.num_row_groups))
    rows, columns = sum(group.num_rows for group in groups), sum(map(_leaves, kinds))
    most = max(LEAST_CELLS, MOST_CELLS * path.stat().st_size)
    if rows * columns > most:
        what = f"{plural(rows, 'row')} of {plural(columns, 'column')} are more than {plural(most, 'cell')}"
        raise BadInput.at(path, f"{what}; {_SAVE}")


_SAVE = "save what is meant of it as a file of its own"


def _leaves(kind: Any) -> int:
    """The columns of a type: those of its fields, or itself."""
    return sum(_leaves(kind.field(at).type) for at in range(kind.num_fields)) or 1


def _batches(file: Any, path: Path) -> Iterator[Any]:
    with open_regular(path) as raw:
        for at in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(at)
            longest = sum(_dictionary(raw, group.column(place)) for place in range(group.num_columns))
            most = min(LONGEST_STEP // max(longest, 1), STEP_CELLS // max(group.num_columns, 1))
            step = max(1, min(STEP, most))
            yield from file.iter_batches(batch_size=step, row_groups=[at])


def _dictionary(raw: BinaryIO, column: Any) -> int:
    """The bytes of a column's dictionary, which no text of it is longer than; 0 without one.

    The footer does not say it. The dictionary is the first page; its header begins with the page's kind and
    its unpacked size (parquet.thrift: PageHeader), each a number of seven bits a byte after the byte 0x15.
    """
    raw.seek(max(0, column.dictionary_page_offset or column.data_page_offset))
    head, numbers = raw.read(16), list[int]()
    while len(numbers) < 2 and head[:1] == b"\x15":
        length = next((at for at, byte in enumerate(head[1:], start=2) if byte < 128), len(head))
        number = sum((byte & 127) << 7 * at for at, byte in enumerate(head[1:length]))
        # Signed numbers are folded: 0, -1, 1, -2, ...
        numbers.append(number // 2)
        head = head[length:]
    return numbers[1] if len(numbers) == 2 and numbers[0] == _DICTIONARY_PAGE else 0


_DICTIONARY_PAGE = 2


@contextmanager
def parquet_file(path: Path, *, links: bool = True) -> Iterator[Any]:
    """A Parquet file while it is read. BadInput if it cannot be read, or is another file."""
    import pyarrow
    import pyarrow.parquet

    try:
        with open_regular(path, links=links) as source:
            yield pyarrow.parquet.ParquetFile(source, memory_map=False)
    except (pyarrow.ArrowException, OSError) as error:
        # What is wrong with the content comes from pyarrow as an OSError too, without a number.
        if isinstance(error, OSError) and error.errno is not None:
            raise BadInput([unreadable(path, error)]) from error
        first = (str(error).strip().splitlines() or ["damaged"])[0]
        raise BadInput.at(path, f"not readable as Parquet: {first}") from error


def pieces(batches: Iterable[Any], rows: int, most: int) -> Iterator[Any]:
    """Short pyarrow.RecordBatches put together to ones of so many rows, or of `most` bytes, about.

    What a few rows decode to nobody knows before: a text that a file has once can stand in every row.
    """
    held, count, size = list[Any](), 0, 0
    for batch in batches:
        held.append(batch)
        count, size = count + batch.num_rows, size + batch.nbytes
        if count >= rows or size >= most:
            yield from _joined(held)
            held, count, size = [], 0, 0
    yield from _joined(held)


def _joined(batches: Sequence[Any]) -> Iterator[Any]:
    """One batch of several; empty without any."""
    import pyarrow as pa

    if len(batches) > 1:
        table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
        yield from table.to_batches()
    else:
        yield from batches
