"""Tables: every format, every header, every fault with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BadInput, Fault
from harness.golden.grade_tables import read_golden_grades, read_grades, read_ratings
from harness.golden.scales import parse_scale, scale_text
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Row, joined, parse_columns

SCALE = (0, 1, 2, 3)
LONG = "query,doc,who,label\nshoes,1,ann,3\nshoes,1,bob,2\nhat,1,ann,0\nhat,1,bob,\n"
MAPPED = Layout(parse_columns("item=query+doc,grade=label,rater=who"))


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def fault(path: Path, layout: Layout | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        read_ratings(path, layout or Layout(), SCALE)
    return str(caught.value)


def test_long_ratings_with_mapped_headers(tmp_path: Path) -> None:
    found = read_ratings(put(tmp_path, "r.csv", LONG), MAPPED, SCALE)
    assert [(r.item, r.rater, r.grade, r.query) for r in found] == [
        ("shoes|1", "ann", 3, "shoes"),
        ("shoes|1", "bob", 2, "shoes"),
        ("hat|1", "ann", 0, "hat"),
    ]


@pytest.mark.parametrize("name", ["r.tsv", "r.jsonl", "r.parquet", "r.data"])
def test_every_format_reads_the_same(tmp_path: Path, name: str) -> None:
    rows = [line.split(",") for line in LONG.splitlines()]
    path = tmp_path / name
    if name == "r.tsv":
        put(tmp_path, name, LONG.replace(",", "\t"))
    elif name == "r.parquet":
        import datasets

        columns = {head: [row[at] for row in rows[1:]] for at, head in enumerate(rows[0])}
        datasets.Dataset.from_dict(columns).to_parquet(str(path))
    elif name == "r.jsonl":
        import json

        put(tmp_path, name, "\n".join(json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]))
    else:
        put(tmp_path, name, LONG)
    layout = Layout(MAPPED.columns, format="csv" if name == "r.data" else None)
    expected = read_ratings(put(tmp_path, "same.csv", LONG), MAPPED, SCALE)
    assert read_ratings(path, layout, SCALE) == expected


def test_wide_ratings_have_a_column_for_each_rater(tmp_path: Path) -> None:
    path = put(tmp_path, "r.csv", "item,ann,bob\na,3,2\nb,,1\n")
    found = read_ratings(path, Layout(wide=("ann", "bob")), SCALE)
    assert [(r.item, r.rater, r.grade) for r in found] == [("a", "ann", 3), ("a", "bob", 2), ("b", "bob", 1)]


def test_qrels_name_an_item_by_query_and_document(tmp_path: Path) -> None:
    path = put(tmp_path, "r.qrels", "101 0 d1 3\n101 0 d2 0\n102 0 d1 1\n")
    found = read_golden_grades(path, Layout(), SCALE)
    assert {item: row.grade for item, row in found.items()} == {"101|d1": 3, "101|d2": 0, "102|d1": 1}
    assert "line 2" in fault(put(tmp_path, "bad.qrels", "101 0 d1 3\n101 d2 0\n"))


FAULTY = {
    "missing columns, with those there": (
        "doc,label\n1,2\n",
        "no column for item, no column for grade, no column for rater (the columns there: doc, label",
    ),
    "off the scale": ("item,rater,grade\na,x,3\nb,x,5\n", "line 3: grade: 5 is not on the scale 0-3"),
    "not a number": ("item,rater,grade\na,x,good\n", "line 2: grade: 'good' is not a grade"),
    "a number in another dress": ("item,rater,grade\na,x,0_3\n", "'0_3' is not a grade"),
    "half a grade": ("item,rater,grade\na,x,2.5\n", "line 2: grade: 2.5 is not on the scale"),
    "graded twice": (
        "item,rater,grade\na,x,1\nb,x,1\na,x,1\n",
        "line 4: item 'a' by rater 'x' is graded twice (first: ",
    ),
    "ragged": ("item,rater,grade\na,x\n", "line 2: 2 cells under 3 headers"),
    "header twice": ("item,rater,item,grade\na,x,b,1\n", "the header 'item' comes twice"),
    "no rows": ("item,rater,grade\n", "holds no rows"),
    "empty": ("", "holds no rows"),
    "no item": ("item,rater,grade\n,x,1\n", "line 2: empty item"),
    "no rater": ("item,rater,grade\na,,1\n", "line 2: no rater"),
    "open quote": ('item,rater,grade\n"a,x,1\n', "line 2: a quote is opened here and never closed"),
}


@pytest.mark.parametrize(("text", "what"), FAULTY.values(), ids=FAULTY)
def test_fault_names_its_line(tmp_path: Path, text: str, what: str) -> None:
    assert what in fault(put(tmp_path, "r.csv", text))


def test_line_of_a_row_after_a_cell_of_several_lines(tmp_path: Path) -> None:
    text = 'item,rater,grade,note\na,x,1,"two\nlines"\nb,x,9,\n'
    assert "line 4: grade: 9" in fault(put(tmp_path, "r.csv", text))


def test_not_utf8_names_the_line(tmp_path: Path) -> None:
    assert "line 2: not UTF-8 (byte 0xe4)" in fault(put(tmp_path, "r.csv", b"item,rater,grade\n\xe4,x,1\n"))


def test_tsv_may_have_quotes_or_have_none(tmp_path: Path) -> None:
    raw = put(tmp_path, "raw.tsv", 'item\trater\tgrade\n"Deluxe" a\tx\t1\n24" b\tx\t2\n')
    assert [r.item for r in read_ratings(raw, Layout(), SCALE)] == ['"Deluxe" a', '24" b']
    csv_like = put(tmp_path, "csv.tsv", 'item\trater\tgrade\n"24"" b"\tx\t2\n')
    assert [r.item for r in read_ratings(csv_like, Layout(), SCALE)] == ['24" b']


def test_shots_of_a_golden_file_are_not_graded(tmp_path: Path) -> None:
    path = put(tmp_path, "g.csv", "item,grade,split\na,1,shots\nb,2,dev\nc,3,test\n")
    assert list(read_golden_grades(path, Layout(), SCALE)) == ["b", "c"]


def test_byte_order_mark_is_no_part_of_a_header(tmp_path: Path) -> None:
    path = put(tmp_path, "r.csv", b"\xef\xbb\xbfitem,rater,grade\r\na,x,1\r\n")
    assert read_ratings(path, Layout(), SCALE)[0].item == "a"


def test_json_lines_faults_name_their_lines(tmp_path: Path) -> None:
    text = '{"item": "a"}\n\n{"item": \n[1]\n{"item": 1, "item": 2}\n'
    found = fault(put(tmp_path, "r.jsonl", text))
    assert [part in found for part in ("line 3", "line 4", "line 5", "given twice")] == [True] * 4


def test_unknown_ending_asks_for_a_format(tmp_path: Path) -> None:
    assert "--format" in fault(put(tmp_path, "r.ods", "x"))


def test_what_is_no_parquet_is_said_to_be_none(tmp_path: Path) -> None:
    assert "not readable as Parquet" in fault(put(tmp_path, "r.parquet", "x"))


def test_several_raters_ask_which(tmp_path: Path) -> None:
    path = put(tmp_path, "r.csv", LONG)
    with pytest.raises(BadInput, match="several raters: ann, bob; name one with --rater"):
        read_grades(path, MAPPED, SCALE)
    with pytest.raises(BadInput, match="no rater 'cy'; there are: ann, bob"):
        read_grades(path, MAPPED, SCALE, "cy")
    assert read_grades(path, MAPPED, SCALE, "bob")["hat|1"].grade is None


def test_golden_grades_have_no_gaps(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 3: no golden grade"):
        read_golden_grades(put(tmp_path, "g.csv", "item,grade\na,1\nb,\n"), Layout(), SCALE)


@pytest.mark.parametrize(
    ("text", "scale"),
    [("0-3", (0, 1, 2, 3)), ("0,1,3", (0, 1, 3)), ("-1,0,1", (-1, 0, 1)), ("0, 1, 3", (0, 1, 3))],
)
def test_scale_is_read_and_written(text: str, scale: tuple[int, ...]) -> None:
    assert parse_scale(text) == scale
    assert parse_scale(scale_text(scale)) == scale


@pytest.mark.parametrize("text", ["", "3", "a-b", "4-0", "1,1", "0-101", "0-99999999999"])
def test_what_is_no_scale_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="invalid scale"):
        parse_scale(text)


@pytest.mark.parametrize("text", ["item", "item=", "=x", "item=a+"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not name=header"):
        parse_columns(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("item=item,item=docid", "item is mapped twice"),
        ("grade=g1+g2", "grade takes one header"),
        ("item=a+b,clauses=c+d,tags=e+f", "clauses, tags takes one header"),
    ],
)
def test_header_that_would_be_passed_over_is_refused(text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        parse_columns(text)


def test_name_that_nothing_is_called_by_is_refused() -> None:
    """A misspelt name would map nothing, and nobody would know."""
    with pytest.raises(BadInput, match="itm is none of our names: item, query, rater, grade"):
        parse_columns("itm=doc,grade=label")


def test_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder; name a file in it"):
        read_grades(tmp_path, Layout(), (0, 1))


cells = st.text(alphabet="ab|\\", min_size=1)


@given(cells, cells, cells, cells)
def test_different_cells_never_join_to_one_item(a: str, b: str, c: str, d: str) -> None:
    one, other = Row(1, {"x": a, "y": b}), Row(1, {"x": c, "y": d})
    assert (joined(one, ("x", "y")) == joined(other, ("x", "y"))) == ((a, b) == (c, d))


def test_nested_objects_have_dotted_headers(tmp_path: Path) -> None:
    table = read_table(
        put(tmp_path, "t.jsonl", '{"id": "a", "result": {"title": "t", "attributes": {"x": "1"}}}\n')
    )
    assert table.columns == ("id", "result.title", "result.attributes.x")


def test_table_that_changes_between_two_readings_is_refused(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "r.csv", "item,grade\na,1\n"))
    assert len(list(table.rows)) == 1
    put(tmp_path, "r.csv", "item,grade\na,1\nb,0\n")
    with pytest.raises(BadInput, match="changed while it was read"):
        list(table.rows)


def test_faults_of_one_kind_are_shown_with_the_first_three_lines(tmp_path: Path) -> None:
    rows = "".join(f"i{n // 2},ann,1\n" for n in range(40))
    assert fault(put(tmp_path, "twice.csv", f"item,rater,grade\n{rows}")).split("\n") == [
        *(
            f"{tmp_path}/twice.csv, line {3 + 2 * n}: item 'i{n}' by rater 'ann' is graded twice "
            f"(first: {tmp_path}/twice.csv, line {2 + 2 * n})"
            for n in range(3)
        ),
        "... and 17 more lines of this kind",
    ]


def test_faults_of_several_kinds_and_files_are_not_mixed() -> None:
    broken = [Fault(f"a.jsonl, line {n}", f"not JSON: letter {n}", "not JSON") for n in range(5)]
    others = [Fault("a.jsonl, line 2", "grade: missing"), Fault("b.jsonl, row 1", "not JSON", "not JSON")]
    ids = [Fault(f"pair-{n}", "not an example") for n in range(5)]
    assert str(BadInput([*broken, *others, *ids])).split("\n") == [
        *(f"a.jsonl, line {n}: not JSON: letter {n}" for n in range(3)),
        "... and 2 more lines of this kind",
        "a.jsonl, line 2: grade: missing",
        "b.jsonl, row 1: not JSON",
        *(f"pair-{n}: not an example" for n in range(5)),
    ]
    assert str(BadInput([Fault(f"id-{n}", "gone") for n in range(25)])).endswith(
        "id-19: gone\n... and 5 more"
    )


def test_lines_that_are_not_json_are_counted(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_table(put(tmp_path, "a.jsonl", "".join(f"{' ' * n}{{\n" for n in range(6))), Layout())
    assert str(caught.value).count("not JSON") == 3
    assert str(caught.value).endswith("... and 3 more lines of this kind")
