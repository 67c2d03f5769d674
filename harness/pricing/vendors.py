"""The vendor of a model at an address: prices and cache rules belong to a vendor, not to an API."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Vendor:
    """A seller of models. `id` is its name in genai-prices' table.

    `caches_from`: the minimum tokens of a cached prefix: the lowest and the highest of its models.
    """

    id: str
    title: str
    home: str
    caches_from: tuple[int, int]

    def sells_at(self, base_url: str | None) -> bool:
        """Whether an address is the vendor's home; a regional address can have other prices."""
        try:
            return base_url is None or urlsplit(base_url).hostname == self.home
        except ValueError:
            # Not a URL: the provider that opens it reports that.
            return False


OPENAI = Vendor("openai", "OpenAI", "api.openai.com", (1_024, 1_024))
ANTHROPIC = Vendor("anthropic", "Anthropic", "api.anthropic.com", (512, 4_096))
VENDORS = (OPENAI, ANTHROPIC)


@dataclass(frozen=True, slots=True)
class Sold:
    """A model as its provider sells it.

    `vendor`: who is paid at the vendor's own address; `free`: the model costs nothing.
    """

    provider: str
    model: str
    vendor: Vendor | None = None
    free: bool = False

    def vendor_at(self, base_url: str | None) -> Vendor | None:
        """The vendor to pay at an address; None for any other server."""
        return self.vendor if self.vendor and self.vendor.sells_at(base_url) else None


SoldAs = Callable[[str], Sold]
"""Looks up a model by its name. BadInput for an unknown provider."""


def vendor_of(name: str | None, model: str, base_url: str | None) -> Vendor | None:
    """The vendor of a run. Old manifests name none; there, the model's name begins with the vendor's id."""
    for vendor in VENDORS:
        if vendor.id == name or (model.startswith(vendor.id) and vendor.sells_at(base_url)):
            return vendor
    return None
