"""A dry run: the range holds what tokenizers count, and the prices are those of its ends."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from builders import harness, write_project
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harness.grading.forecast import THOUGHT, forecast
from harness.grading.plan import Plan, make_plan
from harness.pricing.prices import NoPrice, Price, Rates, price_of
from harness.pricing.tokens import tokens_of
from harness.providers import sold_as
from harness.report.money import forecast_view
from harness.runs.manifest import Asked
from harness.scorecards.money import Forecast, Span
from harness.storage.project import Project

ROOT = Path(__file__).resolve().parent.parent
CASES = tomllib.loads((ROOT / "tests/cases/tokens.toml").read_text(encoding="utf-8"))["case"]
ONE = Price(
    model="m",
    source="test",
    standard=(Rates(input=1, output=8, cached=0.1, written=1.25),),
    batch=(Rates(input=0.5, output=4, cached=0.05, written=0.625),),
)


def planned(project: Project, model: str = "openai/gpt-6-luna", **more: Any) -> Plan:
    asked = {"model": model, "policy": "small", "prompt": "teacher", "splits": ("dev",), **more}
    return make_plan(project, Asked.model_validate(asked))


def span(found: Span | None) -> tuple[float, float]:
    assert found is not None
    return found.low, found.high


def text_of(found: Forecast) -> str:
    console = Console(width=80, highlight=False)
    with console.capture() as shown:
        for part in forecast_view(found):
            console.print(part)
    return shown.get()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_range_holds_the_count_of_every_tokenizer(case: dict[str, Any], shipped_project: Path) -> None:
    text = case["text"] if "text" in case else (shipped_project / case["file"]).read_text(encoding="utf-8")
    low, high = tokens_of(text)
    assert low <= min(case["counts"].values())
    assert max(case["counts"].values()) <= high


def test_range_of_english_is_no_wider_than_it_has_to_be() -> None:
    low, high = tokens_of("the shopper asked for a red wool hat, and this listing shows a red cotton cap")
    assert high <= 2.6 * low


@given(st.text(), st.text())
def test_tokens_of_two_texts_are_those_of_each(one: str, other: str) -> None:
    both = tokens_of(one).plus(tokens_of(other))
    assert tokens_of(one + other) == pytest.approx(both)
    assert both.low <= both.high <= 4 * len((one + other).encode("utf-8", "surrogatepass"))


def test_price_is_that_of_the_tokens_at_both_ends(tmp_path: Path) -> None:
    plan = planned(write_project(tmp_path))
    found = forecast(plan, ONE)
    requests = found.requests
    assert requests == len(plan.examples)
    assert found.input_tokens.low >= found.prefix_tokens.low * requests
    for end in (0, 1):
        into, out = span(found.input_tokens)[end], span(found.output_tokens)[end]
        assert span(found.cost.plain)[end] * 1e6 == pytest.approx(into + out * 8, abs=2 * requests)
        assert span(found.cost.batch)[end] == pytest.approx(span(found.cost.plain)[end] / 2)
    assert found.output_tokens.high > THOUGHT * requests


def test_prefix_is_written_once_and_then_read(tmp_path: Path) -> None:
    """A server of one's own has no shortest prefix that it caches."""
    plan = planned(write_project(tmp_path), "vllm/m")
    found = forecast(plan, ONE)
    for end in (0, 1):
        prefix = tokens_of(plan.writer.system)[end]
        saved = prefix * (found.requests - (1.25 + 0.1 * (found.requests - 1)))
        plain, cached = span(found.cost.plain)[end], span(found.cost.cached)[end]
        assert (plain - cached) * 1e6 == pytest.approx(saved)


@pytest.mark.parametrize(
    ("model", "letters", "says"),
    [
        ("openai/m", 300, "OpenAI caches none under 1,024: no request finds it in the cache"),
        ("openai/m", 4_000, "OpenAI caches none under 1,024: perhaps no request finds it in the cache"),
        ("openai/m", 9_000, None),
        ("anthropic/m", 300, "Anthropic caches none under 512 to 4,096, by model: no request"),
        ("anthropic/m", 9_000, "Anthropic caches none under 512 to 4,096, by model: perhaps no request"),
        ("anthropic/m", 30_000, None),
        ("vllm/m", 300, None),
    ],
)
def test_prefix_too_short_for_the_cache_is_said_and_saves_nothing(
    tmp_path: Path, model: str, letters: int, says: str | None
) -> None:
    project = write_project(tmp_path)
    (tmp_path / "prompts/teacher/v1/system.j2").write_text("a" * letters, encoding="utf-8")
    found = forecast(planned(project, model, shots=0), ONE)
    assert len(found.warnings) == (says is not None)
    plain, cached = span(found.cost.plain), span(found.cost.cached)
    if says:
        assert says in found.warnings[0]
        assert "Warning: the constant prefix has about" in text_of(found)
        assert cached[1] == plain[1], "at worst the cache helps nobody"
        assert (cached[0] < plain[0]) == ("perhaps" in says)
    else:
        assert cached[0] < plain[0] and cached[1] < plain[1]


def test_repeats_and_what_is_left_to_ask_count(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    once, twice = planned(project), planned(project, repeats=2)
    assert span(forecast(twice, ONE).cost.plain)[1] == pytest.approx(
        2 * span(forecast(once, ONE).cost.plain)[1]
    )
    todo = [(example, 1) for example in list(twice.examples)[:3]]
    assert forecast(twice, ONE, todo).requests == 3
    nothing = forecast(twice, ONE, [])
    assert (nothing.requests, span(nothing.cost.cached)) == (0, (0, 0))


def test_unknown_price_is_said_and_is_not_0(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    price = price_of(project, "openai/gpt-6.2-sol", None, sold_as)
    assert isinstance(price, NoPrice)
    found = forecast(planned(project, "openai/gpt-6.2-sol"), price)
    assert set(found.model_dump()["cost"].values()) == {None}
    assert found.input_tokens.high > 0
    shown = text_of(found)
    assert sum(line.split()[-2:] == ["unknown", "unknown"] for line in shown.splitlines()) == 4
    assert "Price unknown: no price for openai/gpt-6.2-sol" in shown


def test_unknown_batch_price_alone_is_unknown(tmp_path: Path) -> None:
    found = forecast(planned(write_project(tmp_path)), ONE.model_copy(update={"batch": None}))
    assert found.cost.plain is not None
    assert (found.cost.batch, found.cost.batch_cached) == (None, None)


def test_grader_that_runs_here_has_nothing_to_pay(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    found = forecast(planned(project, "builtin/lexical"), price_of(project, "builtin/lexical", None, sold_as))
    assert span(found.cost.plain) == (0, 0)
    assert text_of(found) == f"{found.requests} answers, and nothing to pay: builtin/lexical runs here.\n"


def test_dry_run_needs_no_key_and_writes_nothing(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    found = forecast(planned(project), price_of(project, "openai/gpt-6-luna", None, sold_as))
    assert span(found.cost.plain)[0] > 0
    assert not list(project.runs.iterdir())
    shown = text_of(found)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "Prices: genai-prices" in shown
    assert harness("eval", "--policy", "small", "--model", "openai/m", "--root", tmp_path).code == 4
