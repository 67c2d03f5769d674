"""Teachers by name: `provider/model` becomes an open Teacher.

A new provider is one file, and one line in PROVIDERS.
"""

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import BadInput, Fault
from harness.pricing.vendors import ANTHROPIC, OPENAI, Sold, Vendor
from harness.providers import anthropic, builtin, openai, recorded, replay, student
from harness.providers.anthropic_batches import AnthropicBatches
from harness.providers.base import LONGEST_ANSWER, STUDENT, Setup, Teacher
from harness.providers.batches import Batches
from harness.providers.openai_batches import OpenAIBatches
from harness.providers.openai_chat import Chat
from harness.providers.openai_decisions import Decisions
from harness.providers.openai_responses import Responses
from harness.providers.served import Served
from harness.storage.digest import digest_bytes
from harness.storage.project import likeliest
from harness.storage.regular import SETTINGS, read_bytes


@dataclass(frozen=True, slots=True)
class Provider:
    """How a provider's teachers are opened, and everything that the rest of the harness has to know of it.

    `key` and `base` name variables of the environment; `url` is its default address, None if its SDK knows
    it. `batches` is its batch API. `vendor` is paid for its models; if `free`, no one is paid. `longest`: the
    most tokens of an answer. `reads_grades`: a model is a file of grades. `floor`: its models are what a
    teacher has to beat. `prompted`: its models read the prompt. `recorded`: its answers were given earlier,
    so their time has no meaning. `loadable`: a model's name is that of open weights, which an engine can load
    without a server. `kept_in`: a model is a folder; this file in it defines the model.
    """

    open: Callable[[str, Setup], Teacher]
    key: str | None = None
    base: str | None = None
    url: str | None = None
    batches: Callable[[Served], Batches] | None = None
    vendor: Vendor | None = None
    free: bool = False
    longest: int = LONGEST_ANSWER
    reads_grades: bool = False
    floor: bool = False
    prompted: bool = True
    recorded: bool = False
    loadable: bool = False
    kept_in: str | None = None


SDKS = ("openai", "anthropic")
"""The packages that the providers call."""
_OPENAI: dict[str, Any] = {"key": openai.KEY, "base": "OPENAI_BASE_URL", "vendor": OPENAI}


def _chat_at(url: str, key: str, *, loadable: bool = False) -> Provider:
    return Provider(partial(openai.open_as, Chat, key), key=key, url=url, loadable=loadable)


PROVIDERS: dict[str, Provider] = {
    "builtin": Provider(builtin.open_teacher, free=True, floor=True, prompted=False),
    "openai": Provider(openai.open_teacher, **_OPENAI, batches=OpenAIBatches),
    "openai-responses": Provider(
        partial(openai.open_as, Responses, openai.KEY), **_OPENAI, batches=OpenAIBatches
    ),
    "openai-decisions": Provider(partial(openai.open_as, Decisions, openai.KEY), **_OPENAI),
    "anthropic": Provider(
        anthropic.open_teacher,
        key=anthropic.KEY,
        base="ANTHROPIC_BASE_URL",
        batches=AnthropicBatches,
        vendor=ANTHROPIC,
        longest=anthropic.LONGEST,
    ),
    "vllm": _chat_at("http://localhost:8000/v1", "VLLM_API_KEY", loadable=True),
    "llamacpp": _chat_at("http://127.0.0.1:8080/v1", "LLAMA_API_KEY"),
    "ollama": _chat_at("http://localhost:11434/v1", "OLLAMA_API_KEY"),
    "recorded": Provider(recorded.open_teacher, free=True, recorded=True),
    "replay": Provider(replay.open_teacher, free=True, reads_grades=True, prompted=False),
    "student": Provider(student.open_teacher, free=True, prompted=False, kept_in=STUDENT),
}


def split_model(name: str) -> tuple[str, str]:
    """`provider/model` (or `provider:model`) as its two parts."""
    cut = min((at for at in (name.find("/"), name.find(":")) if at >= 0), default=-1)
    provider, model = name[:cut], name[cut + 1 :]
    if cut < 0 or not model:
        raise BadInput(f"model {name!r} is not provider/model, such as {examples()}")
    if provider not in PROVIDERS:
        near = likeliest(provider, PROVIDERS)
        meant = f"; did you mean {near}?" if near else ""
        there = ", ".join(PROVIDERS)
        raise BadInput(f"unknown provider {provider!r} in {name!r}{meant} (there are: {there})")
    return provider, model


def provider_of(model: str) -> Provider | None:
    """The provider that a model's name begins with; None where there is none of that name."""
    return PROVIDERS.get(re.split("[/:]", model, maxsplit=1)[0])


