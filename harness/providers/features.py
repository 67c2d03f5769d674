"""Features of a request that not every server takes, and the ways to ask for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.providers.base import Setup

FORM = "form"
"""The feature that holds an answer to the form."""
TEMPERATURE, SEED, LIMIT, ROLE = "temperature", "seed", "limit", "role"
"""The features of a request beside its text, and the role of a text."""
SENT, GIVEN_UP = "sent", "left out"
CACHE = "cache"
"""The feature that marks where the constant prefix ends."""

Taken = Mapping[str, str]
"""For each feature, the way that the server accepts."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that not every server accepts. `ways`, the best first, each with what giving it up means.

    `marks` are the words, in lower case, by which a server names the parameter when it rejects it.
    """

    name: str
    marks: tuple[str, ...]
    ways: tuple[str, ...]
    lost: tuple[str, ...]
    """A sentence for each way but the last: what it means that the server did not take it. Empty: nothing."""


def form_of(feature: Feature, setup: Setup) -> Feature:
    """How the answer form is requested: by the prompt alone if the user wants no schema."""
    return replace(feature, ways=feature.ways[-1:], lost=()) if setup.no_schema else feature


def parameter(name: str) -> Feature:
    """A number that is sent if the user gives it, until the model refuses it."""
    lost = f"The model takes no {name}: it was asked without --{name}."
    return Feature(name, (name,), (SENT, GIVEN_UP), (lost,))
