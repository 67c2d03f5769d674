"""--max-cost: what is spent, lost and in flight together never pass the limit."""

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from builders import policy, reply
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.errors import BadInput
from harness.grading.budget import (
    ENVELOPE,
    Budget,
    LoggedCalls,
    OverBudget,
    WorstCase,
    budget_of,
    sent_along,
    worst_case,
)
from harness.nouns.pair import Pair
from harness.nouns.policy import Policy
from harness.nouns.records import Failed, Grade, Message, Prompt, Record, Usage
from harness.pricing.prices import NoPrice, Price, Rates
from harness.prompting.answer import answer_schema
from harness.providers import PROVIDERS, anthropic
from harness.providers.base import LONGEST_ANSWER
from harness.runs.call_log import Call, CallLog, unanswered_calls
from harness.scorecards.money import usd
from harness.storage.files import to_line

T = TypeVar("T")
PAIR = Pair.model_validate({"query": "q", "result": {"title": "t"}})
PRICE = Price(
    model="openai/m", source="test", standard=(Rates(input=1, output=10, cached=0.1, written=1.25),)
)
FREE = Price(model="m", source="test", standard=(Rates(input=0, output=0, cached=0, written=0),))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def limited(
    limit: float, price: Price | NoPrice, longest: int = LONGEST_ANSWER, form: int = 0, batch: bool = False
) -> Budget:
    return Budget(limit, WorstCase(price, longest, form), batch=batch)


def budget_for(model: str, one: Policy, price: Price | NoPrice = PRICE, batch: bool = False) -> Budget:
    return budget_of(3.0, worst_case(price, model, one), batch=batch)


def resumed(here: Path, records: list[Record], price: Price | NoPrice = PRICE) -> Budget:
    (here / "records.jsonl").write_text("".join(map(to_line, records)), encoding="utf-8")
    return budget_of(3.0, worst_case(price, "openai/m", policy()), here)


def prompt(text: str) -> Prompt:
    return Prompt(item="a", repeat=0, messages=(Message(role="user", content=text),), pair=PAIR)


def used(input: int, output: int) -> Usage:
    return Usage(input_tokens=input, output_tokens=output)


def record(**changes: Any) -> Record:
    data: dict[str, Any] = {
        "example": "a",
        "pair": "sha256:0",
        "outcome": Grade(value=1, reasoning="", clauses=()),
        "reply": reply("", usage=used(1_000_000, 0)),
        "at": "2026-11-25T00:00:00+00:00",
        "seconds": 1.0,
        "attempts": 1,
    }
    return Record.model_validate({**data, **changes})


def test_worst_case_takes_every_byte_for_a_token_and_the_dearest_rate() -> None:
    budget = limited(1.0, PRICE, longest=500, form=40)
    text = "Größe 👟"
    tokens = len(text.encode()) + 40 + ENVELOPE
    assert budget.worst(prompt(text)) == pytest.approx((tokens * 1.25 + 500 * 10) / 1e6)


def test_call_that_could_pass_the_limit_is_never_begun() -> None:
    budget = limited(0.02, PRICE, longest=1_000)
    with pytest.raises(OverBudget) as found:
        run(limited(0.001, PRICE, longest=1_000).reserve(prompt("x")))
    assert found.value.exit_code == 4
    assert str(found.value) == "--max-cost $0.001: $0.00 is spent; one more call could cost up to $0.0113"

    async def two() -> None:
        first = await budget.reserve(prompt("x"))
        second = asyncio.create_task(budget.reserve(prompt("x")))
        await asyncio.sleep(0)
        assert not second.done(), "both at their worst would pass the limit"
        budget.settle(first, used(100, 10))
        await second

    run(two())
    assert budget.spent == pytest.approx(200e-6)


