"""Tables as other programs write them: spreadsheets, annotation tools, data frames, other languages."""

import gzip
import json
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import ship
from typer.testing import CliRunner

from harness.cli.app import app
from harness.errors import BadInput
from harness.golden.grade_tables import read_grades, read_ratings
from harness.golden.rating.raters import rater_kinds
from harness.golden.unmatched import unmatched
from harness.nouns.pair import Rating
from harness.runs.pairs import read_pairs
from harness.storage.cells import number_of
from harness.storage.files import load_nouns
from harness.storage.formats import dataset_table, read_table
from harness.storage.tables import Layout, Table, parse_columns, parse_labels

SCALE = (0, 1, 2, 3)
DAY = datetime.fromisoformat("2024-01-02")
ROWS = [("item", "grade"), ("a", "3"), ("b", "0")]


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def cells(table: Table) -> list[dict[str, str]]:
    return [{name: row.text(name) for name in table.columns} for row in table.rows]


def fault(path: Path, layout: Layout | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        read_grades(path, layout or Layout(), SCALE)
    return str(caught.value)


SAME = {
    "unnamed empty columns": "item,grade,,\na,3,,\nb,0,,\n",
    "an unnamed column between": "item,,grade\na,,3\nb,,0\n",
    "empty rows": "item,grade\na,3\n,\n  , \nb,0\n,\n",
    "a row of one empty cell": 'item,grade\na,3\n""\n   \nb,0\n',
    "empty rows before the header": ",\n,\nitem,grade\na,3\nb,0\n",
    "empty cells beyond the header": "item,grade\na,3,,,\nb,0\n",
    "rows that end before unnamed columns": "item,grade,,\na,3\nb,0,\n",
    "semicolons": "item;grade\na;3\nb;0\n",
    "semicolons with a decimal comma": "item;grade\na;3,0\nb;0,0\n",
    "semicolons and empty columns": "item;grade;;\na;3;;\n;;;\nb;0;;\n",
    "semicolons with a byte order mark": "\ufeffitem;grade\r\na;3\r\nb;0\r\n",
    "tabs": "item\tgrade\na\t3\nb\t0\n",
    "bars": "item|grade\na|3\nb|0\n",
    "Excel's own first line": "sep=;\nitem;grade\na;3\nb;0\n",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_what_says_nothing_is_left_out_and_separators_are_found(tmp_path: Path, text: str) -> None:
    table = read_table(put(tmp_path, "t.csv", text))
    found = read_grades(put(tmp_path, "t.csv", text), Layout(), SCALE)
    assert table.columns == ROWS[0]
    assert [(item, row.grade) for item, row in found.items()] == [("a", 3), ("b", 0)]


def test_faults_keep_their_lines_behind_what_is_left_out(tmp_path: Path) -> None:
    assert "line 5: grade: 9" in fault(put(tmp_path, "t.csv", "sep=;\nitem;grade;\n;;\na;3;\nb;9;\n"))


def test_unnamed_column_with_cells_is_named_by_its_place(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "t.csv", ",item,grade,\n0,a,3,\n1,b,0,note\n"))
    assert table.columns == ("column 1", "item", "grade", "column 4")


def test_commas_in_texts_do_not_hide_semicolons(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "t.csv", "item;price, EUR;title\na;10,50;red, big\nb;9,00;hat\n"))
    assert cells(table)[0] == {"item": "a", "price, EUR": "10,50", "title": "red, big"}


def test_commas_stay_the_separator_of_texts_with_semicolons(tmp_path: Path) -> None:
    text = 'item,note;more,grade\na,x;y;z,3\nb,"1;2",0\n'
    assert read_table(put(tmp_path, "t.csv", text)).columns == ("item", "note;more", "grade")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Ratings of March\nitem,grade\na,3\n", "is 'Ratings of March' a title over the table?"),
        ("item,grade\na,3\nTotal: 1\n", "line 3: 1 cell under 2 headers; is it a remark, not a row?"),
        ("item,grade\na,3,x\n", "line 2: 3 cells under 2 headers"),
    ],
)
def test_row_of_another_width_is_named_with_the_likely_cause(tmp_path: Path, text: str, what: str) -> None:
    assert what in fault(put(tmp_path, "t.csv", text))


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("-1", -1), ("2.5", 2.5), ("2,5", 2.5), ("0,125", 0.125), ("10,50", 10.5)]
    + [(text, None) for text in ("1,000", "12,345", "1.234,5", "1_0", "", "a", "1,", "٣", "1e3")],
)
def test_decimal_comma_is_read_and_thousands_are_not_guessed(text: str, number: float | None) -> None:
    assert number_of(text) == number


