"""What one rendering of a template may take: letters that are made, and time."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from jinja2 import Undefined
from jinja2.exceptions import TemplateRuntimeError

from harness.prompting.plain import Data

LETTERS: Final = 16_000_000
"""What one rendering may make, in letters: some four million tokens."""
SECONDS: Final = 5.0
"""Time of the processor that one rendering may take."""
ENTRY: Final = 8
"""What an entry of a list counts, in letters."""


class TooMuch(TemplateRuntimeError):
    """The template takes more than a prompt can need."""


class RenderBudget:
    """What is left of it. Whatever a template makes is counted before or as it is made."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new rendering, with the whole budget."""
        self._left = LETTERS
        self._until = time.thread_time() + SECONDS

    def spend(self, letters: int = 1) -> None:
        """Count what is made, or what is about to be. TooMuch where the budget is spent."""
        self._left -= letters
        if self._left < 0:
            raise TooMuch(f"makes more than {LETTERS:,} letters: write less, or fewer loops in loops")
        if time.thread_time() > self._until:
            raise TooMuch(f"takes more than {SECONDS:g} seconds: write fewer loops in loops")

    def spend_all(self, sizes: Iterable[int]) -> None:
        left = self._left
        for size in sizes:
            left -= size
            if left < 0:
                break
        self.spend(self._left - left)

    def text(self, value: Any) -> str:
        """A value as it is written, counted. A table of ours has no form but JSON."""
        if not isinstance(value, str | int | float | list | tuple | dict | Undefined | None):
            raise TemplateRuntimeError(f"a {type(value).__name__} cannot be written")
        if not isinstance(value, str | Undefined):
            self.spend_all(sizes_of(value, texts=True))
        text = str(value)
        self.spend(len(text))
        return text

    def ticking(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values, each counted as it is taken."""
        for value in values:
            self.spend()
            yield value


class Turns(list[Any]):
    """What a loop goes over; every turn looks at the clock."""

    def __init__(self, budget: RenderBudget, values: Iterable[Any]) -> None:
        super().__init__(budget.ticking(values))
        self._budget = budget

    def __iter__(self) -> Iterator[Any]:
        return self._budget.ticking(super().__iter__())


def sizes_of(value: Any, *, texts: bool = False) -> Iterator[int]:
    """What a value counts, part by part: a list can hold another twice, and that one too, forty times over.

    `texts`: it is to be written, which a table of ours is not.
    """
    todo = [value]
    while todo:
        one = todo.pop()
        if texts and isinstance(one, Data | Undefined):
            str(one if isinstance(one, Undefined) else "")
            raise TemplateRuntimeError(f"the {one.kind} is a table: write it | json, or one of its values")
        yield len(one) if isinstance(one, str) else ENTRY
        if isinstance(one, dict) and not isinstance(one, Data):
            todo += (*one, *one.values())
        elif isinstance(one, list | tuple):
            todo += one
        elif isinstance(one, int):
            yield one.bit_length() // 8
