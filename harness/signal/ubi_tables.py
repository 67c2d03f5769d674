"""Files of User Behavior Insights 1.3, a piece at a time.

An event has `query_id`, `action_name`, and in `event_attributes` the object (`object.object_id`) and its rank
(`position.ordinal`, from 1). A query has `query_id`, `user_query` and `query_response_hit_ids`.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.golden.table_faults import shortened
from harness.signal.batches import Unfit, headers_of, kind_of, pieces
from harness.storage.formats import read_table
from harness.storage.strict_json import parse_whole
from harness.storage.tables import Layout

OBJECT, RANK = "event_attributes.object.object_id", "event_attributes.position.ordinal"
EVENTS = ("query_id", "action_name", OBJECT, RANK)
QUERIES = ("query_id", "user_query", "query_response_hit_ids")

_RANK = re.compile("-?[0-9]{1,9}")
AS_TEXT = (
    "event_attributes holds text: make an object of it, in a line of JSON such as "
    "jq -c '.event_attributes |= fromjson' events.jsonl"
)


def is_ubi(path: Path, layout: Layout) -> bool:
    """Whether a file holds UBI events."""
    try:
        names = headers_of(path, layout)
    except Unfit:
        names = list(read_table(path, layout).columns)
    return "action_name" in names and any(name.split(".")[0] == "event_attributes" for name in names)


def fast_pieces(path: Path, names: Sequence[str], layout: Layout) -> Iterator[Any]:
    """These columns, by pyarrow's readers. Unfit for anything that has to be looked at row by row."""
    import pyarrow as pa

    if kind_of(path, layout) not in ("jsonl", "parquet"):
        raise Unfit
    roots = list(dict.fromkeys(name.split(".")[0] for name in names))
    there = headers_of(path, layout)
    _refuse_missing(path, [name for name in roots if name not in there], there)
    for piece in pieces(path, layout, roots, {name: _type(name) for name in roots}):
        try:
            yield pa.table({name: _leaf(piece, name) for name in names})
        except (pa.ArrowException, KeyError) as error:
            raise Unfit from error


def _type(root: str) -> Any:
    import pyarrow as pa

    if root == "query_response_hit_ids":
        return pa.list_(pa.string())
    if root != "event_attributes":
        return pa.string()
    seen = pa.struct({"object_id": pa.string()})
    return pa.struct({"object": seen, "position": pa.struct({"ordinal": pa.int64()})})


def _leaf(piece: Any, name: str) -> Any:
    """A column of a piece, or a field within a struct, of our type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    root, *path = name.split(".")
    column = piece.column(root)
    if path:
        column = pc.struct_field(column, path)
    wanted = pa.int64() if name == RANK else _type(root) if not path else pa.string()
    return column.cast(wanted)


def _refuse_missing(path: Path, missing: Sequence[str], there: Sequence[str]) -> None:
    if missing:
        text = "event_attributes" in there and any("." in name for name in missing)
        what = (
            f"no {', '.join(missing)} (there: {', '.join(there)}); {AS_TEXT if text else 'UBI 1.3 has them'}"
        )
        raise BadInput([Fault(str(path), what)])


def slow_pieces(path: Path, names: Sequence[str], layout: Layout) -> Iterator[Any]:
    """These columns, read row by row. BadInput names every faulty row."""
    import pyarrow as pa

    table = read_table(path, layout)
    _refuse_missing(path, [name for name in names if name not in table.columns], table.columns)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    faults = []
    for row in table.rows:
        for name in names:
            value = row.cells.get(name)
            text = row.text(name)
            if name == "query_response_hit_ids":
                columns[name].append(_hits(value, text))
            elif name == RANK:
                whole = text.removesuffix(".0")
                rank = int(whole) if _RANK.fullmatch(whole) else None
                if text and rank is None:
                    faults.append(Fault(table.where(row), f"{RANK}: {shortened(text)!r} is not a rank", RANK))
                columns[name].append(rank)
            else:
                columns[name].append(text or None)
    if faults:
        raise BadInput(faults)
    kinds = {name: _type(name) if "." not in name else pa.string() for name in names} | {RANK: pa.int64()}
    yield pa.table({name: pa.array(columns[name], kinds[name]) for name in names})


def _hits(value: Any, text: str) -> list[str]:
    """The ids of a cell: a list, the text of a JSON list, or ids with commas or spaces between them."""
    if text.startswith("[") and not isinstance(value, list):
        with suppress(ValueError):
            value = parse_whole(text)
    parts = value if isinstance(value, list) else text.replace(",", " ").split()
    return [str(part) for part in parts]
