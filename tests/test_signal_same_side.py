"""Contradictions between grades on the same side of the line, and the sentences about both families."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness
from test_report import words_of
from test_signal import SCALE, files, load, refused, shown, signalled
from test_signal_edges import exposed

from harness.golden.rating.pair_plan import load_pair_plan
from harness.report.signal import facts_lines
from harness.scorecards.signal import Propensity, SideTests, Signal, Step
from harness.signal.cautions import bias_warnings, unfelt_steps
from harness.signal.contradictions import PairTests, Sides, judge_pairs, judge_same_side
from harness.signal.evidence import Evidence
from harness.stats.false_discovery import benjamini_hochberg

BOTH_SHOWN = {"p2-2": 0.5, "p3-4": 0.05}
"""Graded 1, beyond the median pair of 2; graded 2, short of that of 1, and still above that of 0."""


def moved(rates: Mapping[str, float], views: int = 4000) -> list[dict[str, Any]]:
    """Rows in which these items are clicked at other rates."""
    rows = shown(views=views)
    for row in rows:
        if row["item"] in rates:
            row["clicks"] = round(views * rates[row["item"]] / row["position"])
    return rows


def test_pairs_that_belong_to_another_shown_grade_are_found(tmp_path: Path) -> None:
    found = signalled(*files(tmp_path, moved(BOTH_SHOWN)), *SCALE)
    beside = {one["item"]: one for one in found["same_side"]["contradictions"]}
    assert set(beside) == set(BOTH_SHOWN)
    better, worse = beside["p2-2"], beside["p3-4"]
    assert (better["kind"], better["grade"], better["reference"]) == ("better_than_graded", 1, 2)
    assert (worse["kind"], worse["grade"], worse["reference"]) == ("worse_than_graded", 2, 1)
    assert better["attractiveness"] > better["median"] == pytest.approx(0.3, rel=0.02)
    assert worse["ci"][1] < worse["median"] == pytest.approx(0.1, rel=0.02)
    tested = [(one["kind"], one["grades"], one["reference"]) for one in found["same_side"]["tested"]]
    assert tested == [("better_than_graded", [1], 2), ("worse_than_graded", [2], 1)]
    clauses = {one["id"]: one for one in found["same_side"]["clauses"]}
    assert (clauses["c2"]["better_than_graded"], clauses["c2"]["worse_than_graded"]) == (1, 0)
    assert clauses["c4"]["contradicted"] == 1 and clauses["c4"]["of"] == 12
    groups = {(one["by"], one["name"]): one["contradicted"] for one in found["same_side"]["groups"]}
    assert groups[("boundary", "1|2")] == groups[("boundary", "2|1")] == 1


def test_a_pair_stands_in_one_family_and_each_has_its_own_rate(tmp_path: Path) -> None:
    found = signalled(*files(tmp_path, moved(BOTH_SHOWN)), *SCALE)
    across = {one["item"] for one in found["contradictions"]}
    # p1-5 is graded 2 and never clicked: refused across the line, and not found once more below grade 1.
    assert across == {"p0-0", "p1-5"}
    assert [one["n"] for one in found["same_side"]["tested"]] == [24, 23]
    plain = signalled(*files(tmp_path, moved({}, 4000)), *SCALE)
    assert plain["same_side"]["contradictions"] == []


@pytest.mark.parametrize("sides", [Sides((0,), (1,)), Sides((), (0, 1)), Sides((0, 1), ())])
def test_q_values_are_of_the_family_alone(sides: Sides) -> None:
    chance = np.random.default_rng(7)
    cells = [
        (pair, place, 900, int(chance.poisson(900 * (0.05, 0.2)[pair % 2] / place)))
        for pair in range(40)
        for place in (1, 2)
    ]
    known = Evidence(exposed(cells, [pair % 2 for pair in range(40)]))
    across = judge_pairs(known, sides)
    beside = judge_same_side(known, sides, across)
    assert (len(across.p), len(beside.p)) == ((40, 0) if len(sides.hidden) == 1 else (0, 40))
    for tests in (across, beside):
        assert not len(tests.q) or tests.q == pytest.approx(benjamini_hochberg(tests.p))


def test_hidden_grades_are_held_against_each_other_too(tmp_path: Path) -> None:
    rows = moved({"p2-0": 0.18}, views=8000)
    found = signalled(*files(tmp_path, rows), "--scale", "0-2", "--at-least", "2")
    (one,) = [one for one in found["same_side"]["contradictions"] if one["item"] == "p2-0"]
    assert (one["kind"], one["grade"], one["reference"]) == ("better_than_graded", 0, 1)
    assert "p2-0" not in {one["item"] for one in found["contradictions"]}


def test_two_grades_have_no_other_on_their_side(tmp_path: Path) -> None:
    rows = [row for row in shown() if row["grade"] < 2]
    found = signalled(*files(tmp_path, rows), "--scale", "0-1", "--at-least", "1")
    assert found["same_side"]["tested"] == []
    assert (
        "on the same side" not in harness("signal", *files(tmp_path, rows), *SCALE[:1], "0-1", *SCALE[2:]).out
    )


def test_too_few_pairs_of_the_next_grade_are_said(tmp_path: Path) -> None:
    rows = [row for row in shown() if row["grade"] != 2 or row["query"] in ("thing 2", "thing 3")]
    done = harness("signal", *files(tmp_path, rows), *SCALE)
    words = " ".join(done.out.split())
    assert "Better than its grade, on the same side: 0 of 0 pairs" in words
    assert "against grade 2: undefined: 4 of the pairs with grade 2 have views" in words


def test_the_sheet_has_both_families_and_those_across_the_line_first(here: Path) -> None:
    done = harness(
        "signal", *files(here, moved(BOTH_SHOWN)), *SCALE, "-o", "a sheet.jsonl", "--html", "p.html"
    )
    assert done.code == 0, done.err
    items = [one.item for one in load_pair_plan(here / "a sheet.jsonl")]
    assert set(items[:2]) == {"p0-0", "p1-5"} and set(items[2:]) == set(BOTH_SHOWN) and len(items) == 4
    said = done.out + done.err
    assert "rate plan --from 'a sheet.jsonl'" in said and "NAME" not in said
    page = (here / "p.html").read_text("utf-8")
    words = words_of(page)
    assert "better than its grade, on the same side" in words.lower()
    assert "Where people agree with users, change the grade in" in words and "golden regrade" not in words
    assert page.count('<th scope="row" class="text"><bdi>p') == 4


def test_what_was_found_is_said_though_there_can_be_no_sheet(here: Path) -> None:
    log, flag, labels = files(here, shown())
    bare = here / "bare.csv"
    lines = [line.split(",") for line in labels.read_text("utf-8").splitlines()]
    bare.write_text("\n".join(",".join(line[:3]) for line in lines), "utf-8")
    done = harness("signal", log, flag, bare, *SCALE, "-o", "sheet.jsonl", "--html", "page.html")
    assert done.code == 2 and "a column title" in " ".join(done.err.split())
    assert "Wanted, and hidden: 1 of 24 pairs" in done.out and "written to" not in done.out + done.err
    assert (here / "page.html").exists() and not (here / "sheet.jsonl").exists()
    assert "no folder" in refused(log, flag, labels, *SCALE, "--html", "none/page.html")


def test_the_policy_is_named_in_what_to_do_next(shipped_project: Path, here: Path) -> None:
    from test_signal import LABELS, LOG

    done = harness(
        "signal",
        LOG,
        "--labels",
        LABELS,
        "--policy",
        "product-search",
        "--root",
        shipped_project,
        "-o",
        "s.jsonl",
    )
    words = " ".join((done.out + done.err).split())
    assert "harness golden regrade --policy product-search@v1 changes the golden grades" in words
    assert "harness rate plan --policy product-search@v1 --from s.jsonl" in words
    without = refused(LOG, "--labels", LABELS, "--scale", "0-4")
    assert "which grades are hidden? Give --at-least K" in without and "does not say" not in without


@pytest.mark.parametrize(
    ("same", "said", "not_said"),
    [
        (0.7, ("better results stand first", "too small"), "worse"),
        (0.3, ("worse results stand first", "too large"), "better"),
    ],
)
def test_the_direction_of_a_position_s_error_is_said(
    same: float, said: tuple[str, str], not_said: str
) -> None:
    row = Propensity(position=2, value=0.5, same_pair=same, views=10, clicks=5)
    (warning,) = bias_warnings([row])
    assert all(part in warning for part in said) and f"{not_said} results" not in warning


def test_both_directions_are_two_warnings() -> None:
    rows = [
        Propensity(position=at, value=0.5, same_pair=same, views=10, clicks=5)
        for at, same in ((2, 0.7), (3, 0.3), (4, 0.5))
    ]
    assert [one.partition(" the same")[0] for one in bias_warnings(rows)] == ["at 1 position"] * 2


@pytest.mark.parametrize(
    ("apart", "found", "said"), [(False, 1, 1), (True, 1, 0), (None, 1, 0), (False, 0, 0)]
)
def test_a_boundary_that_behaviour_does_not_feel_is_said_where_pairs_cross_it(
    apart: bool | None, found: int, said: int
) -> None:
    none = np.zeros(0, dtype=np.int64)
    side = SideTests(
        kind="worse_than_graded", grades=(3,), reference=2, median=0.1, n=9, unseen=0, found=found
    )
    tests = PairTests(none, none, none.astype(float), none.astype(float), (side,))
    step = Step(between=(2, 3), difference=0.01, told_apart=apart)
    assert (
        len(list(unfelt_steps([step, Step(between=(1, 2), difference=0, told_apart=False)], tests))) == said
    )


def test_a_pair_is_contradicted_up_to_a_false_discovery_rate_of_a_twentieth() -> None:
    pair, by, q = np.array([4, 7, 2]), np.zeros(3, dtype=np.int16), np.array([0.05, 0.0501, 0.01])
    tests = PairTests(pair, by, q / 3, q, ())
    assert tests.found.tolist() == [2, 4] and tests.found_only().pair.tolist() == [4, 2]


@pytest.mark.parametrize(("places", "more"), [(10, ""), (12, ", and 2 more to position 12; --json has all")])
def test_positions_that_are_not_listed_are_counted(tmp_path: Path, places: int, more: str) -> None:
    found = Signal.model_validate(signalled(*files(tmp_path, shown(places=places, views=4000)), *SCALE))
    (line,) = [one for one in facts_lines(found) if one.startswith("Looks compared with")]
    assert line.endswith(f"10: 0.10{more}.")


@pytest.mark.parametrize("logs", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_planted_grades_of_the_same_side_are_found(logs: int) -> None:
    bench = load("signal_recall")
    process = bench.Process(views=8_000, planted=bench.TWO_GRADES)
    found = []
    for seed in range(logs):
        drawn = bench.draw(process, seed)
        found.append(bench.outcome(drawn, bench.judged(drawn, same_side=True)))
    recall, false, _ = (np.mean(column) for column in zip(*found, strict=True))
    assert recall >= 0.8 and false <= 0.1
