"""The page of an estimate and of a label set: its figures are those of --json, drawn where they belong."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import opened, runs_over, serious
from builders import harness
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from production import answer_all, label_set, plan, shown_pairs, write_csv
from test_report import words_of
from viewing import HOSTILE

from harness import estimate
from harness.nouns.base import Interval
from harness.report.next_steps import NextStep, estimate_steps, label_steps
from harness.report.page.axis import axis_over
from harness.report.page.labels import STRATA_DRAWN
from harness.scorecards.estimate import EstimatedFigure, Estimates, HumanOnly, Labels
from harness.scorecards.labels import LabelSummary
from harness.scorecards.shared import Outcomes

Rows = list[dict[str, Any]]
COLUMNS = ("item", "query", "teacher", "human", "weight", "stratum", "position")


def rated_rows(queries: int = 60, change: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> Rows:
    """Rows of a table, of which every second query has human grades."""
    rows = [{**row, "human": row["truth"]} for row in map(change, shown_pairs(queries))]
    return [row if int(row["query"].split()[-1]) % 2 else {**row, "human": ""} for row in rows]


def estimated(rows: Rows, *words: str) -> tuple[str, Any]:
    """The page of an estimate of a table, and its JSON."""
    table = write_csv(Path("rows.csv"), COLUMNS, rows)
    done = harness("estimate", table, "--scale", "0-2", *words, "--html", "page.html", "--json")
    assert done.code == 0, done.err
    assert "page: page.html" in done.err
    return Path("page.html").read_text(encoding="utf-8"), done.json


def drawn_in(page: str, section: str) -> list[tuple[float, float, float]]:
    """What a section's tracks draw: the point and the two ends of the whisker, in per cent."""
    part = page.partition(f'<section id="{section}"')[2].partition("</section>")[0]
    part = part.partition('<div class="tracks">')[2].partition('<div class="track axis"')[0]
    found = []
    for line in part.split('<div class="track')[1:]:
        ends = re.findall(r'class="whisker" x1="([\d.]+)%" x2="([\d.]+)%"', line)
        point = re.findall(r'class="point" cx="([\d.]+)%"', line)
        low, high = ends[0] if ends else (point[0], point[0])
        found.append((float((point or [low])[0]), float(low), float(high)))
    return found


# --- an estimate -------------------------------------------------------------------------------------------


def test_the_page_says_the_figure_what_it_is_and_what_the_sides_say(here: Path) -> None:
    page, told = estimated(rated_rows(), "--at-least", "1")
    main, words = told["estimates"][0], words_of(page)
    assert f"{main['value']:.3f} 95 % interval {main['ci'][0]:.3f} to {main['ci'][1]:.3f}" in words
    assert "Over items: what a shopper sees, every row counts." in words
    assert f"Lambda {main['lambda']:.2f}" in words
    assert f"Humans only {main['human_only']['value']:.3f}" in words
    assert f"Teacher only {main['teacher_only']:.3f} on the other rows, uncorrected" in words
    assert f"{told['coverage']:.1%}" in words
    queries = main["to_halve"]["queries"]
    assert f"about {queries:,} more queries" in words
    assert "Over queries: every query counts once." in words_of(
        estimated(rated_rows(), "--over", "queries")[0]
    )


def test_the_three_sides_are_drawn_on_one_axis_at_their_places(here: Path) -> None:
    page, told = estimated(rated_rows(), "--at-least", "1")
    main = told["estimates"][0]
    human = main["human_only"]
    sides = [
        (main["value"], *main["ci"]),
        (human["value"], *human["ci"]),
        (main["teacher_only"],) * 3,
    ]
    axis = axis_over((value, Interval(low, high)) for value, low, high in sides)
    expected = [[100 * (end - axis.low) / (axis.high - axis.low) for end in side] for side in sides]
    assert drawn_in(page, "estimate") == [pytest.approx(side, abs=0.01) for side in expected]
    labels = re.findall(r'<text x="[\d.]+%" y="13" text-anchor="\w+">([\d.]+)</text>', page)
    assert labels[: len(axis.ticks)] == [tick.label for tick in axis.ticks]