def test_who_waits_for_room_is_told_when_none_comes() -> None:
    budget = limited(0.02, PRICE, longest=1_000)

    async def three() -> list[Any]:
        first = await budget.reserve(prompt("x"))
        others = [asyncio.create_task(budget.reserve(prompt("x"))) for _ in range(2)]
        await asyncio.sleep(0)
        budget.settle(first, used(1_000, 1_000))
        return await asyncio.gather(*others, return_exceptions=True)

    assert [type(end) for end in run(three())] == [OverBudget, OverBudget]
    assert (budget.spent, budget.in_flight) == pytest.approx((0.011, 0))


def test_call_that_may_have_been_billed_stays_at_its_worst_and_a_refused_one_costs_nothing() -> None:
    budget = limited(1.0, PRICE, longest=1_000)

    async def calls() -> None:
        budget.settle(await budget.reserve(prompt("x")), None)
        budget.release(await budget.reserve(prompt("x")))

    run(calls())
    assert (budget.spent, budget.lost) == pytest.approx((0, budget.worst(prompt("x"))))
    tight = limited(0.02, PRICE, longest=1_000)
    tight.settle(tight.take(0.015), None)
    with pytest.raises(OverBudget, match=r"\$0\.00 is spent, and up to \$0\.015 on calls without an answer"):
        run(tight.reserve(prompt("x")))


def test_answer_that_is_longer_than_was_thought_counts_as_it_is() -> None:
    budget = limited(0.02, PRICE, longest=10)
    budget.settle(budget.take(budget.worst(prompt("x"))), used(100, 3_000))
    assert budget.spent == pytest.approx(0.0301)
    assert not budget.fits(0)


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 400)), max_size=60))
def test_workers_together_never_pass_the_limit(workers: int, answers: list[tuple[int, int]]) -> None:
    limit = 0.05
    budget = limited(limit, PRICE, longest=400)
    left = iter(answers)
    highest = 0.0

    async def work() -> None:
        nonlocal highest
        for answer in left:
            reservation = await budget.reserve(prompt("x"))
            highest = max(highest, budget.spent + budget.in_flight)
            await asyncio.sleep(0)
            budget.settle(reservation, used(*answer))

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(work() for _ in range(workers)), return_exceptions=True)

    ends = run(all_of_them())
    assert highest <= limit * (1 + 1e-9)
    assert budget.in_flight == 0
    assert all(end is None or isinstance(end, OverBudget) for end in ends)
    if any(isinstance(end, OverBudget) for end in ends):
        assert not budget.fits(budget.worst(prompt("x"))), "nobody stops while another call fits"


def test_model_without_a_known_price_is_refused() -> None:
    with pytest.raises(BadInput, match="--max-cost needs a price: nobody said"):
        limited(1.0, NoPrice(model="m", reason="nobody said"))
    with pytest.raises(BadInput, match="has no batch price"):
        limited(1.0, PRICE, batch=True)


def test_resumed_run_counts_what_was_spent_before(tmp_path: Path) -> None:
    before = [
        record(cost=0.25),
        record(example="b", cost=None, unread=reply("", usage=used(1_000_000, 0))),
        record(example="c", outcome=Failed(detail="busy"), reply=None),
    ]
    assert resumed(tmp_path, before).spent == pytest.approx(0.25 + 2.0)


def test_resumed_run_that_cannot_know_what_it_cost_is_refused(tmp_path: Path) -> None:
    before = [record(reply=reply(""))]
    with pytest.raises(BadInput, match="unknown cost of 1 answer"):
        resumed(tmp_path, before)
    assert resumed(tmp_path, before, FREE).spent == 0


def test_answer_without_a_count_is_taken_at_the_most_that_its_call_could_cost(tmp_path: Path) -> None:
    log = CallLog(tmp_path)
    for worst in (0.25, 0.5):
        log.add(Call(example="a", worst=worst))
    log.add(Call(example="b", worst=0.1))
    log.close()
    counted = record(example="b", cost=0.03)
    budget = resumed(tmp_path, [record(reply=reply("")), counted])
    assert [budget.spent, budget.lost] == pytest.approx([0.03, 0.75])
    with pytest.raises(BadInput, match="unknown cost of 1 answer"):
        resumed(tmp_path, [record(example="c", reply=reply("")), counted])


