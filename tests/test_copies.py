"""Ratings that look copied do not pass Gate 1; raters who only agree well do."""

from pathlib import Path

import numpy as np
import pytest
from builders import harness
from scoring import Rows, gate1, text_of

from harness.report.gate1 import gate1_view
from harness.score.copies import ASK, surely_beyond
from harness.scorecards.gate1 import Gate1
from harness.verdicts.gates import judge_gate1


def judged(rows: Rows, bar: float | None = None) -> Gate1:
    """Every item a query of its own; with another bar where one is given."""
    score = gate1(rows, (0, 1, 2, 3))
    return judge_gate1(score.model_copy(update={"bar": bar, "warnings": ()})) if bar is not None else score


def panel(items: int, right: float, copied: bool, others: int = 1) -> dict[str, dict[str, int]]:
    """`bob` has ann's grades where copied; every other rater is right with this probability."""
    random = np.random.default_rng(4)
    rows = {}
    for at in range(items):
        names = ["ann", *(f"r{other}" for other in range(others))]
        row = {name: at % 3 if random.random() < right else int(random.integers(0, 3)) for name in names}
        rows[f"i{at:03}"] = {**row, **({"bob": row["ann"]} if copied else {})}
    return rows


def test_identical_ratings_are_inconclusive_and_ask() -> None:
    score = judged({f"i{at}": {"ann": at % 3, "bob": at % 3} for at in range(200)})
    assert (score.kappa.value, score.verdict) == (1.0, "inconclusive")
    assert score.reason == score.copies == f"all 200 pairs of ratings of one item are identical: {ASK}"
    assert (score.items_needed, score.doubt) == (None, score.copies)
    assert "policy is clear" not in text_of(gate1_view(score))


@pytest.mark.parametrize(("agreeing", "named"), [(24, True), (25, False)])
def test_a_pair_is_named_where_luck_makes_it_identical_in_less_than_a_hundredth(
    agreeing: int, named: bool
) -> None:
    """Three pairs on 30 items: 3 x (24/30)^30 is .0037, and 3 x (25/30)^30 is .0126."""
    rows = {f"i{at}": {"ann": at % 3, "bob": at % 3, "cy": (at + (at >= agreeing)) % 3} for at in range(30)}
    assert ("ann and bob (30 items)" in (judged(rows).copies or "")) == named


@pytest.mark.parametrize(("items", "surely"), [(458, False), (459, True)])
def test_none_of_many_items_differs_by_luck_at_a_kappa_of_98(items: int, surely: bool) -> None:
    """Where chance alone makes half of them differ: .99^458 is .01002, and .99^459 is .00992."""
    assert surely_beyond(items, 0, 0.5) == surely


def test_one_difference_in_all_ratings_passes() -> None:
    rows = {f"i{at}": {"ann": at % 3, "bob": at % 3} for at in range(200)}
    rows["i0"]["bob"] = 1
    score = judged(rows)
    assert (score.verdict, score.copies, score.doubt) == ("pass", None, None)


def pair(items: int, differing: int, grades: int = 4, common: int = 0) -> dict[str, dict[str, int]]:
    """Two raters who differ on this many items; every grade is as common, but for so many more of grade 0."""
    rows = {f"c{at}": {"ann": 0, "bob": 0} for at in range(common)}
    rows |= {f"i{at}": {"ann": at % grades, "bob": at % grades} for at in range(items - common)}
    for at in range(differing):
        rows[f"i{at}"]["bob"] = (at + 1) % grades
    return rows


NEARLY: dict[str, tuple[dict[str, dict[str, int]], bool]] = {
    "one of 562 differs": (pair(562, 1), True),
    "two of 1,000": (pair(1000, 2), True),
    "one of 200: too few to tell": (pair(200, 1), False),
    "kappa 0.98 of 3,000": (pair(3000, 45), False),
    "kappa 0.96 of 562": (pair(562, 17), False),
    "one of 562, of which 480 have one grade": (pair(562, 1, 2, common=400), False),
    "none of 300, beside a third who differs once": (
        {key: {**row, "cy": row["ann"]} for key, row in pair(300, 0).items()}
        | {"i0": {"ann": 0, "bob": 0, "cy": 1}},
        False,
    ),
}


