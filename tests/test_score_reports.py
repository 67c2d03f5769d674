"""Scorecards on a terminal of 80 columns: nothing runs over, nothing is cut, nothing says nan or None."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness
from rich.console import RenderableType
from scoring import ACTIONS, Rows, answer, gate1, gate2, item, text_of
from shipped import ship

from harness.nouns.base import Interval
from harness.nouns.policy import Gates
from harness.report.formats import interval, number, percent, signed
from harness.report.gate1 import gate1_view
from harness.report.sections import details_view, gate2_view
from harness.score.items import GradedItem
from harness.scorecards.gate2 import Gate2

MANY = tuple(range(12))


def view(score: Gate2, misses: int = 3) -> Iterator[RenderableType]:
    yield from gate2_view(score, "openai/some-teacher-model with teacher@v2", "product-search@v1 (dev+test)")
    yield from details_view(score, misses)


def fits(text: str) -> None:
    """No line is too long, and no undefined value is spelt out."""
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"\b(nan|None|inf)\b", text)


def graders(scale: tuple[int, ...], count: int, draws: int = 1, **about: Any) -> list[GradedItem]:
    """Items with probabilities, of which some have no answer."""
    rng = np.random.default_rng(2)
    made = []
    for at in range(count):
        golden = int(rng.choice(scale))
        told = []
        for _ in range(draws):
            grade = golden if rng.random() < 0.7 else int(rng.choice(scale))
            chances = rng.dirichlet(np.ones(len(scale)))
            told.append(answer(grade, probabilities=dict(zip(scale, map(float, chances), strict=True))))
        if rng.random() < 0.02:
            told[0] = answer(None)
        base = item(f"i{at:04}", golden, query=f"q{at // 4}", **about)
        made.append(GradedItem(base.item, base.cluster, golden, tuple(told), base.about))
    return made


LONG: dict[str, Any] = {
    "tags": ("a tag that nobody could ever have wanted to be as long as this one has become in the end",),
    "clauses": ("a-clause-whose-name-is-one-word-" + "x" * 80,),
    "reasoning": "Because " * 40,
    "result": {"title": "word" * 40},
}


def rows_of(items: list[GradedItem]) -> Rows:
    rng = np.random.default_rng(4)
    scale = sorted({one.golden for one in items})
    return {
        one.item: {
            rater: one.golden if rng.random() < 0.8 else int(rng.choice(scale))
            for rater in ("annabelle.lee@example.com", "bob", "cy")
        }
        for one in items
    }


# --- gate 2 ------------------------------------------------------------------------------------------------

CELL = {"never_grow": [{"golden": 0, "action": "show", "limit": 0.005}], "human_ceiling": {"epsilon": 0.2}}


@pytest.mark.parametrize(
    ("scale", "count", "draws"),
    [
        ((0, 1), 1, 1),
        ((0, 1), 200, 1),
        ((0, 1, 2), 200, 3),
        ((0, 1, 3), 60, 1),
        (MANY, 400, 1),
        (MANY, 400, 2),
    ],
)
@pytest.mark.parametrize("about", [{}, LONG], ids=["files", "run"])
def test_gate2_fits(scale: tuple[int, ...], count: int, draws: int, about: dict[str, Any]) -> None:
    items = graders(scale, count, draws, **about)
    actions = {grade: ACTIONS.get(grade, "show") for grade in scale}
    gates = Gates.model_validate(CELL)
    score = gate2(items, scale, action_of=actions, gates=gates, rows=rows_of(items), bootstrap=count > 1)
    text = text_of(view(score))
    fits(text)
    assert "calibration error" in text and "Actions: kappa" in text
    assert ("The worst misses" in text) == (count > 1)
    assert (" -> " in text) == (bool(about) and count > 1)


def test_no_figure_of_many_grades_is_cut() -> None:
    text = text_of(view(gate2(graders(MANY, 2000), MANY)))
    assert "…" not in text
    score = gate2(graders(MANY, 2000), MANY)
    for one in score.per_grade:
        assert one.precision is not None and one.recall is not None and one.f1 is not None
        row = rf"^ *{one.grade} +{one.support} +{one.precision:.2f} +{one.recall:.2f} +{one.f1:.2f}$"
        assert re.search(row, re.sub(r" +$", "", text, flags=re.M), re.M), row


def test_gate2_of_nothing_graded_fits_and_says_so() -> None:
    items = [item(f"i{at}", at % 2, None, tags=("new",), clauses=("cap",)) for at in range(8)]
    score = gate2(items, (0, 1), action_of={0: "hide", 1: "show"}, rows=rows_of(items))
    text = text_of(view(score))
    fits(text)
    assert "No agreement could be measured on 0 of 8 examples." in text
    assert "accuracy - (giving 0 to everything would get 0.500, kappa 0)" in text


def test_floor_of_a_golden_set_without_variation_has_no_kappa() -> None:
    text = text_of(view(gate2([item("a", 1, 0), item("b", 1, 1)])))
    assert "(giving 1 to everything would get 1.000, kappa -)" in text


def test_one_item_fits() -> None:
    for grade in (0, 1, None):
        fits(text_of(view(gate2([item("a", 0, grade)], (0, 1), rows={"a": {"ann": 0, "bob": 1}}))))


@pytest.mark.parametrize("touched", [0, 4, 5])
def test_limit_of_few_queries_says_that_a_guard_set_it(touched: int) -> None:
    gates = Gates.model_validate({"never_grow": [{"golden": 0, "action": "show", "limit": 0.01}]})
    # 20 queries of five items with golden 0, and one of others; one item of each touched query is shown.
    given = [2 if at % 5 == 0 and at < 5 * touched else 0 for at in range(100)]
    items = [item(f"i{at}", 0, grade, query=f"q{at // 5}") for at, grade in enumerate(given)]
    score = gate2([*items, item("other", 2, 2)], action_of=ACTIONS, gates=gates)
    (cell,) = score.never_grow
    said = "fewer than five queries have one, so the number of queries, not their spread, sets the limit"
    assert cell.guarded == (touched < 5) == (said in " ".join(text_of(gate2_view(score, "x", "y")).split()))


def test_cell_and_its_limit_are_told_as_exactly_as_the_verdict() -> None:
    gates = Gates.model_validate(CELL)
    items = [item(f"i{at:04}", at % 3, at % 3, query=f"q{at // 2}") for at in range(2400)]
    text = text_of(gate2_view(gate2(items, action_of=ACTIONS, gates=gates), "x", "y"))
    # 0 of 800: 1 - 0.025 ** (1 / 800) = 0.0046.
    assert "0 of 800, at most 0.5% (95 %); the limit is 0.5%" in " ".join(text.split())


def test_misses_shown_are_as_many_as_asked_for() -> None:
    items = graders((0, 1, 2), 100, **{**LONG, "reasoning": "Because."})
    score = gate2(items)
    for count in (0, 2, 1000):
        assert text_of(details_view(score, count)).count("golden ") >= min(count, len(score.misses))
        shown = [one.item for one in score.misses if f"  {one.item}: " in text_of(details_view(score, count))]
        assert shown == [one.item for one in score.misses[:count]]


# --- gate 1 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [(0, 1), (0, 1, 3), MANY], ids=len)
@pytest.mark.parametrize("count", [1, 5, 200])
@pytest.mark.parametrize("raters", [2, 5])
def test_gate1_fits(scale: tuple[int, ...], count: int, raters: int) -> None:
    rng = np.random.default_rng(8)
    names = ["annabelle.lee@example.com", "bob", "cy", "someone with a long name", "e"][:raters]
    rows = {f"an item by a long name {at:04}": {} for at in range(count)}  # type: dict[str, dict[str, int]]
    for row in rows.values():
        truth = int(rng.choice(scale))
        for name in names:
            row[name] = truth if rng.random() < 0.7 else int(rng.choice(scale))
    queries = {name: f"a query that goes on for quite a while, say {at // 3}" for at, name in enumerate(rows)}
    for given in (queries, None):
        fits(text_of(gate1_view(gate1(rows, scale, given))))


def test_gate1_of_raters_without_a_common_item_fits() -> None:
    text = text_of(gate1_view(gate1({"a": {"ann": 0}, "b": {"bob": 1}})))
    fits(text)
    assert "no item was graded by both" in text


def test_gate1_shows_both_reasons_and_what_to_do() -> None:
    score = gate1({f"i{at}": {"ann": 0, "bob": at % 3} for at in range(9)}, names={0: "bad", 1: "fair"})
    text = " ".join(text_of(gate1_view(score)).split())
    assert "What to do: - Sharpen the line between 0 (bad) and 1 (fair): 3 of 6 disagreements" in text


# --- figures -----------------------------------------------------------------------------------------------


def test_undefined_is_a_dash_and_a_rounded_zero_has_no_minus() -> None:
    assert [number(None), signed(None), percent(None), interval(None)] == ["-", "-", "-", ""]
    assert [number(-0.0001), number(-0.0), number(-0.001)] == ["0.000", "0.000", "-0.001"]
    assert [signed(-0.0001), signed(0.0), signed(0.0004), signed(-0.0006)] == ["+0.000"] * 3 + ["-0.001"]
    assert interval(Interval(-0.0001, 0.5)) == "[0.000, 0.500]"


# --- shipped data ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped project, with a run of its own in it."""
    here = tmp_path_factory.mktemp("shipped")
    ship(here)
    assert harness("eval", "--root", here).code == 0
    return here


@pytest.mark.parametrize("words", [("gate1",), ("gate2", "latest"), ("gate2", "latest", "--misses", "40")])
def test_shipped_data_fits(shipped: Path, words: tuple[str, ...]) -> None:
    ended = harness(*words, "--root", shipped)
    assert ended.code in (0, 1, 3)
    fits(ended.out)
