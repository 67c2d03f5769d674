"""A rating plan of the pairs that behaviour contradicts: what people should judge again.

Clauses take turns, the surest first, so that a sheet of few pairs has something of each; the plan says why a
pair is in it, and raters do not see that.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from harness.errors import BadInput, Fault
from harness.golden.rating.pair_plan import Doubt, PlannedPair
from harness.nouns.pair import Result
from harness.scorecards.signal import ClauseSignal, Contradiction, Signal
from harness.signal.graded import pairs_shown
from harness.signal.signal_files import LabelFile
from harness.storage.tables import Row, joined

NO_TITLE = "the labels do not say what a rater would see: a column title (and brand, price, ...) is needed"


def planned_pairs(found: Signal, labels: LabelFile, most: int) -> list[PlannedPair]:
    """The pairs to judge again, `most` at most. BadInput if there is none, or no text to show of them."""
    chosen = list(in_turn(found))[:most]
    if not chosen:
        raise BadInput("there is nothing to judge again: behaviour contradicts no pair")
    wanted = {(one.query, one.item): one for one in chosen}
    shown, items = {}, Counter[str]()
    for query, item, texts in pairs_shown(labels.path, labels.layout):
        items[item] += 1
        if (query, item) in wanted:
            shown[query, item] = texts
    # Ratings name an item alone: one that stands under several queries is named with its query.
    several = any(count > 1 for count in items.values())
    return [_planned(labels, one, shown[one.query, one.item], several=several) for one in chosen]


def in_turn(found: Signal) -> Iterator[Contradiction]:
    """Each contradicted pair once: those across the line first, since they change what users see."""
    beside = found.same_side
    seen = set[tuple[str, str]]()
    for clauses, pairs in ((found.clauses, found.contradictions), (beside.clauses, beside.contradictions)):
        for one in _clauses_in_turn(clauses, pairs):
            if (one.query, one.item) not in seen:
                seen.add((one.query, one.item))
                yield one


def _clauses_in_turn(
    clauses: Sequence[ClauseSignal], pairs: Sequence[Contradiction]
) -> Iterator[Contradiction]:
    """The surest of each clause first; a pair counts under its surest clause."""
    rank = {one.id: at for at, one in enumerate(clauses)}
    queues = defaultdict[str, deque[Contradiction]](deque)
    for one in pairs:
        queues[min(one.clauses, key=lambda name: rank[name], default="")].append(one)
    waiting = [queues[name] for name in sorted(queues, key=lambda name: rank.get(name, len(rank)))]
    while waiting := [queue for queue in waiting if queue]:
        yield from (queue.popleft() for queue in waiting)


def _planned(
    labels: LabelFile, one: Contradiction, texts: dict[str, object], *, several: bool
) -> PlannedPair:
    try:
        result = Result.model_validate(texts["result"])
    except ValidationError as error:
        raise BadInput([Fault(str(labels.path), NO_TITLE)]) from error
    context = texts.get("context")
    return PlannedPair(
        item=_named(one) if several else one.item,
        query=one.query,
        result=result,
        context=context if isinstance(context, dict) else None,
        drawn="hunted",
        stratum=one.stratum or "",
        reason=reason_of(one),
        doubt=Doubt(kind=one.kind, grade=one.grade, reference=one.reference, clauses=one.clauses),
    )


def _named(one: Contradiction) -> str:
    """Query and item in one, as `--columns item=query+item` names them."""
    return joined(Row(0, {"query": one.query, "item": one.item}), ("query", "item"))


def reason_of(one: Contradiction) -> str:
    """Why a pair is in the plan."""
    what = one.kind.replace("_", " ")
    cited: Sequence[str] = (f"; {', '.join(one.clauses)}",) if one.clauses else ()
    return f"{what}: {one.events:,.0f} events in {one.views:,} views, q {one.q_value:.2g}{''.join(cited)}"
