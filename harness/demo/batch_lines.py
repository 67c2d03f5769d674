"""The batches of the demo server, and the lines of their results in the form of each batch API."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Item = tuple[int, dict[str, Any]]
"""The answer to one request of a batch: a status, and a body."""


@dataclass(frozen=True)
class Fate:
    """How a batch ends, after so many `looks` at it and so many `seconds`.

    `answered` requests have an answer by then, all if None; of the others a line says that they expired or
    were cancelled, unless the batch is `silent` about them. `lost`: it is accepted, and the connection closed
    before the client hears of it; `held`: it is accepted, and nothing is said. `gone`: its results are no
    longer kept. `odd`: its first line comes twice, and one that nobody asked for. `spoil` changes the lines
    of its answers on their way; a surrogate in them is sent as a bare byte.
    """

    end: Literal["completed", "expired", "cancelled", "failed"] = "completed"
    looks: int = 1
    seconds: float = 0.0
    answered: int | None = None
    silent: bool = False
    lost: bool = False
    held: bool = False
    gone: bool = False
    odd: bool = False
    spoil: Callable[[list[str]], list[str]] = lambda lines: lines


@dataclass
class Made:
    """A batch at the server."""

    id: str
    path: str
    requests: list[tuple[str, dict[str, Any]]]
    fate: Fate
    metadata: dict[str, str] | None
    created: datetime
    looks: int = 0
    cancelled: bool = False
    items: list[tuple[str, Item]] = field(default_factory=list)


@dataclass(frozen=True)
class Said:
    """A response; with `drop` or `hold` none is sent, and the connection is closed or kept."""

    status: int
    text: str
    drop: bool = False
    hold: bool = False


def unanswered(made: Made) -> list[str]:
    """The ids of the requests that were not answered."""
    done = {id for id, _ in made.items}
    return [id for id, _ in made.requests if id not in done]


def anthropic_results(made: Made) -> list[tuple[str, dict[str, Any]]]:
    """Anthropic's results: the answered requests first, and then the rest."""
    unasked = "canceled" if made.cancelled or made.fate.end == "cancelled" else "expired"
    done = [(id, _anthropic_result(item)) for id, item in made.items]
    return [*done, *((id, {"type": unasked}) for id in unanswered(made))]


def _anthropic_result(item: Item) -> dict[str, Any]:
    status, body = item
    return {"type": "succeeded", "message": body} if status == 200 else {"type": "errored", "error": body}


def openai_line(id: str, item: Item) -> dict[str, Any]:
    """The line of a request that was answered, or that was rejected."""
    status, body = item
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": f"req_{id}", "custom_id": id, "response": response, "error": None}


def openai_rest(id: str, end: str) -> dict[str, Any]:
    """The line of a request that had no answer when the batch ended."""
    error = {"code": f"batch_{end}", "message": "This request was not executed before the batch ended."}
    return {"id": f"req_{id}", "custom_id": id, "response": None, "error": error}


def results_file(lines: list[dict[str, Any]], fate: Fate | None) -> Said:
    """A file of results, not in the order of the requests."""
    written = [json.dumps(line, ensure_ascii=False) for line in reversed(lines)]
    return Said(200, "".join(f"{line}\n" for line in (fate.spoil(written) if fate else written)))


def said_of(body: dict[str, Any], fate: Fate | None = None) -> Said:
    """The response about a batch; the fate of one just accepted may drop or hold it."""
    fate = fate or Fate()
    return Said(200, json.dumps(body), drop=fate.lost, hold=fate.held)