def test_traffic_may_have_a_decimal_comma_and_a_price_stays_text(tmp_path: Path) -> None:
    path = put(tmp_path, "p.csv", "item;query;title;price;seen\na;q;t;10,50;0,5\nb;q;u;9,00;2\n")
    found = list(read_pairs(path, Layout(), "seen"))
    assert [(pair.weight, pair.result.price) for pair in found] == [(0.5, "10,50"), (2.0, "9,00")]
    with pytest.raises(BadInput, match="seen: '1,000' is not a number"):
        read_pairs(put(tmp_path, "q.csv", "item;query;title;seen\na;q;t;1,000\n"), Layout(), "seen")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "iso2022_jp"])
def test_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    letters = "ラ" if encoding == "iso2022_jp" else "ä"
    path = put(tmp_path, "t.csv", f"item,grade\n{letters},3\n".encode(encoding))
    assert list(read_grades(path, Layout(encoding=encoding), SCALE)) == [letters]


@pytest.mark.parametrize(
    ("written", "named"),
    [("utf-8-sig", "utf-8"), ("utf-8-sig", "cp1252"), ("utf-8-sig", "UTF8"), ("utf-16-le", "utf-16-le")],
)
def test_byte_order_mark_is_no_letter_of_a_header(tmp_path: Path, written: str, named: str) -> None:
    mark = "" if written == "utf-8-sig" else "\ufeff"
    path = put(tmp_path, "t.csv", f"{mark}item,grade\na,3\n".encode(written))
    assert list(read_grades(path, Layout(encoding=named), SCALE)) == ["a"]


def test_file_that_is_utf8_is_read_as_such_beside_one_that_is_not(tmp_path: Path) -> None:
    path = put(tmp_path, "t.csv", "item,grade\nä,3\n")
    assert list(read_grades(path, Layout(encoding="cp1252"), SCALE)) == ["ä"]


@pytest.mark.parametrize(
    ("content", "encoding", "what"),
    [
        (b"item,grade\n\xe4,3\n", None, "line 2: not UTF-8 (byte 0xe4); save the file as UTF-8, or name its"),
        ("item,grade\na,3\n".encode("utf-16"), None, "--encoding utf-16"),
        (b"item,grade\n\x81,3\n", "cp1252", "line 2: not cp1252 (byte 0x81); name another --encoding"),
        (b"item,grade\na,3\n", "latin-x", "--encoding: unknown encoding 'latin-x'"),
        (b"item,grade\na,3\n", "base64", "--encoding: unknown encoding 'base64'"),
        (b"item,grade\na,3\n", "undefined", "--encoding: unknown encoding 'undefined'"),
        (b"item,grade\na,3\n", "utf-8\0", "--encoding: unknown encoding 'utf-8"),
        (b"item,grade\n\xe4,3\n", "idna", "--encoding: unknown encoding 'idna'"),
        (
            gzip.compress(b"item,grade\na,3\n", mtime=0),
            None,
            "not text but compressed by gzip: unpack it",
        ),
        (b"PK\x03\x04\n\xe4\n", None, "not text but a workbook or a zip archive"),
        (b"PAR1\n\xe4\n", "ascii", "not text but Parquet: read it with --format parquet"),
    ],
)
def test_wrong_encoding_says_which_to_name(
    tmp_path: Path, content: bytes, encoding: str | None, what: str
) -> None:
    assert what in fault(put(tmp_path, "t.csv", content), Layout(encoding=encoding))


def test_json_array_is_a_table(tmp_path: Path) -> None:
    path = put(tmp_path, "t.json", '[{"item": "a", "grade": 3}, {"item": "b", "grade": null}]')
    assert {item: row.grade for item, row in read_grades(path, Layout(), SCALE).items()} == {
        "a": 3,
        "b": None,
    }
    assert "row 2: a JSON object is wanted" in fault(put(tmp_path, "u.json", '[{"item": "a"}, 1]'))
    assert "a list of objects is wanted" in fault(put(tmp_path, "v.json", "{}"))
    assert "--format jsonl" in fault(put(tmp_path, "w.json", '{"item": "a"}\n{"item": "b"}\n'))


