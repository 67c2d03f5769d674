"""User Behavior Insights 1.3: events, and queries that say what was shown.

An event has `query_id`, `action_name`, and in `event_attributes` the object (`object.object_id`) and its rank
(`position.ordinal`, from 1). A query has `query_id`, `user_query` and `query_response_hit_ids`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault
from harness.signal.batches import Unfit, headers_of, kind_of, pieces
from harness.signal.counted import CellCounts, Counted, SearchCounts
from harness.signal.graded import GradedPairs
from harness.signal.tally import Tally
from harness.storage.formats import read_table
from harness.storage.plural import plural
from harness.storage.tables import Layout

ACTIONS: Mapping[str, str] = {
    "click": "clicks", "item_click": "clicks", "product_click": "clicks",
    "add_to_cart": "carts", "cart": "carts",
    "purchase": "purchases", "buy": "purchases", "order": "purchases",
    "return": "returns",
}  # fmt: skip
"""What the actions of UBI's examples and of shops count as; --actions maps others."""
OBJECT, RANK = "event_attributes.object.object_id", "event_attributes.position.ordinal"
EVENTS = ("query_id", "action_name", OBJECT, RANK)
QUERIES = ("query_id", "user_query", "query_response_hit_ids")
ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Ubi:
    """Events, the queries beside them, what actions count as, and the one that is the outcome of a search."""

    events: Path
    queries: Path
    actions: Mapping[str, str]
    outcome: str | None
    layout: Layout


def is_ubi(path: Path, layout: Layout) -> bool:
    """Whether a file holds UBI events."""
    try:
        names = headers_of(path, layout)
    except Unfit:
        names = list(read_table(path, layout).columns)
    return "action_name" in names and any(name.split(".")[0] == "event_attributes" for name in names)


def count_ubi(log: Ubi, graded: GradedPairs, scale: tuple[int, ...], edges: Sequence[int]) -> Counted:
    """Count UBI events. BadInput where no event or no query can be used."""
    known, shown = _Queries(), 0
    names = ("views", *dict.fromkeys(log.actions.values()))
    cells = CellCounts(graded, names)
    asked = _outcomes(log)
    searching = SearchCounts(graded, scale, edges) if asked is not None else None
    for piece in _pieces(log.queries, QUERIES, log.layout):
        ids, queries, items, positions = known.shown(piece)
        pairs = cells.pairs_of(queries, items)
        cells.add(pairs, positions, {"views": _ones(len(pairs))})
        shown += len(pairs)
        if searching is not None:
            outcome = _isin(ids, asked)
            searching.add(ids, queries, pairs, positions, outcome)
    if not shown:
        raise BadInput(
            [Fault(str(log.queries), "no query has query_response_hit_ids: nothing says what was shown")]
        )
    rows = cells.rows
    warnings = _count_events(log, known, cells)
    cells.rows = rows
    return cells.counted(searching.searches() if searching else None, warnings)


def _count_events(log: Ubi, known: "_Queries", cells: CellCounts) -> list[str]:
    """Count what users did; an action on a result counts once in a search. Warnings of what was left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    once = Tally(("search", "pair", "position", "action"), {})
    total = strangers = placeless = 0
    kinds = list(dict.fromkeys(log.actions.values()))
    numbers = pa.array([kinds.index(kind) for kind in log.actions.values()], pa.int64())
    seen: set[str] = set()
    for piece in _pieces(log.events, EVENTS, log.layout):
        seen |= set(pc.unique(piece.column("action_name")).to_pylist())
        at = pc.index_in(piece.column("action_name"), value_set=pa.array(list(log.actions), pa.string()))
        piece = piece.append_column("action", numbers.take(at.combine_chunks())).filter(pc.is_valid(at))
        total += piece.num_rows
        search, queries = known.of(piece.column("query_id"))
        found = pc.is_valid(search)
        strangers += piece.num_rows - int(pc.sum(found).as_py() or 0)
        ranked = pc.is_valid(piece.column(RANK))
        placeless += int(pc.sum(pc.and_(found, pc.invert(ranked))).as_py() or 0)
        pairs = cells.pairs_of(queries, piece.column(OBJECT))
        kept = pc.and_(pc.and_(found, ranked), pc.is_valid(pairs))
        once.add(
            pa.table(
                {
                    "search": search,
                    "pair": pairs,
                    "position": piece.column(RANK),
                    "action": piece.column("action"),
                }
            ).filter(kept)
        )
    if not total:
        names = ", ".join(sorted(name for name in seen if name)[:10])
        what = f"no event counts as {', '.join(kinds)} (the actions there: {names}); --actions maps others"
        raise BadInput([Fault(str(log.events), what)])
    whole = once.table()
    if whole is not None:
        _refuse_zero(log, whole)
        kind = whole.column("action").to_numpy()
        counts = {name: pa.array((kind == at).astype(np.int64)) for at, name in enumerate(kinds)}
        cells.add(whole.column("pair"), whole.column("position"), counts)
    return list(_left_out(total, strangers, placeless))


def _refuse_zero(log: Ubi, whole: Any) -> None:
    import pyarrow.compute as pc

    if whole.num_rows and pc.min(whole.column("position")).as_py() < 1:
        what = f"{RANK}: 0 or less, and ranks count from 1: add 1 to all of them"
        raise BadInput([Fault(str(log.events), what)])


def _left_out(total: int, strangers: int, placeless: int) -> Iterator[str]:
    if strangers:
        yield f"{strangers:,} of {plural(total, 'event')} are of no query of the queries file, and left out"
    if placeless:
        yield f"{placeless:,} of {plural(total, 'event')} have no position.ordinal, and are left out"


def _outcomes(log: Ubi) -> Any:
    """The searches in which the outcome's action happened; None where no event has it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if log.outcome is None:
        return None
    once = Tally(("query_id",), {})
    for piece in _pieces(log.events, EVENTS, log.layout):
        mine = pc.equal(piece.column("action_name"), log.outcome)
        part = piece.filter(pc.and_(mine, pc.is_valid(piece.column("query_id"))))
        once.add(pa.table({"query_id": part.column("query_id")}))
    found = once.table()
    return found.column("query_id").combine_chunks() if found is not None and found.num_rows else None


