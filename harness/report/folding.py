"""Texts whose long words are folded at their separators, and never cut."""

import re
from itertools import accumulate
from typing import Any, Self

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.containers import Lines
from rich.text import Span, Text

from harness.storage.visible import visible


class FoldedText(Text):
    """A text that is folded between words or, if a word is too long, at its separators.

    `openai/gpt-6-luna` is folded after `/` or `-`; Rich would fold it anywhere, or cut it in a table.
    """

    @classmethod
    def of(cls, text: Text) -> Self:
        """The same text as a folded text, with control characters escaped: folded later, escapes run over."""
        plain, spans = text.plain, text.spans
        if not plain.isprintable() and (shown := visible(plain)) != plain:
            at = [0, *accumulate(len(visible(letter)) for letter in plain)]
            plain, spans = shown, [Span(at[one.start], at[one.end], one.style) for one in spans]
        return cls(
            plain,
            text.style,
            justify=text.justify,
            overflow=text.overflow,
            no_wrap=text.no_wrap,
            end=text.end,
            tab_size=text.tab_size,
            spans=spans,
        )

    def wrap(self, console: Console, width: int, *, no_wrap: bool | None = None, **options: Any) -> Lines:
        """The text as lines of at most `width` columns."""
        if no_wrap or self.no_wrap:
            return super().wrap(console, width, no_wrap=True, **options)
        folds = {**options, "overflow": "fold"}
        if all(cell_len(line) <= width for line in self.plain.split("\n")):
            return super().wrap(console, width, **folds)
        lines = Lines()
        for line in self.split(allow_blank=True):
            for part in line.divide(_breaks(line.plain, width)):
                part.rstrip_end(width)
                lines.extend(part.wrap(console, width, **folds))
        return lines


def _breaks(text: str, width: int) -> list[int]:
    """Where to begin a new line."""
    breaks, at, taken = [], 0, 0
    for piece in _pieces(text, width):
        if taken and taken + cell_len(piece.rstrip()) > width:
            breaks.append(at)
            taken = 0
        at, taken = at + len(piece), taken + cell_len(piece)
    return breaks


def _pieces(text: str, width: int) -> list[str]:
    """The words. A word that is too long is split after its separators, or where it fits."""
    pieces: list[str] = []
    for word in re.findall(r"\s*\S+\s*", text):
        parts = (
            [word] if cell_len(word.strip()) <= width else re.findall(r"[^-/@+_:]+[-/@+_:]*|[-/@+_:]+", word)
        )
        pieces += [chunk for part in parts for chunk in _chunks(part, width)]
    return pieces


def _chunks(part: str, width: int) -> list[str]:
    return [part] if cell_len(part.strip()) <= width else chop_cells(part, width)