def test_half_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    for half in ("\\ud800", "\\uD800"):
        row = f'{{"item": "a{half}", "grade": 1}}'
        what = "contains half a surrogate pair, which is not a character"
        assert f"t.json: not JSON: {what}" in fault(put(tmp_path, "t.json", f"[{row}]"))
        assert f"t.jsonl, line 1: not JSON: {what}" in fault(put(tmp_path, "t.jsonl", row))


def test_list_is_no_text(tmp_path: Path) -> None:
    path = put(tmp_path, "t.json", '[{"item": "b", "grade": 1}, {"item": ["a", "b"], "grade": 1}]')
    assert "row 2: item: a list where a text is wanted" in fault(path)
    path = put(tmp_path, "u.jsonl", '{"item": "a", "grade": 1, "clauses": ["x"], "more": ["y"]}')
    assert read_grades(path, Layout(), SCALE)["a"].notes.clauses == ("x",)


def test_two_keys_that_make_one_header_are_refused(tmp_path: Path) -> None:
    row = '{"item": "a", "grade": 1, "result": {"title": "x"}, "result.title": "y"}'
    assert "line 1: key 'result.title' given twice" in fault(put(tmp_path, "t.jsonl", row))


def test_bytes_of_a_parquet_file_are_text(tmp_path: Path) -> None:
    import datasets

    def stored(name: str, last: bytes) -> Path:
        columns = {"item": [b"1", last], "grade": [1, 2], "clauses": [[b"x"], []]}
        datasets.Dataset.from_dict(columns).to_parquet(str(tmp_path / name))
        return tmp_path / name

    found = read_grades(stored("t.parquet", "\u00e9".encode()), Layout(), SCALE)
    assert list(found) == ["1", "\u00e9"]
    assert found["1"].notes.clauses == ("x",)
    assert "u.parquet, row 2: item: bytes that are no UTF-8 text" in fault(stored("u.parquet", b"\xff"))


def test_ratings_of_another_policy_version_are_left_out(tmp_path: Path) -> None:
    text = "item,rater,grade,policy_version\na,x,1,v1\na,x,2,v2\nb,x,3,\n"
    path = put(tmp_path, "t.csv", text)
    for version, grades in (("v1", [1, 3]), ("v2", [2, 3]), ("v3", [3])):
        assert [rating.grade for rating in read_ratings(path, Layout(), SCALE, version)] == grades
    with pytest.raises(BadInput, match=r"several policy versions: v1, v2; name one with --policy"):
        read_ratings(path, Layout(), SCALE)
    old = put(tmp_path, "u.csv", "item,rater,grade,policy_version\na,x,1,v1\n")
    assert read_ratings(old, Layout(), SCALE)[0].policy_version == "v1"
    with pytest.raises(BadInput, match="no ratings under v2; there are: v1"):
        read_ratings(old, Layout(), SCALE, "v2")


def test_rater_in_two_unicode_forms_is_one(tmp_path: Path) -> None:
    path = put(tmp_path, "t.csv", "item,rater,grade\na,Jos\u00e9,1\nb,Jose\u0301,2\n")
    for name in ("Jos\u00e9", "Jose\u0301"):
        assert len(read_grades(path, Layout(), SCALE, name)) == 2
    kept = '{"item": "a", "rater": "Jose\u0301", "grade": 1}\n'
    assert [rating.rater for rating in load_nouns(put(tmp_path, "r.jsonl", kept), Rating)] == ["Jos\u00e9"]
    assert rater_kinds(put(tmp_path, "r.toml", '["Jose\u0301"]\nkind = "llm"')) == {"Jos\u00e9": "llm"}
    wide = put(tmp_path, "w.csv", "item,Jose\u0301\na,1\n")
    assert [rating.rater for rating in read_ratings(wide, Layout(wide=("Jose\u0301",)), SCALE)] == [
        "Jos\u00e9"
    ]


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_workbook_is_a_table(tmp_path: Path) -> None:
    rows: list[list[object]] = [["item", "grade", None], [None], ["00123", 3], ["b", None], ["c", "#N/A"]]
    found = read_grades(workbook(tmp_path / "t.xlsx", Grades=rows, Empty=[]), Layout(), SCALE)
    assert {item: row.grade for item, row in found.items()} == {"00123": 3, "b": None, "c": None}
    assert "row 3: 1 cell" not in fault(workbook(tmp_path / "u.xlsx", A=[["item", "grade"], ["a", 9]]))


