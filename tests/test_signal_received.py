"""Logs that somebody sends: other Unicode forms, JSON that is too deep, files out of proportion, pipes."""

import io
import json
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import harness
from production import write_csv
from test_signal import COUNTS, SCALE, files, refused, shown, signalled, ubi
from test_watch import few
from watching import write_history

from harness.storage import parquet
from harness.storage.shallow import DEEPEST, NotShallow, ShallowLines

Form = Literal["NFC", "NFD"]
DEEP = "[" * 20_000 + "]" * 20_000


def renamed(rows: Sequence[Mapping[str, Any]], form: Form) -> list[dict[str, Any]]:
    """The rows with an accent in each name, in this Unicode form."""
    return [
        {
            name: unicodedata.normalize(form, value.replace("thing", "thé").replace("p", "é"))
            if name in ("query", "item")
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


@pytest.mark.parametrize("labelled", ["NFC", "NFD"])
def test_the_unicode_form_does_not_matter_whoever_reads_the_rows(tmp_path: Path, labelled: Form) -> None:
    rows = shown(4, 40)
    _, flag, labels = files(tmp_path, renamed(rows, labelled))
    found: dict[str, Any] = {}
    forms: tuple[Form, ...] = ("NFC", "NFD")
    for form in forms:
        log = write_csv(tmp_path / f"{form}.csv", COUNTS, renamed(rows, form))
        semi = tmp_path / f"{form}-semi.csv"
        semi.write_text(log.read_text("utf-8").replace(",", ";"), "utf-8")
        found |= {one.name: signalled(one, flag, labels, *SCALE) for one in (log, semi)}
    whole = found["NFC.csv"]
    assert whole["counts"]["ungraded_views"] == 0 and whole["counts"]["views"] == 4 * 24 * 40
    assert all({**one, "log": whole["log"]} == whole for one in found.values())


def test_the_unicode_form_of_ubi_does_not_matter(tmp_path: Path) -> None:
    rows = shown(6)
    _, flag, labels = files(tmp_path, renamed(rows, "NFC"))
    events, queries = ubi(tmp_path, rows, "012345", 120)
    found = []
    forms: tuple[Form, ...] = ("NFC", "NFD")
    for path in (events, queries):
        text = path.read_text("utf-8").replace("thing", "thé").replace('"p', '"é')
        path.write_text(text.replace('"éosition', '"position'), "utf-8")
    for form in forms:
        for path in (events, queries):
            path.write_text(unicodedata.normalize(form, path.read_text("utf-8")), "utf-8")
        found.append(signalled(events, "--queries", queries, flag, labels, *SCALE))
    assert found[0] == found[1] and found[0]["counts"]["ungraded_views"] == 0


@pytest.mark.parametrize("where", ["log", "events", "queries"])
def test_json_that_is_too_deep_is_a_fault_and_no_crash(tmp_path: Path, where: str) -> None:
    rows = shown(6)
    _, flag, labels = files(tmp_path, rows)
    events, queries = ubi(tmp_path, rows, "012345", 120)
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({name: row[name] for name in COUNTS}) + "\n" for row in rows), "utf-8")
    path = {"log": log, "events": events, "queries": queries}[where]
    lines = path.read_text("utf-8").splitlines()
    name = "event_attributes" if where == "events" else "ignored"
    lines[4] = lines[4].removesuffix("}") + f', "{name}": {DEEP}}}'
    if name == "event_attributes":
        lines[4] = json.dumps({"query_id": "a", "action_name": "click"})[:-1] + f', "{name}": {DEEP}}}'
    path.write_text("\n".join(lines) + "\n", "utf-8")
    beside = () if where == "log" else ("--queries", queries)
    said = refused(log if where == "log" else events, *beside, flag, labels, *SCALE)
    assert f"{path.name}, line 5" in said and "too deep" in said


def shallow(text: bytes, step: int) -> bytes:
    lines = ShallowLines(io.BytesIO(text))
    return b"".join(iter(lambda: lines.read(step), b""))


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_what_the_parser_may_see(step: int) -> None:
    most = b'{"a": ' + b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1) + b"}"
    wide = b'{"a": [' + b",".join([b"[]"] * 200) + b"]}"
    signs = b'{"a": "\\"' + b"[" * 200 + b'"}'
    fine = b"\r\n".join([most, b"", wide, signs])
    assert shallow(fine, step) == fine
    deeper = most.replace(b": [", b": [[").replace(b"]}", b"]]}")
    over_lines = b'{"a":\n' + b"[\n" * 200
    for odd in (deeper, deeper + b"\n", over_lines, b'{"a": 1', b"[1]\n", deeper[: DEEPEST + 20]):
        with pytest.raises(NotShallow):
            shallow(fine + b"\n" + odd, step)


def test_a_log_of_rows_out_of_proportion_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = shown(4)
    _, flag, labels = files(tmp_path, rows)
    plain = pa.Table.from_pylist([{name: row[name] for name in COUNTS} for row in rows])
    path = tmp_path / "log.parquet"
    pq.write_table(plain.append_column("ignored", pa.nulls(plain.num_rows)), path)
    monkeypatch.setattr(parquet, "MOST_CELLS", 0)
    # The five columns that are read: what else is there does not count.
    monkeypatch.setattr(parquet, "LEAST_CELLS", len(rows) * 5)
    assert signalled(path, flag, labels, *SCALE)["counts"]["rows"] == len(rows)
    monkeypatch.setattr(parquet, "LEAST_CELLS", len(rows) * 5 - 1)
    assert "log.parquet: 96 rows of 5 columns are more than 479 cells" in refused(path, flag, labels, *SCALE)


def _give(handle: int, data: bytes) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(data)


@contextmanager
def piped(path: Path) -> Iterator[str]:
    """`<(cat FILE)`: the name of a pipe that gives its content."""
    read, write = os.pipe()
    with os.fdopen(read) as end, ThreadPoolExecutor(1) as writer:
        writer.submit(_give, write, path.read_bytes())
        yield f"/dev/fd/{end.fileno()}"


def test_a_table_of_days_may_be_a_pipe(here: Path) -> None:
    path = write_history(here / "h.csv", few(range(1, 9), "abcd"))
    whole = harness("watch", path, "--scale", "0-4", "--json")
    with piped(path) as pipe:
        found = harness("watch", pipe, "--format", "csv", "--scale", "0-4", "--json")
    assert found.json is not None and {**found.json, "watch": ""} == {**whole.json, "watch": ""}
    said = harness("watch", "/dev/null", "--format", "csv", "--scale", "0-4")
    assert said.code == 2 and "is a pipe or a device" in " ".join(said.err.split())


def test_a_pipe_is_read_as_its_file_and_none_in_a_folder(tmp_path: Path) -> None:
    rows = shown(4)
    log, flag, labels = files(tmp_path, rows)
    whole = signalled(log, flag, labels, *SCALE)
    with piped(log) as pipe:
        found = signalled(pipe, "--format", "csv", flag, labels, *SCALE)
    assert {**found, "log": whole["log"]} == whole
    (tmp_path / "days").mkdir()
    os.mkfifo(tmp_path / "days/1.csv")
    for place in (tmp_path / "days", tmp_path / "days/*.csv"):
        assert "is not a regular file; take it out" in refused(place, flag, labels, *SCALE)
