"""Pipes are read, more than once too; an endless one, or one that nobody writes to, ends in a sentence."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.production.pairs import files_of
from harness.storage import sources
from harness.storage.formats import READERS, read_table
from harness.storage.regular import odd_files
from harness.storage.tables import Layout

CSV = "item,query,title,grade\na,lamp,red lamp,1\nb,lamp,blue lamp,2\n"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    return path


def said(path: Path, format: str | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        list(read_table(path, Layout(format=format)).rows)
    return str(caught.value)


def write_to(path: Path, *parts: str, wait: float = 0.0) -> threading.Thread:
    def write() -> None:
        time.sleep(wait)
        with path.open("w", encoding="utf-8") as file:
            for part in parts:
                file.write(part)
                file.flush()
                time.sleep(wait)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_a_pipe_is_a_table_of_several_passes(pipe: Path) -> None:
    writer = write_to(pipe, CSV[:30], CSV[30:], wait=0.15)
    table = read_table(pipe)
    assert [[row.text("item") for row in table.rows] for _ in range(2)] == [["a", "b"]] * 2
    writer.join()


def test_a_pipe_without_a_name_can_be_read_by_two_readers() -> None:
    read, write = os.pipe()
    os.write(write, CSV.encode())
    os.close(write)
    tables = [read_table(Path(f"/dev/fd/{read}"), Layout(format="csv")) for _ in range(2)]
    os.close(read)
    assert [len(list(table.rows)) for table in tables] == [2, 2]


def test_a_pipe_that_nobody_writes_to_is_given_up(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PATIENCE", 0.3)
    assert "no program opened to write in 0.3 seconds" in said(pipe)


def test_who_has_opened_a_pipe_may_take_any_time(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PATIENCE", 0.3)
    threads = [threading.Thread(target=_slow, args=(pipe,), daemon=True)]
    threads[0].start()
    assert len(read_table(pipe).rows) == 2
    threads[0].join()


def _slow(pipe: Path) -> None:
    with pipe.open("w", encoding="utf-8") as file:
        time.sleep(0.7)
        file.write(CSV)


def test_a_pipe_without_end_is_given_up(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST", 1 << 20)

    def write() -> None:
        with pipe.open("wb") as file:
            try:
                while True:
                    file.write(b"y\n" * 4096)
            except BrokenPipeError:
                return

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert "gives more than 1 MB" in said(pipe)
    writer.join()


@pytest.mark.parametrize("format", sorted(READERS))
@pytest.mark.parametrize("link", [False, True])
def test_a_device_is_refused_at_once(tmp_path: Path, format: str, link: bool) -> None:
    path = Path("/dev/zero")
    if link:
        path = tmp_path / f"t.{format}"
        path.symlink_to("/dev/zero")
    assert "is a pipe or a device" in said(path, format)


@pytest.mark.parametrize("format", sorted(set(READERS) - {"csv", "tsv", "qrels"}))
def test_what_is_no_text_is_read_from_no_pipe(pipe: Path, format: str) -> None:
    assert "is a pipe or a device" in said(pipe, format)


def test_a_pipe_in_a_folder_of_tables_is_refused_at_once(tmp_path: Path, pipe: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV, "utf-8")
    with pytest.raises(BadInput, match=r"pipe\.csv: is not a regular file"):
        files_of(str(tmp_path))
    pipe.unlink()
    assert files_of(str(tmp_path)) == [tmp_path / "a.csv"]


def test_what_is_odd_in_a_folder_from_a_stranger_names_no_run(tmp_path: Path, pipe: Path) -> None:
    (fault,) = odd_files(tmp_path)
    assert fault.where == str(pipe) and "is not a regular file" in fault.what and "run" not in fault.what


@pytest.mark.parametrize("format", ["csv", "tsv", "qrels", "jsonl"])
def test_a_file_of_one_endless_line_is_given_up(tmp_path: Path, format: str) -> None:
    path = tmp_path / "t"
    with path.open("wb") as file:
        file.write(b"item,grade\n")
        file.truncate(1 << 32)
    assert "line 2" in said(path, format) and "the most that a line may have" in said(path, format)


@pytest.fixture
def wrong(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "t.csv"
    # The byte lies in the second piece that is decoded, in a line after one that begins in the first.
    path.write_bytes(b"item,title\n" + b"a,lamp\n" * 20_000 + b"b,caf\xe9\n")
    yield path


def test_the_place_of_a_wrong_byte_is_found_by_pieces(wrong: Path) -> None:
    assert "line 20002: not UTF-8 (byte 0xe9)" in said(wrong)