def test_every_figure_of_the_json_stands_in_the_table(here: Path) -> None:
    page, told = estimated(rated_rows())
    section = page.partition('<section id="figures"')[2].partition("</section>")[0]
    whole = [one for one in told["estimates"] if one["stratum"] is None]
    for one in whole:
        line = section.partition(f'class="text">{one["name"].replace(">", "&gt;")}<')[2].partition("</tr>")[0]
        assert f">{one['value']:.3f}<" in line
        assert f">{one['human_only']['value']:.3f}<" in line
        # The gain has its own units, which an axis from 0 to 1 does not fit.
        assert ("<svg" in line) == (one["name"] != "gain")
    noted = [one["reason"] for one in whole if one["reason"]]
    assert all(reason.rstrip(".") in words_of(page) for reason in noted)


def worse_in_tail(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "truth": 0 if row["stratum"] == "tail" and int(row["item"][1:]) % 3 else row["truth"]}


def test_the_lowest_stratum_is_first_and_marked(here: Path) -> None:
    page, told = estimated(rated_rows(240, worse_in_tail), "--at-least", "1")
    worst = told["worst"]
    assert (worst["stratum"], worst["p_holm"] < 0.05) == ("tail", True)
    section = page.partition('<section id="strata"')[2]
    assert re.findall(r'<div class="name"><bdi>(\w+)</bdi>', section) == ["tail", "head"]
    assert '<bdi>tail</bdi> <span class="badge fail">lowest</span>' in section
    assert "more than chance explains" in words_of(section)
    assert "Look at tail first" in words_of(page)
    chance, told = estimated(rated_rows(60), "--at-least", "1")
    assert (told["worst"]["p_holm"] or 1) >= 0.05
    assert "lowest, perhaps by chance" in words_of(chance)
    assert " first: " not in words_of(chance)


def test_of_many_strata_the_lowest_are_drawn_and_all_are_listed(here: Path) -> None:
    def many(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "stratum": f"s{int(row['query'].split()[-1]) // 10}"}

    page, told = estimated(rated_rows(10 * (STRATA_DRAWN + 2), many), "--at-least", "1")
    names = {one["stratum"] for one in told["estimates"] if one["stratum"]}
    assert len(names) == STRATA_DRAWN + 2
    section = page.partition('<section id="strata"')[2].partition("</section>")[0]
    assert len(drawn_in(page, "strata")) == STRATA_DRAWN
    assert f"The lowest {STRATA_DRAWN} of {STRATA_DRAWN + 2} strata" in words_of(section)
    assert set(re.findall(r'<th scope="row" class="text"><bdi>(\w+)</bdi>', section)) == names
    assert "Each figure by stratum" not in page


def test_two_label_sets_are_held_against_each_other(here: Path) -> None:
    first = rated_rows(60)
    write_csv(Path("other.csv"), COLUMNS, [{**row, "teacher": 2} for row in first])
    page, told = estimated(first, "--other", "other.csv", "--at-least", "1")
    section = words_of(page.partition('<section id="differences"')[2].partition("</section>")[0])
    one = told["differences"][0]
    assert f"{one['teachers']['difference']:+.3f}" in section
    assert "other.csv minus rows.csv" in section


def test_what_a_table_says_is_text_and_nothing_is_fetched(here: Path) -> None:
    page, _ = estimated(rated_rows(60, lambda row: {**row, "stratum": HOSTILE + row["stratum"]}))
    assert HOSTILE not in page
    assert "&lt;/script&gt;&lt;script&gt;document.title" in page
    assert not re.search(r"(?:src|href)=[\"'](?!#)|@import|url\(", page)
    assert page.count("<script") == 1


# --- a label set -------------------------------------------------------------------------------------------


def set_of(here: Path, queries: int = 60) -> Rows:
    rows = shown_pairs(queries)
    rows[0]["teacher"] = None
    (here / "sets").mkdir()
    label_set(here, rows, "sets/today")
    return rows


