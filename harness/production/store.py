"""The answer store of a label set: its rows, its distinct pairs, and each pair's answer, on the disk.

One SQLite file. A pair is known by its digest, so that it is asked once, however often it occurs. Nothing
that grows with the set is held in memory.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import PrivateAttr, ValidationError

from harness.errors import BadInput, Fault, Unfinished
from harness.nouns.pair import Pair
from harness.nouns.records import Failed, Key, Record
from harness.runs.label_manifest import Source
from harness.runs.pairs import ShownPair
from harness.runs.record_log import without_texts
from harness.storage.databases import open_database
from harness.storage.regular import LONGEST_LINE

STORE = "answers.sqlite3"
WAIT = 10.0
"""Seconds to wait for another process that reads the file."""
MOST = 1 << 40
"""The most bytes of the file. It is read in pages, so that a long one takes no more memory."""
PIECE = 500
"""Pairs or rows that are read at a time. No reading stays open, since the log could not be emptied then."""
_TABLES = (
    "CREATE TABLE sources (number INTEGER PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL, "
    "size INTEGER NOT NULL, before INTEGER NOT NULL, rows INTEGER NOT NULL)",
    "CREATE TABLE pairs (number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, item TEXT NOT NULL, "
    "body TEXT NOT NULL, shot_query INTEGER NOT NULL)",
    "CREATE TABLE rows (number INTEGER PRIMARY KEY, item TEXT NOT NULL UNIQUE, pair INTEGER NOT NULL, "
    "first INTEGER NOT NULL, weight REAL NOT NULL, stratum TEXT, position INTEGER)",
    "CREATE TABLE answers (pair INTEGER PRIMARY KEY, failed INTEGER NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE earlier (number INTEGER PRIMARY KEY, body TEXT NOT NULL)",
)


class StoredPair(ShownPair):
    """A distinct pair under its first item, with the pair as it was read."""

    _own: Pair = PrivateAttr()

    @classmethod
    def of(cls, item: str, pair: Pair) -> "StoredPair":
        """A pair that was checked when it was taken in."""
        made = cls.model_construct(id=item, query=pair.query, result=pair.result, context=pair.context)
        made._own = pair
        return made

    @property
    def pair(self) -> Pair:
        """What a teacher may see of it."""
        return self._own


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


def key_of_digest(digest: str) -> bytes:
    """A pair's digest as the file has it."""
    return bytes.fromhex(digest.removeprefix("sha256:"))


