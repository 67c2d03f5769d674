"""Tables of any length as pyarrow tables, a piece at a time: CSV, TSV, JSON lines, Parquet.

pyarrow is slow to import, so functions here import it when called.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import Fault, refuse_faults
from harness.storage.batched_parquet import BYTES, ROWS, bounded_batches
from harness.storage.formats import FORMAT_OF
from harness.storage.parquet import parquet_file
from harness.storage.parquet import pieces as joined
from harness.storage.shallow import NotShallow, ShallowLines
from harness.storage.sources import opener_of
from harness.storage.tables import Layout

BLOCK = 1 << 20
"""Bytes of text that are parsed at a time; many are on their way at once."""


class Unfit(Exception):
    """The fast readers cannot read a file, or found an odd value; the row readers say what is wrong."""


def kind_of(path: Path, layout: Layout) -> str | None:
    """The format of a file, by the layout or by its ending."""
    return layout.format or FORMAT_OF.get(path.suffix.lower())


def headers_of(path: Path, layout: Layout) -> list[str]:
    """The headers of a file. Unfit if the file has to be read row by row, or has a header twice."""
    found = _headers_of(path, layout)
    if len(set(found)) < len(found):
        raise Unfit
    return found


def _headers_of(path: Path, layout: Layout) -> list[str]:
    kind = kind_of(path, layout)
    if kind == "parquet":
        with parquet_file(path) as file:
            return list(file.schema_arrow.names)
    with _parsing(), opener_of(path)() as file:
        if kind in ("csv", "tsv"):
            with _open_csv(file, layout, _separator(kind), {}) as found:
                return list(found.schema.names)
        if kind == "jsonl":
            with _open_json(file, None) as found:
                return list(found.schema.names)
    raise Unfit


def kinds_of(path: Path, layout: Layout) -> dict[str, Any]:
    """The type of each column of a Parquet file; empty for other formats, which say it only in their rows."""
    if kind_of(path, layout) != "parquet":
        return {}
    with parquet_file(path) as file:
        return {column.name: column.type for column in file.schema_arrow}


def pieces(path: Path, layout: Layout, columns: Sequence[str], types: Mapping[str, Any]) -> Iterator[Any]:
    """The columns of a file as pyarrow.Table, a piece at a time. `types`: for text formats."""
    import pyarrow as pa

    kind = kind_of(path, layout)
    if kind == "parquet":
        for batch in bounded_batches(path, columns):
            yield pa.Table.from_batches([batch])
        return
    with _parsing(), opener_of(path)() as file:
        if kind == "jsonl":
            schema = pa.schema({name: types[name] for name in columns})
            found = _open_json(file, schema)
        else:
            found = _open_csv(file, layout, _separator(kind), types, columns)
        with found:
            for batch in joined(found, ROWS, BYTES):
                yield pa.Table.from_batches([batch])


def _separator(kind: str | None) -> str:
    return "\t" if kind == "tsv" else ","


@contextmanager
def _parsing() -> Iterator[None]:
    """What pyarrow cannot parse is Unfit."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, NotShallow, UnicodeDecodeError, LookupError) as error:
        raise Unfit from error


def _open_csv(
    file: Any, layout: Layout, separator: str, types: Mapping[str, Any], columns: Sequence[str] = ()
) -> Any:
    from pyarrow import csv

    return csv.open_csv(
        file,
        read_options=csv.ReadOptions(block_size=BLOCK, encoding=layout.encoding or "utf8"),
        parse_options=csv.ParseOptions(delimiter=separator),
        convert_options=csv.ConvertOptions(
            column_types=dict(types),
            include_columns=list(columns) or None,
            # The query "null" is one.
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _open_json(file: Any, schema: Any) -> Any:
    from pyarrow import json

    how = (
        json.ParseOptions()
        if schema is None
        else json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    )
    return json.open_json(
        ShallowLines(file), read_options=json.ReadOptions(block_size=BLOCK), parse_options=how
    )


def in_one_form(texts: Any) -> Any:
    """A column of texts in the form of `one_form`, so that both readers give the same texts."""
    import pyarrow.compute as pc

    ascii_only = pc.all(pc.string_is_ascii(texts), min_count=0).as_py()
    return texts if ascii_only else pc.utf8_normalize(texts, "NFC")


def refuse_missing(paths: Sequence[Path]) -> None:
    """BadInput names every file that does not exist."""
    refuse_faults(Fault(str(path), "no such file") for path in paths if not path.exists())
