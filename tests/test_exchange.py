"""Ratings out and in again: each format keeps what it can hold, and names what it cannot."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import examples, write_golden, write_project
from exchanged import RICH, exported, imported, lines, rich, write_ratings
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.ratings import FORMATS as NAMED
from harness.golden.rating.exchange.formats import FORMATS
from harness.golden.rating.exchange.joining import GoldenIndex, joined
from harness.golden.rating.exchange.outgoing import ratings_out
from harness.golden.rating.exchange.responses import Source
from harness.nouns.pair import Example, Rating, Unrated
from harness.storage.tables import Layout

TIMES = ("at", "milliseconds")
LOST: Mapping[str, tuple[str, ...]] = {
    "label-studio.json": (),
    "argilla.json": TIMES,
    "potato.jsonl": TIMES,
    "mturk.csv": (),
    "prolific.csv": (),
    "table.csv": (),
    "table.jsonl": (),
    "quepid.json": (*TIMES, "clauses", "repeats"),
    "quepid.csv": (*TIMES, "clauses", "repeats", "cannot", "reasoning"),
    "qrels.qrels": (*TIMES, "clauses", "repeats", "cannot", "reasoning"),
}
"""What comes back without it."""
RATED = [rich(number, line) for number, line in enumerate(RICH)]


def kept(line: Mapping[str, Any], lost: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in lost}


@pytest.mark.parametrize("name", LOST)
def test_what_leaves_comes_back(here: Path, name: str) -> None:
    write_project(here)
    write_ratings(here, RATED)
    format, ending = name.split(".")
    out = here / f"out.{ending}"
    ended = exported(out, format)
    assert ended.code == 0, ended.err
    files = sorted(here.glob(f"out*.{ending}"))
    write_ratings(here, ())
    for file in files:
        words = ("--rater", file.name.split(".")[1]) if format == "qrels" else ()
        telling = ("--from", "quepid") if name == "quepid.csv" else ()
        back = imported(file, "--keep-names", *words, *telling)
        assert back.code == 0, back.err
    lost = LOST[name]
    wanted = [
        kept(line, lost)
        for line in RATED
        if not ("repeats" in lost and line.get("repeat")) and not ("cannot" in lost and "cannot" in line)
    ]
    assert lines(here) == sorted(wanted, key=lambda one: (one["item"], one["rater"], one.get("repeat", 0)))
    said = ended.err
    assert ("dates and durations: 6" in said) == (format in ("argilla", "potato"))
    assert ("later answers about a pair" in said) == ("repeats" in lost)
    assert ("causes why a pair cannot be rated: 2" in said) == ("cannot" in lost)


plain = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
text = st.lists(plain, max_size=3).map(" ".join)


@given(reasoning=text, grade=st.sampled_from([0, 1, 2, None]), name=st.sampled_from(sorted(LOST)))
def test_any_reasoning_and_every_grade_come_back(
    tmp_path_factory: pytest.TempPathFactory, reasoning: str, grade: int | None, name: str
) -> None:
    format, ending = name.split(".")
    if "reasoning" in LOST[name] or FORMATS[format].read is None:
        return
    from builders import policy

    golden = [Example.model_validate(line) for line in examples()]
    said: Rating | Unrated = (
        Unrated(item="q1-0", rater="5e9088a8a4b6ed018b45ba7b", cannot="policy_silent", reasoning=reasoning)
        if grade is None
        else Rating(item="q1-0", rater="5e9088a8a4b6ed018b45ba7b", grade=grade, reasoning=reasoning)
    )
    small = policy()
    path = tmp_path_factory.mktemp("out") / f"out.{ending}"
    for file, content in FORMATS[format].write(ratings_out(golden, [said], small, path)).items():
        file.write_bytes(content.encode("utf-8"))
    read = FORMATS[format].read
    assert read is not None
    collected = read(Source(path))
    back, lost = joined(
        collected, GoldenIndex({one.id: one for one in golden}), Layout(), small, None, "here"
    )
    assert (collected.faults, lost) == ([], [])
    assert [one.said for one in back] == [said.model_copy(update={"policy_version": "v1"})]


def pairs_of(here: Path, format: str, ending: str) -> dict[str, str]:
    out = here / f"pairs.{ending}"
    ended = exported(out, format, "--pairs")
    assert ended.code == 0, ended.err
    return {path.name: path.read_text("utf-8") for path in here.glob("pairs.*")}


PAIRS = [
    ("label-studio", "json"), ("argilla", "json"), ("quepid", "json"), ("potato", "jsonl"), ("mturk", "csv"),
    ("prolific", "csv"), ("table", "csv"), ("table", "jsonl"),
]  # fmt: skip


@pytest.mark.parametrize(("format", "ending"), PAIRS)
def test_pairs_to_rate_hint_at_no_grade(here: Path, format: str, ending: str) -> None:
    write_project(here)
    golden = examples()
    for line in golden:
        line["tags"] = [f"tag{line['grade']}"]
    write_golden(here, golden)
    files = pairs_of(here, format, ending)
    text = "".join(files.values())
    for line in golden:
        shown = line["split"] != "shots"
        assert (line["result"]["title"] in text) == shown
        assert line["id"] not in text and line["reasoning"] not in text
    assert "tag" not in text.replace("stage", "") and "predictions" not in text and "dev" not in text
    # Other grades, tags and ids in another order: the same bytes.
    for number, line in enumerate(golden):
        line |= {
            "grade": 2 - line["grade"],
            "tags": [],
            "id": f"other-{number}",
            "reasoning": "otherwise " * 9,
        }
    write_golden(here, golden[::-1])
    assert pairs_of(here, format, ending) == files


def test_pairs_of_a_table_come_back_rated(here: Path) -> None:
    write_project(here)
    exported(here / "pairs.csv", "table", "--pairs", "--split", "dev")
    head, *rows = (here / "pairs.csv").read_text("utf-8").splitlines()
    assert len(rows) == sum(line["split"] == "dev" for line in examples())
    rated = "\n".join([f"{head},rater,grade", *(f"{row},ann,1" for row in rows)])
    (here / "rated.csv").write_text(rated, "utf-8")
    assert imported(here / "rated.csv").code == 0
    assert {one["item"] for one in lines(here)} == {
        line["id"] for line in examples() if line["split"] == "dev"
    }


def test_a_pair_with_two_ids_is_rated_once_and_counts_for_both(here: Path) -> None:
    golden = examples()
    golden.append({**golden[3], "id": "twin"})
    write_project(here, golden=golden)
    write_ratings(
        here,
        [{"item": item, "rater": "ann", "grade": 1, "policy_version": "v1"} for item in ("q1-0", "twin")],
    )
    before = lines(here)
    for format, ending in (("label-studio", "json"), ("table", "csv")):
        assert exported(here / f"out.{ending}", format).code == 0
        write_ratings(here, ())
        assert imported(here / f"out.{ending}").code == 0
        assert lines(here) == before
    assert len(json.loads((here / "out.json").read_text("utf-8"))) == 1
    write_ratings(here, [{**before[0]}, {**before[1], "grade": 2}])
    ended = exported(here / "out.json", "label-studio")
    assert "item 'twin': ann graded the same pair differently as 'q1-0'; make both alike" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("quepid", "x.csv", "--pairs"), "pairs for Quepid go into a book: -o FILE.json"),
        (("qrels", "x.qrels", "--pairs"), "qrels hold grades; for pairs to rate: --to table"),
        (("table", "x.xlsx"), "x.xlsx: table is not written as .xlsx: -o FILE.csv or .jsonl"),
        (("mturk", "x.tsv", "--pairs"), "mturk is not written as .tsv: -o FILE.csv"),
        (("label-studio", "x.csv"), "label-studio is not written as .csv: -o FILE.json"),
        (("nothing", "x.json"), "unknown format 'nothing'; there are: label-studio, argilla"),
        (("table", "x.csv", "--rater", "eve"), "--rater: eve rated nothing under small@v1; there are: "),
        (("table", "x.csv", "--split", "dev"), "--split goes with --pairs"),
        (("table", "x.csv", "--pairs", "--rater", "ann"), "--rater chooses ratings"),
    ],
)
def test_what_cannot_be_exported_is_refused(here: Path, words: tuple[str, ...], said: str) -> None:
    write_project(here)
    write_ratings(here, RATED)
    ended = exported(here / words[1], words[0], *words[2:])
    assert (ended.code, said in ended.err) == (2, True), ended.err
    assert not (here / words[1]).exists()


def test_ratings_of_names_are_no_survey_of_prolific(here: Path) -> None:
    write_project(here)
    write_ratings(here, [{"item": "q1-0", "rater": "ann", "grade": 1}])
    assert "ann: not participants of Prolific; use --to table" in exported(here / "x.csv", "prolific").err


def test_no_cell_of_an_export_is_a_formula(here: Path) -> None:
    golden = examples()
    golden[3]["result"]["title"] = "=cmd|'/c calc'!A0"
    write_project(here, golden=golden)
    write_ratings(here, RATED)
    for format in ("mturk", "prolific", "table"):
        for words in ((), ("--pairs",)):
            exported(here / "out.csv", format, *words)
            text = (here / "out.csv").read_text("utf-8")
            assert "'=cmd" in text and ",=cmd" not in text and '"=cmd' not in text
            assert ("\"'=HYPERLINK" in text) == (not words)


def test_a_page_of_mturk_shows_texts_as_texts(here: Path) -> None:
    golden = examples()
    golden[3]["result"]["title"] = "<script>alert(1)</script>"
    write_project(here, golden=golden)
    files = pairs_of(here, "mturk", "csv")
    assert "&lt;script&gt;" in files["pairs.csv"] and "<script>alert" not in "".join(files.values())
    for variable in ("query", "title", "description"):
        assert f"${{{variable}}}" in files["pairs.html"]
    assert "${pair}" not in files["pairs.html"] and "${policy" not in files["pairs.html"]


def test_a_batch_with_signs_of_html_comes_back(here: Path) -> None:
    golden = examples()
    for line in golden[3:6]:
        line["query"] = "b&b <lamp>"
    write_project(here, golden=golden)
    write_ratings(here, RATED)
    exported(here / "out.csv", "mturk")
    assert "b&amp;b &lt;lamp&gt;" in (here / "out.csv").read_text("utf-8")
    write_ratings(here, ())
    ended = imported(here / "out.csv", "--keep-names")
    assert (ended.code, "something else" in ended.err, len(lines(here))) == (0, False, len(RATED))


def test_only_digits_are_keys(here: Path) -> None:
    write_project(here, grades=(-1, 0, 1, 9, 10), golden=examples((0, 9)))
    label_studio = pairs_of(here, "label-studio", "json")["pairs.config.xml"]
    assert re.findall(r'alias="(-?\d+)" hotkey="(.*?)"', label_studio) == [("0", "0"), ("1", "1"), ("9", "9")]
    for path in here.glob("pairs.*"):
        path.unlink()
    potato = json.loads(pairs_of(here, "potato", "jsonl")["pairs.config.yaml"])
    labels = potato["annotation_schemes"][0]["labels"]
    assert [one.get("key_value", "") for one in sorted(labels, key=lambda one: int(one["name"]))] == [
        "", "0", "1", "9", "",
    ]  # fmt: skip


def test_every_format_is_in_the_docs_and_in_the_help() -> None:
    page = (Path(__file__).parent.parent / "docs/ratings.md").read_text("utf-8")
    assert all(page.count(f"| `{name}` |") >= 1 for name in FORMATS)
    assert set(NAMED.replace(" or ", ", ").split(", ")) == set(FORMATS)