def test_workbook_of_several_sheets_or_none_is_refused(tmp_path: Path) -> None:
    rows: list[list[object]] = [["item", "grade"], ["a", 1]]
    assert "several sheets: A, B" in fault(workbook(tmp_path / "t.xlsx", A=rows, B=rows))
    assert "not readable as an Excel workbook" in fault(put(tmp_path, "u.xlsx", "item,grade\n"))
    assert "holds no rows" in fault(workbook(tmp_path / "v.xlsx", A=[]))


def test_formula_that_nobody_computed_is_not_an_empty_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", A=[["item", "grade"], ["a", "=1+1"]])
    assert "row 2: a formula without its value; save it in a spreadsheet first" in fault(path)


def changed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with its first sheet's XML changed."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, change(content) if name.endswith("sheet2.xml") else content)
    return path


def test_size_that_a_sheet_declares_is_not_believed(tmp_path: Path) -> None:
    rows: list[list[object]] = [["item", "x", "grade"], ["z"]]
    rows += [[f"i{n}", None, 1] for n in range(9)]
    path = workbook(tmp_path / "t.xlsx", A=rows)
    expected = read_grades(path, Layout(), SCALE)
    assert len(expected) == 10
    for size in (b"A1:C3", b"A1:B11", b"A1", b"A1:XFD1048576"):
        declared = partial(re.compile(rb'(?<=<dimension ref=")[^"]*').sub, size)
        changed(path, declared)
        assert read_grades(path, Layout(), SCALE) == expected


@pytest.mark.slow
def test_row_beyond_all_spreadsheets_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", A=[["item", "grade"], ["a", 1]])
    changed(path, lambda xml: xml.replace(b'<row r="2"', b'<row r="2000000000"'))
    assert "row 1048577: more than 1,048,576 rows" in fault(path)


def test_error_that_a_sheet_shows_is_not_a_word(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["item", "query", "grade"],
        ["a", "#REF!", 1],
        ["b", "#N/A", 2],
        ["c", "#NAME?", 1],
    ]
    found = fault(workbook(tmp_path / "t.xlsx", A=rows))
    assert "row 2: the error #REF! instead of a value" in found
    assert "row 3" not in found and "row 4: the error #NAME?" in found


@pytest.mark.parametrize(
    "damage",
    [
        lambda xml: xml.replace(b't="n"', b't="s"'),
        lambda xml: xml.replace(b'r="A2"', b'r="2"'),
        lambda xml: xml.replace(b'<c r="A1" t="', b'<c r="A1" s="99" t="'),
        lambda xml: xml[:300],
    ],
)
def test_damaged_workbook_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = changed(workbook(tmp_path / "t.xlsx", A=[["item", "grade"], ["a", 1]]), damage)
    assert "t.xlsx: not readable as an Excel workbook: " in fault(path)


def test_damaged_compression_of_a_workbook_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", A=[["item", "grade"], ["a", 1]])
    with zipfile.ZipFile(path) as book:
        start = book.getinfo("xl/worksheets/sheet2.xml").header_offset
    content = bytearray(path.read_bytes())
    content[start + 60 : start + 100] = b"\xff" * 40
    assert "not readable as an Excel workbook: " in fault(put(tmp_path, "t.xlsx", bytes(content)))


def test_zeros_that_a_workbook_shows_are_kept(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["item", "price"], [123, 10.5]):
        sheet.append(row)
    sheet["A2"].number_format, sheet["B2"].number_format = "00000", "0.00"
    book.save(tmp_path / "t.xlsx")
    assert cells(read_table(tmp_path / "t.xlsx")) == [{"item": "00123", "price": "10.50"}]


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (1, "0%", "100%"),
        (0.07, "0.00%", "7%"),
        (0.125, '0.0%" of all"', "12.5%"),
        (5, '0"%"', "5"),
        (DAY, "yyyy-mm-dd", "2024-01-02"),
        (DAY, "dd/mm/yyyy", "2024-01-02"),
        (DAY, "yyyy-mm-dd hh:mm", "2024-01-02 00:00:00"),
        (DAY.replace(hour=3), "yyyy-mm-dd", "2024-01-02 03:00:00"),
    ],
)
def test_percents_and_dates_of_a_workbook_are_as_shown(
    tmp_path: Path, value: Any, form: str, shown: str
) -> None:
    book = openpyxl.Workbook()
    for row in (["item", "grade"], ["a", value]):
        book.worksheets[0].append(row)
    book.worksheets[0]["B2"].number_format = form
    book.save(tmp_path / "t.xlsx")
    assert cells(read_table(tmp_path / "t.xlsx")) == [{"item": "a", "grade": shown}]
    if "%" in shown:
        with pytest.raises(BadInput, match=f"'{shown}' is not a grade"):
            read_grades(tmp_path / "t.xlsx", Layout(), tuple(range(101)))


