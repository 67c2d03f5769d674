"""Where an estimate would be wrong: heavy queries without grades, lists rated in part, units of weights."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness
from production import write_csv
from test_estimate import estimated, figure, gathered

from harness.nouns.base import Interval
from harness.score.heavy_queries import heaviest_unrated, with_intervals_that_hold
from harness.score.rankings import PARTLY, ranked
from harness.stats import intervals
from harness.stats.prediction_powered import Powered

NAMES = ("item", "query", "teacher", "human", "weight", "position")
SHARE = ("--scale", "0-1", "--at-least", "1")
GOOD = np.array([0.0, 1.0, 1.0])
Listed = list[tuple[int, int | None, int | None]]
"""A query's rows: position, teacher's grade, human grade."""


def rows(queries: int = 68, rated: int = 24, heavy: float = 1.0) -> list[dict[str, Any]]:
    """Four rows a query; the first queries have human grades, and the last one another weight."""
    by_chance = random.Random(7)
    shares = [by_chance.betavariate(1, 1) for _ in range(queries)]
    return [
        {
            "item": f"{query}-{n}",
            "query": f"q{query}",
            "teacher": int(by_chance.random() < shares[query]),
            "human": int(by_chance.random() < shares[query]) if query < rated else "",
            "weight": heavy if query == queries - 1 else 1,
            "position": n + 1,
        }
        for query in range(queries)
        for n in range(4)
    ]


def main_figure(path: Path, lines: Iterable[Mapping[str, Any]], *words: str) -> dict[str, Any]:
    file = write_csv(path / "t.csv", NAMES, lines)
    return figure(estimated(file, *SHARE, *words), "grade>=1")


def test_a_heavy_query_without_grades_leaves_no_interval(tmp_path: Path) -> None:
    """With 67 of weight on one of 68 queries, half of production has no human grade."""
    light, heavy = (main_figure(tmp_path, rows(heavy=weight)) for weight in (1, 67))
    assert light["ci"] is not None and light["reason"] is None
    assert (heavy["ci"], heavy["se"], heavy["saved"], heavy["to_halve"]) == (None,) * 4
    assert heavy["value"] is not None and heavy["human_only"]["ci"] is None
    assert heavy["reason"].startswith("no interval: a query without a human grade has 50.0% of the weight")
    done = harness("estimate", tmp_path / "t.csv", *SHARE)
    assert "50.0% of the weight" in " ".join(done.out.split()) and "saved" not in done.out


def test_over_queries_and_with_its_grades_it_does_no_harm(tmp_path: Path) -> None:
    heavy = rows(heavy=67)
    assert main_figure(tmp_path, heavy, "--over", "queries")["ci"] is not None
    known = [{**row, "human": 1} if row["query"] == "q67" else row for row in heavy]
    assert main_figure(tmp_path, known)["ci"] is not None


def test_a_stratum_is_held_to_the_same(tmp_path: Path) -> None:
    lines = [{**row, "stratum": "ab"[int(str(row["query"])[1:]) % 2]} for row in rows(120, 80, heavy=40)]
    found = estimated(write_csv(tmp_path / "s.csv", (*NAMES, "stratum"), lines), *SHARE)
    assert figure(found, "grade>=1", "a")["ci"] is not None
    assert "of the weight" in figure(found, "grade>=1", "b")["reason"]


def test_an_interval_as_wide_as_the_weight_of_the_query_is_kept() -> None:
    ci = Interval(0.25, 0.5)
    human = intervals.Tested(0.4, 0.1, Interval(0.0, 1.0))
    found = Powered(0.4, 0.06, ci, 0.5, 0.4, human, 20, 40, saved=1.0, more=2.0)
    assert with_intervals_that_hold(found, 0.25) == found
    narrow = with_intervals_that_hold(found, 0.2501)
    assert (narrow.ci, narrow.se, narrow.saved, narrow.more, narrow.human) == (None, None, None, None, human)
    assert with_intervals_that_hold(replace(found, ci=None), 1.0).human == human


def test_the_heaviest_query_is_the_one_without_any_grade() -> None:
    there = gathered(
        [[(1, 1, 1), (2, 1, None)], [(1, 1, None)], [(1, 1, None), (2, 0, None), (3, None, None)]]
    )
    assert heaviest_unrated(there, "items") == pytest.approx(2 / 5), "a row that was not read counts nothing"
    assert heaviest_unrated(there, "items", there.queries < 2) == pytest.approx(1 / 3)
    assert heaviest_unrated(gathered([[(1, 1, 1)], [(1, 0, 0)]]), "items") == 0


def test_lists_of_which_parts_were_rated_tell_no_precision() -> None:
    """Two of eight rows drawn: short lists alone are rated in full, and those are worse at the end."""
    short: list[Listed] = [[(1, 1, 1), (2, 1, 1)]]
    long: list[Listed] = [[(n, 1, 1 if n < 3 else None) for n in range(1, 9)]]
    others: list[Listed] = [[(1, 1, None), (2, 0, None)]] * 20
    found = ranked(gathered(short * 18 + long * 2 + others), GOOD, 5, "p")
    assert (found.n_labelled, found.partly) == (18, 2) and PARTLY * 20 == 2
    assert found.mean().value is not None, "a rater left out a row here and there"
    found = ranked(gathered(short * 17 + long * 2 + others), GOOD, 5, "p")
    mean = found.mean()
    assert (mean.value, mean.ci, mean.human.value, mean.lam) == (None, None, None, 0.0)
    assert mean.reason == mean.human.reason and mean.teacher_only is not None
    assert "of 2 of 19 rated queries people graded only a part of the list" in str(mean.reason)
    assert ranked(gathered(short * 17 + long * 2 + others), GOOD, 2, "p").partly == 0, (
        "the first two are rated"
    )


def test_without_a_list_the_reason_is_not_that_nobody_graded() -> None:
    """Positions 2 and 4 alone: there are human grades, and no list."""
    gaps = ranked(gathered([[(2, 1, 1), (4, 1, 1)]] * 6), GOOD, 5, "p").mean()
    assert "a human grade and a position for each row of its list" in str(gaps.reason)


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e6])
def test_the_unit_of_the_weights_does_not_matter(tmp_path: Path, unit: float) -> None:
    """Two rows at each place, one of which is rated: the list is not known."""
    lines = [
        {**row, "item": f"{row['item']}{half}", "weight": unit, "human": row["human"] if half == "a" else ""}
        for row in rows()
        for half in "ab"
    ]
    found = estimated(write_csv(tmp_path / "t.csv", NAMES, lines), *SHARE)
    assert figure(found, "p@5")["value"] is None
    assert figure(found, "grade>=1")["value"] == pytest.approx(0.3764799018700406)


@pytest.mark.parametrize("weight", [300_000, 1_000_000, 1e11])
def test_one_rated_row_may_weigh_nearly_all(tmp_path: Path, weight: float) -> None:
    lines = [{**row, "weight": weight if row["item"] == "0-0" else row["weight"]} for row in rows()]
    one = main_figure(tmp_path, lines)
    assert one["reason"].startswith("few_events") and one["ci"][1] - one["ci"][0] > 0.9


def test_the_docs_show_what_the_command_prints(shipped_project: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    page = (root / "docs/estimate.md").read_text(encoding="utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0]
    table = root / "docs/production-example.csv"
    done = harness("estimate", table, "--policy", "product-search", "--root", shipped_project)
    assert done.out.startswith(shown) and len(shown.splitlines()) == 9
