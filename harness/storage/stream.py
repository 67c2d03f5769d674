"""Streams: values too many to be held, read one by one whenever they are gone through."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream(Generic[T]):
    """So many values, read anew by every loop over them."""

    def __init__(self, read: Callable[[], Iterable[T]] = tuple, count: int = 0) -> None:
        self._read = read
        self._count = count

    def __iter__(self) -> Iterator[T]:
        return iter(self._read())

    def __len__(self) -> int:
        return self._count
