"""Texts as numbers, and pairs of texts found by them: what is held for a pair does not grow with its texts.

Multilinear hashing (Carter & Wegman 1979; Lemire & Kaser 2014) modulo 2^64: the sum of (byte + 1) times a
factor of its place, over the factors that each run draws anew. Two different texts have the same sum with a
chance of 2^-56 at most, and the same two sums (one of which is kept to its upper 32 bits) of 2^-80.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.stats.agreement import Integers

STEP = 1 << 18
"""Bytes that are hashed at a time, so that what is needed on the way stays in the processor's cache."""
Hashes = NDArray[np.uint64]


class TextHash:
    """Two sums of each text, by factors of its own."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng()
        self._factors = self._drawn(64)

    def _drawn(self, count: int) -> Hashes:
        return self._chance.integers(0, 1 << 64, (2, count), dtype=np.uint64)

    def of(self, texts: Any) -> Hashes:
        """The sums (2 x n) of a pyarrow array of texts; 0 of a text without letters."""
        same = _as_before(texts)
        starts = np.flatnonzero(~same)
        if 2 * len(starts) > len(texts):
            return self._sums(texts)
        # Results of one search stand together: its query is summed once.
        lengths = np.diff(np.r_[starts, len(texts)])
        return np.repeat(self._sums(texts.take(starts)), lengths, axis=1)

    def _sums(self, texts: Any) -> Hashes:
        offsets, letters = _buffers(texts)
        longest = int(np.diff(offsets).max(initial=0))
        if longest > self._factors.shape[1]:
            self._factors = np.hstack([self._factors, self._drawn(2 * longest)])
        found: Hashes = np.zeros((2, len(texts)), dtype=np.uint64)
        start = 0
        while start < len(texts):
            stop = max(start + 1, int(np.searchsorted(offsets, offsets[start] + STEP, side="right")) - 1)
            self._add(found[:, start:stop], offsets[start : stop + 1], letters)
            start = stop
        return found

    def _add(self, found: Hashes, offsets: Integers, letters: NDArray[np.uint8]) -> None:
        lengths = np.diff(offsets)
        there = lengths > 0
        begin = (offsets[:-1] - offsets[0])[there]
        if not len(begin):
            return
        values = letters[offsets[0] : offsets[-1]].astype(np.uint64) + np.uint64(1)
        place = np.arange(len(values)) - np.repeat(begin, lengths[there])
        for sums, factors in zip(found, self._factors, strict=True):
            sums[there] = np.add.reduceat(factors[place] * values, begin)


def _as_before(texts: Any) -> NDArray[np.bool_]:
    """Whether each text is the same as the one before it."""
    import pyarrow.compute as pc

    found = np.zeros(len(texts), dtype=bool)
    if len(texts) > 1:
        same = pc.equal(texts.slice(1), texts.slice(0, len(texts) - 1))
        found[1:] = pc.fill_null(same, False).to_numpy(zero_copy_only=False)
    return found


def _buffers(texts: Any) -> tuple[Integers, NDArray[np.uint8]]:
    """Where each text begins and ends in the bytes, and the bytes."""
    import pyarrow.types as of

    _, places, letters = texts.buffers()
    wide = np.int64 if of.is_large_string(texts.type) else np.int32
    if places is None or not len(texts):
        return np.zeros(len(texts) + 1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    offsets = np.frombuffer(places, dtype=wide)[texts.offset : texts.offset + len(texts) + 1]
    held = np.zeros(0, dtype=np.uint8) if letters is None else np.frombuffer(letters, dtype=np.uint8)
    return offsets.astype(np.int64), held


def whole(column: Any) -> Any:
    """A column as one pyarrow array."""
    return column.combine_chunks() if hasattr(column, "chunks") else column


class PairHash:
    """Pairs of texts as a number and a check of 32 bits."""

    def __init__(self) -> None:
        self.queries, self._items = TextHash(), TextHash()

    def of(self, queries: Any, items: Any) -> tuple[Hashes, NDArray[np.uint32]]:
        """The numbers and checks of pairs."""
        number, check = self.queries.of(queries) + self._items.of(items)
        return number, (check >> np.uint64(32)).astype(np.uint32)


class PairIndex(NamedTuple):
    """Finds the known pair of a hash: the numbers in order, each with its check and its place."""

    numbers: Hashes
    checks: NDArray[np.uint32]
    places: NDArray[np.int32]

    @classmethod
    def over(cls, numbers: Hashes, checks: NDArray[np.uint32]) -> "PairIndex":
        """An index over pairs in their order; of a pair that comes twice the first place counts."""
        order = np.argsort(numbers, kind="stable").astype(np.int32)
        return cls(numbers[order], checks[order], order)

    def find(self, numbers: Hashes, checks: NDArray[np.uint32]) -> Integers:
        """The place of each pair, -1 for one that is none of these."""
        if not len(self.numbers):
            return np.full(len(numbers), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        there = (self.numbers[at] == numbers) & (self.checks[at] == checks)
        return np.where(there, self.places[at], -1).astype(np.int64)
