"""Two texts side by side: line beside line, the words that differ marked, what is alike folded away."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

CONTEXT = 3
"""Lines that are alike, kept around those that differ."""
LIKE = 0.4
"""How alike two lines must be to have their words compared; below it every word would be marked."""

Kind = Literal["same", "changed", "gone", "new", "folded"]
Span = tuple[str, bool]
"""Some words, and whether they differ from the other side's."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each side. `left` and `right` number them from 1; a folded row stands for `count` lines."""

    kind: Kind
    left: int | None = None
    right: int | None = None
    old: tuple[Span, ...] = ()
    new: tuple[Span, ...] = ()
    count: int = 0


def side_by_side(old: str, new: str, *, everything: bool = False) -> list[Row]:
    """The rows of two texts; `everything` folds nothing away."""
    rows = list(_rows(old.splitlines(), new.splitlines()))
    return rows if everything else list(_folded(rows))


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            for at in range(j - i):
                line: tuple[Span, ...] = ((old[i + at], False),)
                yield Row("same", i + at + 1, k + at + 1, line, line)
        else:
            yield from _differing(old[i:j], new[k:m], i + 1, k + 1)


def _differing(old: Sequence[str], new: Sequence[str], left: int, right: int) -> Iterator[Row]:
    """Lines that stand in each other's place, in their order; what has no partner stands alone."""
    for at in range(max(len(old), len(new))):
        if at >= len(new):
            yield Row("gone", left + at, None, ((old[at], True),))
        elif at >= len(old):
            yield Row("new", None, right + at, (), ((new[at], True),))
        else:
            yield Row("changed", left + at, right + at, *_spans(old[at], new[at]))


def _spans(old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    before, after = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    match = SequenceMatcher(None, before, after, autojunk=False)
    if match.ratio() < LIKE:
        return ((old, True),), ((new, True),)
    gone: list[Span] = []
    came: list[Span] = []
    for what, i, j, k, m in match.get_opcodes():
        gone.append(("".join(before[i:j]), what != "equal"))
        came.append(("".join(after[k:m]), what != "equal"))
    return tuple(span for span in gone if span[0]), tuple(span for span in came if span[0])


def _folded(rows: Sequence[Row]) -> Iterator[Row]:
    near: set[int] = set()
    for at, row in enumerate(rows):
        if row.kind != "same":
            near.update(range(at - CONTEXT, at + CONTEXT + 1))
    hidden = 0
    for at, row in enumerate(rows):
        if at in near:
            if hidden:
                yield Row("folded", count=hidden)
            hidden = 0
            yield row
        else:
            hidden += 1
    if hidden:
        yield Row("folded", count=hidden)
