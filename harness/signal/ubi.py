"""Counts of User Behavior Insights 1.3: events, and queries that say what was shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.signal.batches import Unfit
from harness.signal.counted import CellCounts, Counted
from harness.signal.graded import GradedPairs
from harness.signal.searches import SearchCounts
from harness.signal.spill import Spill, parts_together
from harness.signal.ubi_parts import Seen, count_part, excess
from harness.signal.ubi_tables import EVENTS, QUERIES, RANK, fast_pieces, slow_pieces
from harness.storage.plural import plural
from harness.storage.tables import Layout

ACTIONS: Mapping[str, str] = {
    "click": "clicks", "item_click": "clicks", "product_click": "clicks",
    "add_to_cart": "carts", "cart": "carts",
    "purchase": "purchases", "buy": "purchases", "order": "purchases",
    "return": "returns",
}  # fmt: skip
"""What each action of UBI's examples and of shops counts as; --actions maps others."""
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
    """Queries and events wait in parts by query_id; then each part is counted alone."""
    kinds = tuple(dict.fromkeys(log.actions.values()))
    cells = CellCounts(graded, ("views", *kinds))
    with ExitStack() as files:
        queries, events = (files.enter_context(Spill("query_id")) for _ in range(2))
        searching = files.enter_context(SearchCounts(graded, scale, edges)) if log.outcome else None
        seen = Seen()
        for path in log.queries:
            for piece in reader(path, QUERIES, log.layout):
                queries.add(seen.queries(piece))
        for path in log.events:
            for piece in reader(path, EVENTS, log.layout):
                events.add(seen.events(piece, log.actions, kinds, log.outcome))
        _refuse_empty(log, seen, kinds)
        for asked, done in parts_together(queries, events):
            count_part(asked, done, cells, searching, kinds, seen)
        _refuse_unfit(log, seen)
        found = cells.counted(searching.searches() if searching else None, list(seen.warnings()))
    # What never happens in this log was not logged, or its action has another name.
    happened = tuple(
        name for name in found.names if name == "views" or any(one.sums[name].any() for one in found.blocks())
    )
    more = excess(found.blocks, kinds)
    return replace(found, rows=seen.hits, names=happened, warnings=(*found.warnings, *more))


def _refuse_empty(log: Ubi, seen: Seen, kinds: Sequence[str]) -> None:
    """BadInput if no action counts, or none makes a search a success."""
    if not seen.events_read:
        names = ", ".join(sorted(seen.actions)[:10])
        what = f"no event counts as {', '.join(kinds)} (the actions there: {names}); --actions maps others"
        raise BadInput([Fault(str(log.events[0]), what)])
    if log.outcome is not None and not seen.outcomes:
        raise BadInput([Fault(str(log.events[0]), f"--outcome {log.outcome}: no event has this action_name")])


def _refuse_unfit(log: Ubi, seen: Seen) -> None:
    """BadInput if queries show no results, events belong to other queries, or ranks do not count from 1."""
    if not seen.hits:
        what = "no query has query_response_hit_ids: nothing says what was shown"
        raise BadInput([Fault(str(log.queries[0]), what)])
    if seen.lowest_rank < 1:
        what = f"{RANK}: 0 or less, and ranks count from 1: add 1 to all of them"
        raise BadInput([Fault(str(log.events[0]), what)])
    if seen.strangers == seen.events_read:
        what = (
            f"none of the {plural(seen.events_read, 'event')} has a query_id of the queries "
            f"({', '.join(map(str, log.queries))}): are both of the same days?"
        )
        raise BadInput([Fault(str(log.events[0]), what)])