@pytest.mark.parametrize("tokens", [-1, 10**9 + 1])
def test_tokens_that_cannot_be_are_no_count(tokens: int) -> None:
    with pytest.raises(ValidationError):
        used(tokens, 0)
    with pytest.raises(ValidationError):
        used(0, tokens)


def test_longest_answer_is_the_limit_that_is_sent_where_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "openai", replace(PROVIDERS["openai"], longest=1))

    def worst(model: str) -> float:
        return budget_for(model, policy()).worst(prompt("x"))

    more = (anthropic.LONGEST - 1) * 10 / 1e6
    assert worst("anthropic/m") - worst("openai/m") == pytest.approx(more)


def test_a_lower_limit_of_tokens_is_not_relied_on_and_a_higher_one_counts() -> None:
    """Not every server obeys it: a call may cost what an answer of the provider's own length costs."""
    own = worst_case(PRICE, "anthropic/m", policy()).longest
    assert own == anthropic.LONGEST
    asked = [worst_case(PRICE, "anthropic/m", policy(), own + more).longest for more in (-1, 0, 1)]
    assert asked == [own, own, own + 1]


def test_record_of_an_earlier_version_has_no_cost() -> None:
    line = record().model_dump(mode="json", exclude_none=True)
    assert "cost" not in line
    assert Record.model_validate(line).cost is None
    assert record(cost=0.5).model_dump(exclude_none=True)["cost"] == 0.5


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"),
        (1234.5, "$1,234.50"),
        (1, "$1.00"),
        (0.99999, "$1.00"),
        (0.1, "$0.10"),
        (0.0123, "$0.0123"),
        (0.05, "$0.05"),
        (0.001234, "$0.0012"),
        (0.00000321, "$0.0000032"),
    ],
)
def test_amounts_show_what_there_is_to_see(amount: float, text: str) -> None:
    assert usd(amount) == text


def test_many_calls_at_once_get_room_together_or_not_at_all() -> None:
    budget = limited(0.05, PRICE, longest=1_000)
    worst = sum(budget.worst(prompt("x")) for _ in range(4))
    batch = budget.take(worst)
    with pytest.raises(OverBudget):
        budget.take(worst)
    budget.settle(batch, used(4_000, 400))
    assert (budget.spent, budget.in_flight) == pytest.approx((0.008, 0))


def test_worst_case_counts_what_goes_along_with_the_prompt() -> None:
    terse, wordy = policy(), policy(range(9))
    assert len(sent_along(wordy)) > len(sent_along(terse))
    more = len(sent_along(wordy)) - len(sent_along(terse))
    budgets = [budget_for("openai/m", one) for one in (terse, wordy)]
    one, other = (budget.worst(prompt("x")) for budget in budgets)
    assert other - one == pytest.approx(more * 1.25 / 1e6)


# --- to the cent -------------------------------------------------------------------------------------

HALF = PRICE.model_copy(
    update={"batch": tuple(rates.model_copy(update={"input": 0.5, "output": 5}) for rates in PRICE.standard)}
)
"""The same model, with batches at half the price; nothing is read from a cache or written to one."""


def test_call_that_reaches_the_limit_exactly_still_fits() -> None:
    budget = limited(1.0, PRICE)
    budget.take(0.5)
    assert (budget.fits(0.5), budget.fits(0.5000001)) == (True, False)
    budget.take(0.5)
    with pytest.raises(OverBudget):
        budget.take(0.0000001)


def test_what_is_spent_and_lost_adds_up_over_calls() -> None:
    budget = limited(1.0, PRICE)
    for _ in range(3):
        budget.settle(budget.take(0.125), used(1_000, 100))
        budget.settle(budget.take(0.125), None)
    assert (budget.spent, budget.lost) == pytest.approx((3 * 0.002, 3 * 0.125))
    with pytest.raises(OverBudget, match=r"one more call could cost up to \$1\.00$"):
        budget.take(1)


