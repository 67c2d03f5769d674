"""Prices: the vendor's list, the user's own, and where nobody knows."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import reply, write_project
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import BadInput
from harness.nouns.records import Usage
from harness.pricing.prices import NoPrice, Price, Rates, cost_of, price_of
from harness.pricing.vendors import VENDORS, vendor_of
from harness.providers import PROVIDERS, sold_as
from harness.storage.project import Project

NOW = datetime(2026, 11, 25, tzinfo=UTC)
MODELS = (
    ("openai", "gpt-6.1-terra"),
    ("openai", "gpt-6-luna"),
    ("openai", "gpt-5.6-luna"),
    ("openai", "gpt-5.4-mini"),
    ("anthropic", "claude-opus-5-5"),
    ("anthropic", "claude-haiku-5-5"),
)


def usage(input: int = 0, output: int = 0, cached: int = 0, written: int = 0, reasoning: int = 0) -> Usage:
    return Usage(
        input_tokens=input,
        output_tokens=output,
        cached_tokens=cached,
        written_tokens=written,
        reasoning_tokens=reasoning,
    )


def known(root: Path, model: str, base_url: str | None = None, at: datetime = NOW) -> Price:
    price = price_of(Project(root), model, base_url, sold_as, at)
    assert isinstance(price, Price)
    return price


def reason(root: Path, model: str, base_url: str | None = None) -> str:
    price = price_of(Project(root), model, base_url, sold_as, NOW)
    assert isinstance(price, NoPrice)
    return price.reason


@pytest.mark.parametrize(("vendor", "name"), MODELS)
@pytest.mark.parametrize("processing", ["standard", "batch"])
@pytest.mark.parametrize("length", [100, 90_000, 100_000, 100_001, 271_999, 272_000, 272_001, 900_000])
def test_cost_is_what_genai_prices_says(
    tmp_path: Path, vendor: str, name: str, processing: str, length: int
) -> None:
    """The whole of a call: below, at and above the lengths from which another rate holds."""
    price = known(tmp_path, f"{vendor}/{name}")
    used = usage(length, 5_000, cached=length // 2, written=length // 4, reasoning=1_000)
    theirs = calc_price(
        TheirUsage(
            input_tokens=length,
            cache_read_tokens=length // 2,
            cache_write_tokens=length // 4,
            output_tokens=5_000,
        ),
        name,
        provider_id=vendor,
        genai_request_timestamp=NOW,
        price_context={"processing": processing},
    )
    ours = price.cost(used, batch=processing == "batch")
    assert ours == pytest.approx(float(theirs.total_price), rel=1e-12)


def test_published_prices_of_a_grade(tmp_path: Path) -> None:
    """Anthropic's list (Haiku 5.5): 0.10 in, 0.01 read, 0.125 written, 0.50 out, USD per million."""
    price = known(tmp_path, "anthropic/claude-haiku-5-5")
    used = usage(10_000, 200, cached=8_000, written=1_000)
    by_hand = (1_000 * 0.10 + 8_000 * 0.01 + 1_000 * 0.125 + 200 * 0.50) / 1e6
    assert price.cost(used) == pytest.approx(by_hand)
    assert price.cost(used, batch=True) == pytest.approx(by_hand / 2)


def test_price_is_that_of_the_day(tmp_path: Path) -> None:
    """OpenAI took 80 % off gpt-5.6-luna on 2026-07-30."""
    million = usage(100_000)
    before = known(tmp_path, "openai/gpt-5.6-luna", at=datetime(2026, 7, 29, tzinfo=UTC)).cost(million)
    after = known(tmp_path, "openai/gpt-5.6-luna", at=datetime(2026, 7, 30, tzinfo=UTC)).cost(million)
    assert (before, after) == pytest.approx((0.1, 0.02))


def test_batch_price_is_unknown_where_the_list_has_none(tmp_path: Path) -> None:
    """OpenAI's batch prices are listed from 2026-10-14 on."""
    price = known(tmp_path, "openai/gpt-6-luna", at=datetime(2026, 10, 13, tzinfo=UTC))
    assert price.cost(usage(10, 10)) is not None
    assert price.cost(usage(10, 10), batch=True) is None
    assert cost_of([reply("", usage=usage(10, 10))], price, batch=True) is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_has_a_price_or_a_reason(tmp_path: Path, provider: str) -> None:
    price = price_of(Project(tmp_path), f"{provider}/gpt-6-luna", None, sold_as, NOW)
    known = PROVIDERS[provider]
    if known.free:
        assert isinstance(price, Price)
        assert price.cost(usage(1_000_000, 1_000_000)) == 0
    elif known.vendor:
        assert isinstance(price, Price) == (known.vendor.title == "OpenAI")
    else:
        assert isinstance(price, NoPrice)


def test_vendors_are_at_home_where_their_providers_say() -> None:
    assert {vendor.home for vendor in VENDORS} == {"api.openai.com", "api.anthropic.com"}
    assert {known.vendor for known in PROVIDERS.values() if known.vendor} == set(VENDORS)


@pytest.mark.parametrize("base_url", [None, "https://api.openai.com/v1", "http://localhost:1/v1", "http://["])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_manifest_that_names_no_vendor_has_the_one_of_its_model(provider: str, base_url: str | None) -> None:
    """Runs of before manifests named the vendor."""
    now = sold_as(f"{provider}/m").vendor_at(base_url)
    assert vendor_of(None, f"{provider}/m", base_url) == now
    assert vendor_of(now.id if now else None, "gemini/m", None) == now


