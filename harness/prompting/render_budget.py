"""The budget of one rendering of a template: characters made, and time."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from jinja2 import Undefined
from jinja2.exceptions import TemplateRuntimeError

from harness.prompting.plain import PlainData

LETTERS: Final = 16_000_000
"""The most characters that one rendering may make: about four million tokens."""
SECONDS: Final = 5.0
"""The most CPU time of one rendering, in seconds."""
ENTRY: Final = 64
"""The cost of a list entry, in characters: about the memory of the entry and of a short text in it."""


class TooMuch(TemplateRuntimeError):
    """The template exceeds its budget."""


class RenderBudget:
    """The rest of the budget. Everything that a template makes is counted before or while it is made."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Reset the budget for a new rendering."""
        self._left = LETTERS
        self._until = time.thread_time() + SECONDS

    def spend(self, letters: int = 1) -> None:
        """Count characters made or about to be made. TooMuch if the budget is spent."""
        self._left -= letters
        if self._left < 0:
            raise TooMuch(f"makes more than {LETTERS:,} characters: write less, or nest fewer loops")
        if time.thread_time() > self._until:
            raise TooMuch(f"takes more than {SECONDS:g} seconds: nest fewer loops")

    def spend_all(self, sizes: Iterable[int]) -> None:
        left = self._left
        for size in sizes:
            left -= size
            if left < 0:
                break
        self.spend(self._left - left)

    def text(self, value: Any) -> str:
        """Count a value that is written out. A table can be written as JSON only."""
        if not isinstance(value, str | int | float | list | tuple | dict | Undefined | None):
            raise TemplateRuntimeError(f"a {type(value).__name__} cannot be written")
        if not isinstance(value, str | Undefined):
            self.spend_all(sizes_of(value, texts=True))
        text = str(value)
        self.spend(len(text))
        return text

    def joined(self, parts: Iterable[str]) -> str:
        """One text of parts, each counted when it is made."""
        texts = []
        for part in parts:
            self.spend(len(part))
            texts.append(part)
        return "".join(texts)

    def ticking(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values, each counted when taken."""
        for value in values:
            self.spend()
            yield value


class Turns(list[Any]):
    """The values of a loop; every iteration checks the time."""

    def __init__(self, budget: RenderBudget, values: Iterable[Any]) -> None:
        super().__init__(budget.ticking(values))
        self._budget = budget

    def __iter__(self) -> Iterator[Any]:
        return self._budget.ticking(super().__iter__())


def sizes_of(value: Any, *, texts: bool = False) -> Iterator[int]:
    """The size of a value, part by part: nested lists can repeat a list exponentially often.

    `texts`: the value is written as text, which a table cannot be.
    """
    todo = [value]
    while todo:
        one = todo.pop()
        if texts and isinstance(one, PlainData | Undefined):
            str(one if isinstance(one, Undefined) else "")
            raise TemplateRuntimeError(f"the {one.kind} is a table: write it | json, or one of its values")
        yield ENTRY + (len(one) if isinstance(one, str) else one.weight if isinstance(one, PlainData) else 0)
        if isinstance(one, dict) and not isinstance(one, PlainData):
            todo += (*one, *one.values())
        elif isinstance(one, list | tuple):
            todo += one
