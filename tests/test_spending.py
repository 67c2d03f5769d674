"""What a run cost: every answer that was asked for, once, and unknown where it is."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, harness, reply, write_project
from comparing import USAGE, item, run_with, side
from fault_server import Script, Turn, fault_server, graded
from oracle import DEV, ask, only_run
from rich.console import Console

from harness.comparison.paired import compare_sides
from harness.comparison.sides import side_of_run
from harness.nouns.records import Failed, Ungraded
from harness.report.comparison import comparison_view
from harness.report.money import spending_view
from harness.runs.folder import load_run
from harness.score.reading import read_run
from harness.scorecards.money import Spending


def text_of(found: Spending) -> list[str]:
    console = Console(width=200, highlight=False)
    with console.capture() as shown:
        for part in spending_view(found):
            console.print(part)
    return shown.get().splitlines()


def test_total_covers_what_was_read_and_what_was_not(here: Path) -> None:
    run = run_with(
        here,
        {},
        {"unread": reply("half", usage=USAGE), "cost": 0.03, "attempts": 2},
        {"outcome": Ungraded(cause="refused")},
        {"outcome": Failed(detail="busy"), "reply": None, "cost": 0.0, "attempts": 4},
        {"outcome": Failed(detail="away"), "reply": None, "cost": 0.0, "attempts": 2},
    )
    found = read_run(run).spending
    assert (found.asked, found.unknown, found.reused, found.unanswered) == (3, 0, 0, 6)
    assert found.reason is None
    assert found.cost == pytest.approx(0.05)
    assert found.per_hundred == pytest.approx(2.5)
    assert found.per_answer == pytest.approx(0.05 / 3)
    tokens = (found.input_tokens, found.cached_tokens, found.written_tokens, found.output_tokens)
    assert tokens == (4_000, 3_200, 400, 200)
    assert found.hit_rate == 0.8
    assert text_of(found) == [
        "Cost: $0.05, $2.50 per hundred grades",
        "Tokens: 4,000 in (80% from the cache, 400 written to it), 200 out",
        "6 attempts brought no answer; one that timed out may have been billed.",
    ]


UNCOUNTED = f"none of {len(DEV)} answers counts its tokens: what they cost is unknown"
AT_ONCE = "each such call counts with the most that it could cost"
PRICES = "input = 1.0\noutput = 1.0\n"


def uncounted(number: int, body: dict[str, Any]) -> Turn:
    return graded(1, usage=None)


def priced(here: Path, prices: str, script: Script, *words: str) -> Ended:
    write_project(here)
    (here / "prices.toml").write_text(f'[models."openai/m"]\n{prices}', encoding="utf-8")
    with fault_server(script) as server:
        return ask(server, "--max-connections", "1", *words)


def test_paid_teacher_that_counts_no_tokens_is_told_of_once_at_the_end(here: Path) -> None:
    ended = priced(here, PRICES, uncounted)
    assert ended.code == 0
    assert ended.err.count(UNCOUNTED) == 1 and AT_ONCE not in ended.err
    assert "Cost: unknown" in ended.out


def test_limit_is_told_at_once_that_a_call_counts_at_its_worst(here: Path) -> None:
    """Before the limit is reached is when to know why the run will stop early."""
    ended = priced(here, PRICES, uncounted, "--max-cost", "0.05")
    assert ended.code == 4
    assert ended.err.count(AT_ONCE) == 1
    assert ended.err.index(AT_ONCE) < ended.err.index("one more call could cost")


def test_no_word_of_tokens_where_they_cost_nothing(here: Path) -> None:
    ended = priced(here, "input = 0\noutput = 0\n", uncounted)
    assert (ended.code, "its tokens" in ended.err) == (0, False)


def test_one_answer_that_counts_its_tokens_says_that_the_server_does(here: Path) -> None:
    ended = priced(here, PRICES, lambda number, body: graded(1) if number == 4 else uncounted(number, body))
    assert (ended.code, "its tokens" in ended.err) == (0, False)


def test_answer_from_the_reply_cache_costs_nothing_again(here: Path) -> None:
    run = run_with(here, {}, {"cached_reply": True, "cost": 0.0, "attempts": 0})
    found = read_run(run).spending
    assert (found.asked, found.reused, found.cost, found.per_hundred) == (1, 1, 0.01, 1.0)
    assert found.input_tokens == 1_000
    assert "1 answer came from the reply cache and cost nothing again." in text_of(found)


def test_run_that_asked_nothing_has_no_price_a_grade(here: Path) -> None:
    found = read_run(run_with(here, {"cached_reply": True, "cost": 0.0, "attempts": 0})).spending
    assert (found.cost, found.per_hundred, found.per_answer) == (0, None, None)
    assert found.reason == "nothing was asked for"


def test_one_unknown_cost_makes_the_total_unknown(here: Path) -> None:
    found = read_run(run_with(here, {}, {"cost": None, "reply": reply("x")})).spending
    assert (found.cost, found.known, found.unknown, found.per_hundred) == (None, 0.01, 1, None)
    assert found.uncounted == 1
    assert text_of(found) == [
        "Cost: unknown: the price or the tokens of 1 answer is unknown; the other 1 cost $0.01",
        "Tokens: 1,000 in (80% from the cache, 100 written to it), 50 out; 1 reply without a sound count",
    ]


def test_where_all_tokens_are_counted_the_price_alone_is_unknown(here: Path) -> None:
    found = read_run(run_with(here, {"cost": None}, {"cost": None})).spending
    assert found.uncounted == 0 and found.reason == "the price of 2 answers is unknown"
    assert text_of(found)[0] == "Cost: unknown: the price of 2 answers is unknown"


def test_grader_that_runs_here_says_nothing_of_money(here: Path) -> None:
    free = {"reply": reply("x"), "cost": 0.0}
    found = read_run(run_with(here, free, free, model="builtin/lexical")).spending
    assert (found.cost, found.input_tokens, found.hit_rate) == (0, None, None)
    assert text_of(found) == []


@pytest.mark.parametrize(
    ("cached", "answers", "letters", "model", "warns"),
    [
        (0, 11, 9_000, "openai/m", True),
        # 1,800 tokens of prefix at least, 11 times read again: half of them are 9,900.
        (824, 12, 9_000, "openai/m", True),
        (825, 12, 9_000, "openai/m", False),
        (0, 10, 9_000, "openai/m", False),
        (0, 12, 3_000, "openai/m", False),
        (0, 12, 9_000, "anthropic/m", False),
        (0, 12, 30_000, "anthropic/m", True),
        (0, 12, 30_000, "vllm/m", False),
    ],
)
def test_cache_that_should_have_held_the_prefix_is_warned_of(
    here: Path, cached: int, answers: int, letters: int, model: str, warns: bool
) -> None:
    usage = {"input_tokens": 2_000, "output_tokens": 10, "cached_tokens": cached}
    run = run_with(here, *[{"reply": reply("x", usage=usage)}] * answers, model=model)
    assert len(run.records) == answers
    (run.folder / "prefix.txt").write_text("a" * letters, encoding="utf-8")
    found = read_run(run).spending
    assert len(found.warnings) == warns
    if warns:
        read = f"only {cached / 2_000:.0%}"
        assert f"{read} of the input came from" in found.warnings[0]
        assert any(line.startswith(f"Warning: {read}") for line in text_of(found))


def test_side_of_a_comparison_knows_what_an_answer_costs(here: Path) -> None:
    assert side_of_run(read_run(run_with(here, {}, {"cost": 0.02}))).cost == pytest.approx(0.015)
    assert side_of_run(read_run(run_with(here / "again", {}, {"cost": None}))).cost is None


def test_comparison_shows_what_an_answer_costs_where_anybody_is_paid(here: Path) -> None:
    def shown(base: float, candidate: float) -> str:
        one, other = (side(item("a", 1, 1), item("b", 0, 0), cost=cost) for cost in (base, candidate))
        console = Console(width=80, highlight=False)
        with console.capture() as text:
            for part in comparison_view(compare_sides(one, other)):
                console.print(part)
        return " ".join(text.get().split())

    assert "cost of an answer $0.0002 $0.0001 -$0.0001 -" in shown(0.0002, 0.0001)
    assert "cost of an answer" not in shown(0.0, 0.0)


def test_runs_show_says_what_a_run_cost(here: Path) -> None:
    write_project(here)
    assert harness("eval", "--policy", "small", "--model", "builtin/majority").code == 0
    run = load_run(only_run(here))
    lines = [json.loads(line) for line in (run.folder / "records.jsonl").read_text("utf-8").splitlines()]
    for line in lines:
        line["cost"] = 0.002
        line["reply"]["usage"] = USAGE
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run.folder / "records.jsonl").write_text(text, encoding="utf-8")
    shown = harness("runs", "show")
    assert "Cost: $0.024, $0.20 per hundred grades" in shown.out
    assert harness("runs", "show", "--json").json["spending"]["cost"] == pytest.approx(0.024)
    (run.folder / "records.jsonl").write_text("{}\n", encoding="utf-8")
    broken = harness("runs", "show", "--json")
    assert (broken.code, broken.json["spending"]) == (0, None)
    assert "its cost is unknown: " in broken.err
