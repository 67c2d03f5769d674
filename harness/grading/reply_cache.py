"""Replies by question, across runs: a question that was answered once is not paid for again.

One SQLite file under runs/, safe for several processes. The key covers everything that an answer depends on
(the teacher's parameters, its address, the rendered messages, the repeat), so that an edit asks exactly the
pairs whose prompt changed. Failures are not kept.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import BadInput, Fault, HarnessError, Unfinished
from harness.nouns.base import Noun
from harness.nouns.records import Prompt, Reply
from harness.storage.databases import ENDINGS, open_database
from harness.storage.digest import digest

FILE = ".cache/replies.sqlite3"
FORMAT = 1
"""Part of every key: a new number makes all earlier entries miss."""
WAIT = 5.0
"""Seconds to wait for another process that writes."""
TOGETHER = 64
"""Answers that are written in one transaction at most: by itself, each takes a tenth of a call's time."""
TABLE = """
create table if not exists replies (
    key blob primary key, model text not null, at text not null default current_timestamp, body text not null
) without rowid
"""


class CachedReply(Noun):
    """The entry of one question: the reply that counts, and an unreadable one before it."""

    reply: Reply
    unread: Reply | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """The content of a cache: number of replies by model, and bytes on the disk."""

    replies: Mapping[str, int]
    size: int


class ReplyCache:
    """The replies of one teacher; `teacher` is the digest of everything but the messages and the repeat."""

    def __init__(self, path: Path, model: str, teacher: str) -> None:
        self._path = path
        self._model = model
        self._teacher = digest([FORMAT, model, teacher])
        path.parent.mkdir(parents=True, exist_ok=True)
        self._waiting: dict[bytes, str] = {}
        """By key: what was put and is not written yet."""
        self._connection = _open(path)

    def get(self, prompt: Prompt) -> CachedReply | None:
        """The entry for a prompt, if there is one."""
        key = self._key(prompt)
        # As bytes: a text that is not UTF-8 is as damaged as one that is not an entry.
        query = "select cast(body as blob) from replies where key = ?"
        found = self._waiting.get(key)
        bodies = [found] if found else [row[0] for row in self._fetch(query, key)]
        try:
            return CachedReply.model_validate_json(bodies[0]) if bodies else None
        except ValidationError:
            # Written by an older version, or damaged: ask again.
            return None

    def put(self, prompt: Prompt, kept: CachedReply) -> None:
        """Take an answer to keep. A kill before the next `write` loses it; so many are written at once."""
        self._waiting[self._key(prompt)] = kept.model_dump_json(exclude_none=True)
        if len(self._waiting) >= TOGETHER:
            self.write()

    def write(self) -> None:
        """Write what waits: after this call a kill does not lose it."""
        rows = [(key, self._model, body) for key, body in self._waiting.items()]
        self._waiting.clear()
        if rows:
            place = ", ".join(["(?, ?, ?)"] * len(rows))
            query = f"insert or replace into replies (key, model, body) values {place}"
            self._fetch(query, *(value for row in rows for value in row))

    def close(self) -> None:
        """Write what waits, and close the file."""
        try:
            self.write()
        finally:
            self._connection.close()

    def _fetch(self, query: str, *values: object) -> list[Any]:
        return _execute(self._connection, self._path, query, *values)

    def _key(self, prompt: Prompt) -> bytes:
        text = json.dumps([self._teacher, prompt.said, prompt.repeat])
        return hashlib.sha256(text.encode("utf-8")).digest()


def cache_stats(path: Path) -> Stats:
    """The content of a cache; empty if there is no file."""
    if not path.exists():
        return Stats({}, 0)
    with closing(_open(path)) as connection:
        query = "select model, count(*) from replies group by model order by model"
        found = dict(_execute(connection, path, query))
    beside = [path.with_name(path.name + ending) for ending in ("", "-wal")]
    return Stats(found, sum(file.stat().st_size for file in beside if file.exists()))


def clear_cache(path: Path) -> int:
    """Delete the cache and return how many replies it held; a damaged file counts as empty."""
    try:
        count = sum(cache_stats(path).replies.values())
    except HarnessError:
        count = 0
    for file in (path.with_name(path.name + ending) for ending in ENDINGS):
        if file.is_dir() and not file.is_symlink():
            try:
                file.rmdir()
            except OSError as error:
                raise BadInput([Fault(str(file), "a folder with files in it; delete it by hand")]) from error
        else:
            file.unlink(missing_ok=True)
    return count


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = open_database(path, [TABLE], wait=WAIT)
    except sqlite3.Error as error:
        raise BadInput([Fault(str(path), _what(error))]) from error
    except BadInput as error:
        raise BadInput([Fault(fault.where, _what(fault.what)) for fault in error.faults]) from error
    # The write-ahead log survives a kill; only a power cut could lose the last answers.
    connection.execute("pragma synchronous = normal")
    return connection


def _execute(connection: sqlite3.Connection, path: Path, query: str, *values: object) -> list[Any]:
    """The rows: reading them can fail as well."""
    try:
        return connection.execute(query, values).fetchall()
    except sqlite3.Error as error:
        # In the middle of a run: a full disk, or another process held the file for too long.
        raise Unfinished(f"{path}: {_what(error)}") from error


def _what(error: sqlite3.Error | str) -> str:
    return (
        f"the reply cache cannot be used ({error}); delete it with `harness cache clear`, or add --no-cache"
    )
