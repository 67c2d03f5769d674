"""The answer store of a label set: its rows, its distinct pairs, and each pair's answer, on the disk.

One SQLite file. A pair is known by its digest, so that it is asked once, however often it occurs. Nothing
that grows with the set is held in memory.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from harness.errors import BadInput, Fault
from harness.nouns.pair import Pair
from harness.nouns.records import Failed, Key, Record
from harness.production.database import STORE as STORE
from harness.production.pair_store import PairStore
from harness.runs.record_log import stored_text
from harness.storage.digest import key_of_digest

PIECE = 500
"""How many pairs or rows are read at a time. No query stays open: SQLite could not empty its log then."""


class StoredPair(NamedTuple):
    """A distinct pair under its first item."""

    id: str
    pair: Pair


class PairText(NamedTuple):
    """A distinct pair as the file has it: its number, digest, first item, and the pair as JSON."""

    number: int
    digest: bytes
    item: str
    body: str


class StoredRow(NamedTuple):
    """A row of a set with its pair and the pair's answer. `first`: whether it is the pair's first row."""

    number: int
    item: str
    first: bool
    weight: float
    stratum: str | None
    position: int | None
    digest: str
    pair: str
    shot_query: bool
    record: Record | None


class AnswerStore(PairStore):
    """The store of one label set, open; a context manager. One process writes at a time: see `writing`.

    BadInput for a file that this program did not write so.
    """

    def __init__(self, path: Path, *, look: bool = False) -> None:
        """`look`: read beside the process that writes, and take nothing out."""
        super().__init__(path, look=look)
        self.models: set[str] = set()
        self.notes: tuple[str, ...] = ()
        """Notes of teachers in other processes whose answers are taken over."""
        self._numbers: dict[str, int] = {}
        try:
            self.count, self.failures = self._counts()
        except BaseException:
            self.close()
            raise

    # --- what is asked -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[StoredPair]:
        """Every distinct pair under its first item, in the order of the rows."""
        query = "SELECT number, digest, item, body FROM pairs WHERE number > ? ORDER BY number LIMIT ?"
        return map(self._pair, self._each(query))

    def unanswered(self) -> Iterator[StoredPair]:
        """The distinct pairs without an answer, as in `open`, for a student that answers without a call."""
        return map(self._read, self.open_texts())

    def open(self) -> Iterator[StoredPair]:
        """The distinct pairs without an answer."""
        return map(self._pair, self.open_texts())

    def open_texts(self, *, only_failed: bool = False) -> Iterator[PairText]:
        """The distinct pairs without an answer, as the file has them; or those that failed, alone."""
        which = "failed" if only_failed else "(pair IS NULL OR failed)"
        return self._each(
            "SELECT number, digest, item, pairs.body FROM pairs LEFT JOIN answers ON pair = number "
            f"WHERE number > ? AND {which} ORDER BY number LIMIT ?"
        )

    def _each(self, query: str) -> Iterator[PairText]:
        last = 0
        while rows := self.fetch(query, last, PIECE):
            for row in rows:
                found = PairText(*row)
                if not isinstance(found.digest, bytes) or not isinstance(found.item, str):
                    raise self.damaged(f"pair {found.number}")
                last = found.number
                yield found

    def _pair(self, found: PairText) -> StoredPair:
        """A pair that will be asked about: its number is kept until it has an answer."""
        self._numbers[found.item] = found.number
        return self._read(found)

    def _read(self, found: PairText) -> StoredPair:
        try:
            pair = Pair.model_validate_json(found.body)
        except ValidationError as error:
            raise self.damaged(f"pair {found.number}") from error
        return StoredPair(found.item, pair.with_digest(f"sha256:{found.digest.hex()}"))

    # --- answers -------------------------------------------------------------------------------------

    def append(self, record: Record, *, last: bool = True) -> None:
        """Keep a record as the pair's answer. After this call returns, a kill does not lose it."""
        self._keep(self._number_of(record.example), record, stored_text(record))
        if last:
            self._numbers.pop(record.example, None)

    def take_over(
        self, found: Iterable[tuple[Record, bytes]], kept: Callable[[Record], None] | None = None
    ) -> int:
        """Keep the answers that another process wrote, unchanged: all, or none; returns how many.

        `kept` is called with each. BadInput for a record of a pair that the set lacks.
        """
        count, before = 0, (self.count, self.failures)
        try:
            with self.transaction():
                for record, line in found:
                    self._keep(self._pair_of(record), record, line.decode("utf-8"))
                    count += 1
                    if kept:
                        kept(record)
        except BaseException:
            self.count, self.failures = before
            raise
        return count

    def _keep(self, number: int, record: Record, text: str) -> None:
        failed = isinstance(record.outcome, Failed)
        row = number, failed, text
        if not self.insert(row):
            self._replace(row)
        self.failures += failed
        self.count += not failed
        if record.reply and record.reply.model:
            self.models.add(record.reply.model)

    def _replace(self, row: tuple[int, bool, str]) -> None:
        """Store a pair's next answer; what the one before it cost still counts."""
        ((failed,),) = self.fetch("SELECT failed FROM answers WHERE pair = ?", row[0])
        keep = "INSERT INTO earlier (body) SELECT body FROM answers WHERE pair = ?"
        self.write([(keep, [row[:1]]), ("REPLACE INTO answers VALUES (?, ?, ?)", [row])])
        self.failures -= failed
        self.count -= not failed

    def holds(self, record: Record) -> bool:
        """Whether this very record is the pair's answer. BadInput for a pair that the set lacks."""
        number = self._pair_of(record)
        found = self.fetch("SELECT body FROM answers WHERE pair = ?", number)
        return bool(found) and self._record(number, found[0][0]) == record

    def _pair_of(self, record: Record) -> int:
        query = (
            "SELECT pairs.number FROM rows JOIN pairs ON pairs.number = rows.pair "
            "WHERE rows.item = ? AND pairs.digest = ?"
        )
        try:
            found = self.fetch(query, record.example, key_of_digest(record.pair))
        except ValueError:  # not a digest
            found = []
        if not found:
            raise BadInput([Fault(str(self.path), f"has no such pair as {record.example!r} of an answer")])
        return int(found[0][0])

    def is_answered(self, key: Key) -> bool:
        """Whether a pair has an answer."""
        found = self.fetch("SELECT failed FROM answers WHERE pair = ?", self._number_of(key[0]))
        return bool(found and not found[0][0])

    def has_failed(self, key: Key) -> bool:
        """Whether a pair was asked and has no answer."""
        found = self.fetch("SELECT failed FROM answers WHERE pair = ?", self._number_of(key[0]))
        return bool(found and found[0][0])

    def has_answer_to(self, digest: str) -> bool:
        """Whether there is an answer to a pair, by the pair's digest."""
        query = "SELECT 1 FROM pairs JOIN answers ON pair = number WHERE digest = ? AND NOT failed"
        return bool(self.fetch(query, key_of_digest(digest)))

    def shot_queries(self) -> int:
        """How many rows have the query of a shot."""
        query = "SELECT COUNT(*) FROM rows JOIN pairs ON pairs.number = pair WHERE shot_query"
        return int(self.fetch(query)[0][0])

    def records(self) -> Iterator[Record]:
        """Every record; the last one of a key counts."""
        for table, key in (("earlier", "number"), ("answers", "pair")):
            last = 0
            query = f"SELECT {key}, body FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"
            while rows := self.fetch(query, last, PIECE):
                for last, body in rows:
                    yield self._record(last, body)

    def labelled(self, after: int, most: int) -> list[StoredRow]:
        """At most so many rows after a row's number, each with its answer."""
        query = (
            "SELECT rows.number, rows.item, first, weight, stratum, position, digest, pairs.body, "
            "shot_query, answers.body FROM rows JOIN pairs ON pairs.number = rows.pair "
            "LEFT JOIN answers ON answers.pair = rows.pair WHERE rows.number > ? ORDER BY rows.number LIMIT ?"
        )
        return [self._row(*found) for found in self.fetch(query, after, most)]

    def _row(
        self, number: int, item: Any, first: int, weight: Any, stratum: Any, position: Any, digest: Any,
        pair: Any, shot_query: int, body: str | None,
    ) -> StoredRow:  # fmt: skip
        """A row as the tables have it; their columns accept values of any type."""
        texts = all(isinstance(one, str) for one in (item, pair, stratum or ""))
        numbers = isinstance(weight, float) and isinstance(position or 0, int)
        if not texts or not numbers or not isinstance(digest, bytes):
            raise self.damaged(f"row {number}")
        record = None if body is None else self._record(number, body)
        return StoredRow(
            number, item, bool(first), weight, stratum, position, f"sha256:{digest.hex()}", pair,
            bool(shot_query), record,
        )  # fmt: skip

    def _number_of(self, item: str) -> int:
        known = self._numbers.get(item)
        if known is None:
            row = self.row_of(item)
            assert row is not None, "only pairs of the set are asked about"
            known = row[1]
        return known

    def _record(self, number: int, body: str) -> Record:
        try:
            return Record.model_validate_json(body)
        except ValidationError as error:
            raise self.damaged(f"answer {number}") from error

    def _counts(self) -> tuple[int, int]:
        ((every, failed),) = self.fetch("SELECT COUNT(*), COALESCE(SUM(failed), 0) FROM answers")
        return every - failed, failed