def test_vendor_price_holds_at_the_vendors_address_alone(tmp_path: Path) -> None:
    assert known(tmp_path, "openai/gpt-6-luna", "https://api.openai.com/v1")
    assert known(tmp_path, "anthropic/claude-opus-5-5", "https://api.anthropic.com")
    for url in ("http://localhost:8000/v1", "https://eu.api.openai.com/v1", "https://api.openai.com.test/v1"):
        assert url in reason(tmp_path, "openai/gpt-6-luna", url)


def test_model_that_the_list_lacks_is_unknown_and_not_free(tmp_path: Path) -> None:
    why = reason(tmp_path, "openai/gpt-6.2-sol")
    assert why.startswith("no price for openai/gpt-6.2-sol: genai-prices ")
    assert "prices.toml" in why
    assert cost_of([reply("", usage=usage(10, 10))], NoPrice(model="m", reason="r")) is None


def test_model_priced_by_other_than_tokens_is_unknown(tmp_path: Path) -> None:
    openai_models = next(known for known in get_snapshot().providers if known.id == "openai").models
    others = [known.id for known in openai_models if known.get_prices(NOW).input_mtok is None]
    assert others
    for name in others:
        assert "no input and output price for it" in reason(tmp_path, f"openai/{name}")


def test_user_price_beats_the_list_and_holds_at_any_address(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(
        '[models."openai/gpt-6-luna"]\ninput = 1\noutput = 2.0\ncached = 0.5\nwritten = 4\nbatch = 0.25\n'
        '[models."vllm/*"]\ninput = 0\noutput = 0\n'
        '[models."vllm/dear"]\ninput = 7\noutput = 7\n',
        encoding="utf-8",
    )
    used = usage(1_000_000, 1_000_000, cached=250_000, written=250_000)
    price = known(tmp_path, "openai:gpt-6-luna", "http://127.0.0.1:1/v1")
    assert price.source == "prices.toml"
    assert price.cost(used) == pytest.approx(0.5 + 0.125 + 1.0 + 2.0)
    assert price.cost(used, batch=True) == pytest.approx(3.625 / 4)
    assert known(tmp_path, "vllm/anything").cost(used) == 0
    dear = known(tmp_path, "vllm/dear")
    assert dear.cost(used) == pytest.approx(14), "cached and written cost what the input does"
    assert dear.cost(used, batch=True) is None


def test_faulty_price_file_says_all_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(
        '[models."openai/a"]\ninput = -1\noutput = "2"\ncahced = 1\n'
        '[models."openai/b"]\ninput = nan\n'
        '[models."openai/c"]\ninput = 1\noutput = 1\nbatch = 50\n'
        '[models."openai/d"]\ninput = 1000001\noutput = 1000000\n'
        "[model]\n",
        encoding="utf-8",
    )
    with pytest.raises(BadInput) as found:
        price_of(Project(tmp_path), "builtin/lexical", None, sold_as)
    said = str(found.value)
    for part in (
        "models.openai/a.input: input should be greater than or equal to 0",
        "models.openai/a.output: input should be a valid number",
        "models.openai/a.cahced: unknown key",
        "models.openai/b.input: input should be a finite number",
        "models.openai/b.output: missing",
        "models.openai/c.batch: input should be less than or equal to 1",
        "models.openai/d.input: input should be less than or equal to 1000000",
        "model: unknown key",
    ):
        assert part in said
    assert "openai/d.output" not in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gpt-6-luna", "is not provider/model"),
        ("opnai/gpt-6-luna", "unknown provider 'opnai' in 'opnai/gpt-6-luna'; did you mean openai?"),
        ("openai:m", "write openai/m"),
    ],
)
def test_price_of_a_model_that_cannot_be_asked_is_a_fault(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "prices.toml").write_text(f'[models."{name}"]\ninput = 1\noutput = 1\n', encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        price_of(Project(tmp_path), "builtin/lexical", None, sold_as)


def test_cost_covers_every_reply_and_is_unknown_when_one_is() -> None:
    rates = Rates(input=1, output=1, cached=1, written=1)
    price = Price(model="m", source="test", standard=(rates,))
    one, two = reply("", usage=usage(1_000_000)), reply("", usage=usage(0, 2_000_000))
    assert cost_of([one, None], price) == 1
    assert cost_of([one, two], price) == 3
    assert cost_of([one, reply("")], price) is None
    assert cost_of([], price) == 0


def test_builtin_costs_nothing_without_a_count_of_tokens(tmp_path: Path) -> None:
    write_project(tmp_path)
    assert cost_of([reply("")], known(tmp_path, "builtin/lexical")) == 0


tokens = st.integers(0, 2_000_000)


@given(tokens, tokens, st.integers(0, 100), st.integers(0, 100))
def test_nothing_costs_more_than_its_worst_case(into: int, out: int, read: int, wrote: int) -> None:
    cached, written = into * read // 200, into * wrote // 200
    rates = (
        Rates(input=2, output=9, cached=0.2, written=2.5),
        Rates(above=272_000, input=4, output=13, cached=0.4, written=5),
    )
    price = Price(model="m", source="test", standard=rates)
    cost, worst = price.cost(usage(into, out, cached, written)), price.worst(into, out)
    assert cost is not None and worst is not None
    assert 0 <= cost <= worst * (1 + 1e-12)


def test_server_that_counts_more_cached_than_sent_is_not_paid_back() -> None:
    price = Price(model="m", source="t", standard=(Rates(input=1, output=1, cached=1, written=1),))
    assert price.cost(usage(10, 0, cached=1_000_000)) == 1


def test_prices_are_never_downloaded(tmp_path: Path) -> None:
    known(tmp_path, "openai/gpt-6-luna")
    assert not get_snapshot().from_auto_update


def test_list_is_read_only_where_a_price_is_looked_up() -> None:
    code = (
        "import sys, harness.pricing.prices, harness.grading.evaluate; print('genai_prices' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
