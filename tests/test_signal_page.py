"""What comes out of `harness signal` beside its table: the rating plan, the page, the notebook's result."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browser import opened, runs_over, serious
from builders import harness, write_project
from playwright.sync_api import Browser
from production import label_set, plan, shown_pairs, write_csv
from test_report import words_of
from test_signal import COUNTS, LABELS, LOG, SCALE, files, refused, shown
from viewing import HOSTILE

from harness import signal_files
from harness.golden.rating.pair_plan import load_pair_plan

EXAMPLE = (LOG, "--labels", LABELS, "--scale", "0-4", "--at-least", "2")


def written(*words: str | Path) -> Any:
    done = harness("signal", *words, "--json")
    assert done.code == 0, done.err
    return done.json


def test_the_sheet_has_the_contradictions_with_the_clauses_in_turn(here: Path) -> None:
    found = written(*EXAMPLE, "-o", "sheet.jsonl", "--n", "10")
    pairs = load_pair_plan(here / "sheet.jsonl")
    assert found["sheet"] == "sheet.jsonl" and len(pairs) == 10
    cited = [one.reason.rpartition("; ")[2] for one in pairs]
    assert cited == ["kind-first", "condition"] * 5
    first = next(one for one in found["contradictions"] if one["clauses"] == ["kind-first"])
    assert (pairs[0].item, pairs[0].query) == (first["item"], first["query"])
    assert pairs[0].reason.startswith("wanted and hidden: ") and pairs[0].result.title
    assert {(one.drawn, one.pi) for one in pairs} == {("hunted", None)}


def test_the_round_is_planned_by_the_version_of_the_labels(here: Path) -> None:
    write_project(here)
    log, flag, labels = files(here, shown())
    words = (log, flag, labels, "--policy", "small@v1", "--at-least", "1")
    done = harness("signal", *words, "-o", "sheet.jsonl", "--html", "signal.html")
    told = "harness rate plan --policy small@v1 --from sheet.jsonl"
    assert told in " ".join(done.err.split()), done.err
    assert told in words_of((here / "signal.html").read_text("utf-8"))


def test_rate_plan_takes_the_sheet(here: Path) -> None:
    write_project(here)
    written(*files(here, shown()), *SCALE, "-o", "sheet.jsonl")
    opened_round = plan(here, here / "sheet.jsonl")
    assert {one.item for one in opened_round.pairs.values()} == {"p0-0", "p1-5"}
    assert "hidden" not in json.dumps([one.pair.model_dump() for one in opened_round.pairs.values()])


def test_an_item_under_several_queries_is_named_with_its_query(here: Path) -> None:
    rows = [{**row, "item": row["item"].split("-")[1]} for row in shown()]
    written(*files(here, rows), *SCALE, "-o", "sheet.jsonl")
    assert [one.item for one in load_pair_plan(here / "sheet.jsonl")] == ["thing 0|0", "thing 1|5"]


def test_a_sheet_of_nothing_or_without_titles_is_refused(here: Path) -> None:
    log, flag, labels = files(here, shown())
    bare = here / "bare.csv"
    lines = [line.split(",") for line in labels.read_text("utf-8").splitlines()]
    bare.write_text("\n".join(",".join(line[:3]) for line in lines), "utf-8")
    assert "a column title" in refused(log, flag, bare, *SCALE, "-o", "sheet.jsonl")
    assert not (here / "sheet.jsonl").exists()
    quiet = [row for row in shown() if row["query"] not in ("thing 0", "thing 1")]
    said = refused(*files(here, quiet), *SCALE, "-o", "sheet.jsonl")
    assert "behaviour contradicts no pair" in said
    assert "no folder" in refused(log, flag, labels, *SCALE, "-o", "none/sheet.jsonl")


def test_a_label_set_brings_its_policy_and_what_raters_see(here: Path) -> None:
    rows = [{**row, "teacher": row["truth"]} for row in shown_pairs(20)]
    labels = label_set(here, rows)
    log = [
        {
            **row,
            "position": place,
            "views": 300,
            "clicks": round(300 * (0.05, 0.1, 0.3)[row["truth"]] / place),
        }
        for row in rows
        for place in (1, 2, 3)
    ]
    hidden = next(row for row in rows if row["truth"] == 0)
    for one in log:
        if one["item"] == hidden["item"]:
            one["clicks"] = round(300 * 0.3 / one["position"])
    found = written(write_csv(here / "log.csv", COUNTS, log), "--labels", labels, "-o", "sheet.jsonl")
    assert found["policy"] == "small@v1" and any("no gate has passed" in one for one in found["warnings"])
    (pair,) = [one for one in load_pair_plan(here / "sheet.jsonl") if one.reason.startswith("wanted")]
    assert (pair.item, pair.result.title) == (hidden["item"], hidden["title"])
    said = refused(here / "log.csv", "--labels", labels, "--scale", "0-2")
    assert "--scale goes with a table" in said


def test_the_page_has_the_figures_of_the_json(here: Path) -> None:
    found = written(*EXAMPLE, "--html", "signal.html")
    page = (here / "signal.html").read_text("utf-8")
    words = words_of(page)
    for rung in found["ladder"]:
        low, high = rung["ci"]
        assert f"{rung['attractiveness']:.3f} {low:.3f} to {high:.3f}" in words
    assert "100% 40 of 40" in words and "92% 37 of 40" in words
    every = len(found["contradictions"]) + len(found["same_side"]["contradictions"])
    assert page.count('<th scope="row" class="text"><bdi>p') == every
    drawn = page.partition('<section id="ladder"')[2].partition("</section>")[0]
    points = [float(at) for at in re.findall(r'class="point" cx="([\d.]+)%"', drawn)][:5]
    rates = [rung["attractiveness"] for rung in reversed(found["ladder"])]
    assert points == pytest.approx([100 * rate / 0.4 for rate in rates], abs=0.01)
    assert "No grade changes by this" in words and "have people judge them, blind" in words.lower()


def test_what_a_log_says_is_text_and_the_page_can_be_read_by_everybody(here: Path, browser: Browser) -> None:
    rows = [{**row, "query": f"{HOSTILE} {row['query']}", "clauses": f"c{row['grade']}"} for row in shown()]
    written(*files(here, rows), *SCALE, "--html", "signal.html")
    for width in (1280, 400):
        with opened(here / "signal.html", width=width, browser=browser) as page:
            assert page.title().startswith("Do users agree with the policy?")
            assert serious(page) == [] and runs_over(page) == 0


def test_a_notebook_prints_the_table(here: Path) -> None:
    log, _, labels = files(here, shown())
    found = signal_files(log, labels, scale="0-2", at_least=1)
    assert found.contradictions[0].q_value < 0.05
    assert "Wanted, and hidden: 1 of 24 pairs" in str(found) and "<pre>" in found._repr_html_()
    written(log, "--labels", labels, *SCALE, "--html", "command.html")
    words = [
        words_of(page.read_text("utf-8")) for page in (Path("command.html"), found.write_page("mine.html"))
    ]
    assert words[0] == words[1]