class AnswerStore:
    """The store of one label set, open; a context manager. One process writes at a time: see `writing`.

    Rows and pairs of a source that was not accepted, as after a kill, are taken out again when it is opened.
    BadInput for a file that this program did not write so.
    """

    def __init__(self, path: Path, *, look: bool = False) -> None:
        """`look`: read beside the process that writes, and take nothing out."""
        self.path = path
        self.models: set[str] = set()
        self._connection = _open(path)
        self._numbers: dict[str, int] = {}
        try:
            self.rows, self.pairs = self._accepted()
            if not look:
                self.take_back()
            self.count, self.failures = self._counts()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    # --- rows and pairs ------------------------------------------------------------------------------

    def sources(self) -> tuple[Source, ...]:
        """The files whose pairs are in the set, in the order of adding."""
        query = "SELECT path, digest, size, before, rows FROM sources ORDER BY number"
        names = ("path", "digest", "size", "before", "rows")
        found = self._fetch(query)
        try:
            return tuple(Source(**dict(zip(names, row, strict=True))) for row in found)
        except ValidationError as error:
            raise self._damaged("a source") from error

    def take_back(self) -> None:
        """Take out the rows and pairs of a source that was not accepted."""
        self.rows, self.pairs = self._accepted()
        self._write(
            [
                ("DELETE FROM rows WHERE number > ?", [(self.rows,)]),
                ("DELETE FROM pairs WHERE number > ?", [(self.pairs,)]),
            ]
        )

    def _accepted(self) -> tuple[int, int]:
        """The rows and pairs of the sources that were accepted."""
        ((rows,),) = self._fetch("SELECT COALESCE(SUM(rows), 0) FROM sources")
        ((pairs,),) = self._fetch("SELECT MAX(pair) FROM rows WHERE number <= ?", rows)
        return rows, pairs or 0

    def accept(self, sources: Sequence[Source]) -> None:
        """Keep what was added since the last time: it comes from these files."""
        added = [(one.path, one.digest, one.size, one.before, one.rows) for one in sources]
        query = "INSERT INTO sources (path, digest, size, before, rows) VALUES (?, ?, ?, ?, ?)"
        self._write([(query, added)])

    def numbers_of(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        """The numbers of those pairs that are there; looked up in their order, as the file has them."""
        query = "SELECT number FROM pairs WHERE digest = ?"
        found = ((one, self._fetch(query, one)) for one in sorted(digests))
        return {one: rows[0][0] for one, rows in found if rows}

    def row_of(self, item: str) -> tuple[int, int, float, str | None, int | None] | None:
        """A row's number, pair, weight, stratum and position, by its item; None where there is none."""
        query = "SELECT number, pair, weight, stratum, position FROM rows WHERE item = ?"
        found = self._fetch(query, item)
        return found[0] if found else None

    def add(self, pairs: Sequence[tuple[Any, ...]], rows: Sequence[tuple[Any, ...]]) -> None:
        """Add pairs and rows, each as the values of its table."""
        self._write(
            [
                ("INSERT INTO pairs VALUES (?, ?, ?, ?, ?)", sorted(pairs, key=lambda one: one[1])),
                ("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", sorted(rows, key=lambda one: one[1])),
            ]
        )
        self.rows, self.pairs = self.rows + len(rows), self.pairs + len(pairs)

    # --- what is asked -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[ShownPair]:
        """Every distinct pair under its first item, in the order of the rows."""
        return self._each(
            "SELECT number, digest, item, body FROM pairs WHERE number > ? ORDER BY number LIMIT ?"
        )

    def open(self) -> Iterator[ShownPair]:
        """The distinct pairs without an answer."""
        return self._each(
            "SELECT number, digest, item, pairs.body FROM pairs LEFT JOIN answers ON pair = number "
            "WHERE number > ? AND (pair IS NULL OR failed) ORDER BY number LIMIT ?"
        )

    def _each(self, query: str) -> Iterator[ShownPair]:
        last = 0
        while rows := self._fetch(query, last, PIECE):
            for number, digest, item, body in rows:
                pair = self._pair(number, digest, body)
                self._numbers[item] = last = number
                yield StoredPair.of(item, pair)

    def _pair(self, number: int, digest: bytes, body: str) -> Pair:
        try:
            pair = Pair.model_validate_json(body)
        except ValidationError as error:
            raise self._damaged(f"pair {number}") from error
        # It was the pair's when it was taken in: made of the same text again, it takes as long as the rest.
        pair.__dict__["digest"] = f"sha256:{digest.hex()}"
        return pair

    # --- answers -------------------------------------------------------------------------------------

    def append(self, record: Record, *, last: bool = True) -> None:
        """Keep a record as the pair's answer; after this call a kill does not lose it."""
        number = self._number_of(record.example)
        failed = isinstance(record.outcome, Failed)
        row = number, failed, _body(record)
        if not self._insert(row):
            self._replace(row)
        if last:
            self._numbers.pop(record.example, None)
        self.failures += failed
        self.count += not failed
        if record.reply and record.reply.model:
            self.models.add(record.reply.model)

    def _insert(self, row: tuple[int, bool, str]) -> bool:
        """Whether a pair's first answer was stored; one statement is a transaction of its own."""
        try:
            self._connection.execute("INSERT INTO answers VALUES (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            return False
        except sqlite3.Error as error:
            raise self._not_stored(error) from error
        return True

    def _replace(self, row: tuple[int, bool, str]) -> None:
        """Store a pair's next answer; what the one before it cost still counts."""
        ((failed,),) = self._fetch("SELECT failed FROM answers WHERE pair = ?", row[0])
        keep = "INSERT INTO earlier (body) SELECT body FROM answers WHERE pair = ?"
        self._write([(keep, [row[:1]]), ("REPLACE INTO answers VALUES (?, ?, ?)", [row])])
        self.failures -= failed
        self.count -= not failed

    def is_answered(self, key: Key) -> bool:
        """Whether a pair has an answer."""
        found = self._fetch("SELECT failed FROM answers WHERE pair = ?", self._number_of(key[0]))
        return bool(found and not found[0][0])

    def has_failed(self, key: Key) -> bool:
        """Whether a pair was asked and has no answer."""
        found = self._fetch("SELECT failed FROM answers WHERE pair = ?", self._number_of(key[0]))
        return bool(found and found[0][0])

    def has_answer_to(self, digest: str) -> bool:
        """Whether there is an answer to a pair, by the pair's digest."""
        query = "SELECT 1 FROM pairs JOIN answers ON pair = number WHERE digest = ? AND NOT failed"
        return bool(self._fetch(query, key_of_digest(digest)))

    def shot_queries(self) -> int:
        """How many rows have the query of a shot."""
        query = "SELECT COUNT(*) FROM rows JOIN pairs ON pairs.number = pair WHERE shot_query"
        return int(self._fetch(query)[0][0])

    def records(self) -> Iterator[Record]:
        """Every record; the last one of a key counts."""
        for table, key in (("earlier", "number"), ("answers", "pair")):
            last = 0
            query = f"SELECT {key}, body FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"
            while rows := self._fetch(query, last, PIECE):
                for last, body in rows:
                    yield self._record(last, body)

    def labelled(self, after: int, most: int) -> list[StoredRow]:
        """At most so many rows after a row's number, each with its answer."""
        query = (
            "SELECT rows.number, rows.item, first, weight, stratum, position, digest, pairs.body, "
            "shot_query, answers.body FROM rows JOIN pairs ON pairs.number = rows.pair "
            "LEFT JOIN answers ON answers.pair = rows.pair WHERE rows.number > ? ORDER BY rows.number LIMIT ?"
        )
        return [self._row(*found) for found in self._fetch(query, after, most)]

    def _row(
        self, number: int, item: Any, first: int, weight: Any, stratum: Any, position: Any, digest: Any,
        pair: Any, shot_query: int, body: str | None,
    ) -> StoredRow:  # fmt: skip
        """A row as the tables have it, whose columns take values of any type."""
        texts = all(isinstance(one, str) for one in (item, pair, stratum or ""))
        numbers = isinstance(weight, float) and isinstance(position or 0, int)
        if not texts or not numbers or not isinstance(digest, bytes):
            raise self._damaged(f"row {number}")
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
            raise self._damaged(f"answer {number}") from error

    def _counts(self) -> tuple[int, int]:
        ((every, failed),) = self._fetch("SELECT COUNT(*), COALESCE(SUM(failed), 0) FROM answers")
        return every - failed, failed

    # --- the file ------------------------------------------------------------------------------------

    def _damaged(self, what: str) -> BadInput:
        return BadInput([Fault(f"{self.path}, {what}", "is damaged; restore the file, or label anew")])

    def _not_stored(self, error: sqlite3.Error) -> Unfinished:
        return Unfinished(f"{self.path}: the answers were not stored ({error})")

    def _fetch(self, query: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            if "locked" in str(error):
                raise Unfinished(f"{self.path}: another process holds the file; try again") from error
            raise _refused(self.path, error) from error

    def _write(self, writes: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> None:
        """In one transaction. In WAL mode a commit survives a kill without a sync of its own."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for query, values in writes:
                self._connection.executemany(query, values)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._not_stored(error) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _body(record: Record) -> str:
    body = record.model_dump_json(exclude_none=True)
    if len(body) * 4 > LONGEST_LINE and (size := len(body.encode("utf-8"))) > LONGEST_LINE:
        body = without_texts(record, size).model_dump_json(exclude_none=True)
    return body


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = open_database(path, _TABLES, wait=WAIT, most=MOST)
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged name in a message is no UTF-8
        raise _refused(path, error) from error
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_LINE)
    # The log is synced when it is emptied: a kill loses nothing, a power cut at most the log's answers.
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _refused(path: Path, error: Exception) -> BadInput:
    return BadInput([Fault(str(path), f"cannot be read as the answers of a label set ({error}); restore it")])
