"""What changed between two texts, line by line, for a page."""

import difflib
from collections.abc import Iterator
from typing import NamedTuple

AROUND = 3


class Line(NamedTuple):
    """A line of a difference: `gone`, `new`, `same`, or `place` where some that are the same are left out."""

    kind: str
    text: str


def diff_lines(before: str, after: str) -> list[Line]:
    """The changed lines, each with a few around it; nothing where the two are the same."""
    return list(_lines(before.splitlines(), after.splitlines()))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    kinds = {"-": "gone", "+": "new", " ": "same"}
    found = difflib.unified_diff(before, after, lineterm="", n=AROUND)
    for at, line in enumerate(found):
        if at < 2:
            continue  # the names of two files, which these are not
        if line.startswith("@@"):
            yield Line("place", _place(line))
        else:
            yield Line(kinds[line[0]], line[1:])


def _place(head: str) -> str:
    """Where a group of lines begins, from `@@ -25,13 +25,546 @@`."""
    before, after = (part[1:].partition(",")[0] for part in head.strip("@ ").split())
    return f"from line {before}" + (f", now {after}" if after != before else "")
