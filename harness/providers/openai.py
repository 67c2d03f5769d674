"""The openers of all that the openai package speaks to: OpenAI itself, and every compatible server."""

from urllib.parse import urlsplit

from harness.providers.base import Setup, Teacher
from harness.providers.openai_chat import Chat
from harness.providers.openai_decisions import Decisions
from harness.providers.openai_responses import Responses
from harness.providers.served import Dialect, Served
from harness.providers.wire import TIMEOUT, Wire, check_url, http_options, read_key

KEY = "OPENAI_API_KEY"
HOME = "api.openai.com"


def open_teacher(model: str, setup: Setup) -> Teacher:
    """`openai/MODEL`: the Responses API at OpenAI, chat completions at any other server."""
    check_url(setup.base_url, KEY)
    dialect = Responses(model, setup) if is_home(setup.base_url) else Chat(model, setup)
    return _open(dialect, setup)


def open_responses(model: str, setup: Setup) -> Teacher:
    """`openai-responses/MODEL`: the Responses API, wherever it is."""
    return _open(Responses(model, setup), setup)


def open_decisions(model: str, setup: Setup) -> Teacher:
    """`openai-decisions/MODEL`: the decisions API, wherever it is."""
    return _open(Decisions(model, setup), setup)


def open_vllm(model: str, setup: Setup) -> Teacher:
    """`vllm/MODEL`: chat completions at a vLLM server."""
    return _open(Chat(model, setup), setup, "VLLM_API_KEY")


def open_llamacpp(model: str, setup: Setup) -> Teacher:
    """`llamacpp/MODEL`: chat completions at a llama-server."""
    return _open(Chat(model, setup), setup, "LLAMA_API_KEY")


def open_ollama(model: str, setup: Setup) -> Teacher:
    """`ollama/MODEL`: chat completions at Ollama."""
    return _open(Chat(model, setup), setup, "OLLAMA_API_KEY")


def is_home(base_url: str | None) -> bool:
    """Whether a base URL is OpenAI's own, in whatever region."""
    host = urlsplit(base_url).hostname or "" if base_url else HOME
    return host == HOME or host.endswith(f".{HOME}")


def _open(dialect: Dialect, setup: Setup, variable: str = KEY) -> Teacher:
    """A client for one model. FatalError where a key is needed and there is none."""
    check_url(setup.base_url, variable)
    key = read_key(variable, needed=is_home(setup.base_url))
    return Served(dialect, connect(setup.base_url, key))


def connect(base_url: str | None, key: str | None) -> Wire:
    """A wire to OpenAI, or to a server that speaks like it."""
    import openai

    client = openai.AsyncOpenAI(
        # A local server asks for no key, but the client insists on one.
        api_key=key or "none",
        base_url=base_url,
        # Retries are the run's, not the SDK's: two layers of them would multiply.
        max_retries=0,
        timeout=TIMEOUT,
        http_client=openai.DefaultAioHttpClient(**http_options(base_url)),
    )
    return Wire(openai, openai.OpenAIError, client, key)
