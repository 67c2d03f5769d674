"""Who is paid for a model, and at what address: prices and cache rules are a vendor's, not an API's."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who sells models, and where. `id` is its name in genai-prices' table.

    `caches_from`: the shortest prefix, in tokens, that some model of theirs caches, and the longest that one
    asks for.
    """

    id: str
    title: str
    home: str
    caches_from: tuple[int, int]

    def sells_at(self, base_url: str | None) -> bool:
        """Whether an address is theirs. The home alone counts: a regional address can have other prices."""
        try:
            return base_url is None or urlsplit(base_url).hostname == self.home
        except ValueError:
            # Not an address at all: the provider that opens it says so.
            return False


OPENAI = Vendor("openai", "OpenAI", "api.openai.com", (1_024, 1_024))
ANTHROPIC = Vendor("anthropic", "Anthropic", "api.anthropic.com", (512, 4_096))
VENDORS = (OPENAI, ANTHROPIC)


@dataclass(frozen=True, slots=True)
class Sold:
    """A model as its provider sells it.

    `vendor` is paid for it, unless it is asked at another address than theirs; `free`: nobody is paid.
    """

    provider: str
    model: str
    vendor: Vendor | None = None
    free: bool = False

    def vendor_at(self, base_url: str | None) -> Vendor | None:
        """Who is paid at an address; None where it is a server of one's own."""
        return self.vendor if self.vendor and self.vendor.sells_at(base_url) else None


SoldAs = Callable[[str], Sold]
"""What a model's name stands for. BadInput for a name that no provider knows."""


def vendor_of(name: str | None, model: str, base_url: str | None) -> Vendor | None:
    """The vendor that a run's manifest names.

    Manifests of before they named one hold the model alone: at that time, a name of a vendor's model began
    with the vendor's id.
    """
    for vendor in VENDORS:
        if vendor.id == name or (model.startswith(vendor.id) and vendor.sells_at(base_url)):
            return vendor
    return None
