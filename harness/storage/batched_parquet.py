"""Columns of Parquet files of any length, a piece at a time, each of bounded bytes.

A text that a file has once can stand in every row: a few kilobytes are then gigabytes as rows. pyarrow is
slow to import, so functions here import it when called.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from harness.errors import BadInput
from harness.storage.parquet import in_proportion, parquet_file, refuse_cells
from harness.storage.parquet import pieces as joined
from harness.storage.regular import open_regular

STEP = 1_000
"""Rows that are decoded at a time."""
ROWS, BYTES = 100_000, 16 << 20
"""The most bytes of a piece, about. Each is looked up in all graded pairs: many small ones take long."""
LONGEST = 10_000
"""The most bytes of a text: a longer one is neither a query nor an id."""


def bounded_batches(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """These columns as pyarrow.RecordBatches. BadInput if the file is not Parquet, or a text is too long.

    Also for too many rows: more than the size of the file explains.
    """
    with parquet_file(path) as file:
        refuse_cells(file, path, (file.schema_arrow.field(name).type for name in columns))
        _refuse_long_entries(path, columns, file.schema_arrow)
        stepped = file.iter_batches(batch_size=STEP, columns=list(columns))
        yield from joined(in_proportion(_short_texts(path, stepped), path), ROWS, BYTES)


def _refuse_long_entries(path: Path, columns: Sequence[str], schema: Any) -> None:
    """BadInput for a text in the dictionary of a row group, which is read before any row is."""
    from pyarrow.parquet import ParquetFile

    texts = [name for name in columns if _is_text(schema.field(name).type)]
    with open_regular(path) as source, closing(ParquetFile(source, read_dictionary=texts)) as file:
        for group in range(file.metadata.num_row_groups if texts else 0):
            for batch in file.iter_batches(batch_size=1, row_groups=[group], columns=texts):
                for name, column in zip(texts, batch.columns, strict=True):
                    _refuse_long(path, f"row group {group + 1}", name, getattr(column, "dictionary", column))
                break


def _short_texts(path: Path, batches: Iterator[Any]) -> Iterator[Any]:
    """The same batches, texts as such and not as a dictionary. BadInput for one that is too long."""
    import pyarrow as pa

    row = 1
    for batch in batches:
        columns = []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_dictionary(column.type):
                _refuse_long(path, f"rows from {row:,}", name, column.dictionary)
                column = column.dictionary_decode()
            _refuse_long(path, f"rows from {row:,}", name, column)
            columns.append(column)
        row += batch.num_rows
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _refuse_long(path: Path, where: str, name: str, texts: Any) -> None:
    import pyarrow.compute as pc

    if not _is_text(texts.type):
        return
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest > LONGEST:
        what = f"{name}: a text of {longest:,} bytes; at most {LONGEST:,} are read"
        raise BadInput.at(f"{path}, {where}", what)


def _is_text(kind: Any) -> bool:
    import pyarrow.types as of

    return any(one(kind) for one in (of.is_string, of.is_large_string, of.is_binary, of.is_large_binary))
