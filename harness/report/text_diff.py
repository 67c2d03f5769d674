"""Differences between two texts: side by side, as changed lines only, or as words in one text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal, NamedTuple

CONTEXT = 3
"""Equal lines to keep around changed lines."""
LIKE = 0.4
"""The similarity from which two lines are compared by word; below it every word would be marked."""
ISLAND = 2
"""Up to this many shared words between two changes are shown as changed too."""

Kind = Literal["same", "changed", "gone", "new", "folded"]
Span = tuple[str, bool]
"""A stretch of words, and whether it differs from the other side."""


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of each side. `left` and `right`: line numbers from 1. A folded row replaces `count` lines."""

    kind: Kind
    left: int | None = None
    right: int | None = None
    old: tuple[Span, ...] = ()
    new: tuple[Span, ...] = ()
    count: int = 0


class DiffLine(NamedTuple):
    """A line of a difference: `gone`, `new`, `same`, or `place` for omitted equal lines."""

    kind: str
    text: str


def side_by_side(old: str, new: str, *, everything: bool = False) -> list[DiffRow]:
    """The rows of two texts; `everything` disables folding."""
    rows = list(_rows(old.splitlines(), new.splitlines()))
    return rows if everything else list(_folded(rows))


def diff_lines(old: str, new: str) -> list[DiffLine]:
    """The changed lines, each with a few lines around it; empty if the texts are equal."""
    found: list[DiffLine] = []
    for folded, rows in groupby(side_by_side(old, new), key=lambda row: row.kind == "folded"):
        found += [] if folded else _together(list(rows))
    return found


def _together(rows: Sequence[DiffRow]) -> Iterator[DiffLine]:
    """Adjacent rows as lines: first their place, then for each change the old lines before the new."""
    left, right = (
        next(filter(None, at), 0) for at in zip(*((row.left, row.right) for row in rows), strict=True)
    )
    yield DiffLine("place", f"from line {left}" + (f", now {right}" if right != left else ""))
    for same, group in groupby(rows, key=lambda row: row.kind == "same"):
        stretch = list(group)
        yield from (DiffLine("same" if same else "gone", _text(row.old)) for row in stretch if row.left)
        yield from (DiffLine("new", _text(row.new)) for row in stretch if row.right and not same)


def _text(spans: Sequence[Span]) -> str:
    return "".join(text for text, _ in spans)


def word_changes(old: str, new: str) -> list[tuple[str, str]]:
    """Both texts as one, in stretches of words: "-" for removed, "+" for added, "" for equal."""
    before, after = old.split(), new.split()
    gone: list[str] = []
    came: list[str] = []
    parts: list[tuple[str, str]] = []
    for what, i, j, k, m in _matched(before, after).get_opcodes():
        # A few equal words between two changes would only make the text harder to read.
        if what == "equal" and not ((gone or came) and j - i <= ISLAND and j < len(before)):
            parts += [*_gone_and_came(gone, came), (" ".join(before[i:j]), "")]
            gone, came = [], []
        else:
            gone, came = gone + before[i:j], came + after[k:m]
    return [*parts, *_gone_and_came(gone, came)]


def _gone_and_came(gone: list[str], came: list[str]) -> list[tuple[str, str]]:
    texts = (" ".join(gone), "-"), (" ".join(came), "+")
    return [(text, sign) for text, sign in texts if text]


def _matched(old: Sequence[str], new: Sequence[str]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, old, new, autojunk=False)


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffRow]:
    for what, i, j, k, m in _matched(old, new).get_opcodes():
        if what == "equal":
            for at in range(j - i):
                line: tuple[Span, ...] = ((old[i + at], False),)
                yield DiffRow("same", i + at + 1, k + at + 1, line, line)
        else:
            yield from _differing(old[i:j], new[k:m], i + 1, k + 1)


def _differing(old: Sequence[str], new: Sequence[str], left: int, right: int) -> Iterator[DiffRow]:
    """Pair replaced lines in order; a line without a partner is alone."""
    for at in range(max(len(old), len(new))):
        if at >= len(new):
            yield DiffRow("gone", left + at, None, ((old[at], True),))
        elif at >= len(old):
            yield DiffRow("new", None, right + at, (), ((new[at], True),))
        else:
            yield DiffRow("changed", left + at, right + at, *_spans(old[at], new[at]))


def _spans(old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    before, after = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    match = _matched(before, after)
    if match.ratio() < LIKE:
        return ((old, True),), ((new, True),)
    gone: list[Span] = []
    came: list[Span] = []
    for what, i, j, k, m in match.get_opcodes():
        gone.append(("".join(before[i:j]), what != "equal"))
        came.append(("".join(after[k:m]), what != "equal"))
    return tuple(span for span in gone if span[0]), tuple(span for span in came if span[0])


def _folded(rows: Sequence[DiffRow]) -> Iterator[DiffRow]:
    changed = (at for at, row in enumerate(rows) if row.kind != "same")
    near = {at + beside for at in changed for beside in range(-CONTEXT, CONTEXT + 1)}
    for shown, group in groupby(range(len(rows)), key=near.__contains__):
        places = list(group)
        yield from (rows[at] for at in places) if shown else (DiffRow("folded", count=len(places)),)
