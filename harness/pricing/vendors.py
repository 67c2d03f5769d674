"""Who is paid for a model, and at what address: prices and cache rules are a vendor's, not an API's."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

FREE = ("builtin", "replay")
"""Providers that nobody is paid for."""


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


OPENAI = Vendor("openai", "OpenAI", "api.openai.com", (1_024, 1_024))
ANTHROPIC = Vendor("anthropic", "Anthropic", "api.anthropic.com", (512, 4_096))
VENDORS = {
    "openai": OPENAI,
    "openai-responses": OPENAI,
    "openai-decisions": OPENAI,
    "anthropic": ANTHROPIC,
}
"""Whose models a provider asks, unless it is sent to another address."""


def provider_of(model: str) -> str:
    """The part of a model's name before the slash or the colon."""
    return re.split("[/:]", model, maxsplit=1)[0]


def vendor_at(model: str, base_url: str | None) -> Vendor | None:
    """Who is paid for a model that is asked at an address; None where it is a server of one's own.

    The home alone counts: a vendor's regional address can have prices of its own.
    """
    vendor = VENDORS.get(provider_of(model))
    if vendor is None or base_url is None:
        return vendor
    try:
        return vendor if urlsplit(base_url).hostname == vendor.home else None
    except ValueError:
        # No address at all: whoever opens it says so.
        return None
