"""What label, sample, estimate and rate say to a team of bare grades, and of files read otherwise."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from builders import harness, write_project
from production import answer_all, label_set, plan, shown_pairs, write_csv

from harness.report.estimate import worst_sentence
from harness.scorecards.estimate import Worst

UNDECIDED = "small@v1 does not say what its actions show (`shown`)"
PAIRS = ("item", "query", "title")


def flat(text: str) -> str:
    return " ".join(text.split())


def undecided_project(here: Path) -> None:
    write_project(here)
    path = here / "policies/small/v1.toml"
    path.write_text(re.sub('(?m)^shown = "Said."', 'shown = ""', path.read_text("utf-8")), "utf-8")


# --- actions that nobody decided on ------------------------------------------------------------------


@pytest.mark.parametrize("decided", [True, False])
def test_labels_count_no_action_that_nobody_decided_on(here: Path, decided: bool) -> None:
    write_project(here) if decided else undecided_project(here)
    made = label_set(here, shown_pairs(8), "today")
    found = json.loads((made / "summary.json").read_text("utf-8"))
    assert bool(found["actions"]) == all(one["action"] for one in found["grades"]) == decided
    assert any(text.startswith(UNDECIDED) for text in found["warnings"]) == (not decided)
    rows = pq.read_table(made / "shards/part-00000.parquet").to_pylist()
    assert {row["action"] is None for row in rows} == {not decided}
    shown = harness(
        "label", "today-pairs.csv", "-o", "today", "--model", "replay/today-grades.csv", "--unproven"
    )
    assert shown.code == 0, shown.err
    assert ("filter" in shown.out) == decided and "share of the traffic" in shown.out
    assert harness("report", "today").code == 0
    page = (made / "report.html").read_text("utf-8")
    assert ("<caption>Each action</caption>" in page) == decided and "<caption>Each grade</caption>" in page
    assert ("of each action</caption>" in page) == decided and (UNDECIDED in page) == (not decided)
    drawn = harness("sample", "today", "--n", "9", "--by", "action", "-o", "plan.jsonl")
    assert drawn.code == (0 if decided else 2)
    assert (f"--by action: {UNDECIDED}" in flat(drawn.err)) == (not decided)
    assert harness("sample", "today", "--n", "9", "--by", "grade", "-o", "grades.jsonl").code == 0


# --- who labels --------------------------------------------------------------------------------------


def test_a_teacher_that_is_sent_no_prompt_is_named_without_one(here: Path) -> None:
    write_project(here)
    pairs = write_csv(here / "pairs.csv", PAIRS, shown_pairs(4))
    refused = harness("label", pairs, "-o", "lex")
    assert "builtin/lexical is not proven" in flat(refused.err)
    done = harness("label", pairs, "-o", "lex", "--unproven")
    assert flat(done.out).startswith("builtin/lexical labels ") and "teacher@" not in done.out
    assert harness("report", "lex").code == 0
    page = flat(re.sub("<[^>]*>", " ", (here / "lex/report.html").read_text("utf-8")))
    assert "prompt none was sent" in page and "learned from shots sha256:" in page
    assert harness("label", pairs, "-o", "lex", "--unproven", "--json").json["unprompted"] is True


def test_a_dry_run_warns_of_what_the_run_would(here: Path) -> None:
    undecided_project(here)
    write_csv(here / "pairs.csv", PAIRS, shown_pairs(4))
    said = "small@v1 is not finished"
    for words in (("label", "pairs.csv"), ("eval",), ("eval", "--model", "openai/gpt-6-luna")):
        done = harness(*words, "--dry-run", OPENAI_API_KEY="k")
        assert done.code == 0 and said in done.out, done.err
        assert said in json.dumps(harness(*words, "--dry-run", "--json", OPENAI_API_KEY="k").json)


# --- files that are read otherwise -------------------------------------------------------------------


def test_the_option_that_maps_headers_is_one_that_the_command_has(here: Path) -> None:
    made = label_set(here, shown_pairs(8), "today")
    table = here / "ratings.csv"
    table.write_text("query,product_id,rater,grade\nred,1,ann,2\n", "utf-8")
    said = flat(harness("estimate", made, "--ratings", table).err)
    assert "map others with --ratings-columns name=header, such as item=query+product_id" in said
    (here / "golden.csv").write_text("item,query,grade\na,red,2\n", "utf-8")
    words = ("--golden", "golden.csv", "--grades", "golden.csv", "--scale", "0-2", "--ratings", table)
    assert "map others with --ratings-columns name=header" in flat(harness("gate2", *words).err)
    assert "map others with --columns name=header" in flat(harness("gate1", table, "--scale", "0-2").err)
    replayed = ("--model", "replay/ratings.csv", "--unproven")
    said = flat(harness("label", "today-pairs.csv", "-o", "other", *replayed).err)
    assert "no column for item" in said and "give its columns our names" in said and "--columns" not in said
    drawn = ("sample", made, "--n", "9", "--by", "grade", "--allocation", "optimal", "-o", "plan.jsonl")
    said = flat(harness(*drawn, "--pilot", table).err)
    assert "give its columns our names" in said and "--columns" not in said


def test_labels_that_are_not_there_are_missed_before_a_scale_is(here: Path) -> None:
    write_project(here)
    for words in (("labels/none",), ("labels/none", "--ratings", "r.csv")):
        ended = harness("estimate", *words)
        assert ended.code == 2 and "labels/none: no such label set or table" in flat(ended.err)


# --- the ratings behind an estimate ------------------------------------------------------------------


def test_only_ratings_that_stand_in_a_row_are_counted(here: Path) -> None:
    rows = shown_pairs(30)
    for row in rows[:10]:
        row["query"] = "red shoe"  # the query of a shot
    again = [{**row, "item": f"{row['item']}-again"} for row in rows[20:30]]
    made = label_set(here, [*rows, *again], "today")
    lines = [
        {"item": row["item"], "rater": rater, "grade": grade, "drawn": "random", "pi": 0.5}
        for row in [*rows, *again]
        for rater, grade in (("ann", row["truth"]), ("bob", 2 - row["truth"]))
    ]
    (here / "r.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    used = harness("estimate", made, "--ratings", "r.jsonl", "--json").json["ratings"]
    assert (used["items"], used["several"], used["passed_over"]) == (len(rows) - 10, len(rows) - 10, 20)
    assert used["differ"] == sum(row["truth"] != 1 for row in rows[10:])
    said = flat(harness("estimate", made, "--ratings", "r.jsonl").out)
    assert "20 more rated items count for no row: a shot has the query, or another of them is" in said
    assert "10 rows are left out: a shot has the query." in said


def test_a_stratum_without_a_test_is_called_lowest_and_no_more() -> None:
    worst = Worst(name="gain", stratum="tail", value=0.2, difference=-0.6)
    assert worst_sentence(worst) == "Lowest in tail: 0.200; no test says whether by chance."
    for p, words in ((0.04, "more than chance explains"), (0.06, "which chance may explain")):
        assert words in worst_sentence(worst.model_copy(update={"p_holm": p}))


def test_more_queries_than_the_labels_have_are_said_to_be_so(here: Path) -> None:
    rows = shown_pairs(12)
    names = (*PAIRS, "teacher", "human")
    for rated, said in ((rows, "these labels have no more."), (rows[:30], r"these labels have \d more.")):
        known = {row["item"] for row in rated}
        shown = [{**row, "human": row["truth"] if row["item"] in known else ""} for row in rows]
        write_csv(here / "t.csv", names, shown)
        out = flat(harness("estimate", "t.csv", "--scale", "0-2", "--at-least", "2").out)
        assert re.search(rf"would halve the interval; {said}", out), out
        assert "and 10 are needed: humans only" in out


# --- rounds ------------------------------------------------------------------------------------------


def test_a_live_round_of_production_is_no_gate(here: Path) -> None:
    made = label_set(here, shown_pairs(12), "today")
    done = harness("sample", made, "--n", "20", "-o", "plan.jsonl")
    (command,) = re.findall("next: (harness rate plan .*)", flat(done.err))
    assert command.startswith(
        "harness rate plan --policy small@v1 --from plan.jsonl --raters ann,bob --kind human"
    )
    opened = plan(here, here / "plan.jsonl")
    live = flat(harness("rate", "live").out)
    assert "no gate reads their ratings" in live and "a verdict takes" not in live
    answer_all(here, opened, lambda rater, item: int(item[1:]) % 3)
    assert "no gate reads their ratings" in flat(harness("rate", "live").out)
    assert harness("rate", "live", "--json").json["production"] is True
    # The step that the page of an estimate names: how far the raters of the sample agree.
    own = "golden/small/production-ratings.jsonl"
    assert harness("estimate", made, "--ratings", own, "--html", "e.html").code == 0
    assert harness("gate1", own, "--policy", "small@v1", "--json").json["provisional"] is None
    lines = Path(own).read_text("utf-8").splitlines(keepends=True)
    Path("part.jsonl").write_text("".join(lines[1:]), "utf-8")
    assert "as they were sealed" in flat(harness("gate1", "part.jsonl", "--policy", "small@v1").out)


def test_a_round_says_how_many_ids_its_pairs_have_beside(here: Path) -> None:
    write_project(here)
    words = ("rate", "plan", "--policy", "small", "--raters", "ann,bob", "--dry-run")
    assert "The same pairs have" not in harness(*words).out
    path = here / "golden/small/examples.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    again = [{**one, "id": f"{one['id']}-again"} for one in lines if one["split"] == "dev"]
    path.write_text("".join(json.dumps(one) + "\n" for one in [*lines, *again]), "utf-8")
    assert f"The same pairs have {len(again)} more ids: each pair is rated once" in flat(harness(*words).out)
    assert harness(*words, "--json").json["also"] == len(again)


def test_a_round_that_a_command_advises_is_one_of_people(here: Path) -> None:
    write_project(here)
    for words in (("gate1",), ("rate", "status")):
        ended = harness(*words)
        (advised,) = re.findall("(rate plan --policy small(?:@v1)? [a-z, -]*human)", flat(ended.err))
        assert harness(*advised.split(), "--dry-run").code == 0
    page = flat(harness("ship", "--policy", "small@v1").out)
    assert (
        "next: harness rate plan --policy small@v1 --raters ann,bob --kind human, or ratings import" in page
    )
