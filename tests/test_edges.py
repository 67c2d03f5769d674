"""The edges of thresholds: what holds exactly at the number that a constant or a gate names."""

import numpy as np
import pytest
from builders import example
from comparing import item as compared
from comparing import side
from one_kappa import kappa_spread, table_of
from scipy import stats
from scoring import gate1, gate2, item, text_of

from harness.comparison.paired import compare_sides
from harness.nouns.base import Interval
from harness.nouns.policy import Gates
from harness.report.sections import details_view
from harness.score.answer_matrix import answer_matrix_of
from harness.score.items import GradedItem
from harness.stats.intervals import FEW
from harness.verdicts.regression import judge_regression, loss_condition


def alike(items: int, wrong: int = 0, unread: int = 0) -> list[GradedItem]:
    """Items of three grades, each in a query of its own: first the wrong ones, then the unread ones."""
    made = []
    for at in range(items):
        golden = at % 3
        grade = (golden + 1) % 3 if at < wrong else None if at < wrong + unread else golden
        made.append(item(f"i{at:04}", golden, grade))
    return made


# --- coverage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unread", "under"), [(10, False), (11, True)])
def test_coverage_at_the_floor_is_enough(unread: int, under: bool) -> None:
    score = gate2(alike(1000, unread=unread), gates=Gates(coverage_floor=0.99))
    assert score.coverage == 1 - unread / 1000
    assert ("is under the floor" in (score.reason or "")) == under
    assert score.verdict == ("inconclusive" if under else "pass")


@pytest.mark.parametrize(("unread", "verdict"), [(1, "pass"), (2, "inconclusive")])
def test_candidate_whose_coverage_is_at_the_floor_may_replace_the_base(unread: int, verdict: str) -> None:
    items = [(f"i{at:03}", at % 3) for at in range(100)]
    base, candidate = (
        side(*(compared(name, grade, grade if at >= n else None) for at, (name, grade) in enumerate(items)))
        for n in (0, unread)
    )
    found = judge_regression(compare_sides(base, candidate), Gates(coverage_floor=0.99))
    (coverage,) = (one for one in found.conditions if one.name.startswith("coverage"))
    (cases,) = (one for one in found.conditions if one.name == "the base's cases are compared")
    assert (coverage.verdict, cases.verdict) == (verdict, verdict)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.0499, 0.2, "pass"),
        (-0.05, 0.2, "inconclusive"),
        (-0.2, -0.05, "inconclusive"),
        (-0.2, -0.0501, "fail"),
    ],
)
def test_limit_at_the_margin_shows_neither_a_loss_nor_none(low: float, high: float, verdict: str) -> None:
    assert loss_condition("kappa", -0.01, Interval(low, high), 0.05).verdict == verdict


def test_three_missing_answers_of_a_thousand_can_leave_the_verdict_open() -> None:
    """Coverage is 0.997, and the lower limit of kappa 0.801 with 111 wrong of the 997 that were answered."""
    open_ = gate2(alike(1000, 111, unread=3))
    assert open_.coverage == 0.997
    assert open_.kappa.ci is not None and open_.kappa.ci[0] >= 0.8
    assert open_.verdict == "inconclusive" and "the missing answers could change" in (open_.reason or "")


def test_missing_answer_in_the_middle_of_the_scale_counts_as_the_lower_end() -> None:
    """By hand: 10, 11 and 50 golden grades, and 11, 10 and 50 from the grader with the unread answer as 0."""
    items = [
        item(f"{golden}-{at}", golden, golden) for golden, n in ((0, 10), (1, 10), (2, 50)) for at in range(n)
    ]
    unread = item("x", 1, None)
    assert answer_matrix_of([*items, unread], (0, 1, 2)).worst().grades[-1].tolist() == [0]
    observed, expected = 70 / 71, (10 * 11 + 11 * 10 + 50 * 50) / 71**2
    assert gate2([*items, unread]).kappa_worst_case == pytest.approx((observed - expected) / (1 - expected))


# --- few of something ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("differing", "guarded"), [(FEW - 1, True), (FEW, False)])
def test_interval_is_guarded_below_five_clusters_that_disagree(differing: int, guarded: bool) -> None:
    """40 items of one grade all right, 10 of the other not: the guard is below Fisher's z in both cases.

    4 of 50: U = 0.1923435 (Clopper-Pearson), De = 0.2 x 44/50 + 0.8 x 6/50, and the guard is 1 - U / De.
    """
    golden = [0] * 40 + [1] * 10
    given = [0] * (40 + differing) + [1] * (10 - differing)
    spread = kappa_spread(table_of(golden, given, [f"q{at}" for at in range(50)], (0, 1), "none"))
    if guarded:
        expected = 0.2 * 44 / 50 + 0.8 * 6 / 50
        assert spread.ci is not None
        assert spread.ci.low == pytest.approx(1 - stats.beta.ppf(0.975, 5, 46) / expected)
    assert spread.guarded == guarded


@pytest.mark.parametrize(("common", "counted"), [(29, 2), (30, 3)])
def test_pair_of_raters_counts_from_thirty_common_items_on(common: int, counted: int) -> None:
    rows = {f"i{at:03}": {"ann": at % 3, "bob": (at + (at % 7 == 0)) % 3} for at in range(60)}
    for at in range(60, 120):
        rows[f"i{at:03}"] = {"bob": at % 3, "cy": (at + (at % 5 == 0)) % 3}
    for name in [f"i{at:03}" for at in range(common)]:
        rows[name]["cy"] = (rows[name]["ann"] + 1) % 3
    score = gate1(rows)
    left_out = f"ann and cy share {common} items, under 30: left out of the mean"
    assert (left_out in score.warnings) == (counted == 2)
    pairs = {one.raters: one.kappa for one in score.pairs}
    inside = [kappa for raters, kappa in pairs.items() if counted == 3 or raters != ("ann", "cy")]
    assert len(inside) == counted and None not in inside
    assert score.kappa.value == pytest.approx(np.mean([kappa for kappa in inside if kappa is not None]))


@pytest.mark.parametrize(("items", "named"), [(4, False), (5, True)])
def test_clause_is_named_in_advice_from_five_items_on(items: int, named: bool) -> None:
    rows = {f"i{at}": {"ann": at % 3, "bob": (at + (at < 2)) % 3} for at in range(40)}
    about = {f"i{at}": example(f"i{at}", clauses=("cap",)) for at in range(items)}
    assert any("Reword the clause cap" in one for one in gate1(rows, about=about).advice) == named


@pytest.mark.parametrize(("items", "told"), [(4, False), (5, True)])
def test_change_of_a_tag_is_tested_from_five_items_on(items: int, told: bool) -> None:
    rows = [(f"i{at}", at % 3, ["tag"] if at < items else []) for at in range(30)]
    base, candidate = (
        side(
            *(
                compared(name, grade, (grade + (at % n == 0)) % 3, tags=tags)
                for at, (name, grade, tags) in enumerate(rows)
            )
        )
        for n in (2, 3)
    )
    assert [one.name for one in compare_sides(base, candidate).per_tag] == (["tag"] if told else [])


@pytest.mark.parametrize(("items", "told"), [(4, False), (5, True)])
def test_accuracy_of_a_tag_is_shown_from_five_items_on(items: int, told: bool) -> None:
    tagged = [item(f"t{at}", at % 3, (at + 1) % 3, tags=["rare"]) for at in range(items)]
    shown = text_of(details_view(gate2([*tagged, *alike(30)]), 0))
    assert ("rare" in shown) == told
