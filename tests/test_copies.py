"""Ratings that look copied do not pass Gate 1; raters who only agree well do."""

from pathlib import Path

import numpy as np
import pytest
from builders import harness
from scoring import Rows, gate1, text_of

from harness.report.gate1 import gate1_view
from harness.score.copies import ASK
from harness.scorecards.gate1 import Gate1
from harness.verdicts.gates import exit_code, judge_gate1


def judged(rows: Rows, bar: float | None = None) -> Gate1:
    """Every item a query of its own; with another bar where one is given."""
    score = gate1(rows)
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
    assert (score.kappa.value, score.verdict, exit_code(score)) == (1.0, "inconclusive", 3)
    assert score.reason == score.copies == f"all 200 pairs of ratings of one item are identical: {ASK}"
    assert (score.items_needed, score.doubt) == (None, score.copies)
    assert "policy is clear" not in text_of(gate1_view(score))


def test_one_difference_in_all_ratings_passes() -> None:
    rows = {f"i{at}": {"ann": at % 3, "bob": at % 3} for at in range(200)}
    rows["i0"]["bob"] = 1
    score = judged(rows)
    assert (score.verdict, score.copies, score.doubt) == ("pass", None, None)


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
