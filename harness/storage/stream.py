"""Streams: values that are read one by one on each iteration instead of being held in memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream(Generic[T]):
    """A known number of values, read again by every iteration."""

    def __init__(self, read: Callable[[], Iterable[T]] = tuple, count: int = 0) -> None:
        self._read = read
        self._count = count

    def __iter__(self) -> Iterator[T]:
        return iter(self._read())

    def __len__(self) -> int:
        return self._count