def sold_as(model: str) -> Sold:
    """A model as pricing knows it. BadInput for an unknown provider."""
    provider, name = split_model(model)
    known = PROVIDERS[provider]
    return Sold(provider, name, known.vendor, known.free)


def reads_grades(model: str) -> bool:
    """Whether a model is a file of grades, whoever made them."""
    known = provider_of(model)
    return known is not None and known.reads_grades


def is_student(model: str) -> bool:
    """Whether a model is a student, which is kept in a folder."""
    known = provider_of(model)
    return known is not None and known.kept_in is not None


def is_path(model: str) -> bool:
    """Whether a model is a file or a folder, by its path from the project's folder."""
    return reads_grades(model) or is_student(model)


def saved_digest(name: str, root: Path) -> str | None:
    """The digest of a model that is kept in a folder; None for all others."""
    provider, model = split_model(name)
    kept_in = PROVIDERS[provider].kept_in
    # Bounded, since it is read before the folder is looked at.
    return digest_bytes(read_bytes(root / model / kept_in, SETTINGS, links=False)) if kept_in else None


def is_prompted(model: str) -> bool:
    """Whether a model reads the prompt, or grades without one."""
    known = provider_of(model)
    return known is None or known.prompted


def is_recorded(model: str) -> bool:
    """Whether a model's answers were given earlier, and are only read now."""
    known = provider_of(model)
    return known is not None and known.recorded


def refuse_unread(name: str, shots: int | None) -> None:
    """BadInput for shots that no prompt would show."""
    if shots is not None and not is_prompted(name):
        raise BadInput(f"{name} is sent no prompt; remove --shots")


def open_teacher(name: str, setup: Setup) -> Teacher:
    """Open the teacher of that name. BadInput or FatalError if it cannot be asked."""
    provider, model = split_model(name)
    known = PROVIDERS[provider]
    if known.base and os.environ.get(known.base) == "":
        # An empty variable, as workflows leave it, means no address; the SDK would ask at "".
        del os.environ[known.base]
    return known.open(model, setup)


def batches_of(name: str, teacher: Teacher) -> Batches:
    """The batch API of a teacher that was opened by that name. BadInput where there is none."""
    provider, _ = split_model(name)
    api = PROVIDERS[provider].batches
    if api is None or not isinstance(teacher, Served):
        having = ", ".join(f"{name}/" for name, known in PROVIDERS.items() if known.batches)
        raise BadInput(f"{provider}/ has no batch API (these have: {having}); remove --batch")
    return api(teacher)


def asks_a_server(provider: str) -> bool:
    """Whether a provider's teachers are on another machine."""
    known = PROVIDERS[provider]
    return bool(known.key or known.base or known.url)


def base_url_of(provider: str) -> str | None:
    """Where a provider is reached when the user names no address: the environment's, else its own."""
    known = PROVIDERS[provider]
    return (known.base and os.environ.get(known.base)) or known.url


def is_home(model: str, address: str | None) -> bool:
    """Whether an address is the provider's own, so that its key belongs there."""
    known = PROVIDERS[split_model(model)[0]]
    if address is None or address == known.url:
        return True
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    host = parts.hostname or ""
    return (
        parts.scheme == "https" and known.vendor is not None and f".{host}".endswith(f".{known.vendor.home}")
    )


def is_expected(model: str, address: str | None) -> bool:
    """Whether this user, and not a file, says that the model is at an address."""
    return is_home(model, address) or address == base_url_of(split_model(model)[0])


def confirmed(model: str, saved: str | None, given: str | None, where: Path, how: str = "") -> str | None:
    """The address to ask, if a file names one: the given one, or the saved one if the user confirms it.

    BadInput for an address that the file `where` alone names; `how`: what to type to confirm it.
    """
    if given is None and not is_expected(model, saved):
        how = how or f" with --base-url {shlex.quote(str(saved))}"
        what = f"this sends your key and the pairs to {saved}; confirm the address{how}"
        raise BadInput([Fault(str(where), what)])
    return given or saved


def key_variables() -> list[str]:
    """The names of all variables that hold a key."""
    return list(dict.fromkeys(known.key for known in PROVIDERS.values() if known.key))


def variables() -> list[str]:
    """The names of all environment variables that providers read, for keys and addresses."""
    found = [name for known in PROVIDERS.values() for name in (known.key, known.base) if name]
    return list(dict.fromkeys(found))


def examples() -> str:
    """Examples of model names."""
    return "builtin/lexical, openai/gpt-6-luna, anthropic/claude-haiku-5-5 or replay/grades.csv"