def test_calls_in_flight_count_until_each_comes_back() -> None:
    budget = limited(1.0, PRICE)
    first, second, third = (budget.take(worst) for worst in (0.125, 0.25, 0.5))
    seen = [budget.in_flight]
    for reservation in (second, first, third):
        budget.release(reservation)
        seen.append(budget.in_flight)
    assert seen == [0.875, 0.625, 0.5, 0.0]


def test_part_of_a_batch_is_reserved_and_paid_at_the_price_of_a_batch() -> None:
    budget = limited(1.0, HALF, longest=1_000, batch=True)
    sent = len("x") + ENVELOPE
    assert budget.worst(prompt("x")) == pytest.approx((sent * 1.25 + 10_000) / 1e6)
    assert budget.worst(prompt("x"), batch=True) == pytest.approx((sent * 1.25 + 5_000) / 1e6)
    for take in (budget.take, budget.hold):
        before = budget.spent
        budget.settle(take(0.01, batch=True), used(1_000, 100))
        assert budget.spent - before == pytest.approx((500 + 500) / 1e6)
        budget.settle(take(0.01), used(1_000, 100))
        assert budget.spent - before == pytest.approx((500 + 500 + 1_000 + 1_000) / 1e6)


def test_run_with_batches_needs_a_price_for_them(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no batch price for openai/m"):
        budget_for("openai/m", policy(), batch=True)
    with pytest.raises(BadInput, match="has no batch price for openai/m"):
        budget_of(3.0, worst_case(PRICE, "openai/m", policy()), tmp_path, batch=True, records=())
    budget = budget_for("openai/m", policy(), HALF, batch=True)
    assert (budget.limit, budget.spent) == (3.0, 0)


def test_call_without_a_form_is_a_prompt_in_its_envelope() -> None:
    assert limited(1.0, PRICE, longest=0).worst(prompt("")) == pytest.approx(ENVELOPE * 1.25 / 1e6)


def test_what_is_sent_along_names_each_grade_as_it_is_written() -> None:
    known = policy()
    named = tuple(
        level.model_copy(update={"name": f"Größe {level.value}", "definition": f"defined {level.value}"})
        for level in known.grades
    )
    schema, grades = json.loads(sent_along(known.model_copy(update={"grades": named})))
    assert grades == [f"{at} Größe {at}: defined {at}" for at in (2, 1, 0)]
    assert schema == answer_schema(known)
    assert "Größe" in sent_along(known.model_copy(update={"grades": named}))


# --- the log of calls ----------------------------------------------------------------------------


HALVED = PRICE.model_copy(update={"batch": (Rates(input=0.5, output=5, cached=0.05, written=0.625),)})


def test_call_is_logged_with_its_worst_cost_and_whose_it_is(tmp_path: Path) -> None:
    worst = WorstCase(HALVED, longest=500, form=40)
    calls = LoggedCalls(worst, tmp_path)
    asked = prompt("text").model_copy(update={"item": "b", "repeat": 2})
    calls.sending(asked)
    calls.sending(asked, batch=True)
    refused = prompt("text").model_copy(update={"repeat": 1})
    calls.sending(refused)
    calls.cost_nothing(refused)
    calls.close()
    tokens = len("text") + 40 + ENVELOPE
    live, batched = unanswered_calls(tmp_path, Counter()).calls
    assert (live.key, live.input_tokens, live.output_tokens) == (("b", 2), tokens, 500)
    assert sorted(one.worst or 0 for one in (live, batched)) == pytest.approx(
        [(tokens * 0.625 + 500 * 5) / 1e6, (tokens * 1.25 + 500 * 10) / 1e6]
    )
    assert worst.cost(asked) == pytest.approx((tokens * 1.25 + 500 * 10) / 1e6)


def test_call_of_unknown_cost_counts_by_its_own_tokens_at_the_price_of_today() -> None:
    again = WorstCase(PRICE, longest=7).cost_again(Call(example="a", input_tokens=1_000, output_tokens=20))
    assert again == pytest.approx((1_000 * 1.25 + 20 * 10) / 1e6)
