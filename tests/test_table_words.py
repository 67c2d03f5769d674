"""What is wrong with a table is said in English, without Python's own words, and cut where it has no end."""

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import BadInput, Fault
from harness.golden.grade_tables import read_grades
from harness.storage.files import read_json, read_toml
from harness.storage.tables import Layout

SCALE = (0, 1, 2)


def fault(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_grades(path, Layout(), SCALE)
    return str(caught.value)


JSON = {
    '{"item": "a",}': ("a key in double quotes is wanted, and no comma after the last value", 14),
    "{'item': 1}": ("a key in double quotes is wanted, and no comma after the last value", 2),
    '{"item" "a"}': ("the colon after a key is missing", 9),
    '{"item": "a"': ("a comma or a closing bracket is missing", 13),
    '{"item": }': ("a value is missing", 10),
    '{"item": 1} x': ("more follows after its end", 13),
    '{"item": "a}': ("a text in double quotes is never closed", 10),
    '{"item": "a\tb"}': (r"a text has a line end, a tab or the like as it is, not as \n or \t", 12),
    r'{"item": "\x"}': (
        r"a backslash stands before a letter that it does not go with; \\ is a backslash",
        11,
    ),
    r'{"item": "\u12"}': (r"four hexadecimal digits are missing after \u", 12),
    "\ufeff\ufeff{}": ("it begins with two byte order marks", 1),
}


@pytest.mark.parametrize("text", JSON)
def test_json_is_explained_without_pythons_words(tmp_path: Path, text: str) -> None:
    words, letter = JSON[text]
    (tmp_path / "t.jsonl").write_text(text, "utf-8")
    (tmp_path / "t.json").write_text(f"\n{text}" if text[0] == "{" else text, "utf-8")
    assert f"t.jsonl, line 1: not JSON: {words}, at letter {letter}" in fault(tmp_path / "t.jsonl")
    line = 2 if text[0] == "{" else 1
    for said in (fault(tmp_path / "t.json"), refused(tmp_path / "t.json")):
        assert f"t.json: not JSON: {words}, at line {line}, letter {letter}" in said


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_toml(path) if path.suffix == ".toml" else read_json(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["t.json", "t.toml"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9" * 5_000, "a number has more digits"),
        ("[" * 100_000, "lists or objects lie too deep in each other"),
    ],
)
def test_what_python_cannot_hold_is_said_too(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(f"a = {text}" if name == "t.toml" else text, "utf-8")
    said = refused(path)
    assert words in said and "sys." not in said and "recursion" not in said


TYPED: dict[str, tuple[Any, str]] = {
    "date": ([dt.date(2024, 1, 2)], "grade: a date where a number is wanted"),
    "timestamp": ([dt.datetime(2024, 1, 2, 3)], "grade: a time where a number is wanted"),  # noqa: DTZ001
    "time": ([dt.time(3)], "grade: a time where a number is wanted"),
    "duration": ([dt.timedelta(1)], "grade: a length of time where a number is wanted"),
    "bool": ([True], "grade: true or false where a number is wanted"),
    "list": ([[1]], "grade: a list where a number is wanted"),
    "map": (
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        "grade: a map where a number is wanted",
    ),
    "struct": ([{"a": 1}], "no column for grade (grade holds columns: grade.a"),
    "bytes": ([b"1\xff"], "grade: bytes that are no UTF-8 text (byte 0xff)"),
    "decimal": ([decimal.Decimal("1.50")], "grade: 1.50 is not on the scale"),
}


@pytest.mark.parametrize("kind", TYPED)
def test_a_typed_column_is_called_what_it_is(tmp_path: Path, kind: str) -> None:
    values, words = TYPED[kind]
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"item": ["a"], "grade": values}), path)
    said = fault(path)
    assert words in said and "--labels" not in said


def test_a_date_and_a_decimal_are_texts_and_grades_where_they_can_be(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    grades = [decimal.Decimal("1.00"), decimal.Decimal("2.00")]
    pq.write_table(pa.table({"item": [dt.date(2024, 1, 2), dt.date(2024, 1, 3)], "grade": grades}), path)
    assert {item: row.grade for item, row in read_grades(path, Layout(), SCALE).items()} == {
        "2024-01-02": 1, "2024-01-03": 2,
    }  # fmt: skip


def test_a_cell_without_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("item,grade\na," + "9" * 5_000 + "\n", "utf-8")
    said = fault(path)
    assert f"grade: {'9' * 60}... (its length: 5,000) is not on the scale" in said and len(said) < 500
    whole = "x" * 199
    assert str(Fault("f", whole)) == f"f: {whole}" and str(Fault("f", f"{whole}x")).endswith(
        "... (its length: 200)"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'item,grade\n"a"b,1\n',
            'line 2: text follows a closing quote; a quote within a cell is written twice: ""',
        ),
        ('item,grade\n"a,1\n', "line 2: a quote is opened here and never closed"),
    ],
)
def test_csv_is_explained_too(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    assert words in fault(path)
