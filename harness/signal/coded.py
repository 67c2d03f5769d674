"""Values that many pairs share, such as clauses: each value once, and a small number for each pair."""

from array import array
from collections.abc import Hashable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.stats.agreement import Integers

T = TypeVar("T", bound=Hashable)
Small = NDArray[np.integer[Any]]
"""Whole numbers of a small type, since there is one for each pair or test."""


class Coded(Generic[T]):
    """Values in their order; each distinct value is held once."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self._codes = array("I")
        self._values: list[T] = []

    def append(self, value: T) -> None:
        """Append a value."""
        number = self._numbers.setdefault(value, len(self._numbers))
        if number == len(self._values):
            self._values.append(value)
        self._codes.append(number)

    def __getitem__(self, at: int) -> T:
        return self._values[self._codes[at]]

    def members(self, at: Small) -> Iterator[tuple[T, Integers]]:
        """Each different value of these entries, with the positions in `at` that have it, in order."""
        codes = np.frombuffer(self._codes, dtype=np.uint32)[at]
        # Mostly there are few values, and numpy sorts small numbers in linear time.
        small = codes.astype(np.min_scalar_type(len(self._values)))
        order = np.argsort(small, kind="stable")
        ends = np.cumsum(np.bincount(small, minlength=len(self._values)))
        for value, part in zip(self._values, np.split(order, ends[:-1]), strict=True):
            if len(part):
                yield value, part
