"""Some searches of UBI with all of their events: each search, result and action is counted once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.signal.batches import in_one_form
from harness.signal.cells import Blocks
from harness.signal.counted import CellCounts, total
from harness.signal.searches import SearchCounts
from harness.signal.tally import Tally
from harness.signal.ubi_tables import OBJECT, RANK
from harness.stats.agreement import Integers
from harness.storage.plural import plural

OUTCOME = "outcome"
MOST_NAMES = 1_000


@dataclass(slots=True)
class Seen:
    """How much was read, and how much of it is left out."""

    searches: int = 0
    nameless: int = 0
    again: int = 0
    hits: int = 0
    hits_again: int = 0
    events_read: int = 0
    outcomes: int = 0
    strangers: int = 0
    placeless: int = 0
    lowest_rank: int = 1
    actions: set[str] = field(default_factory=set)

    def queries(self, piece: Any) -> Any:
        """The searches of a piece that have an id and a text."""
        import pyarrow.compute as pc

        named = pc.and_(pc.is_valid(piece.column("query_id")), pc.is_valid(piece.column("user_query")))
        found = piece.filter(named)
        self.searches += piece.num_rows
        self.nameless += piece.num_rows - found.num_rows
        return found

    def events(
        self, piece: Any, actions: Mapping[str, str], kinds: Sequence[str], outcome: str | None
    ) -> Any:
        """The events of a piece that count. `action`: the position in `kinds`, null for the outcome alone."""
        import pyarrow as pa
        import pyarrow.compute as pc

        name = piece.column("action_name")
        if len(self.actions) < MOST_NAMES:
            self.actions |= {one for one in pc.unique(name).to_pylist() if one}
        numbers = pa.array([kinds.index(kind) for kind in actions.values()], pa.int64())
        at = pc.index_in(name, value_set=pa.array(list(actions), pa.string())).combine_chunks()
        succeeds = pc.fill_null(pc.equal(name, pa.scalar(outcome, pa.string())), False)
        piece = piece.append_column("action", numbers.take(at)).append_column(OUTCOME, succeeds)
        counts, named = pc.is_valid(at), pc.is_valid(piece.column("query_id"))
        self.events_read += total(counts)
        self.strangers += total(pc.and_(counts, pc.invert(named)))
        self.outcomes += total(succeeds)
        return piece.filter(pc.and_(pc.or_(counts, succeeds), named)).drop_columns(["action_name"])

    def warnings(self) -> Iterator[str]:
        """Warnings about what was left out."""
        events, searches = plural(self.events_read, "event"), plural(self.searches, "search", "searches")
        if self.nameless:
            yield f"{self.nameless:,} of {searches} have no query_id or no user_query, and are left out"
        if self.again:
            yield f"{self.again:,} of {searches} have a query_id that came before, and are left out"
        if self.hits_again:
            shown = plural(self.hits + self.hits_again, "result")
            yield (
                f"{self.hits_again:,} of {shown} shown stand in their search a second time: the first place "
                "counts"
            )
        if self.strangers:
            yield f"{self.strangers:,} of {events} are of no query of the queries file, and left out"
        if self.placeless:
            yield f"{self.placeless:,} of {events} have no position.ordinal, and are left out"


def count_part(
    asked: Any,
    done: Any,
    cells: CellCounts,
    searching: SearchCounts | None,
    kinds: Sequence[str],
    seen: Seen,
) -> None:
    """Count some searches with all of their events; None where there are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids, texts = pa.array([], pa.string()), pa.array([], pa.string())
    if asked is not None:
        first = _first(asked.column("query_id"))
        seen.again += asked.num_rows - len(first)
        asked = asked.take(pa.array(first))
        ids = asked.column("query_id").combine_chunks()
        texts = in_one_form(pc.utf8_trim_whitespace(asked.column("user_query"))).combine_chunks()
        number, items, positions = _shown(asked, seen)
        pairs = cells.pairs_of(texts.take(number), items)
        cells.add(pairs, positions, {"views": pa.array(np.ones(len(pairs), dtype=np.int64))})
        if searching is not None:
            succeeded = _succeeded(ids, done)
            searching.add(ids.take(number), texts.take(number), pairs, positions, succeeded.take(number))
    if done is not None:
        done = done.filter(pc.is_valid(done.column("action")))
        _count_events(done, ids, texts, cells, kinds, seen)