def test_workbook_without_openpyxl_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "t.xlsx", A=[["item", "grade"], ["a", 1]])
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    assert "pip install 'teacher-harness[xlsx]'" in fault(path)


WORDS = "item,grade\na,Exact\nb,Partial\nc,Exact\nd,2\n"


def test_grades_as_words(tmp_path: Path) -> None:
    path = put(tmp_path, "t.csv", WORDS)
    found = read_grades(path, Layout(labels=parse_labels("Exact=3,Partial=")), SCALE)
    assert [row.grade for row in found.values()] == [3, None, 3, 2]


def test_unknown_word_names_the_option_and_the_words(tmp_path: Path) -> None:
    found = fault(put(tmp_path, "t.csv", WORDS))
    assert "line 2: grade: 'Exact' is not a grade (2 rows)" in found
    assert 'which grade each word means: --labels "Exact=N,Partial=N"' in found
    off = fault(put(tmp_path, "t.csv", WORDS), Layout(labels=parse_labels("Exact=7")))
    assert off == "--labels: Exact=7 is not on the scale 0-3"


@pytest.mark.parametrize("shift", ["1=0,2=1,3=2,9=", "01=0,2.0=1,3=2,9=", "1=0,1.0=0,2=1,3=2,9="])
def test_labels_of_numbers_hold_however_the_numbers_are_written(tmp_path: Path, shift: str) -> None:
    path = put(tmp_path, "t.csv", 'item,grade\na,1\nb,2.0\nc,"3,0"\nd,9.0\ne,\n')
    found = read_grades(path, Layout(labels=parse_labels(shift)), SCALE)
    assert [row.grade for row in found.values()] == [0, 1, 2, None, None]


def test_number_without_a_label_is_refused_where_others_are_recoded(tmp_path: Path) -> None:
    path = put(tmp_path, "t.csv", "item,grade\na,1\nb,2\nc,2\n")
    said = fault(path, Layout(labels=parse_labels("1=0")))
    assert "grade: 2 has no label, and --labels changes other numbers: add 2=N to it (2 rows)" in said
    for harmless in ("1=1", "1=", "Yes=1"):
        assert len(read_grades(path, Layout(labels=parse_labels(harmless)), SCALE)) == 3


@pytest.mark.parametrize(
    "text", ["Exact", "=2", "Exact=two", "a=1,a=2", "1=0,01=2", "1=0,1.0=", "a=" + "1" * 5_000]
)
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--labels"):
        parse_labels(text)


def test_labels_hold_in_every_unicode_form(tmp_path: Path) -> None:
    forms = ("\u00e9", "e\u0301")
    for here in forms:
        for there in forms:
            path = put(tmp_path, "t.csv", f"item,grade\na,{here}\n")
            found = read_grades(path, Layout(labels=parse_labels(f"{there}=2")), SCALE)
            assert found["a"].grade == 2


def test_number_off_the_scale_is_named_once(tmp_path: Path) -> None:
    rows = "".join(f"i{at},{at % 5}\n" for at in range(50))
    assert fault(put(tmp_path, "t.csv", "item,grade\n" + rows)) == (
        f"{tmp_path / 't.csv'}, line 6: grade: 4 is not on the scale 0-3 (10 rows)"
    )


def test_two_titles_that_differ_are_refused(tmp_path: Path) -> None:
    same = '{"item": "a", "grade": 1, "title": "x", "result": {"title": "x"}}\n'
    path = put(tmp_path, "t.jsonl", same)
    assert read_grades(path, Layout(), SCALE)["a"].notes.title == "x"
    path = put(tmp_path, "t.jsonl", same + same.replace('"a"', '"b"').replace('"x"}', '"y"}'))
    assert f"{path}, line 2: title and result.title differ; say which one is meant" in fault(path)
    mapped = Layout(parse_columns("title=result.title"))
    assert read_grades(path, mapped, SCALE)["b"].notes.title == "y"


