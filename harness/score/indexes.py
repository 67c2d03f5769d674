"""Series and data frames whose index names the items, brought into one order.

Plain lists and arrays have no names: they go by place. Two indexes that do not name the same items are
refused, since grades that are matched by place look like a grader that guesses.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from harness.errors import BadInput, Fault, refuse_faults
from harness.score.shapes import GivenColumns, is_missing, texts
from harness.storage.plural import plural

Name = TypeVar("Name", bound=Hashable)


def matched(sides: Mapping[str, GivenColumns]) -> tuple[list[str] | None, dict[str, GivenColumns]]:
    """What the items are called, None where no side names them, and each side in their order.

    `sides` by their names for messages; the first leads. BadInput for an index that names an item twice or
    not at all, for two that name different items, and for two orders where the first side has no index.
    """
    named, faults = {}, []
    for name, side in sides.items():
        if side.names is not None:
            named[name], found = _texts_of(name, side.names)
            faults += found
    refuse_faults(faults)
    if not named:
        return None, dict(sides)
    (lead, items), *others = named.items()
    refuse_faults(fault for name, own in others for fault in _differing(lead, items, name, own))
    first = next(iter(sides))
    moved = {name for name, own in others if own != items}
    if moved and lead != first:
        raise BadInput(
            f"{lead} and {', '.join(sorted(moved))}: the same items in another order, and {first} has no "
            f"index to say which is its own: give {first} as a series with these names as its index"
        )
    return items, {
        name: _in_order(side, named[name], items) if name in moved else side for name, side in sides.items()
    }


def doubles_of(names: Iterable[Name]) -> list[Name]:
    """The names that come more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def _texts_of(name: str, index: Sequence[Any]) -> tuple[list[str], list[Fault]]:
    """The names of an index as text, and what makes it unusable."""
    parts = [item if isinstance(item, tuple) else (item,) for item in index]
    empty = [
        at
        for at, part in enumerate(parts)
        if any(is_missing(value) or not str(value).strip() for value in part)
    ]
    if empty:
        what = f"the index has {len(empty):,} without a name (the first: row {empty[0] + 1})"
        return [], [Fault(name, f"{what}: name every item, or give plain arrays, which go by place")]
    found, faults = texts(index, f"{name}, index", None)
    if doubles := [] if faults else doubles_of(found):
        what = f"the index names {plural(len(doubles), 'item')} twice (the first: {doubles[0]})"
        faults = [Fault(name, f"{what}: keep one row an item, or give plain arrays, which go by place")]
    return found, faults


def _differing(lead: str, items: Sequence[str], name: str, own: Sequence[str]) -> list[Fault]:
    known, given = set(items), set(own)
    if known == given:
        return []
    if items and own and not known & given:
        what = f"no item in common ({items[0]!r} in {lead}, {own[0]!r} here)"
        return [
            Fault(name, f"{what}: give both the same ids as their index, or plain arrays, which go by place")
        ]
    here = [item for item in items if item not in given]
    more = [item for item in own if item not in known]
    said = (
        [f"{len(here):,} of {plural(len(items), 'item')} of {lead} are not in it (the first: {here[0]!r})"]
        if here
        else []
    )
    said += [f"{len(more):,} of its items are not in {lead} (the first: {more[0]!r})"] if more else []
    what = f"the index is another than that of {lead}: {', and '.join(said)}"
    return [
        Fault(name, f"{what}; {name}.reindex({lead}.index) takes the same items, missing ones as missing")
    ]


def _in_order(side: GivenColumns, own: Sequence[str], items: Sequence[str]) -> GivenColumns:
    place = {item: at for at, item in enumerate(own)}
    order = [place[item] for item in items]
    return replace(side, columns=[[column[at] for at in order] for column in side.columns])
