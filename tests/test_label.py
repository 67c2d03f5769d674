"""harness label: each distinct pair is asked once by a proven teacher, and every row has its outcome."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from fault_server import Turn, completion, error, fault_server, graded, item_of
from labelling import (
    HEADER,
    PROVING,
    answers,
    by_title,
    grade_of,
    label,
    labelled,
    manifest,
    proven_project,
    rows,
    write_rows,
)
from oracle import KEYS

from harness.demo.batch_lines import Fate
from harness.runs.folder import find_run, open_run
from harness.runs.labels import load_labels
from harness.storage.project import Project

PRICES = '[models."openai/m"]\ninput = 1.0\noutput = 0.01\nbatch = 0.5\n'


def test_each_distinct_pair_is_asked_once_and_every_row_is_labelled(here: Path) -> None:
    with fault_server(by_title) as server:
        proven_project(here, server)
        asked = len(server.requests)
        table = write_rows(here / "pairs.csv", rows(50, distinct=12))
        ended = label(server, table, "--json")
        assert (ended.code, len(server.requests) - asked) == (0, 12), ended.err
    found = ended.json
    assert (found["rows"], found["distinct"]) == (50, 12)
    assert found["outcomes"] == {"graded": 50, "ungraded": 0, "failed": 0}
    done = labelled()
    assert [row["item"] for row in done] == [f"p{number}" for number in range(50)]
    assert all(row["grade"] == grade_of(row["title"]) for row in done)
    assert [row["asked"] for row in done] == [number < 12 for number in range(50)]
    assert [row["weight"] for row in done] == [1 + number % 4 for number in range(50)]
    assert {row["stratum"] for row in done} == {"head", "tail"}
    assert [row["position"] for row in done[:3]] == [1, 2, 3]
    assert all(row["proven"] for row in done) and manifest()["proven"]["verdict"] == "pass"
    # The traffic's shares, by the weights and not by the rows.
    weight = sum(1 + n % 4 for n in range(50))
    top = next(one for one in found["grades"] if one["grade"] == 2)
    assert top["share"] == sum(1 + n % 4 for n in range(50) if n % 12 % 3 == 2) / weight
    assert [part["stratum"] for part in found["by_stratum"]] == ["head", "tail"]
    assert json.loads(Path("L/summary.json").read_text("utf-8")) == found


def test_label_then_eval_on_the_same_pairs_asks_nothing(here: Path) -> None:
    with fault_server(by_title) as server:
        proven_project(here, server)
        golden = here / "golden/small/examples.jsonl"
        dev = [line for line in examples(queries=PROVING) if line["split"] == "dev"]
        wanted = [{name: line[name] for name in ("id", "query", "result")} for line in dev]
        pairs = here / "pairs.jsonl"
        pairs.write_text("".join(json.dumps(line) + "\n" for line in wanted), encoding="utf-8")
        assert label(server, pairs).code == 0
        before = len(server.requests)
        words = ("--policy", "small", "--model", "openai/m", "--split", "dev", "--base-url", server.url)
        ended = harness("eval", *words, "--json", **KEYS)
        assert (ended.json["n"], len(server.requests)) == (len(dev), before)
        assert ended.json["spending"]["reused"] == len(dev)
        # The golden file itself is a table of pairs too.
        ended = harness("label", golden, "-o", "G", *words[:4], "--base-url", server.url, "--json", **KEYS)
        shots = [line for line in examples(queries=PROVING) if line["split"] == "shots"]
        assert len(server.requests) == before + len(shots)
    by_item = {row["item"]: row for row in labelled(Path("G"))}
    grades = {line["id"]: line["grade"] for line in examples(queries=PROVING)}
    assert {item: row["grade"] for item, row in by_item.items()} == grades


def test_label_then_eval_on_500_golden_pairs_gives_the_same_grades_without_a_request(here: Path) -> None:
    """Wrong, and unreadable, answers too: a label is what the run would say, whatever that is."""
    every = examples(queries=336)
    dev = [line for line in every if line["split"] == "dev"][:500]
    write_project(here, golden=[line for line in every[:24] if line["split"] == "shots"] + dev)
    lines = [json.dumps({name: line[name] for name in ("id", "query", "result")}) + "\n" for line in dev]
    pairs = here / "pairs.jsonl"
    pairs.write_text("".join(lines), encoding="utf-8")
    with fault_server(in_three_ways) as server:
        assert label(server, pairs, "--unproven").code == 0
        assert len(server.requests) >= len(dev) == 500  # an unreadable answer is asked for again
        before = len(server.requests)
        words = ("--policy", "small", "--model", "openai/m", "--split", "dev", "--base-url", server.url)
        ended = harness("eval", *words, "--json", **KEYS)
        assert (ended.json["spending"]["reused"], len(server.requests)) == (500, before), ended.err
    run = open_run(find_run(Project(here), "latest"))
    said = {one.example: getattr(one.outcome, "value", None) for one in run.each_record()}
    assert said == {row["item"]: row["grade"] for row in labelled()}
    unread = sum(grade is None for grade in said.values())
    wrong = sum(said[line["id"]] not in (line["grade"], None) for line in dev)
    assert unread > 50 and wrong > 50


def test_pairs_with_the_query_of_a_shot_are_flagged_and_in_no_share(here: Path) -> None:
    write_project(here)
    shot = next(line for line in examples() if line["split"] == "shots")
    table = write_rows(
        here / "pairs.csv",
        [("a", shot["query"].upper() + "!", "tent model 1x1"), ("b", "tent", "tent model 2x2")],
        HEADER[:3],
    )
    with fault_server(by_title) as server:
        found = label(server, table, "--unproven", "--json").json
        shown = [json.dumps(body) for body in server.requests]
    assert all(shot["result"]["title"] in prompt for prompt in shown)  # the prompt is that of eval
    assert [row["shot_query"] for row in labelled()] == [True, False]
    assert found["shot_query"] == 1
    assert {one["grade"]: one["rows"] for one in found["grades"]} == {0: 0, 1: 0, 2: 1}


def in_three_ways(number: int, body: dict[str, Any]) -> Turn:
    """By the title: right, wrong, or with no grade in it."""
    title = item_of(body)["result"]["title"]
    found = re.search(r"(\d+)x\d", title)
    assert found, title
    query = int(found[1])
    return completion("no idea") if query % 7 == 1 else graded((grade_of(title) + (query % 5 == 1)) % 3)


def test_an_unproven_teacher_is_refused_by_name(here: Path) -> None:
    write_project(here, golden=examples(queries=PROVING))
    table = write_rows(here / "pairs.csv", rows(3))
    with fault_server(by_title) as server:
        ended = label(server, table)
        assert (ended.code, server.requests, Path("L").exists()) == (2, [], False)
        assert "openai/m with teacher@v" in ended.err and "prove it first" in ended.err
        assert "is not proven" in ended.err and "--unproven" in ended.err
        assert f"--split test --base-url {server.url}" in " ".join(ended.err.split())
        ended = label(server, table, "--unproven", "--json")
        assert (ended.code, ended.json["proven"], ended.json["unproven"]) == (0, None, True)
    assert not any(row["proven"] for row in labelled())


@pytest.mark.parametrize(
    "words, why",
    [
        (("--split", "dev"), "it graded dev; a run on test alone, and on all of it, is needed"),
        (("--split", "dev+test"), "it graded dev+test; a run on test alone, and on all of it, is needed"),
        (("--split", "test", "--limit", "50"), "it graded a sample of test"),
        (("--split", "test", "--temperature", "1"), "--temperature 1.0"),
        (("--split", "test", "--max-tokens", "900"), "--max-tokens 900"),
        (("--split", "test", "--shots", "2"), "another state of the prompt's constant part"),
        (("--split", "test", "--no-schema"), "--no-schema True"),
    ],
)
def test_another_run_is_no_proof(here: Path, words: tuple[str, ...], why: str) -> None:
    write_project(here, golden=examples(queries=PROVING))
    table = write_rows(here / "pairs.csv", rows(3))
    with fault_server(by_title) as server:
        at = ("--policy", "small", "--model", "openai/m", "--base-url", server.url)
        assert harness("eval", *at, *words, **KEYS).code == 0
        ended = label(server, table)
    assert ended.code == 2
    assert why in " ".join(ended.err.split())


def half_right(number: int, body: dict[str, Any]) -> Turn:
    """Wrong in every other query."""
    title = item_of(body)["result"]["title"]
    return graded((grade_of(title) + (len(title) % 2)) % 3)


def test_a_failed_gate_is_no_proof(here: Path) -> None:
    write_project(here, golden=examples(queries=PROVING))
    table = write_rows(here / "pairs.csv", rows(3))
    with fault_server(half_right) as server:
        at = ("--policy", "small", "--model", "openai/m", "--base-url", server.url)
        harness("eval", *at, "--split", "test", **KEYS)
        ended = label(server, table)
    said = " ".join(ended.err.split())
    assert (ended.code, "its Gate 2 verdict is fail" in said) == (2, True), ended.err
    # Asked often enough, a teacher passes by luck.
    assert "to ask test again until it passes proves nothing" in said and "prove it first" not in said
    assert re.search(r"what it lacks: harness gate2 \S+-test;", said)


def test_a_set_becomes_proven_once_its_teacher_is(here: Path) -> None:
    write_project(here, golden=examples(queries=PROVING))
    table = write_rows(here / "pairs.csv", rows(3))
    with fault_server(by_title) as server:
        assert label(server, table, "--unproven").code == 0
        assert label(server, table).code == 2
        at = ("--policy", "small", "--model", "openai/m", "--base-url", server.url)
        assert harness("eval", *at, "--split", "test", **KEYS).code == 0
        asked = len(server.requests)
        assert label(server, table, "--json").json["unproven"] is False
        assert len(server.requests) == asked
        assert all(row["proven"] for row in labelled())
        # A set can come from anybody: what it says of its proof is no proof.
        (run,) = (here / "runs").glob("[!.]*-test")
        assert harness("runs", "rm", run.name, "--yes", "--force").code == 0
        assert label(server, table).code == 2
        assert all(row["proven"] for row in labelled())


def test_a_changed_golden_shot_needs_a_new_proof(here: Path) -> None:
    with fault_server(by_title) as server:
        proven_project(here, server)
        table = write_rows(here / "pairs.csv", rows(3))
        assert label(server, table).code == 0
        golden = here / "golden/small/examples.jsonl"
        lines = [json.loads(line) for line in golden.read_text("utf-8").splitlines()]
        shot = next(line for line in lines if line["split"] == "shots")
        shot["result"]["description"] = "another one"
        golden.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        ended = harness("label", table, "-o", "M", "--policy", "small", "--model", "openai/m",
                        "--base-url", server.url, **KEYS)  # fmt: skip
        assert ended.code == 2 and "the shots" in ended.err
        ended = label(server, table)  # and the set that was begun takes no others either
    assert ended.code == 2 and "another state of: " in ended.err and "the shots" in ended.err


def test_every_kind_of_table_makes_the_same_labels(here: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    write_project(here)
    found = rows(30, distinct=10)
    data = [dict(zip(HEADER, row, strict=True)) for row in found]
    write_rows(here / "a.csv", found)
    (here / "b.jsonl").write_text("".join(json.dumps(one) + "\n" for one in data), encoding="utf-8")
    pyarrow.parquet.write_table(pa.Table.from_pylist(data), here / "c.parquet")
    (here / "many").mkdir()
    for at in range(3):
        write_rows(here / f"many/{at}.csv", found[at * 10 : at * 10 + 10])
    told = []
    with fault_server(by_title) as server:
        for name, source in enumerate(("a.csv", "b.jsonl", "c.parquet", "many", "many/*.csv")):
            words = ("--policy", "small", "--model", "openai/m", "--base-url", server.url, "--no-cache")
            ended = harness("label", source, "-o", f"L{name}", "--unproven", *words, **KEYS)
            assert ended.code == 0, ended.err
            told.append(labelled(Path(f"L{name}")))
        assert len(server.requests) == 5 * 10
    assert all(one == told[0] for one in told)


def test_a_header_that_comes_twice_is_refused_in_parquet_too(here: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    write_project(here)
    columns = [pa.array([text]) for text in ("a", "tent", "boat", "tent model 1x1")]
    pyarrow.parquet.write_table(pa.table(columns, ["item", "query", "query", "title"]), "p.parquet")
    ended = label(None, "p.parquet", "--unproven", model="builtin/lexical")
    assert ended.code == 2 and "the header 'query' comes twice" in ended.err


def test_rows_without_an_item_are_numbered(here: Path) -> None:
    write_project(here)
    table = write_rows(here / "pairs.csv", [row[1:3] for row in rows(4)], HEADER[1:3])
    with fault_server(by_title) as server:
        assert label(server, table, "--unproven").code == 0
        write_rows(table, [row[1:3] for row in rows(6)], HEADER[1:3])
        assert label(server, table, "--unproven").code == 0
        assert len(server.requests) == 6
        other = write_rows(here / "more.csv", [row[1:3] for row in rows(2, start=6)], HEADER[1:3])
        assert label(server, other, "--unproven").code == 0
    assert [row["item"] for row in labelled()] == [f"row-{number}" for number in range(1, 9)]


def test_more_pairs_ask_only_the_new_ones(here: Path) -> None:
    write_project(here)
    with fault_server(by_title) as server:
        table = write_rows(here / "pairs.csv", rows(10, distinct=6))
        assert label(server, table, "--unproven", "--no-cache").code == 0
        assert label(server, table, "--unproven", "--no-cache").code == 0
        assert len(server.requests) == 6
        more = write_rows(here / "more.csv", [*rows(10, distinct=6), *rows(4, start=20)])
        ended = label(server, more, "--unproven", "--no-cache", "--json")
        assert (ended.json["rows"], len(server.requests)) == (14, 6 + 4)
    assert [row["item"] for row in labelled()] == [f"p{n}" for n in [*range(10), *range(20, 24)]]
    assert [one["rows"] for one in manifest()["sources"]] == [10, 4]


def test_an_item_stands_for_one_row(here: Path) -> None:
    write_project(here)
    with fault_server(by_title) as server:
        table = write_rows(here / "pairs.csv", rows(3))
        assert label(server, table, "--unproven").code == 0
        changed = [list(row) for row in rows(3)]
        changed[1][3] = 77
        changed[2][2] = "tent model 9x1"
        ended = label(server, write_rows(here / "b.csv", changed), "--unproven")
        assert ended.code == 2 and "line 3: item 'p1' is in the label set" in ended.err
        assert "line 4: item 'p2'" in ended.err and len(server.requests) == 3
        # Nothing of it stays.
        assert label(server, table, "--unproven", "--json").json["rows"] == 3


def test_every_fault_of_the_rows_is_told_and_nothing_asked(here: Path) -> None:
    write_project(here)
    bad = [
        ("a", "tent", "tent model 1x1", "0", "", ""),
        ("b", "tent", "tent model 2x1", "1e400", "", ""),
        ("c", "tent", "tent model 3x1", "-1", "", "0"),
        ("d", "", "tent model 4x1", "1", "", "1.5"),
        ("a", "tent", "tent model 5x1", "nan", "", ""),
        ("", "tent", "tent model 6x1", "1", "", ""),
        ("f", "tent", "", "1", "", ""),
        ("g\x07", "tent", "tent\x1b model 7x1", "1", "he\x7fad", ""),
        ("h", "tent", "tent model 8x1", "1", "", "2"),
        ("h", "tent", "tent model 9x1", "1", "", "3"),
    ]  # fmt: skip
    with fault_server(by_title) as server:
        ended = label(server, write_rows(here / "pairs.csv", bad), "--unproven")
        assert (ended.code, server.requests, Path("L").exists()) == (2, [], False)
    said = ended.err
    for part in ("line 2: weight: '0'", "line 3: weight: '1e400'", "line 4: weight: '-1'", "position: '0'",
                 "query: ", "position: '1.5'", "empty item", "result.title",
                 "control character '\\x07'", "control character '\\x1b'", "control character '\\x7f'",
                 "item 'h' is there twice (first: pairs.csv, line 10)"):  # fmt: skip
        assert part in " ".join(said.split()).replace(f"{here}/", ""), (part, said)


def test_a_double_far_away_is_told(here: Path) -> None:
    from harness.production import intake

    write_project(here)
    found = rows(30)
    found.append(("p2", "tent", "tent model 99x1", 1, "", ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "PIECE", 7)
        ended = label(None, write_rows(here / "pairs.csv", found), "--unproven", model="builtin/majority")
    assert ended.code == 2 and "line 32: item 'p2' is there twice (first: row 3 of the input)" in ended.err


def test_faults_without_end_find_an_end(here: Path) -> None:
    write_project(here)
    found = [(f"p{n}", "tent", f"tent model {n}x1", f"x{n}", "", "") for n in range(1_200)]
    ended = label(None, write_rows(here / "pairs.csv", found), "--unproven", model="builtin/majority")
    assert ended.code == 2 and len(ended.err.splitlines()) < 30
    assert "and 200 faults more" in ended.err


def test_an_id_is_no_stratum(here: Path) -> None:
    write_project(here)
    found = [(f"p{n}", "tent", f"tent model {n}x1", 1, f"s{n}", 1) for n in range(1_001)]
    words = ("--unproven",)
    ended = label(None, write_rows(here / "pairs.csv", found), *words, model="builtin/majority")
    assert ended.code == 2 and "more than 1,000 different strata" in ended.err
    found[-1] = (*found[-1][:4], "s0", 1)
    ended = label(None, write_rows(here / "pairs.csv", found), *words, model="builtin/majority")
    assert ended.code == 0, ended.err


def test_what_cannot_be_read_is_an_outcome(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        title = item_of(body)["result"]["title"]
        if title.endswith("0x0"):
            return completion("no idea")
        return error(400, "invalid", "no") if title.endswith("1x1") else by_title(number, body)

    with fault_server(script) as server:
        table = write_rows(here / "pairs.csv", rows(6, distinct=3))
        ended = label(server, table, "--unproven", "--json")
        assert ended.code == 4 and "2 rows have no answer" in ended.err
        assert ended.json["outcomes"] == {"graded": 2, "ungraded": 2, "failed": 2}
        assert ended.json["causes"] == {"no_answer": 2}
        assert [row["outcome"] for row in labelled()] == ["ungraded", "failed", "grade"] * 2
        asked = len(server.requests)
    assert answers() == 3
    with fault_server(by_title) as server:
        moved = label(server, table, "--unproven")
        assert moved.code == 2 and "base-url" in moved.err
    assert asked == 4  # an unreadable answer is asked for twice


def test_only_what_failed_is_asked_again(here: Path) -> None:
    write_project(here)
    sick = True

    def script(number: int, body: dict[str, Any]) -> Turn:
        title = item_of(body)["result"]["title"]
        return error(400, "invalid", "no") if sick and "1x1" in title else by_title(number, body)

    with fault_server(script) as server:
        table = write_rows(here / "pairs.csv", rows(9))
        assert label(server, table, "--unproven", "--no-cache").code == 4
        asked, sick = len(server.requests), False
        assert label(server, table, "--unproven", "--no-cache", "--retry-failed").code == 0
        assert len(server.requests) == asked + 1
    assert all(row["outcome"] == "grade" for row in labelled())


def test_max_cost_stops_and_the_same_command_goes_on(here: Path) -> None:
    write_project(here)
    (here / "prices.toml").write_text(PRICES, encoding="utf-8")
    with fault_server(by_title) as server:
        table = write_rows(here / "pairs.csv", rows(12))
        ended = label(server, table, "--unproven", "--max-cost", "0.0025")
        assert ended.code == 4 and "repeat the command to go on" in ended.err, ended.err
        some = len(server.requests)
        assert 0 < some < 12 and not list(Path("L").glob("shards/*"))
        with pytest.raises(Exception, match="not finished"):
            load_labels(Path("L")).shards()
        ended = label(server, table, "--unproven", "--json")
        assert (ended.code, len(server.requests)) == (0, 12)
    assert ended.json["spending"]["asked"] == 12
    assert ended.json["spending"]["cost"] == pytest.approx(sum(row["cost"] for row in labelled()))
    assert ended.json["spending"]["cost"] > 0


def test_batches_label_too(here: Path, no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.grading.batch import session

    monkeypatch.setattr(session, "QUICKEST", 0.01)
    write_project(here)
    with fault_server(by_title) as server:
        table = write_rows(here / "pairs.csv", rows(20, distinct=8))
        ended = label(server, table, "--unproven", "--batch", "--json")
        assert ended.code == 0, ended.err
        assert server.desk and server.desk.made
    assert [row["grade"] for row in labelled()] == [grade_of(row["title"]) for row in labelled()]


def test_batches_of_labels_say_how_labels_go_on(
    here: Path, no_waiting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.grading.batch import session

    monkeypatch.setattr(session, "QUICKEST", 0.01)
    write_project(here)

    def spoil(lines: list[str]) -> list[str]:
        return [*lines[:2], "?", *lines[3:]]

    with fault_server(by_title, [Fate(spoil=spoil)]) as server:
        table = write_rows(here / "pairs.csv", rows(8))
        ended = label(server, table, "--unproven", "--batch", "--json")
        said = " ".join(ended.err.split())
        assert "the same command reads the results again" in said and "--resume" not in said, said


def test_a_folder_of_something_else_is_left_alone(here: Path) -> None:
    write_project(here)
    Path("L").mkdir()
    Path("L/mine.txt").write_text("x", encoding="utf-8")
    table = write_rows(here / "pairs.csv", rows(2))
    ended = label(None, table, "--unproven", model="builtin/majority")
    assert ended.code == 2 and "holds other files (mine.txt)" in ended.err
    assert [one.name for one in Path("L").iterdir()] == ["mine.txt"]


def test_the_prompt_of_a_label_is_that_of_eval(here: Path) -> None:
    from harness.grading.plan import make_plan
    from harness.runs.manifest import Asked

    write_project(here)
    asked = {"model": "openai/m", "policy": "small", "prompt": "teacher"}
    golden = make_plan(Project(here), Asked(**asked, splits=("test",)))
    pairs = make_plan(Project(here), Asked(**asked, splits=(), pairs="pairs.csv"))
    assert pairs.digests.model_copy(update={"golden": golden.digests.golden}) == golden.digests


def test_a_table_without_items_counts_once_by_whichever_path_it_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(here)
    found = [row[1:3] for row in rows(8)]
    table = write_rows(here / "pairs.csv", found[:6], HEADER[1:3])

    def taken(path: str | Path) -> int:
        ended = label(None, path, "--unproven", "--json", model="builtin/lexical")
        assert ended.code == 0, ended.err
        return int(ended.json["rows"])

    assert [taken("pairs.csv"), taken(table.resolve()), taken("./pairs.csv")] == [6, 6, 6]
    write_rows(table, found, HEADER[1:3])
    assert taken(table.resolve()) == 8
    # Another file that says the same has rows of its own; the first one does not, wherever it is moved.
    assert taken(write_rows(here / "second.csv", found, HEADER[1:3])) == 16
    (here / "moved").mkdir()
    assert taken(table.rename(here / "moved/pairs.csv")) == 16


def test_a_table_that_grew_counts_once_wherever_it_is_named_from(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(here)
    found = [row[1:3] for row in rows(20)]
    words = ("--unproven", "--json", "--root", str(here), "-o", here / "L")

    def taken(path: str | Path) -> int:
        ended = harness("label", path, "--policy", "small", "--model", "builtin/lexical", *words)
        assert ended.code == 0, ended.err
        return int(ended.json["rows"])

    write_rows(here / "pairs.csv", found[:6], HEADER[1:3])
    write_rows(here / "later.csv", found[10:13], HEADER[1:3])
    assert [taken("pairs.csv"), taken("later.csv")] == [6, 9]
    write_rows(here / "pairs.csv", found[:8], HEADER[1:3])
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert taken("../pairs.csv") == 11
    # Once more, by its content: it was moved, and has grown again.
    write_rows(here / "pairs.csv", found[:9], HEADER[1:3])
    (here / "pairs.csv").rename(here / "elsewhere/all.csv")
    assert [taken("all.csv"), taken("all.csv")] == [12, 12]
    made = [(row["item"], row["title"]) for row in labelled(here / "L")]
    titles = [title for _, title in [*found[:6], *found[10:13], *found[6:9]]]
    assert made == [(f"row-{number}", title) for number, title in enumerate(titles, start=1)]
    # What is no longer the beginning is another table, and its rows other pairs under the same names.
    write_rows(here / "elsewhere/all.csv", found[1:9], HEADER[1:3])
    ended = harness("label", "all.csv", "--policy", "small", "--model", "builtin/lexical", *words)
    assert ended.code == 2 and "is in the label set with another pair" in " ".join(ended.err.split())