@pytest.mark.parametrize(("encoding", "cell"), [("utf-7", "+2AA-"), ("raw_unicode_escape", "\\ud800")])
def test_half_a_surrogate_pair_under_an_encoding_is_refused(tmp_path: Path, encoding: str, cell: str) -> None:
    path = put(tmp_path, "t.csv", f"item,grade\na,1\n{cell},1\n")
    assert f"{path}, line 3: not {encoding}" in fault(path, Layout(encoding=encoding))


@pytest.mark.parametrize("cell", ["1_000", "0x10", "inf", "nan", "1e", "-1", "1e999"])
def test_what_is_no_weight_is_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(BadInput, match="is not a number of 0 or more"):
        read_pairs(put(tmp_path, "q.csv", f"item;query;title;n\na;q;t;{cell}\n"), Layout(), "n")


def test_a_weight_that_no_sum_can_hold_is_refused(tmp_path: Path) -> None:
    def pairs(weight: str) -> Path:
        return put(tmp_path, "q.csv", f"item;query;title;n\na;q;t;{weight}\n")

    assert len(read_pairs(pairs("1e12"), Layout(), "n")) == 1
    with pytest.raises(BadInput, match="line 2: weight: input should be less than or equal to 1000000000000"):
        read_pairs(pairs("1.1e12"), Layout(), "n")


def test_weights_are_written_in_one_way(tmp_path: Path) -> None:
    head = "item;query;title;n\na;q;t;0,5\nb;q;t;3\n"
    found = read_pairs(put(tmp_path, "q.csv", head), Layout(), "n")
    assert [one.weight for one in found] == [0.5, 3.0]
    path = put(tmp_path, "q.csv", head + "c;q;t;1.234\n")
    with pytest.raises(BadInput, match=r"n: '1\.234' in line 4 has a decimal point, '0,5' in line 2"):
        read_pairs(path, Layout(), "n")


def test_label_with_a_comma_takes_quotes() -> None:
    assert parse_labels('"Exact, fully"=2, Partial=1') == {"Exact, fully": 2, "Partial": 1}


def harness(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, " ".join(done.output.split())


def test_every_command_that_reads_grades_reads_words(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    rated = put(tmp_path, "r.csv", "item;rater;grade\na;x;Yes\na;y;No\nb;x;No\nb;y;No\n")
    golden = put(tmp_path, "g.csv", "item,query,title,grade\na,q,t,Yes\nb,p,u,No\n")
    how = ("--labels", "Yes=1,No=0", "--scale", "0-1")
    files = ("--golden", golden, *how)
    imported = ("--policy", "new", "--root", tmp_path, *how)
    for words in (
        ("gate1", rated, *how),
        ("gate2", "--grades", golden, *files),
        ("compare", golden, golden, *files),
        ("regress", "--base", golden, "--candidate", golden, *files),
        ("golden", "import", golden, *imported),
    ):
        code, output = harness(*words)
        assert (code == 2) is False, output


def test_replay_reads_words(tmp_path: Path) -> None:
    ship(tmp_path)
    put(tmp_path, "g.csv", "item,grade\na,Yes\nb,0\n")
    replay = (
        "eval",
        "--root",
        tmp_path,
        "--model",
        f"replay/{tmp_path / 'g.csv'}",
        "--limit",
        "1",
        "--no-report",
    )
    assert "'Yes' is not a grade" in harness(*replay)[1]
    assert "is not a grade" not in harness(*replay, "--labels", "Yes=1")[1]
    assert (
        "--labels: only for a file of grades" in harness("eval", "--root", tmp_path, "--labels", "Yes=1")[1]
    )


def test_split_of_another_word_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    text = "item,query,title,grade,split\na,q,t,1,train\nb,p,u,0,train\nc,o,v,0,\n"
    code, output = harness(
        "golden",
        "import",
        put(tmp_path, "g.csv", text),
        "--policy",
        "new",
        "--root",
        tmp_path,
        "--scale",
        "0-1",
    )
    assert code == 2
    assert output.count("'train' is not one of shots, dev, test") == 1
    assert "line 4: split: '' is not one of" in output
    assert "deal new splits by query: --splits 20/40/40" in output


def test_very_long_title_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    text = f"item,query,title,grade\na,q,{'x' * 300_000},1\nb,p,u,0\n"
    imported = ("--policy", "new", "--root", tmp_path, "--scale", "0-1")
    code, output = harness("golden", "import", put(tmp_path, "g.csv", text), *imported)
    assert code == 0
    assert "warning: a: title has 300,000 letters" in output


def frame_rows() -> dict[str, list[str | None]]:
    return {
        "item": ["00123", "00124", "7", "8"],
        "query": ["a", None, "b", "b"],
        "grade": ["1", "2", None, "0"],
        "brand": ["NA", "None", "nan", None],
        "price": ["10.50", "9.00", "1e3", None],
    }


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "saved", "folder of csv", "folder of parquet"])
def test_every_form_of_a_table_has_the_same_rows(tmp_path: Path, kind: str) -> None:
    import datasets

    columns = frame_rows()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    text = "\n".join([",".join(columns), *(",".join(value or "" for value in row.values()) for row in rows)])
    expected = cells(read_table(put(tmp_path, "t.csv", text + "\n")))
    data = datasets.Dataset.from_dict(columns)
    folder = tmp_path / "set"
    folder.mkdir()
    if kind == "jsonl":
        table = read_table(put(tmp_path, "t.jsonl", "\n".join(map(json.dumps, rows))))
    elif kind == "json":
        table = read_table(put(tmp_path, "t.json", json.dumps(rows)))
    elif kind == "parquet":
        data.to_parquet(str(tmp_path / "t.parquet"))
        table = read_table(tmp_path / "t.parquet")
    elif kind == "saved":
        data.save_to_disk(str(folder))
        table = dataset_table(str(folder), None)
    else:
        if kind.endswith("csv"):
            put(folder, "train.csv", text + "\n")
        else:
            data.to_parquet(str(folder / "train.parquet"))
        table = dataset_table(str(folder), None)
    assert cells(table) == expected
    assert expected[0]["item"] == "00123"
    assert [row["brand"] for row in expected] == ["NA", "None", "nan", ""]


