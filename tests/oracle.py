"""An oracle behind a server: it knows every golden grade of the small project, in whichever API."""

from pathlib import Path
from typing import Any

from builders import Ended, examples, harness
from fault_server import FaultServer, Turn, graded, item_of

from harness.providers import PROVIDERS

DEV = [line for line in examples() if line["split"] == "dev"]
RIGHT = {(line["query"], line["result"]["title"]): line["grade"] for line in DEV}
KEY = "sk-secret-0123456789"
KEYS = {known.key: KEY for known in PROVIDERS.values() if known.key}
"""The environment of somebody who has a key for everything."""


def right(number: int, body: dict[str, Any]) -> Turn:
    """The golden grade of the pair that is asked about."""
    pair = item_of(body)
    return graded(RIGHT[pair["query"], pair["result"]["title"]])


def ask(server: FaultServer, *words: str, model: str = "openai/m") -> Ended:
    """`harness eval` on the small project with a teacher at the server."""
    at = ("--base-url", server.url)
    return harness("eval", "--policy", "small", "--model", model, *at, *words, **KEYS)


def only_run(here: Path) -> Path:
    """The one run folder that there is."""
    (run,) = (here / "runs").glob("[!.]*")
    return run