def _isin(ids: Any, known: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(ids, value_set=known).cast(pa.int64())


def _ones(count: int) -> Any:
    import pyarrow as pa

    return pa.array(np.ones(count, dtype=np.int64))


class _Queries:
    """The searches of a queries file: their ids, and the text of each."""

    def __init__(self) -> None:
        self._ids: list[Any] = []
        self._texts: list[Any] = []

    def shown(self, piece: Any) -> tuple[Any, Any, Any, Any]:
        """What the searches of a piece were shown: id, text, item and rank of each result."""
        import pyarrow as pa
        import pyarrow.compute as pc

        piece = piece.filter(
            pc.and_(pc.is_valid(piece.column("query_id")), pc.is_valid(piece.column("user_query")))
        )
        ids = piece.column("query_id").combine_chunks()
        texts = pc.utf8_trim_whitespace(piece.column("user_query")).combine_chunks()
        self._ids.append(ids)
        self._texts.append(texts.dictionary_encode())
        hits = piece.column("query_response_hit_ids").combine_chunks()
        parent, items = pc.list_parent_indices(hits), pc.list_flatten(hits)
        number = parent.to_numpy()
        # The rank within its list: how far behind the first result of the same search.
        starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]]) if len(number) else number
        lengths = np.diff(np.r_[starts, len(number)])
        ranks = np.arange(len(number)) - np.repeat(starts, lengths) + 1
        return ids.take(parent), texts.take(parent), items, pa.array(ranks.astype(np.int64))

    def of(self, ids: Any) -> tuple[Any, Any]:
        """The number and the text of each search; null where it is unknown."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if len(self._ids) > 1:
            self._ids = [pa.concat_arrays(self._ids)]
            self._texts = [pa.chunked_array(self._texts).unify_dictionaries().combine_chunks()]
        number = pc.index_in(ids, value_set=self._ids[0]).combine_chunks()
        return number, self._texts[0].take(number).dictionary_decode()


def _pieces(path: Path, names: Sequence[str], layout: Layout) -> Iterator[Any]:
    """These columns of a file of UBI, a piece at a time. BadInput where it is none."""
    try:
        yield from _fast(path, names, layout)
    except Unfit:
        yield from _slow(path, names, layout)


def _fast(path: Path, names: Sequence[str], layout: Layout) -> Iterator[Any]:
    import pyarrow as pa

    if kind_of(path, layout) not in ("jsonl", "parquet"):
        raise Unfit
    roots = list(dict.fromkeys(name.split(".")[0] for name in names))
    there = headers_of(path, layout)
    _refuse_missing(path, [name for name in roots if name not in there], there)
    pieces_of = pieces(path, layout, roots, {name: _type(name) for name in roots})
    first = next(pieces_of, None)
    if first is None:
        return
    # What cannot be converted shows in the first piece: later ones would count what is counted already.
    for piece in _with_first(first, pieces_of):
        try:
            yield pa.table({name: _leaf(piece, name) for name in names})
        except (pa.ArrowException, KeyError) as error:
            if piece is first:
                raise Unfit from error
            raise BadInput([Fault(str(path), f"not readable as UBI: {error}")]) from error


def _with_first(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


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
        what = f"no {', '.join(missing)} (there: {', '.join(there)}); UBI 1.3 has them"
        raise BadInput([Fault(str(path), what)])


def _slow(path: Path, names: Sequence[str], layout: Layout) -> Iterator[Any]:
    """Row by row: other formats, and what pyarrow does not take."""
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
                parts = value if isinstance(value, list) else text.replace(",", " ").split()
                columns[name].append([str(part) for part in parts])
            elif name == RANK:
                whole = text.removesuffix(".0")
                if text and not whole.lstrip("-").isdigit():
                    faults.append(Fault(table.where(row), f"{RANK}: {text!r} is no rank", RANK))
                columns[name].append(int(whole) if whole.lstrip("-").isdigit() else None)
            else:
                columns[name].append(text or None)
    if faults:
        raise BadInput(faults)
    kinds = {name: _type(name) if "." not in name else pa.string() for name in names} | {RANK: pa.int64()}
    yield pa.table({name: pa.array(columns[name], kinds[name]) for name in names})