def test_what_a_data_frame_lacks_is_missing(tmp_path: Path) -> None:
    import datasets

    nan = float("nan")
    columns = {"item": ["a", "b"], "query": [nan, 1.0], "grade": [nan, 2.0], "title": [None, "None"]}
    datasets.Dataset.from_dict(columns).to_parquet(str(tmp_path / "t.parquet"))
    found = read_grades(tmp_path / "t.parquet", Layout(), SCALE)
    assert [(row.query, row.grade, row.notes.title) for row in found.values()] == [
        (None, None, None),
        ("1.0", 2, "None"),
    ]


@pytest.mark.parametrize(
    ("here", "there", "reason"),
    [
        ("123", "00123", "leading zeros were lost"),
        ("q1|7", "q01|007", "leading zeros were lost"),
        ("17.0", "17", "one is written as a decimal number"),
        ("1.23457E+11", "123457000000", "a long number was rounded"),
        ("4006380000000", "4006381333911", "a long number was rounded"),
        ("1234567890123450", "1234567890123456", "a long number was rounded"),
        ("AB-1", "ab-1", "capitals differ"),
        ("a 1", "a\u200b1", "white space or invisible letters differ"),
        ("\uff21", "A", "the Unicode form differs"),
        ("17", "shoes|17", "one is named by several columns"),
        ("B-17.0", "b-17", "the spelling differs"),
    ],
)
def test_ids_that_do_not_meet_have_a_likely_reason(here: str, there: str, reason: str) -> None:
    for one, other in ((here, there), (there, here)):
        said = unmatched(["zz", one], ["yy", other], "golden.csv")
        assert said.startswith(f"{one!r} here is likely {other!r} in golden.csv: {reason}")


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("4006381333911", "4006381333340"),
        ("4.01E+12", "4006381333911"),
        ("1234567890123456", "1234567890123457"),
    ],
)
def test_numbers_of_one_maker_are_not_rounded(here: str, there: str) -> None:
    for one, other in ((here, there), (there, here)):
        assert unmatched([one], [other], "golden.csv") == f"{one!r} here, {other!r} in golden.csv"


def test_ids_without_a_likely_reason_are_shown_all_the_same() -> None:
    assert unmatched(["x"], ["y"], "golden.csv") == "'x' here, 'y' in golden.csv"
    assert unmatched(["x"], [], "golden.csv") == "'x' here"


