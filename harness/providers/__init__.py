"""Teachers by name: `provider/model` becomes an open Teacher.

A new provider is one file, and one line in PROVIDERS.
"""

from collections.abc import Callable

from harness.errors import BadInput
from harness.providers import builtin, openai, replay
from harness.providers.base import Setup, Teacher

PROVIDERS: dict[str, Callable[[str, Setup], Teacher]] = {
    "builtin": builtin.open_teacher,
    "openai": openai.open_teacher,
    "replay": replay.open_teacher,
}


def split_model(name: str) -> tuple[str, str]:
    """`provider/model` (or `provider:model`) as its two parts."""
    cut = min((at for at in (name.find("/"), name.find(":")) if at >= 0), default=-1)
    provider, model = name[:cut], name[cut + 1 :]
    if cut < 0 or not model:
        raise BadInput(f"model {name!r} is not provider/model, such as {examples()}")
    if provider not in PROVIDERS:
        raise BadInput(f"unknown provider {provider!r} in {name!r}; there are: {', '.join(PROVIDERS)}")
    return provider, model


def open_teacher(name: str, setup: Setup) -> Teacher:
    """The teacher of that name, ready to be asked. BadInput or FatalError where it cannot be."""
    provider, model = split_model(name)
    return PROVIDERS[provider](model, setup)


def examples() -> str:
    """Model names to try."""
    return "builtin/lexical, openai/gpt-6-luna or replay/grades.csv"
