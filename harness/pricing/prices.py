"""What a model's tokens cost, by the table in the package genai-prices or by the project's prices.toml.

An unknown price is a value with a reason, never 0. Nothing is downloaded.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.base import Noun
from harness.nouns.records import Reply, Usage
from harness.pricing.vendors import SoldAs
from harness.storage.files import build, read_toml
from harness.storage.project import Project

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

FILE = "prices.toml"
MILLION = 1_000_000
BATCH = {"processing": "batch"}
"""What genai-prices calls a batch."""

Dollars = Annotated[float, Field(ge=0, le=1_000_000, strict=True)]
"""For a million tokens: at this limit, no call can cost more than a record may say."""


class Rates(Noun):
    """USD per million tokens of each kind, for requests with more than `above` input tokens."""

    above: int = 0
    input: float
    output: float
    cached: float
    written: float

    def cost(self, usage: Usage) -> float:
        """USD for one call; tokens read from a cache or written to it are part of the input."""
        plain = max(0, usage.input_tokens - usage.cached_tokens - usage.written_tokens)
        return (
            plain * self.input
            + usage.cached_tokens * self.cached
            + usage.written_tokens * self.written
            + usage.output_tokens * self.output
        ) / MILLION


class Price(Noun):
    """The price of a model and its source. The last of the rates whose threshold is passed applies."""

    model: str
    source: str
    standard: tuple[Rates, ...]
    batch: tuple[Rates, ...] | None = None

    def cost(self, usage: Usage, *, batch: bool = False) -> float | None:
        """USD for one call. None for a call of a batch if only the standard price is known."""
        rates = self.rates(usage.input_tokens, batch=batch)
        return rates.cost(usage) if rates else None

    def rates(self, input_tokens: int, *, batch: bool = False) -> Rates | None:
        """The rates for a request of some length."""
        known = self.batch if batch else self.standard
        if known is None:
            return None
        return [known[0], *(rates for rates in known[1:] if input_tokens > rates.above)][-1]

    def worst(self, input_tokens: int, output_tokens: int, *, batch: bool = False) -> float | None:
        """The most, in USD, that a call of at most so many tokens can cost, cached or not."""
        rates = self.rates(input_tokens, batch=batch)
        if rates is None:
            return None
        dearest = max(rates.input, rates.cached, rates.written)
        return (input_tokens * dearest + output_tokens * rates.output) / MILLION


class NoPrice(Noun):
    """The reason why a model has no known price."""

    model: str
    reason: str


class UserPrice(Noun):
    """A user's price for a model, USD per million tokens; `batch` is the part of it that a batch costs."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    written: Dollars | None = None
    batch: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None

    def price(self, model: str) -> Price:
        """As a Price: cached and written tokens cost the same as input by default."""
        rates = {"input": self.input, "output": self.output}
        rates["cached"] = self.input if self.cached is None else self.cached
        rates["written"] = self.input if self.written is None else self.written
        batch = None
        if self.batch is not None:
            batch = (Rates(**{name: rate * self.batch for name, rate in rates.items()}),)
        return Price(model=model, source=FILE, standard=(Rates(**rates),), batch=batch)


class _PricesFile(Noun):
    models: dict[str, UserPrice] = Field(default={})


def price_of(
    project: Project, model: str, base_url: str | None, sold_as: SoldAs, at: datetime | None = None
) -> Price | NoPrice:
    """A model's price at an address: the user's, else the vendor's. BadInput for a faulty prices.toml."""
    sold = sold_as(model)
    given = load_prices(project, sold_as)
    name = f"{sold.provider}/{sold.model}"
    own = given.get(name) or given.get(f"{sold.provider}/*")
    if own is not None:
        return own.price(name)
    if sold.free:
        nothing = Rates(input=0, output=0, cached=0, written=0)
        return Price(model=model, source="runs here", standard=(nothing,), batch=(nothing,))
    vendor = sold.vendor_at(base_url)
    if vendor is None:
        known = f"its price is known at {sold.vendor.home}, and " if sold.vendor else ""
        return _unknown(model, f"{known}it is asked at {base_url or 'a server of your own'}")
    return _listed(model, vendor.id, sold.model, at or datetime.now(UTC))


def _unknown(model: str, why: str) -> NoPrice:
    return NoPrice(model=model, reason=f"no price for {model}: {why}; {FILE} can give one")


def load_prices(project: Project, sold_as: SoldAs) -> dict[str, UserPrice]:
    """The user's prices by provider/model; nothing without a prices.toml. BadInput with all of its faults."""
    path = project.root / FILE
    if not path.exists():
        return {}
    found, faults = build(_PricesFile, read_toml(path), str(path))
    prices = found.models if found else {}
    for name in prices:
        try:
            sold = sold_as(name)
        except BadInput as error:
            faults += [Fault(str(path), f"models: {fault}") for fault in error.faults]
            continue
        if name != f"{sold.provider}/{sold.model}":
            faults.append(Fault(str(path), f"models: write {sold.provider}/{sold.model}, not {name}"))
    refuse_faults(faults)
    return prices


def _listed(model: str, vendor: str, name: str, at: datetime) -> Price | NoPrice:
    """The price in the table of the installed genai-prices; its updates are never started."""
    from genai_prices import __version__
    from genai_prices.data_snapshot import get_snapshot

    source = f"genai-prices {__version__}"
    try:
        _, found = get_snapshot().find_provider_model(name, None, vendor, None)
    except LookupError:
        return _unknown(model, f"{source} does not know it")
    standard = _rates(found.get_prices(at))
    if standard is None:
        return _unknown(model, f"{source} has no input and output price for it")
    batch = _rates(found.get_prices(at, BATCH)) if _has_batch(found, at) else None
    return Price(model=model, source=source, standard=standard, batch=batch)


def _has_batch(found: "ModelInfo", at: datetime) -> bool:
    return any(
        variant.when == BATCH and (variant.constraint is None or variant.constraint.active(at))
        for variant in found.price_variants or ()
    )


def _rates(price: "ModelPrice") -> tuple[Rates, ...] | None:
    """One set of rates for each input length at which a rate changes."""
    parts = {"input": price.input_mtok, "output": price.output_mtok}
    if None in parts.values():
        return None
    # Cached and written tokens without a rate cost the same as input.
    parts["cached"] = price.input_mtok if price.cache_read_mtok is None else price.cache_read_mtok
    parts["written"] = price.input_mtok if price.cache_write_mtok is None else price.cache_write_mtok
    starts = sorted({0} | {tier.start for part in parts.values() for tier in getattr(part, "tiers", ())})
    return tuple(
        Rates(above=start, **{name: _rate(part, start) for name, part in parts.items()}) for start in starts
    )


def _rate(part: Any, start: int) -> float:
    """The rate of requests longer than `start`: a number, or one that changes with the length."""
    rate = getattr(part, "base", part)
    for tier in getattr(part, "tiers", ()):
        if tier.start <= start:
            rate = tier.price
    return float(rate)


def cost_of(replies: Iterable[Reply | None], price: Price | NoPrice, *, batch: bool = False) -> float | None:
    """USD for all replies to one question. None if the price or the tokens are unknown."""
    if isinstance(price, NoPrice):
        return None
    if is_free(price):
        return 0.0
    used = [reply.usage for reply in replies if reply]
    known = [cost for usage in used if usage and (cost := price.cost(usage, batch=batch)) is not None]
    return sum(known, 0.0) if len(known) == len(used) else None


def is_free(price: Price) -> bool:
    """Whether every rate is 0."""
    return all(rates.input == rates.output == rates.cached == rates.written == 0 for rates in price.standard)