def test_two_queries_with_the_same_product_are_not_one_item() -> None:
    assert unmatched(["q1|7"], ["q2|7"], "golden.csv") == "'q1|7' here, 'q2|7' in golden.csv"


def test_ratings_of_items_that_are_spelled_otherwise_are_warned_of(tmp_path: Path) -> None:
    golden = put(tmp_path, "g.csv", "item,grade\n001,1\n002,0\n")
    grades = put(tmp_path, "s.csv", "item,grade\n001,1\n002,0\n")
    rows = [f"{item},{rater},1" for item in ("1", "002", "other") for rater in ("ann", "bob")]
    ratings = put(tmp_path, "r.csv", "item,rater,grade\n" + "\n".join(rows) + "\n")
    words = ("gate2", "--golden", golden, "--grades", grades, "--scale", "0-1", "--ratings")
    hint = "'1' here is likely '001' in the golden set: leading zeros were lost"
    assert f"2 of 3 items of r.csv (4 ratings) are not in the golden set ({hint})" in " ".join(
        harness(*words, ratings)[1].split()
    )
    plain = put(tmp_path, "p.csv", "item,rater,grade\n" + "\n".join(rows[2:4]) + "\n")
    assert "are not in the golden set" not in harness(*words, plain)[1]


def test_ratings_of_other_items_are_no_evidence(tmp_path: Path) -> None:
    rows = "".join(f"i{at},{at % 2}\n" for at in range(60))
    golden = put(tmp_path, "g.csv", "item,grade\n" + rows)
    words = ("gate2", "--golden", golden, "--grades", golden, "--scale", "0-1", "--ratings")
    strange = [
        f"z{at},{who},{(at + (who == 'bob' and at == 0)) % 2}" for at in range(200) for who in ("ann", "bob")
    ]
    table = "item,rater,grade\n" + "\n".join(strange) + "\n"
    put(tmp_path, "raters.toml", '[ann]\nkind = "human"\n[bob]\nkind = "human"\n')
    none = harness(*words, put(tmp_path, "none.csv", table))
    assert none[0] == 2
    one = harness(*words, put(tmp_path, "one.csv", table + "i1,ann,1\ni1,bob,1\n"))
    said = " ".join(one[1].split())
    assert "200 of 201 items of one.csv (400 ratings) are not in the golden set" in said
    assert "Gate 1 has not passed" in said


@given(st.text(min_size=1), st.lists(st.text()))
def test_any_ids_can_be_held_against_each_other(here: str, there: list[str]) -> None:
    assert unmatched([here], there, "g")


def test_ids_in_two_unicode_forms_are_one(tmp_path: Path) -> None:
    golden = put(tmp_path, "g.csv", "item,grade\ncaf\u00e9,1\nb,0\n")
    grades = put(tmp_path, "s.csv", "item,grade\ncafe\u0301,1\nb,0\n")
    assert "100.0% (2 graded" in harness("gate2", "--golden", golden, "--grades", grades, "--scale", "0-1")[1]


def test_files_without_a_common_id_are_refused_and_some_without_are_warned_of(tmp_path: Path) -> None:
    golden = put(tmp_path, "g.csv", "item,grade\n001,1\n002,0\n")
    none = put(tmp_path, "s.csv", "item,grade\n1,1\n2,0\n")
    some = put(tmp_path, "t.csv", "item,grade\n1,1\n002,0\n")
    files = ("--golden", golden, "--scale", "0-1")
    reason = "'1' here is likely '001' in g.csv: leading zeros were lost"
    code, output = harness("gate2", "--grades", none, *files)
    assert code == 2 and "all 2 items of s.csv have no golden grade" in output and reason in output
    code, output = harness("gate2", "--grades", some, *files)
    assert code == 3 and "1 item of t.csv" in output and reason in output
    assert harness("compare", golden, none, *files)[0] == 2


def test_mapped_columns_of_a_wands_table(tmp_path: Path) -> None:
    """WANDS: tabs in a .csv file, ids by number, words as grades."""
    path = put(
        tmp_path, "label.csv", "id\tquery_id\tproduct_id\tlabel\n0\t0\t254\tExact\n1\t0\t12\tIrrelevant\n"
    )
    layout = Layout(
        parse_columns("item=query_id+product_id,grade=label"), labels={"Exact": 2, "Irrelevant": 0}
    )
    assert {item: row.grade for item, row in read_grades(path, layout, SCALE).items()} == {
        "0|254": 2,
        "0|12": 0,
    }