@pytest.mark.parametrize(("rows", "named"), NEARLY.values(), ids=NEARLY)
def test_copies_but_for_a_few_are_provisional_and_ask(rows: dict[str, dict[str, int]], named: bool) -> None:
    score = judged(rows)
    assert (score.verdict, score.copies, score.alike is not None) == ("pass", None, named)
    assert score.provisional == score.alike
    text = text_of(gate1_view(score))
    assert ("policy is clear" in text, "are these independent?" in text) == (not named, named)


def test_copies_but_for_one_are_named_beside_raters_who_differ() -> None:
    rows = pair(562, 1)
    for at, row in enumerate(rows.values()):
        row["cy"] = row["ann"] if at % 7 else (row["ann"] + 1) % 4
    score = judged(rows)
    assert score.provisional is not None and score.provisional.startswith(
        "raters who gave the same grade to more items than a kappa of 0.98 explains: "
        "ann and bob (561 of 562 items): are"
    )


def test_gate_2_is_provisional_where_the_raters_are_copies_but_for_one(here: Path) -> None:
    rows = pair(562, 1)
    lines = "".join(f"{key},{row['ann']},{row['bob']}\n" for key, row in rows.items())
    (here / "r.csv").write_text(f"item,ann,bob\n{lines}", encoding="utf-8")
    golden = "".join(f"{key},{key},{row['ann']}\n" for key, row in rows.items())
    for name in ("golden.csv", "grades.csv"):
        (here / name).write_text(f"item,query,grade\n{golden}", encoding="utf-8")
    files = ("--golden", "golden.csv", "--grades", "grades.csv", "--ratings", "r.csv")
    done = harness("gate2", *files, "--ratings-wide", "ann,bob", "--scale", "0-3", "--json").json
    assert done["verdict"] == "pass"
    assert done["provisional"].startswith(
        "in Gate 1, the raters gave the same grade to 561 of 562 items, more"
    )


def test_pair_that_is_identical_beyond_luck_is_named() -> None:
    score = judged(panel(200, 0.96, copied=True, others=2))
    assert (score.verdict, score.reason) == ("inconclusive", score.copies)
    assert (
        score.reason is not None
        and "to every item that both rated: ann and bob (200 items): are" in score.reason
    )
    assert judged(panel(200, 0.96, copied=False, others=2)).verdict == "pass"


@pytest.mark.parametrize(("common", "named"), [(29, False), (30, True)])
def test_fewer_than_thirty_common_items_name_nobody(common: int, named: bool) -> None:
    rows = panel(200, 0.8, copied=True, others=2)
    for at, row in enumerate(rows.values()):
        if at >= common:
            del row["bob"]
    assert (judged(rows).copies is not None) is named


def test_what_luck_explains_is_no_copy() -> None:
    """Three raters of 40 items, of whom one differs once: the others are identical by luck."""
    rows = {f"i{at}": {"ann": at % 3, "bob": at % 3, "cy": at % 3} for at in range(40)}
    rows["i0"]["cy"] = 1
    assert judged(rows).copies is None
    # Where the third differs on a quarter, 0.75^40 is no luck.
    for at in range(1, 10):
        rows[f"i{at}"]["cy"] = (at + 1) % 3
    assert "ann and bob (40 items)" in (judged(rows).copies or "")


def test_one_grade_for_everything_is_no_copy() -> None:
    rows = {f"i{at}": {"ann": 1, "bob": 1} for at in range(100)}
    assert judged(rows).copies is None


def test_fail_stays_a_fail_and_warns() -> None:
    score = judged(panel(200, 0.3, copied=True, others=3), bar=0.9)
    assert (score.verdict, score.doubt) == ("fail", None)
    assert score.copies in score.warnings


def test_copied_column_of_a_file_does_not_pass(here: Path) -> None:
    rows = "".join(f"i{at},{at % 3},{at % 3}\n" for at in range(100))
    (here / "r.csv").write_text(f"item,ann,bob\n{rows}", encoding="utf-8")
    done = harness("gate1", "r.csv", "--wide", "ann,bob", "--scale", "0-2")
    assert done.code == 3
    assert "are these independent?" in " ".join(done.out.split())