def _shown(asked: Any, seen: Seen) -> tuple[Any, Any, Any]:
    """Each result that was shown: its search's number, its id, its rank, at its first place in the list."""
    import pyarrow as pa
    import pyarrow.compute as pc

    hits = asked.column("query_response_hit_ids").combine_chunks()
    parent, items = pc.list_parent_indices(hits), in_one_form(pc.list_flatten(hits))
    number = parent.to_numpy()
    # The rank within its list: how far behind the first result of the same search.
    starts = np.flatnonzero(np.r_[True, number[1:] != number[:-1]]) if len(number) else number
    lengths = np.diff(np.r_[starts, len(number)])
    ranks = np.arange(len(number)) - np.repeat(starts, lengths) + 1
    codes = items.dictionary_encode().indices.fill_null(-1).to_numpy().astype(np.int64)
    first = np.sort(np.unique(number * (len(codes) + 1) + codes, return_index=True)[1])
    seen.hits += len(first)
    seen.hits_again += len(number) - len(first)
    kept = pa.array(first)
    return parent.take(kept), items.take(kept), pa.array(ranks[first].astype(np.int64))


def _succeeded(ids: Any, done: Any) -> Any:
    """Whether each search has the outcome, as 0 or 1."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if done is None:
        return pa.array(np.zeros(len(ids), dtype=np.int64))
    happy = done.filter(done.column(OUTCOME)).column("query_id").combine_chunks()
    return pc.is_in(ids, value_set=happy).cast(pa.int64())


def _count_events(
    done: Any, ids: Any, texts: Any, cells: CellCounts, kinds: Sequence[str], seen: Seen
) -> None:
    """Count what users did; an action on a result counts once in a search, where it was first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    search = pc.index_in(done.column("query_id"), value_set=ids).combine_chunks()
    found, rank = pc.is_valid(search), done.column(RANK)
    seen.strangers += done.num_rows - total(found)
    seen.placeless += total(pc.and_(found, pc.is_null(rank)))
    pairs = cells.pairs_of(texts.take(search), in_one_form(done.column(OBJECT)))
    kept = pc.and_(pc.and_(found, pc.is_valid(rank)), pc.is_valid(pairs))
    columns = {"search": search, "pair": pairs, "action": done.column("action"), "position": rank}
    once = Tally(("search", "pair", "action"), {"position": "min"})
    once.add(pa.table(columns).filter(kept))
    whole = once.table()
    if whole is None or not whole.num_rows:
        return
    seen.lowest_rank = min(seen.lowest_rank, pc.min(whole.column("position")).as_py())
    kind = whole.column("action").to_numpy()
    counts = {name: pa.array((kind == at).astype(np.int64)) for at, name in enumerate(kinds)}
    cells.add(whole.column("pair"), whole.column("position"), counts)


def excess(blocks: Blocks, kinds: Sequence[str]) -> Iterator[str]:
    """Events at positions where their result was shown less often: the two files count ranks differently."""
    for kind in kinds:
        each = (np.maximum(cells.sums[kind] - cells.sums["views"], 0) for cells in blocks())
        over = sum(float(one.sum()) for one in each)
        if over:
            yield (
                f"{over:,.0f} {kind} are at a position where their result was not shown so often: does "
                "position.ordinal count like query_response_hit_ids, from 1 and over all pages?"
            )


def _first(column: Any) -> Integers:
    """Where each different value comes first, in order."""
    codes = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return np.sort(np.unique(codes, return_index=True)[1])
