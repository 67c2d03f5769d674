"""SQLite files that were received: nothing beside them makes SQLite touch another file."""

import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from rounds import grade

from harness.errors import BadInput
from harness.golden.rating.answers import AnswerLog
from harness.grading.reply_cache import ReplyCache, cache_stats, clear_cache
from harness.storage.databases import open_database

TABLE = "CREATE TABLE seen (x)"
MAGIC = bytes([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7])


def opened(path: Path) -> sqlite3.Connection:
    return open_database(path, [TABLE], wait=5)


def log_of(path: Path) -> None:
    with AnswerLog(path) as log:
        log.add("ann", [grade(0)])


def cache_of(path: Path) -> None:
    ReplyCache(path, "m", "t").close()


def journal_that_names(victim: Path, database: Path) -> bytes:
    """A hot rollback journal with the name of a super-journal, which SQLite deletes after the playback."""
    name = str(victim).encode()
    pages = database.stat().st_size // 4096
    head = (MAGIC + struct.pack(">IIIII", 0, 0, pages, 512, 4096)).ljust(512, b"\0")
    check = sum(byte if byte < 128 else byte - 256 for byte in name) & 0xFFFFFFFF
    page = struct.pack(">I", 0x40000000 // 4096 + 1)
    return head + page + name + struct.pack(">II", len(name), check) + MAGIC


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("made", [log_of, cache_of])
def test_a_planted_journal_deletes_nothing(tmp_path: Path, made: Callable[[Path], None], mode: int) -> None:
    path, victim = tmp_path / "answers.sqlite3", tmp_path / "thesis.txt"
    victim.write_text("precious")
    made(path)
    content = bytearray(path.read_bytes())
    content[18:20] = bytes([mode, mode])
    path.write_bytes(content)
    journal = tmp_path / "answers.sqlite3-journal"
    journal.write_bytes(journal_that_names(victim, path))
    with pytest.raises(BadInput, match="rollback journal") as caught:
        made(path)
    assert caught.value.faults[0].where == str(journal)
    assert victim.exists()
    assert journal.exists()


def test_the_planted_journal_is_one_that_works(tmp_path: Path) -> None:
    """Where nobody looks, SQLite itself deletes the file: else the test above would prove nothing."""
    path, victim = tmp_path / "answers.sqlite3", tmp_path / "thesis.txt"
    victim.write_text("precious")
    log_of(path)
    (tmp_path / "answers.sqlite3-journal").write_bytes(journal_that_names(victim, path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM sqlite_master").fetchall()
    assert not victim.exists()


def test_clearing_a_cache_takes_its_journal_along(tmp_path: Path) -> None:
    path, victim = tmp_path / "replies.sqlite3", tmp_path / "thesis.txt"
    victim.write_text("precious")
    cache_of(path)
    (tmp_path / "replies.sqlite3-journal").write_bytes(journal_that_names(victim, path))
    with pytest.raises(BadInput, match=r"rollback journal.*harness cache clear"):
        cache_stats(path)
    clear_cache(path)
    assert victim.exists()
    assert cache_stats(path).replies == {}
    cache_of(path)


def test_a_database_is_in_wal_mode_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    path.touch()  # as a kill in the first creation would leave it
    with closing(opened(path)) as connection:
        assert path.read_bytes()[18:20] == b"\2\2"
        connection.execute("INSERT INTO seen VALUES (1)")
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
        assert sorted(one.name for one in tmp_path.iterdir() if one.name[0] != ".") == [
            "a.sqlite3",
            "a.sqlite3-shm",
            "a.sqlite3-wal",
        ]
    with closing(opened(path)) as again:
        assert again.execute("SELECT x FROM seen").fetchall() == [(1,)]
        assert again.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_database_in_rollback_mode_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute(TABLE)
    with pytest.raises(BadInput, match="is not in WAL mode"):
        opened(path)
    content = bytearray(path.read_bytes())
    for versions in (b"\1\2", b"\2\1"):
        content[18:20] = versions
        path.write_bytes(content)
        with pytest.raises(BadInput, match="is not in WAL mode"):
            opened(path)


def test_no_other_file_is_attached(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "a.sqlite3")) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("ATTACH ? AS other", [str(tmp_path / "b.sqlite3")])
    assert not (tmp_path / "b.sqlite3").exists()


def test_many_who_open_it_first_make_it_once(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with closing(opened(tmp_path / "a.sqlite3")) as connection:
            connection.execute("INSERT INTO seen VALUES (?)", [number])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    with closing(opened(tmp_path / "a.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM seen").fetchall() == [(24,)]


WRITER = """
import sys
from pathlib import Path
from harness.golden.rating.answers import Answer, AnswerLog
from itertools import count
print("begins", flush=True)
for round_ in count():
    with AnswerLog(Path(sys.argv[1]) / f"{round_}.sqlite3") as log:
        log.add("ann", [Answer(event=f"event-{round_:08}", place=0, kind="grade", grade=1)])
    print(round_, flush=True)
"""


@pytest.mark.slow
def test_a_kill_while_it_is_made_leaves_what_opens_again(tmp_path: Path) -> None:
    """A killed process never leaves a rollback journal, so that one is always foreign."""
    for at in range(8):
        folder = tmp_path / str(at)
        folder.mkdir()
        command = [sys.executable, "-c", WRITER, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.02 + 0.013 * at)
            os.kill(writer.pid, signal.SIGKILL)
            confirmed = [int(line) for line in writer.stdout]
        assert not list(folder.glob("*-journal"))
        for path in folder.glob("[0-9]*.sqlite3"):
            with AnswerLog(path) as log:
                assert log.current("ann") or int(path.stem) not in confirmed
