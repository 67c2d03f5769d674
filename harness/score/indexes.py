"""Series and data frames whose index names the items, brought into one order.

Plain lists and arrays have no names: they go by place. Two indexes that do not name the same items are
refused, since grades that are matched by place look like a grader that guesses.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.plural import plural

Name = TypeVar("Name", bound=Hashable)


def matched(sides: Mapping[str, Any]) -> tuple[list[str] | None, dict[str, Any]]:
    """What the items are called, None where no side names them, and each side in their order.

    `sides` by their names for messages; the first leads. BadInput for an index that names an item twice or
    not at all, for two that name different items, and for two orders where the first side has no index.
    """
    indexes = {name: index for name, values in sides.items() if (index := _index_of(values)) is not None}
    refuse_faults(fault for name, index in indexes.items() for fault in _unusable(name, index))
    named = {name: [str(item) for item in index] for name, index in indexes.items()}
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
        name: _in_order(values, named[name], items) if name in moved else values
        for name, values in sides.items()
    }


def doubles_of(names: Iterable[Name]) -> list[Name]:
    """The names that come more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN or pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:
        return True  # pandas' NA, which says neither yes nor no


def _index_of(values: Any) -> list[Any] | None:
    """A series' or frame's index. Lists and texts have a method of that name."""
    index = getattr(values, "index", None)
    return None if index is None or callable(index) else list(index)


def _unusable(name: str, index: Sequence[Any]) -> list[Fault]:
    parts = [item if isinstance(item, tuple) else (item,) for item in index]
    empty = [
        at
        for at, part in enumerate(parts)
        if any(is_missing(value) or not str(value).strip() for value in part)
    ]
    if empty:
        what = f"the index has {len(empty):,} without a name (the first: row {empty[0] + 1})"
        return [Fault(name, f"{what}: name every item, or give plain arrays, which go by place")]
    doubles = doubles_of(map(str, index))
    if not doubles:
        return []
    what = f"the index names {plural(len(doubles), 'item')} twice (the first: {doubles[0]})"
    return [Fault(name, f"{what}: keep one row an item, or give plain arrays, which go by place")]


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


def _in_order(values: Any, own: Sequence[str], items: Sequence[str]) -> Any:
    place = {item: at for at, item in enumerate(own)}
    return np.asarray(values, dtype=object)[[place[item] for item in items]]
