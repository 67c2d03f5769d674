"""`harness audit --paraphrases`: a user's file is read with every fault named, and asked about once."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import Ended, example, examples, harness, policy, write_project
from fault_server import FaultServer, Turn, fault_server, graded, item_of
from oracle import KEYS

from harness.audit.moves import moves
from harness.audit.paraphrases import Paraphrases, PhrasesFile, read_paraphrases
from harness.audit.rewriting import REWRITINGS, pair_id, rewritten, ways_with
from harness.errors import BadInput
from harness.nouns.pair import Example
from harness.storage.digest import digest_file
from harness.storage.tables import Layout, parse_columns

QUERIES = 24
FULL = {
    "title": "Oak table",
    "price": "46.50",
    "description": "Big. Old.",
    "attributes": {"legs": "4", "wood": "oak"},
}


def read(path: Path, *golden: Example, columns: str | None = None) -> Paraphrases:
    return read_paraphrases(PhrasesFile(path, Layout(parse_columns(columns))), golden)


def test_the_texts_of_a_row_take_the_place_of_the_examples_own(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "id,query,title,price,description,attributes.wood,checked by\n"
        "a,desk,A table of oak,46.5,Old. Big.,oak wood,ann\n"
        "b,desk, Oak table ,46.50,Big. Old.,oak,ann\n",
        "utf-8",
    )
    golden = [example(id_, query="desk", result=FULL) for id_ in ("a", "b", "c")]
    found = read(path, *golden)
    assert {id_: one.model_dump(exclude_none=True) for id_, one in found.results.items()} == {
        "a": {
            "title": "A table of oak",
            "price": "46.50",  # a spreadsheet took the zero away
            "description": "Old. Big.",
            "attributes": {"legs": "4", "wood": "oak wood"},
        }
    }
    assert (set(found.unchanged), *found.columns_left) == ({"b"}, "checked by")
    assert (found.file, found.digest) == ("p.csv", digest_file(path))


def test_json_lines_and_parquet_are_read_too(tmp_path: Path) -> None:
    lines, parquet = tmp_path / "p.jsonl", tmp_path / "p.parquet"
    lines.write_text(
        '{"id": "a", "result": {"title": "Table, oak"}}\n{"id": "b", "description": "Old."}\n', "utf-8"
    )
    golden = [example(id_, result=FULL) for id_ in ("a", "b")]
    found = read(lines, *golden)
    assert [(one.title, one.description) for one in found.results.values()] == [
        ("Table, oak", "Big. Old."),
        ("Oak table", "Old."),
    ]
    pq.write_table(pa.table({"which": ["a"], "text": ["Table, oak"]}), parquet)
    assert read(parquet, *golden, columns="item=which,title=text").results["a"].title == "Table, oak"


def test_a_cell_that_a_spreadsheet_would_run_is_read_without_its_quote(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("item,title\na,'=Oak table\n", "utf-8")
    assert read(path, example("a", result=FULL)).results["a"].title == "=Oak table"


def test_every_faulty_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "item,query,title,brand,description\n"
        "nobody,,x,,Big. Old.\n"
        "a,,,,Big. Old.\n"
        "b,lamp,x,,\n"
        "c,,x,Alder,Big. Old.\n"
        ",,x,,Big. Old.\n",
        "utf-8",
    )
    with pytest.raises(BadInput) as caught:
        read(path, *(example(id_, query="desk", result=FULL) for id_ in "abc"))
    assert [(fault.where.removeprefix(f"{path}, "), fault.what) for fault in caught.value.faults] == [
        ("line 2, nobody", "no example of the golden set has this id"),
        (
            "line 3, a",
            "title: no visible letter; the example has 'Oak table' there, and a paraphrase removes nothing",
        ),
        (
            "line 4, b",
            "description: no visible letter; the example has 'Big. Old.' there, and a paraphrase removes "
            "nothing",
        ),
        ("line 4, b", "query: a paraphrase keeps it, and the example's is 'desk'"),
        ("line 5, c", "brand: 'Alder': the example has nothing there, and a paraphrase adds nothing"),
        ("line 6", "no item"),
    ]


@pytest.mark.parametrize("nothing", ["\u200b", "\u3164 \ufe0f", "\u2800", "\U000e0100\u2060", "\u00a0"])
def test_a_text_without_a_visible_letter_is_an_empty_one(tmp_path: Path, nothing: str) -> None:
    path, golden = tmp_path / "p.csv", example("a", result=FULL | {"category": "\u2060"})
    path.write_text(f"item,title,brand,category\na,{nothing},{nothing},x\n", "utf-8")
    with pytest.raises(BadInput) as caught:
        read(path, golden)
    assert [fault.what for fault in caught.value.faults] == [
        "title: no visible letter; the example has 'Oak table' there, and a paraphrase removes nothing",
        "category: 'x': the example has nothing there, and a paraphrase adds nothing",
    ]
    path.write_text(f"item,title,more\na,x{nothing}y,{nothing}\n", "utf-8")
    assert read(path, golden).results["a"].title == f"x{nothing}y"
    with pytest.raises(BadInput, match="no visible letter"):
        read(path, golden, columns="title=title+more")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item,title\na,x\na,y\n", "item 'a' is there twice"),
        ("item,name\na,x\n", "no column replaces a text: one of title, brand"),
        ("title\nx\n", "no column for item"),
        ("item,title\na,x\x07\n", "the control character '\\x07' is not text"),
        ("item,title\n", "holds no rows"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput) as caught:
        read(path, example("a", result=FULL))
    assert said in str(caught.value)


def test_a_paraphrase_stands_between_what_words_nothing_otherwise_and_praise() -> None:
    given = [example("a", result=FULL), example("b", result=FULL)]
    ways = ways_with({"a": given[0].result.model_copy(update={"title": "Table"})}, "p.csv")
    order = list(ways)
    assert [one for one in order if one != "paraphrase"] == list(REWRITINGS)
    at = order.index("paraphrase")
    assert order[at - 1 : at + 2] == ["equivalents", "paraphrase", "praise"]
    found = {one.id: one.result.title for one in rewritten(lambda: given, ways) if "paraphrase" in one.id}
    assert found == {"a/paraphrase": "Table"}
    assert ways["paraphrase"].what == "as p.csv words it" and not ways["paraphrase"].may_move


def test_fewer_than_five_queries_are_counted_and_not_tested() -> None:
    for queries, tested in ((4, False), (5, True)):
        given = [example(f"i{at}", result=FULL) for at in range(8)]
        worded = {one.id: one.result for one in given[:queries]}
        grades = {pair_id(one.id, "plain"): 0 for one in given}
        grades |= {pair_id(id_, "paraphrase"): at % 2 for at, id_ in enumerate(worded)}
        found, _ = moves(given, frozenset(grades), grades, policy(), ways_with(worded))
        (one,) = [way for way in found if way.kind == "paraphrase"]
        assert (one.of, one.moved, one.ci is not None) == (queries, 2, True)
        assert (one.shift is not None, one.p is not None) == (tested, tested)
        assert ("fewer than 5 queries have one" in str(one.reason)) is not tested


# --- the command ---------------------------------------------------------------------------------------


@pytest.fixture
def shop(here: Path) -> Path:
    """A project with 36 examples in dev of 12 queries, and a paraphrase of 24 of them."""
    write_project(here, golden=examples(queries=QUERIES))
    write_phrases(here, [one for one in dev() if one["grade"]])
    return here


def dev() -> list[dict[str, Any]]:
    return [one for one in examples(queries=QUERIES) if one["split"] == "dev"]


def write_phrases(here: Path, of: list[dict[str, Any]], word: str = "article") -> None:
    lines = [json.dumps({"id": one["id"], "title": f"{word}: {one['result']['title']}"}) + "\n" for one in of]
    (here / "words.jsonl").write_text("".join(lines), "utf-8")


def sure(number: int, body: dict[str, Any]) -> Turn:
    """A teacher that knows the right grade."""
    title = item_of(body)["result"]["title"].casefold()
    marked = re.search(r"[0-9]x([0-9])", title)
    return graded(int(marked[1]) if marked else 0)


def shy_of_articles(number: int, body: dict[str, Any]) -> Turn:
    """A teacher that knows the right grade, and takes one off for a word."""
    title = item_of(body)["result"]["title"].casefold()
    marked = re.search(r"[0-9]x([0-9])", title)
    return graded(max(0, (int(marked[1]) if marked else 0) - ("article" in title)))


def audit(server: FaultServer, *words: str, target: str = "openai/m") -> Ended:
    return harness("audit", target, "--base-url", server.url, *words, **KEYS)


WORDS = ("--paraphrases", "words.jsonl")


def test_a_planted_sensitivity_is_told_and_asked_about_once(shop: Path) -> None:
    with fault_server(shy_of_articles) as server:
        without = audit(server, "--dry-run", "--json").json["requests"]
        assert audit(server, *WORDS, "--dry-run", "--json").json["requests"] == without + 24
        ended = audit(server, *WORDS, "--json", "--markdown", "page.md")
        asked = len(server.requests)
        shown = audit(server, *WORDS)
        (shop / "words.jsonl").rename(shop / "renamed.jsonl")
        audit(server, "--paraphrases", "renamed.jsonl")
        assert (shown.code, len(server.requests)) == (0, asked)
    found = ended.json
    by_kind = {one["kind"]: one for one in found["rewrites"]}
    one = by_kind["paraphrase"]
    assert (one["moved"], one["of"], one["down"], one["shift"]) == (24, 24, 24, -1)
    assert one["actions_moved"] == one["actions_first"] and one["p_holm"] < 0.001 and not one["may_move"]
    assert all(other["moved"] == 0 for kind, other in by_kind.items() if kind != "paraphrase")
    digest = digest_file(shop / "renamed.jsonl")
    assert found["paraphrases"] == {
        "file": "words.jsonl", "digest": digest, "items": 24, "of": 36, "unchanged": 0, "elsewhere": 0,
        "columns_left": [],
    }  # fmt: skip
    (folder,) = (shop / "runs/pairs").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (manifest["asked"]["paraphrases"], manifest["digests"]["paraphrases"]) == ("words.jsonl", digest)
    text = " ".join(shown.out.split())
    assert "paraphrase lowers the grade by 1.00 on average: 24 of 24 grades moved." in text
    assert "Moved though the meaning stayed, according to words.jsonl: paraphrase 24 of 24." in text
    assert "paraphrase: 24 of 36 audited items have one in words.jsonl" in text
    assert "the file claims that their meaning and their right grade stayed" in text
    assert "| paraphrase | 24/24 | 100% |" in (shop / "page.md").read_text("utf-8")


def test_a_teacher_that_reads_the_meaning_moves_nothing(shop: Path) -> None:
    with fault_server(sure) as server:
        found = audit(server, *WORDS, "--json").json
        assert {one["moved"] for one in found["rewrites"]} == {0}
        asked = len(server.requests)
        write_phrases(shop, [one for one in dev() if one["grade"]][:6], "thing")
        other = audit(server, *WORDS, "--json").json
        # Another file is another run, and only what is new in it is asked.
        assert (len(server.requests), len(list((shop / "runs/pairs").iterdir()))) == (asked + 6, 2)
    assert other["paraphrases"]["items"] == 6
    text = " ".join(harness("audit", "builtin/majority", *WORDS).out.split())
    assert "Cannot tell about paraphrase: fewer than 5 queries have one." in text


def test_the_teacher_of_a_run_is_asked_about_them_with_the_other_rewrites(shop: Path) -> None:
    golden = dev()
    write_phrases(shop, [*golden[:20], *(one for one in examples(queries=QUERIES) if one["split"] == "test")])
    with fault_server(shy_of_articles) as server:
        harness("eval", "--model", "openai/m", "--policy", "small", "--base-url", server.url, **KEYS)
        refused = harness("audit", "latest", *WORDS)
        assert (
            refused.code == 2
            and "--paraphrases: a finished run is read, without calls; add --rewrites" in refused.err
        )
        found = audit(server, *WORDS, "--rewrites", "--json", target="latest").json
    assert {one["kind"]: one["of"] for one in found["rewrites"]}["paraphrase"] == 20
    assert (found["paraphrases"]["items"], found["paraphrases"]["elsewhere"]) == (20, 18)


def test_a_table_is_mapped_and_what_is_not_read_is_named(shop: Path) -> None:
    (one, same, *_) = dev()
    own = same["result"]["title"]
    (shop / "w.csv").write_text(f"which,text,by\n{one['id']},a shoe,ann\n{same['id']},{own},bob\n", "utf-8")
    words = ("audit", "builtin/majority", "--paraphrases", "w.csv")
    ended = harness(*words, "--columns", "item=which,title=text")
    text = " ".join(ended.out.split())
    assert ended.code == 0 and "paraphrase: 1 of 36 audited items has one in w.csv" in text
    assert (
        "w.csv: 1 row has the item's own texts" in text
        and "not read, as they name no text of a result: by" in text
    )
    assert harness(*words, "--columns", "item=which,title=text", "--wide", "a").code == 2
    assert "no column for item" in harness(*words).err


def test_what_a_file_covers_and_what_is_not_read_is_said_before_anything_is_asked(shop: Path) -> None:
    first = dev()[0]
    (shop / "w.csv").write_text(f"item,title,descripton\n{first['id']},a shoe,red\n", "utf-8")
    with fault_server(sure) as server:
        dry = audit(server, "--paraphrases", "w.csv", "--dry-run", "--json")
        told = " ".join(dry.err.split())
        assert "paraphrase: 1 of 36 audited items has one in w.csv" in told
        assert "w.csv: not read, as they name no text of a result: descripton" in told
        assert dry.json["requests"] and not server.requests
        asked = " ".join(audit(server, "--paraphrases", "w.csv").err.split())
    assert asked.startswith(told)


def test_rows_that_change_no_audited_item_are_told_apart(shop: Path) -> None:
    same, other = dev()[0], next(one for one in examples(queries=QUERIES) if one["split"] == "test")
    rows = [json.dumps({"id": one["id"], "title": one["result"]["title"]}) for one in (same, other)]
    (shop / "words.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    said = " ".join(harness("audit", "builtin/majority", *WORDS).err.split())
    assert "(1 row is about an example that is not audited here, 1 row has an item's own texts)" in said


FAULTS = {
    "files": (("--golden", "g.csv", "--grades", "g.csv"), "files of grades are read, without calls"),
    "an unknown id": (
        ("builtin/majority",),
        "words.jsonl, line 1, nobody: no example of the golden set has this id",
    ),
    "none audited": (
        ("builtin/majority", "--split", "test"),
        "no row changes the texts of one of the 18 audited items of test "
        "(24 rows are about examples that are not audited here)",
    ),
    "no file": (("builtin/majority",), "gone.jsonl"),
    "a pipe": (("builtin/majority",), "words.jsonl"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_told_before_anything_is_asked(shop: Path, name: str) -> None:
    words, said = FAULTS[name]
    file = "gone.jsonl" if name == "no file" else "words.jsonl"
    if name == "an unknown id":
        (shop / file).write_text('{"id": "nobody", "title": "x"}\n', "utf-8")
    if name == "a pipe":
        (shop / file).unlink()
        os.mkfifo(shop / file)
    ended = harness("audit", *words, "--paraphrases", file)
    assert (ended.code, said in ended.err, "Traceback" in ended.err) == (2, True, False), ended.err
    assert not (shop / "runs/pairs").exists()


def test_a_paraphrase_that_is_nearly_a_shot_withholds_that_shot(shop: Path) -> None:
    """The guard sees a rewritten pair as it sees every other that is graded."""
    shot = next(one for one in examples(queries=QUERIES) if one["split"] == "shots" and one["grade"] == 2)
    lines = (shop / "golden/small/examples.jsonl").read_text("utf-8").splitlines()
    near = {**dev()[0], "query": " ".join(reversed(shot["query"].split()))}
    found = [json.dumps(near) if json.loads(line)["id"] == near["id"] else line for line in lines]
    (shop / "golden/small/examples.jsonl").write_text("\n".join(found) + "\n", "utf-8")
    title = shot["result"]["title"]
    (shop / "words.jsonl").write_text(json.dumps({"id": near["id"], "title": title}) + "\n", "utf-8")
    for words, withheld in (((), False), (WORDS, True)):
        with fault_server(sure) as server:
            audit(server, *words, "--limit", "36")
        system = {str(body["messages"][0]) for body in server.requests}
        assert all((f"{title!r}"[1:-1] not in one) is withheld for one in system), withheld
