"""What a log or a file beside it cannot say: impossible counts, wrong types, limits, foreign ids."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import harness
from hypothesis import given
from hypothesis import strategies as st
from production import write_csv
from test_signal import COUNTS, SCALE, files, propensities, refused, shown, signalled, ubi

from harness.errors import BadInput, Unfinished
from harness.signal import spill
from harness.signal.cells import WIDTH, CellSums
from harness.signal.spill import Spill, parts_together
from harness.storage import batched_parquet
from harness.storage.batched_parquet import bounded_batches
from harness.storage.strict_json import parse_json

MORE = (*COUNTS, "purchases", "returns")
Words = tuple[str | Path, ...]


def split(
    folder: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str] = COUNTS
) -> tuple[Path, Words]:
    """The log, and the labels as words."""
    log, flag, labels = files(folder, rows, names)
    return log, (flag, labels)


@pytest.mark.parametrize("name", ["clicks", "purchases"])
def test_more_than_the_views_is_refused_row_by_row(tmp_path: Path, name: str) -> None:
    rows = shown(purchases=0, returns=0)
    rows[3] |= {"clicks": 400, name: 400}
    log, words = split(tmp_path, rows, MORE)
    assert harness("signal", log, *words, *SCALE).code == 0
    rows[3][name] = 401
    said = refused(write_csv(log, MORE, rows), *words, *SCALE)
    assert f"log.csv, line 5: {name}: 401 of 400 views" in said and "are columns swapped?" in said


def test_swapped_columns_name_few_rows_and_count_the_others(tmp_path: Path) -> None:
    said = refused(*files(tmp_path, shown()), *SCALE, "--columns", "views=clicks,clicks=views")
    assert said.count("clicks: 400 of") == 3 and "and 285 more lines of this kind" in said


def test_a_view_has_one_click(tmp_path: Path) -> None:
    rows = [{**row, "clicks": 2 if at == 7 else 0, "session": f"s{at}"} for at, row in enumerate(shown())]
    said = refused(*files(tmp_path, rows, ("query", "item", "position", "clicks", "session")), *SCALE)
    assert "line 9: clicks: 2 in a row of one view" in said


def test_rows_with_more_purchases_than_clicks_are_named(tmp_path: Path) -> None:
    rows = shown(purchases=1, returns=0)
    rows[4] |= {"clicks": 2, "purchases": 3}
    for row in rows[8:15]:
        row |= {"purchases": 1, "returns": 2}
    log, words = split(tmp_path, rows, MORE)
    for path in (log, tmp_path / "log.json"):
        (tmp_path / "log.json").write_text(json.dumps([{name: row[name] for name in MORE} for row in rows]))
        found = signalled(path, *words, *SCALE)["warnings"]
        assert any(
            f"1 row with more purchases than clicks ({path.name}, row 5)" in one
            or "rows with more purchases than clicks" in one
            for one in found
        )
        (returned,) = [one for one in found if "more returns than purchases" in one]
        assert returned.startswith(f"7 rows with more returns than purchases ({path.name}, row 9; ")
        assert returned.endswith("row 13, ...), counted as is")


def test_a_log_with_more_purchases_than_clicks_is_refused(tmp_path: Path) -> None:
    rows = [{**row, "purchases": row["clicks"], "returns": 0} for row in shown()]
    log, words = split(tmp_path, rows, MORE)
    assert harness("signal", log, *words, *SCALE).code == 0
    swapped = refused(log, *words, *SCALE, "--columns", "clicks=returns")
    assert "more purchases (8,383) than clicks (0)" in swapped and "are the columns swapped?" in swapped


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1.001", "'1.001' is over 1: it is a chance, so divide all of them by the largest"),
        ("1e-300", "'1e-300' is below 1e-06"),
        ("9.9e-7", "is below 1e-06"),
        ("nan", "'nan' is below"),
        ("often", "'often' is not a number"),
    ],
)
def test_propensities_are_chances(tmp_path: Path, value: str, said: str) -> None:
    words = (*files(tmp_path, shown()), *SCALE, "--propensities")
    path = tmp_path / "looks.csv"
    path.write_text(f"position,propensity\n1,1\n2,{value}\n", "utf-8")
    assert f"looks.csv, line 3: propensity: {said}" in refused(*words, path) or said in refused(*words, path)


def test_the_smallest_propensity_is_taken_and_positions_are_whole(tmp_path: Path) -> None:
    path = propensities(tmp_path)
    words = (*files(tmp_path, shown()), *SCALE, "--propensities", path)
    path.write_text(path.read_text("utf-8").replace("4,0.25", "4,0.000001"), "utf-8")
    assert signalled(*words)["propensities"][3]["value"] == 1e-6
    path.write_text("position,propensity\n1.5,1\n" + "9" * 5000 + ",1\n", "utf-8")
    said = refused(*words)
    assert "line 2: position: '1.5' is not a whole number from 1" in said and len(said) < 600


@pytest.mark.parametrize(("name", "line"), [("position", 3), ("views", 3), ("clicks", 3)])
def test_limits_are_said_and_long_cells_are_cut(tmp_path: Path, name: str, line: int) -> None:
    rows = shown()
    rows[1][name] = 1_000_000_001
    log, words = split(tmp_path, rows)
    text = "is too large: the largest number that is read is 1,000,000,000"
    assert f"line {line}: {name}: '1000000001' {text}" in refused(log, *words, *SCALE)
    rows[1][name] = "9" * 5000
    said = refused(write_csv(log, COUNTS, rows), *words, *SCALE)
    assert text in said and len(said) < 500


DAY, NESTED = datetime.date(2026, 1, 1), {"a": 1}


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("position", [DAY], "column position: is of type date32[day]; position wants whole numbers"),
        ("position", [True], "column position: is of type bool; position wants whole numbers"),
        ("clicks", [[1]], "clicks wants whole numbers"),
        ("views", [NESTED], "column views: is of type struct<a: int64>; views wants whole numbers"),
        ("item", [1.5], "column item: is of type double; item wants text, or whole numbers as ids"),
        ("query", [True], "query wants text, or whole numbers as ids"),
    ],
)
def test_a_typed_column_is_one_fault(tmp_path: Path, name: str, values: list[Any], said: str) -> None:
    rows = shown(2)
    _, words = split(tmp_path, rows)
    table = pa.Table.from_pylist([{one: row[one] for one in COUNTS} for row in rows])
    at = table.schema.get_field_index(name)
    pq.write_table(table.set_column(at, name, pa.array(values * len(rows))), tmp_path / "log.parquet")
    assert f"log.parquet, {said}" in refused(tmp_path / "log.parquet", *words, *SCALE) or said in refused(
        tmp_path / "log.parquet", *words, *SCALE
    )


@pytest.mark.parametrize(
    "kind",
    [pa.float64(), pa.decimal128(30, 2), pa.int8(), pa.string(), pa.dictionary(pa.int32(), pa.string())],
)
def test_typed_columns_that_can_say_it_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    rows = shown(4, 100)
    log, words = split(tmp_path, rows)
    table = pa.Table.from_pylist([{one: row[one] for one in COUNTS} for row in rows])
    at = table.schema.get_field_index("views")
    column = table.column("views").cast(pa.string() if pa.types.is_dictionary(kind) else kind)
    pq.write_table(table.set_column(at, "views", column.cast(kind)), tmp_path / "log.parquet")
    found = signalled(tmp_path / "log.parquet", *words, *SCALE)
    assert {**found, "log": str(log)} == signalled(log, *words, *SCALE)


def test_what_words_mean_is_asked_by_the_option_of_this_command(tmp_path: Path) -> None:
    log, flag, labels = files(tmp_path, shown())
    text = labels.read_text("utf-8")
    labels.write_text(text.replace(",0,", ",NaN,", 3).replace(",1,", ",good,", 2), "utf-8")
    said = refused(log, flag, labels, *SCALE)
    assert 'nothing for a missing one: --words "NaN=,good=N"' in said
    assert harness("signal", log, flag, labels, *SCALE, "--words", "NaN=,good=1").code == 0
    assert "--words: 'good' is not word=grade" in refused(log, flag, labels, *SCALE, "--words", "good")
    labels.write_text(text.replace("query,", "q,", 1), "utf-8")
    assert "map others with --labels-columns" in refused(log, flag, labels, *SCALE)


@pytest.mark.parametrize(
    ("text", "said"),
    [("9" * 5000, "a number has more digits than"), ("[" * 100_000, "lie too deep in each other")],
)
def test_what_json_cannot_hold_is_said_without_python(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_json(text)
    log = tmp_path / "log.jsonl"
    log.write_text(f'{{"query": "a", "item": "b", "position": 1, "clicks": 1, "views": {text}\n', "utf-8")
    assert "sys." not in refused(log, *files(tmp_path, shown(2))[1:], *SCALE)
    (tmp_path / "log.json").write_text('[{"query": "a", }]', "utf-8")
    assert "at line 1, letter 17" in refused(tmp_path / "log.json", *files(tmp_path, shown(2))[1:], *SCALE)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, tuple[Any, ...]]:
    """UBI events, queries, and the labels of their pairs as words."""
    folder = tmp_path_factory.mktemp("ubi")
    rows = shown(6)
    words = files(folder, rows)[1:]
    events, queries = ubi(folder, rows, "012345", 120)
    return events, queries, (*words, *SCALE)


def test_ubi_searches_and_results_count_once(tmp_path: Path, searched: Any) -> None:
    events, queries, words = searched
    whole = signalled(events, "--queries", queries, *words)
    twice = [{**one, "query_response_hit_ids": one["query_response_hit_ids"] * 2} for one in lines(queries)]
    again = write(tmp_path / "q.jsonl", [*twice, *twice[:7]])
    found = signalled(events, "--queries", again, *words)
    assert {**found, "warnings": whole["warnings"]} == whole
    said = " ".join(found["warnings"])
    assert "7 of 727 searches have a query_id that came before, and are left out" in said
    assert "4,320 of 8,640 results shown stand in their search a second time" in said


def test_an_action_counts_once_in_a_search_wherever_it_was(tmp_path: Path, searched: Any) -> None:
    events, queries, words = searched
    rows = lines(events)
    for at, row in enumerate(rows[:-1]):
        if at % 2:  # the second of two alike
            row["event_attributes"]["position"]["ordinal"] += 1
    found = signalled(write(tmp_path / "e.jsonl", rows), "--queries", queries, *words)
    assert found["counts"]["events"] == (len(rows) - 1) / 2


def test_ubi_files_that_do_not_fit_each_other_say_so(tmp_path: Path, searched: Any) -> None:
    events, queries, words = searched
    other = write(tmp_path / "e.jsonl", [{**row, "query_id": f"x{row['query_id']}"} for row in lines(events)])
    count = len(lines(events))
    said = refused(other, "--queries", queries, *words)
    assert f"none of the {count:,} events has a query_id of the queries" in said
    nameless = [{**row, "query_id": None} for row in lines(queries)[:300]] + lines(queries)[300:]
    found = signalled(events, "--queries", write(tmp_path / "q.jsonl", nameless), *words)
    assert any("300 of 720 searches have no query_id or no user_query" in one for one in found["warnings"])
    moved = lines(events)
    for row in moved[:40]:
        row["event_attributes"]["position"]["ordinal"] += 20
    far = signalled(write(tmp_path / "m.jsonl", moved), "--queries", queries, *words)
    said = "20 clicks are at a position where their result was not shown so often: does position.ordinal"
    assert any(one.startswith(said) for one in far["warnings"])


@pytest.mark.parametrize("name", ["events", "queries"])
def test_ubi_lists_and_objects_as_text(tmp_path: Path, searched: Any, name: str) -> None:
    events, queries, words = searched
    if name == "queries":
        key = "query_response_hit_ids"
        texts = [{**row, key: json.dumps(row[key])} for row in lines(queries)]
        found = signalled(events, "--queries", write(tmp_path / "q.jsonl", texts), *words)
        assert found == signalled(events, "--queries", queries, *words)
        return
    texts = [{**row, "event_attributes": json.dumps(row["event_attributes"])} for row in lines(events)]
    said = refused(write(tmp_path / "e.jsonl", texts), "--queries", queries, *words)
    assert "event_attributes holds text: make an object of it" in said


def test_logs_that_wait_on_disk_say_the_same(
    tmp_path: Path, searched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, queries, words = searched
    ubi_words = (events, "--queries", queries, *words, "--outcome", "click")
    whole = signalled(*ubi_words)
    monkeypatch.setattr(spill, "WAITING", 50)
    parts = signalled(*ubi_words)
    star, other = whole.pop("north_star"), parts.pop("north_star")
    assert parts == whole and (star["n"], star["queries"]) == (other["n"], other["queries"])
    for one, two in zip(star["associations"], other["associations"], strict=True):
        assert one["log_odds"] == pytest.approx(two["log_odds"], rel=1e-9)
        assert one["se"] == pytest.approx(two["se"], rel=1e-9)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9), st.integers(0, 9)), max_size=9)),
    st.integers(0, 20),
)
def test_sums_of_cells_are_those_of_all_rows(pieces: list[list[tuple[int, int, int]]], least: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.signal.cells.LEAST", least)
        found = CellSums(("views", "clicks"))
        for piece in pieces:
            columns = np.array(piece, dtype=np.int64).reshape(-1, 3).T
            found.add(columns[0], {"views": columns[1].astype(float), "clicks": columns[2].astype(float)})
        blocks = list(found.blocks())
    rows = [row for piece in pieces for row in piece]
    cells = sorted({cell for cell, _, _ in rows})
    assert [pair * WIDTH + place for one in blocks for pair, place in zip(*one[:2], strict=True)] == cells
    for at, name in enumerate(("views", "clicks"), start=1):
        wanted = [sum(row[at] for row in rows if row[0] == cell) for cell in cells]
        assert [value for one in blocks for value in one.sums[name]] == wanted


def test_a_pair_that_is_graded_twice_is_named_with_both_places(tmp_path: Path) -> None:
    log, (flag, labels) = split(tmp_path, shown())
    with Path(labels).open("a", encoding="utf-8") as file:
        file.write("thing 3,p3-2,1,c,head,x\nthing 3,p3-2,2,c,head,x\n")
    said = refused(log, flag, labels, *SCALE)
    first = 2 + 3 * 6 + 2
    assert f"line 74: item 'p3-2' of query 'thing 3' is graded twice (first: {labels}, line {first})" in said
    assert f"line 75: item 'p3-2' of query 'thing 3' is graded twice (first: {labels}, line {first})" in said


def keyed(name: str, count: int) -> pa.Table:
    return pa.table({"key": [f"k{at % 40}" for at in range(count)], "value": list(range(count))})


@pytest.mark.parametrize("rows", [(100, 90), (100, 0), (0, 90), (5, 4)])
def test_parts_hold_all_rows_of_a_key(rows: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "WAITING", 30)
    with Spill("key") as first, Spill("key") as second:
        for each, count in zip((first, second), rows, strict=True):
            for start in range(0, count, 20):
                each.add(keyed("key", count).slice(start, 20))
        assert (first.on_disk or second.on_disk) == (max(rows) > 30)
        seen: list[list[set[str]]] = [[], []]
        total = [0, 0]
        for pair in parts_together(first, second):
            keys = [set() if one is None else set(one.column("key").to_pylist()) for one in pair]
            for at, one in enumerate(pair):
                seen[at].append(keys[at])
                total[at] += 0 if one is None else one.num_rows
        assert tuple(total) == rows
    for at, part in enumerate(zip(*seen, strict=True)):
        others = [
            keys for number, both in enumerate(zip(*seen, strict=True)) if number != at for keys in both
        ]
        assert not set().union(*part) & set().union(*others)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "WAITING", 1)
    monkeypatch.setattr("harness.signal.nameless.tempfile.SpooledTemporaryFile", _full)
    with Spill("key") as rows, pytest.raises(Unfinished, match="free some space, or name another folder"):
        rows.add(keyed("key", 5))


def _full(**_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("coded", [True, False])
def test_a_text_that_stands_in_every_row_is_refused_before_it_is_read(tmp_path: Path, coded: bool) -> None:
    path = tmp_path / "log.parquet"
    words = files(tmp_path, shown(2))[1:]
    for length, fits in ((batched_parquet.LONGEST, True), (batched_parquet.LONGEST + 1, False)):
        column = pa.array(["x" * length] * 3)
        table = pa.table({"query": column, "n": [1, 2, 3]})
        pq.write_table(table, path, use_dictionary=coded, store_schema=False)
        if fits:
            assert sum(one.num_rows for one in bounded_batches(path, ["n", "query"])) == 3
            continue
        with pytest.raises(BadInput, match="query: a text of 10,001 bytes; at most 10,000 are read"):
            list(bounded_batches(path, ["n", "query"]))
    table = pa.Table.from_pylist([{one: row[one] for one in COUNTS} for row in shown(2)])
    bomb = table.set_column(0, "query", pa.array(["y" * 100_000] * table.num_rows).dictionary_encode())
    pq.write_table(bomb, path)
    assert "a text of 100,000 bytes" in refused(path, *words, *SCALE)


@pytest.mark.parametrize("make", [lambda texts: texts, lambda texts: texts.dictionary_encode()])
def test_pieces_of_parquet_are_bounded_by_bytes(tmp_path: Path, make: Callable[[Any], Any]) -> None:
    path = tmp_path / "log.parquet"
    texts = make(pa.array(["z" * 8_000] * 12_000))
    pq.write_table(pa.table({"query": texts, "n": list(range(12_000))}), path)
    sizes = [one.nbytes for one in bounded_batches(path, ["query", "n"])]
    assert len(sizes) > 3 and max(sizes) < batched_parquet.BYTES + 9_000 * batched_parquet.STEP