def test_a_label_set_without_ratings_has_its_summary_and_the_way_to_an_estimate(here: Path) -> None:
    set_of(here)
    done = harness("report", "sets/today", "--json")
    assert done.code == 0, done.err
    path = Path(done.json["report"])
    page, told = (
        path.read_text(encoding="utf-8"),
        json.loads(Path("sets/today/summary.json").read_text("utf-8")),
    )
    assert (path, done.json["bytes"]) == (Path("sets/today/report.html"), path.stat().st_size)
    assert (done.json["pairs"], done.json["pictures"]) == (told["rows"], [])
    words = words_of(page)
    assert f"Rows {told['rows']}" in words and "not proven" in words
    assert f"Coverage {told['coverage']:.1%}" in words
    for one in (*told["grades"], *told["actions"]):
        assert f"{one['rows']} {one['share']:.1%}" in words
    assert {part["stratum"] for part in told["by_stratum"]} == set(re.findall(r"<bdi>(\w+)</bdi>", page))
    assert 'id="estimate"' not in page
    assert "1 unreadable (no_answer 1)" in words
    # The set goes on as before: a page in its folder is nothing odd.
    assert harness("sample", "sets/today", "--n", "20", "-o", "plan.jsonl").code == 0


def test_the_steps_of_a_label_set_lead_to_its_estimate(here: Path) -> None:
    rows = set_of(here)
    harness("report", "sets/today", "-o", "page.html")
    page = words_of(Path("page.html").read_text(encoding="utf-8"))
    draw = re.findall(r"harness (sample .*? -o plan\.jsonl)", page)[0]
    assert harness(*shlex.split(draw)).code == 0
    truth = {row["item"]: row["truth"] for row in rows}
    answer_all(here, plan(here, Path("plan.jsonl")), lambda rater, item: int(truth[item]))
    words = re.findall(r"harness (estimate .*?\.html)", page)[0]
    done = harness(*shlex.split(words), "--json")
    assert done.code == 0, done.err
    made = words_of(Path("estimate.html").read_text(encoding="utf-8"))
    assert "teacher not proven" in made and "What the teacher says" in made
    assert "If unread rows were the worst, to the best" in made
    assert "ratings golden/small/production-ratings.jsonl raters ann, bob" in made
    # 258 pairs are fewer than the rows that would halve the interval.
    assert done.json["estimates"][0]["to_halve"]["items"] > len(rows)
    assert "label more of production first" in made


def test_a_notebook_writes_the_page_of_the_command(here: Path) -> None:
    """Of a table, and of a label set with what its teacher says."""
    page, _ = estimated(rated_rows(), "--at-least", "1")
    found = estimate("rows.csv", scale="0-2", at_least=1)
    assert found.write_page("mine.html") == Path("mine.html")
    assert Path("mine.html").read_text(encoding="utf-8") == page
    rows = set_of(here)
    ratings = [{"item": row["item"], "rater": "ann", "grade": row["truth"]} for row in rows[:90]]
    lines = "".join(json.dumps({**one, "pi": 0.5, "drawn": "random"}) + "\n" for one in ratings)
    Path("ratings.jsonl").write_text(lines, encoding="utf-8")
    done = harness("estimate", "sets/today", "--ratings", "ratings.jsonl", "--html", "page.html")
    assert done.code == 0, done.err
    estimate("sets/today", "ratings.jsonl").write_page(here / "mine.html")
    mine = Path("mine.html").read_text(encoding="utf-8")
    assert mine == Path("page.html").read_text(encoding="utf-8") != page
    assert "What the teacher says" in words_of(mine)


