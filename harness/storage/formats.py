"""Files of every format as tables: CSV, TSV, JSON, Parquet, Excel workbooks, TREC qrels, data sets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.cells import kind_of, present
from harness.storage.files import each_json_line, read_json
from harness.storage.huggingface import dataset_rows
from harness.storage.parquet import parquet_rows
from harness.storage.plural import plural
from harness.storage.separated import lines_of, read_csv, read_tsv
from harness.storage.stream import Stream
from harness.storage.strict_json import single_keys
from harness.storage.tables import Layout, Row, Table
from harness.storage.xlsx import read_xlsx

HELD = 20_000
"""How many rows of JSON lines or Parquet are held; a longer file is read again for each pass."""
HELD_LETTERS = 16 << 20
"""How many letters these rows may have: a few rows of long texts are not held either."""
HELD_CELLS = 1_000_000
"""How many cells these rows may have: empty ones take memory too."""
Numbered = Iterable[tuple[int, Mapping[str, Any] | Fault]]


def read_table(path: Path, layout: Layout | None = None) -> Table:
    """A file as a table, by its ending or by the layout's format. BadInput names every faulty line."""
    if path.is_dir():
        raise BadInput.at(path, "is a folder; name a file in it")
    how = layout or Layout()
    kind = how.format or FORMAT_OF.get(path.suffix.lower())
    if kind is None or kind not in READERS:
        known = ", ".join(READERS)
        raise BadInput.at(path, f"unknown format {kind or path.suffix!r}; name one: --format {known}")
    table = READERS[kind](path, how)
    if not table.rows:
        raise BadInput.at(path, "holds no rows")
    return table


def dataset_table(source: str, split: str | None) -> Table:
    """A Hugging Face data set, from a local folder or by its hub name, as a table."""
    return _numbered(Path(source), dataset_rows(source, split))


def _read_json_lines(path: Path, _: Layout) -> Table:
    return _objects(path, lambda: each_json_line(path), "line", again=True)


def _read_json(path: Path, _: Layout) -> Table:
    found = page_of(path, read_json(path, todo=" (for JSON lines: --format jsonl)"))
    if not isinstance(found, list):
        raise BadInput.at(path, "a list of objects is wanted, as in [{...}, {...}]")
    refuse_faults(
        Fault(f"{path}, row {number}", "a JSON object is wanted")
        for number, entry in enumerate(found, start=1)
        if not isinstance(entry, dict)
    )
    return _numbered(path, found)


def _read_parquet(path: Path, _: Layout) -> Table:
    return _objects(path, lambda: enumerate(parquet_rows(path), start=1), "row", again=True)


def page_of(path: Path, content: Any) -> Any:
    """The entries under `data` of an API answer; other content unchanged.

    BadInput if more pages follow: missing entries would count as never graded.
    """
    pages = ("meta", "next_cursor")
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        return content
    if not set(content) <= {"data", *pages}:
        return content
    meta = content.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    more = content.get("next_cursor") or meta.get("cursor") or (meta.get("totalPages") or 1) > 1
    if more:
        what = "is one page of several: put the entries under `data` of all of them into one JSON list"
        raise BadInput.at(path, what)
    return content["data"]


def _numbered(path: Path, data: Iterable[Mapping[str, Any]]) -> Table:
    return _objects(path, lambda: enumerate(data, start=1), "row")


def _objects(path: Path, numbered: Callable[[], Numbered], unit: str, *, again: bool = False) -> Table:
    """Objects as a table. `again`: they can be read again, so that not all of a long file are held."""
    rows: list[Row] = []
    faults: list[Fault] = []
    odd: dict[str, tuple[int, str]] = {}
    columns: dict[str, None] = {}
    count = letters = held = 0
    for number, cells in numbered():
        row = cells if isinstance(cells, Fault) else _row(number, cells, f"{path}, {unit} {number}")
        if isinstance(row, Fault):
            faults.append(row)
            continue
        count += 1
        held += len(row.cells)
        if not again or (count <= HELD and letters <= HELD_LETTERS and held <= HELD_CELLS):
            rows.append(row)
            letters += sum(len(value) for value in row.cells.values() if isinstance(value, str | list))
        columns |= dict.fromkeys(row.cells)
        for name, value in row.cells.items():
            if value.__class__ not in _USUAL and (kind := kind_of(value)):
                odd.setdefault(name, (number, kind))
    refuse_faults(faults)
    kept = rows if count == len(rows) else Stream(lambda: _again(numbered()), count)
    return Table(path, tuple(columns), kept, unit, odd=odd)


_USUAL = frozenset((str, int, float, type(None)))


def _row(number: int, cells: Mapping[str, Any], where: str) -> Row | Fault:
    """An object as a row, or its fault, such as bytes that are not UTF-8."""
    try:
        return Row(number, single_keys(list(_flat(cells))))
    except ValueError as error:
        return Fault(where, str(error))


def _again(numbered: Numbered) -> Iterator[Row]:
    """The rows of objects that have been checked."""
    for number, cells in numbered:
        if not isinstance(cells, Fault):
            yield Row(number, dict(_flat(cells)))


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested objects as dotted headers: {"result": {"title": ...}} has the header result.title."""
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
            continue
        try:
            yield prefix + name, present(value)
        except UnicodeDecodeError as error:
            byte = f"0x{error.object[error.start]:02x}"
            raise ValueError(f"{prefix}{name}: bytes that are no UTF-8 text (byte {byte})") from None


def _read_qrels(path: Path, layout: Layout) -> Table:
    header = ("query", "iteration", "docid", "grade")
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines_of(path, layout.encoding)(), start=1):
        cells = line.split()
        if len(cells) == len(header):
            rows.append(Row(number, dict(zip(header, cells, strict=True))))
        elif cells:
            what = f"{plural(len(cells), 'field')}; a qrels line is: query iteration docid grade"
            faults.append(Fault(f"{path}, line {number}", what))
    refuse_faults(faults)
    return Table(path, header, rows, defaults={"item": ("query", "docid")})


READERS: dict[str, Callable[[Path, Layout], Table]] = {
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": _read_json_lines,
    "json": _read_json,
    "parquet": _read_parquet,
    "xlsx": read_xlsx,
    "qrels": _read_qrels,
}

FORMAT_OF = {f".{name}": name for name in READERS} | {".ndjson": "jsonl"}
