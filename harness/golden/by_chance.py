"""Ids that two files share by chance, such as row numbers: the files then describe an item differently."""

from collections.abc import Iterable
from typing import NamedTuple

from harness.errors import BadInput
from harness.nouns.pair import query_key
from harness.storage.plural import plural


class Told(NamedTuple):
    """The query and title of an item in a file; None if missing."""

    query: str | None
    title: str | None = None


def other_items(pairs: Iterable[tuple[str, Told, Told]], here: str, there: str) -> tuple[str, ...]:
    """A warning about items that have another query in each of two files, given with both descriptions.

    Titles count where one side has no query. Case, spaces and punctuation do not. BadInput if most differ.
    """
    compared, differing, first = 0, 0, ""
    for item, *sides in pairs:
        one, other = next(((a, b) for a, b in zip(*sides, strict=True) if a and b), ("", ""))
        compared += bool(one)
        if one == other or query_key(one) == query_key(other):
            continue
        first = first or f"the first: {item!r} is {one!r} in {here}, {other!r} in {there}"
        differing += 1
    if not differing:
        return ()
    what = f"{differing:,} of {plural(compared, 'item')} of {here} have the id of something else ({first})"
    if 2 * differing > compared:
        raise BadInput(f"{what}: the ids meet by chance; name both by the same ids, as with --columns")
    return (what,)