def test_the_sample_that_halves_the_interval_is_one_that_the_labels_have(here: Path) -> None:
    set_of(here, 20)
    summary = LabelSummary.model_validate_json(Path("sets/today/summary.json").read_text("utf-8"))
    pairs = summary.outcomes.graded
    assert pairs == summary.distinct - 1

    def step(rows: int, labels: LabelSummary | None, left: int = 4) -> NextStep:
        more = Labels(items=rows, queries=4)
        found = Estimates(
            labels="rows.csv",
            over="items",
            n=18,
            n_queries=6,
            coverage=1,
            estimates=(
                EstimatedFigure(
                    name="gain",
                    words="mean gain",
                    over="items",
                    value=1,
                    lam=0,
                    teacher_only=1,
                    human_only=HumanOnly(value=1),
                    n_labelled=9,
                    n_unlabelled=9,
                    clusters_labelled=3,
                    clusters_unlabelled=left,
                    to_halve=more,
                ),
            ),
        )
        return next(estimate_steps(found, labels))

    assert step(9, None) == NextStep(step(9, summary).words)
    whole = step(pairs, summary).command
    assert whole == f"harness sample {summary.labels} --n {pairs} -o plan.jsonl"
    assert harness(*shlex.split(whole)[1:]).code == 0
    assert step(pairs + 1, summary).command == ""
    # The queries that were rated already bring nothing new.
    assert "fewer pairs to draw" in step(pairs, summary, left=3).words
    long = summary.model_copy(update={"distinct": 10_000, "labels": "my sets/a"})
    lost = long.model_copy(update={"outcomes": Outcomes(graded=9, ungraded=0, failed=2)})
    first = [one.command for one in label_steps(long)]
    assert first[0] == "harness sample 'my sets/a' --n 300 --by stratum -o plan.jsonl"
    assert [one.command for one in label_steps(lost)] == ["", *first]
    assert "2 rows have no answer" in next(label_steps(lost)).words
    assert "label more of production first" in step(pairs + 1, summary).words


def test_a_page_of_labels_has_no_base_and_no_pictures(here: Path) -> None:
    set_of(here, 10)
    for more in (("latest",), ("--png", "x"), ("--svg", "x")):
        done = harness("report", "sets/today", *more)
        assert (done.code, "is a label set" in done.err) == (2, True)
    (here / "sets/today/shards/part-00000.parquet").unlink()
    done = harness("report", "sets/today")
    assert (done.code, "part-00000.parquet: no such file" in done.err) == (2, True)


# --- axes --------------------------------------------------------------------------------------------------

numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda one: round(one, 6))


@given(st.lists(numbers, min_size=1, max_size=5))
def test_an_axis_holds_all_that_is_drawn_on_few_round_ticks(values: list[float]) -> None:
    axis = axis_over((value, None) for value in values)
    slack = 1e-6 * max(1.0, max(map(abs, values)))
    assert axis.low <= min(values) + slack and max(values) - slack <= axis.high
    assert 2 <= len(axis.ticks) <= 7
    assert [tick.value for tick in axis.ticks] == sorted({tick.value for tick in axis.ticks})


@given(st.lists(st.floats(0, 1).map(lambda one: round(one, 4)), min_size=1, max_size=5))
def test_the_axis_of_shares_never_leaves_0_to_1(values: list[float]) -> None:
    axis = axis_over((value, None) for value in values)
    assert 0 <= axis.low < axis.high <= 1


def test_axes_as_people_would_choose_them() -> None:
    def ticks(*ends: float) -> list[str]:
        return [tick.label for tick in axis_over((end, None) for end in ends).ticks]

    assert ticks(0.65, 0.81) == ["0.65", "0.7", "0.75", "0.8", "0.85"]
    assert ticks(0.0, 1.0) == ["0", "0.5", "1"]
    assert ticks(2.65, 3.08) == ["2.6", "2.8", "3", "3.2"]
    assert axis_over([(None, None)]) == axis_over([(0.0, None), (1.0, None)])


# --- in a browser ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_page_can_be_read_by_everybody(here: Path, browser: Browser) -> None:
    estimated(rated_rows(60, lambda row: {**row, "stratum": HOSTILE + row["stratum"]}), "--at-least", "1")
    for width, dark in ((1280, False), (360, True)):
        with opened(Path("page.html"), width=width, dark=dark, browser=browser) as page:
            assert page.title() != "ran"
            assert serious(page) == []
            assert runs_over(page) <= 0
            page.get_by_role("button", name="estimate").first.click()
            assert page.locator("th[aria-sort=ascending]").count() == 1
