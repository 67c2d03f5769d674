"""Counts of User Behavior Insights 1.3: events, and queries that say what was shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import BadInput, Fault
from harness.signal.batches import Unfit
from harness.signal.counted import CellCounts, Counted, SearchCounts
from harness.signal.graded import GradedPairs
from harness.signal.tally import Tally
from harness.signal.ubi_tables import EVENTS, OBJECT, QUERIES, RANK, fast_pieces, slow_pieces
from harness.storage.plural import plural
from harness.storage.tables import Layout

ACTIONS: Mapping[str, str] = {
    "click": "clicks", "item_click": "clicks", "product_click": "clicks",
    "add_to_cart": "carts", "cart": "carts",
    "purchase": "purchases", "buy": "purchases", "order": "purchases",
    "return": "returns",
}  # fmt: skip
"""What the actions of UBI's examples and of shops count as; --actions maps others."""
Reader = Callable[[Path, Sequence[str], Layout], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Ubi:
    """Events, the queries beside them, what actions count as, and the one that is the outcome of a search."""

    events: tuple[Path, ...]
    queries: tuple[Path, ...]
    actions: Mapping[str, str]
    outcome: str | None
    layout: Layout


def parse_actions(text: str) -> dict[str, str]:
    """`tap=clicks,order=purchases` as what each action counts as. BadInput for anything else."""
    known = tuple(dict.fromkeys(ACTIONS.values()))
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        name, _, kind = (piece.strip() for piece in part.partition("="))
        if not name or kind not in known:
            raise BadInput(
                f"--actions: {part.strip()!r} is not action=kind, with a kind of {', '.join(known)}"
            )
        found[name] = kind
    if not found:
        raise BadInput("--actions names no action")
    return found


def count_ubi(log: Ubi, graded: GradedPairs, scale: tuple[int, ...], edges: Sequence[int]) -> Counted:
    """Count UBI events. BadInput where no event or no query can be used."""
    try:
        return _count(log, graded, scale, edges, fast_pieces)
    except Unfit:
        return _count(log, graded, scale, edges, slow_pieces)


def _count(
    log: Ubi, graded: GradedPairs, scale: tuple[int, ...], edges: Sequence[int], reader: Reader
) -> Counted:
    known = _Queries()
    cells = CellCounts(graded, ("views", *dict.fromkeys(log.actions.values())))
    asked = _outcomes(log, reader)
    searching = SearchCounts(graded, scale, edges) if asked is not None else None
    for path in log.queries:
        for piece in reader(path, QUERIES, log.layout):
            ids, queries, items, positions = known.shown(piece)
            pairs = cells.pairs_of(queries, items)
            cells.add(pairs, positions, {"views": _ones(len(pairs))})
            if searching is not None:
                searching.add(ids, queries, pairs, positions, _isin(ids, asked))
    if not cells.rows:
        what = "no query has query_response_hit_ids: nothing says what was shown"
        raise BadInput([Fault(str(log.queries[0]), what)])
    rows = cells.rows
    warnings = _count_events(log, known, cells, reader)
    cells.rows = rows
    found = cells.counted(searching.searches() if searching else None, warnings)
    # What nobody did in this log was not logged, or is not known by its action's name.
    happened = {name: sums for name, sums in found.sums.items() if name == "views" or sums.any()}
    return replace(found, sums=happened)


def _count_events(log: Ubi, known: "_Queries", cells: CellCounts, reader: Reader) -> list[str]:
    """Count what users did; an action on a result counts once in a search. Warnings of what was left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    once = Tally(("search", "pair", "position", "action"), {})
    total = strangers = placeless = 0
    kinds = list(dict.fromkeys(log.actions.values()))
    numbers = pa.array([kinds.index(kind) for kind in log.actions.values()], pa.int64())
    seen: set[str] = set()
    for piece in _events(log, reader):
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
        raise BadInput([Fault(str(log.events[0]), what)])
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
        raise BadInput([Fault(str(log.events[0]), what)])


def _left_out(total: int, strangers: int, placeless: int) -> Iterator[str]:
    if strangers:
        yield f"{strangers:,} of {plural(total, 'event')} are of no query of the queries file, and left out"
    if placeless:
        yield f"{placeless:,} of {plural(total, 'event')} have no position.ordinal, and are left out"


def _events(log: Ubi, reader: Reader) -> Iterator[Any]:
    for path in log.events:
        yield from reader(path, EVENTS, log.layout)


def _outcomes(log: Ubi, reader: Reader) -> Any:
    """The searches in which the outcome's action happened; None where no outcome is asked for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if log.outcome is None:
        return None
    once = Tally(("query_id",), {})
    for piece in _events(log, reader):
        mine = pc.equal(piece.column("action_name"), log.outcome)
        part = piece.filter(pc.and_(mine, pc.is_valid(piece.column("query_id"))))
        once.add(pa.table({"query_id": part.column("query_id")}))
    found = once.table()
    if found is None or not found.num_rows:
        raise BadInput([Fault(str(log.events[0]), f"--outcome {log.outcome}: no event has this action_name")])
    return found.column("query_id").combine_chunks()


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
