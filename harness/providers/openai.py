"""The openers of teachers behind the openai package: OpenAI itself, and every compatible server."""

from collections.abc import Callable
from urllib.parse import urlsplit

from harness.pricing.vendors import OPENAI
from harness.providers.base import Setup, Teacher
from harness.providers.connection import check_url, connect, read_key
from harness.providers.openai_chat import Chat
from harness.providers.openai_responses import Responses
from harness.providers.served import Dialect, Served
from harness.storage.collecting import without_collecting

KEY = "OPENAI_API_KEY"


def open_teacher(model: str, setup: Setup) -> Teacher:
    """`openai/MODEL`: the Responses API at OpenAI, chat completions at any other server."""
    check_url(setup.base_url, KEY)
    return open_as(Responses if is_home(setup.base_url) else Chat, KEY, model, setup)


def is_home(base_url: str | None) -> bool:
    """Whether a base URL is OpenAI's own, in any region."""
    host = urlsplit(base_url).hostname or "" if base_url else OPENAI.home
    return f".{host}".endswith(f".{OPENAI.home}")


def open_as(dialect: Callable[[str, Setup], Dialect], variable: str, model: str, setup: Setup) -> Teacher:
    """A client for one model at any server. FatalError where a key is needed and `variable` holds none."""
    check_url(setup.base_url, variable)
    key = read_key(variable, needed=is_home(setup.base_url))
    with without_collecting():
        import openai

    return Served(dialect(model, setup), connect(openai, openai.AsyncOpenAI, setup.base_url, key))
