"""One limit over several phases: a phase has what is left, and what it cost is missing in the next."""

import pytest

from harness.grading.budget import Budget, WorstCase
from harness.grading.purse import Purse
from harness.nouns.pair import Pair
from harness.nouns.records import Message, Prompt
from harness.pricing.prices import Price, Rates
from harness.providers.base import LONGEST_ANSWER

PAIR = Pair.model_validate({"query": "q", "result": {"title": "t"}})
PRICE = Price(model="openai/m", source="test", standard=(Rates(input=1, output=10, cached=1, written=1),))
WORST = WorstCase(PRICE, LONGEST_ANSWER, 0)


def spend(budget: Budget | None, spent: float, lost: float) -> None:
    assert budget is not None
    budget.spent += spent
    budget.lost += lost


def test_without_a_limit_there_is_no_budget_and_nothing_to_take_back() -> None:
    purse = Purse(None)
    assert purse.opened(WORST) is None
    purse.joined(None)
    purse.closed(None)
    assert (purse.limit, purse.spent, purse.lost) == (None, 0.0, 0.0)


def test_the_limit_of_zero_is_a_limit() -> None:
    assert Purse(0.0).opened(WORST) is not None


def test_each_phase_has_what_the_ones_before_it_left() -> None:
    purse = Purse(3.0)
    for spent, lost in ((0.0, 0.0), (1.0, 0.25), (2.0, 0.5)):
        budget = purse.opened(WORST)
        assert budget is not None
        assert (budget.limit, budget.spent, budget.lost) == (3.0, spent, lost)
        spend(budget, 1.0, 0.25)
        purse.closed(budget)
    assert (purse.spent, purse.lost) == (3.0, 0.75)


def test_what_is_out_is_held_at_the_price_of_its_own_phase() -> None:
    dear = WorstCase(
        PRICE.model_copy(update={"standard": (Rates(input=2, output=20, cached=2, written=2),)}),
        LONGEST_ANSWER,
        0,
    )
    purse = Purse(3.0)
    sent = Prompt(item="a", repeat=0, messages=(Message(role="user", content="x"),), pair=PAIR)
    worst = [budget.worst(sent) for budget in (purse.opened(WORST), purse.opened(dear)) if budget]
    assert worst[1] == pytest.approx(2 * worst[0]) and worst[0] > 0


def test_a_folder_that_cost_something_counts_beside_the_other_phases() -> None:
    """A day of a watch that goes on: its folder has cost 0.5, the baseline before it 1."""
    purse = Purse(3.0, spent=1.0, lost=0.25)
    budget = Budget(3.0, WORST, spent=0.5, lost=0.125)
    purse.joined(budget)
    assert (budget.spent, budget.lost) == (1.5, 0.375)
    spend(budget, 0.5, 0.0)
    purse.closed(budget)
    assert (purse.spent, purse.lost) == (2.0, 0.375)
