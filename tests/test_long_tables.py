"""Long tables stay on the disk: JSON lines and Parquet are read again, and a replay looks its grades up."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import BadInput
from harness.golden import grade_tables
from harness.golden.grade_rows import GradedRow
from harness.golden.grade_tables import read_grades, stored_grades
from harness.golden.stored_grades import StoredGrades
from harness.storage import formats, parquet
from harness.storage.formats import dataset_table, read_table
from harness.storage.stream import Stream
from harness.storage.tables import Layout

SCALE = (0, 1, 2)
DATA = [
    {"item": f"i{n}", "grade": n % 3, "reasoning": f"r{n}", "clauses": ["a", "b"], "tags": [], "query": "q"}
    for n in range(40)
]


@pytest.fixture(params=["jsonl", "parquet"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"t.{request.param}"
    if request.param == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in DATA), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(DATA), path)
    return path


def test_a_long_file_is_read_again_and_a_short_one_held(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = read_table(table)
    monkeypatch.setattr(formats, "HELD", 39)
    streamed = read_table(table)
    assert isinstance(held.rows, list) and isinstance(streamed.rows, Stream)
    assert len(streamed.rows) == 40
    for _ in range(2):
        assert list(streamed.rows) == held.rows
    assert (streamed.columns, streamed.odd, streamed.unit) == (held.columns, held.odd, held.unit)
    monkeypatch.setattr(formats, "HELD", 40)
    assert isinstance(read_table(table).rows, list)


def test_the_faults_of_a_long_file_are_all_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "HELD", 1)
    path = tmp_path / "t.jsonl"
    path.write_text('{"item": "a"}\n{"item": "b"}\nno\n{"item": "c"}\n[1]\n', encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_table(path)
    assert "line 3: not JSON" in str(caught.value) and "line 5: expected a JSON object" in str(caught.value)


def test_grades_on_the_disk_are_those_in_memory(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = read_grades(table, Layout(), SCALE)
    assert isinstance(stored_grades(table, Layout(), SCALE), dict)
    monkeypatch.setattr(grade_tables, "HELD", 39)
    stored = stored_grades(table, Layout(), SCALE)
    assert isinstance(stored, StoredGrades) and dict(stored) == held and len(stored) == 40
    assert stored.get("nobody") is None and sorted(stored) == sorted(held)


def test_a_grade_that_comes_twice_is_a_fault_on_the_disk_too() -> None:
    rows = [(line, item, GradedRow(None, None, 1)) for line, item in enumerate("abcacb", start=2)]
    with pytest.raises(BadInput) as caught:
        StoredGrades(rows, "t.csv, line")
    said = str(caught.value)
    assert "t.csv, line 5: item 'a' is graded twice (first: t.csv, line 2)" in said
    assert "t.csv, line 6: item 'c' is graded twice (first: t.csv, line 4)" in said
    assert "t.csv, line 7: item 'b'" in said


def bomb(path: Path, rows: int, letters: int) -> Path:
    """A file of some KB that has one long text in every row."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * letters]))
    pq.write_table(pa.table({"item": text, "title": text}), path, compression="zstd", store_schema=False)
    return path


def test_a_small_file_of_endless_texts_is_refused_by_what_it_decodes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of 300 KB took 2.3 GB."""
    path = bomb(tmp_path / "t.parquet", 1_000, 5_000)
    assert len(read_table(path).rows) == 1_000
    monkeypatch.setattr(parquet, "LARGEST", 2_000_000)
    monkeypatch.setattr(parquet, "MOST_UNPACKED", 2_000_000 // path.stat().st_size)
    with pytest.raises(BadInput, match="its first 200 rows unpack to more than 1 MB"):
        read_table(path)
    with pytest.raises(BadInput, match="unpack to more than 1 MB"):
        dataset_table(str(tmp_path), None)
    # 1,000 rows of two texts, and their places.
    monkeypatch.setattr(parquet, "LARGEST", 1_000 * 2 * 5_004 + 100)
    assert len(read_table(path).rows) == 1_000


@pytest.mark.parametrize(("most", "rows"), [(1 << 30, 100), (50_040, 5), (50_039, 4), (1, 1)])
def test_longer_texts_are_decoded_in_fewer_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, rows: int
) -> None:
    """Two texts of 5,000 letters, each after its length in four bytes, are a row of 10,008 bytes at most."""
    path = bomb(tmp_path / "t.parquet", 200, 5_000)
    monkeypatch.setattr(parquet, "LONGEST_STEP", most)
    with parquet.parquet_file(path) as file:
        sizes = [batch.num_rows for batch in parquet.row_batches(file, path)]
    assert sizes == [rows] * (200 // rows)


@pytest.mark.parametrize("nested", [False, True])
def test_a_small_file_of_endless_cells_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nested: bool
) -> None:
    """One of 0.7 MB, 20,000 rows of 3,000 empty columns, took 1 GB and a minute."""
    path, rows = tmp_path / "t.parquet", 300
    empty = {f"c{at}": pa.nulls(rows, pa.int8()) for at in range(49)}
    columns = {"c": pa.StructArray.from_arrays(list(empty.values()), list(empty))} if nested else empty
    pq.write_table(pa.table({"item": list(map(str, range(rows))), **columns}), path)
    monkeypatch.setattr(parquet, "MOST_CELLS", 0)
    for most, fits in ((rows * 50, True), (rows * 50 - 1, False)):
        monkeypatch.setattr(parquet, "LEAST_CELLS", most)
        if fits:
            assert len(read_table(path).rows) == rows
            continue
        with pytest.raises(BadInput, match="300 rows of 50 columns are more than 14,999 cells"):
            read_table(path)
    monkeypatch.setattr(parquet, "MOST_CELLS", rows * 50)
    assert len(read_table(path).rows) == rows
    monkeypatch.setattr(parquet, "STEP_CELLS", 500)
    with parquet.parquet_file(path) as file:
        assert {batch.num_rows for batch in parquet.row_batches(file, path)} == {10}


@pytest.mark.parametrize("letters", [1, 60, 61, 100, 20_000, 3_000_000])
def test_the_size_of_a_dictionary_is_read_from_its_page(tmp_path: Path, letters: int) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"item": ["x" * letters] * 4, "grade": [1, 2, 3, 4]})
    for coded, size in ((["item"], letters + 4), (False, 0)):
        pq.write_table(table, path, use_dictionary=coded)
        with parquet.parquet_file(path) as file, path.open("rb") as raw:
            group = file.metadata.row_group(0)
            assert [parquet._dictionary(raw, group.column(at)) for at in range(2)] == [size, 0]


def test_few_rows_of_long_texts_are_not_held(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not isinstance(read_table(table).rows, Stream)
    monkeypatch.setattr(formats, "HELD_LETTERS", 100)
    found = read_table(table).rows
    assert isinstance(found, Stream) and [row.cells["item"] for row in found] == [one["item"] for one in DATA]


@pytest.mark.parametrize(("most", "held"), [(239, False), (240, True)])
def test_rows_of_many_cells_are_not_held(
    table: Path, monkeypatch: pytest.MonkeyPatch, most: int, held: bool
) -> None:
    monkeypatch.setattr(formats, "HELD_CELLS", most)
    assert isinstance(read_table(table).rows, Stream) is not held
