"""The batch APIs of OpenAI and Anthropic on the wire: files, batches, results. Every batch has its fate."""

import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from spoken import Fault, say

Item = tuple[int, dict[str, Any]]
"""What one request of a batch is answered with: a status, and a body."""
PAGE = 2
"""Batches that are listed at once: few, so that a second page is asked for."""


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
    """What goes back; with `drop` or `hold` nothing does, and the connection is closed or kept."""

    status: int
    text: str
    drop: bool = False
    hold: bool = False


class BatchDesk:
    """Takes batches for both APIs. Their requests are answered, and paid for, when they are accepted."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], Item], fates: Iterable[Fate] = ()) -> None:
        self.made: dict[str, Made] = {}
        self.tell: Callable[[Made, dict[str, Any]], dict[str, Any]] = lambda made, said: said
        """What is said of a batch, in other words than those of the API."""
        self._answer = answer
        self._fates = iter(fates)
        self._files: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def paid(self) -> list[str]:
        """The id of every request that was answered."""
        return [id for batch in self.made.values() for id, _ in batch.items]

    def handle(self, method: str, target: str, kind: str, raw: bytes) -> Said | None:
        """The response at a path of the batch APIs; None at any other."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        for verb, pattern, act in self._routes():
            found = re.fullmatch(f".*{pattern}", url.path)
            if verb == method and found:
                with self._lock:
                    return act(*found.groups(), query=query, kind=kind, raw=raw)
        return None

    def _routes(self) -> list[tuple[str, str, Callable[..., Said]]]:
        """Anthropic's first: its paths end as OpenAI's do."""
        return [
            ("POST", "/messages/batches", self._create_messages),
            ("GET", "/messages/batches", self._list_messages),
            ("GET", "/messages/batches/([^/]+)", self._message_batch),
            ("POST", "/messages/batches/([^/]+)/cancel", self._cancel),
            ("GET", "/messages/batches/([^/]+)/results", self._message_results),
            ("POST", "/files", self._upload),
            ("GET", "/files/([^/]+)/content", self._download),
            ("POST", "/batches", self._create),
            ("GET", "/batches", self._list),
            ("GET", "/batches/([^/]+)", self._batch),
            ("POST", "/batches/([^/]+)/cancel", self._cancel),
        ]

    # --- OpenAI

    def _upload(self, *, kind: str, raw: bytes, **_: Any) -> Said:
        form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        content = parts["file"].get_payload(decode=True)
        assert isinstance(content, bytes)
        assert parts["purpose"].get_payload() == "batch"
        id = f"file-{len(self._files)}"
        self._files[id] = content.decode("utf-8")
        return _said(
            {"id": id, "object": "file", "bytes": len(content), "purpose": "batch", "status": "processed"}
        )

    def _create(self, *, raw: bytes, **_: Any) -> Said:
        asked = json.loads(raw)
        assert asked["completion_window"] == "24h"
        lines = [json.loads(line) for line in self._files[asked["input_file_id"]].split("\n") if line]
        assert {(line["method"], line["url"]) for line in lines} == {("POST", asked["endpoint"])}
        requests = [(line["custom_id"], line["body"]) for line in lines]
        made = self._make("batch", asked["endpoint"], requests, asked.get("metadata"))
        return _said(self._openai(made), made.fate)

    def _list(self, *, query: dict[str, str], **_: Any) -> Said:
        page, more = self._page(query.get("after"))
        return _said({"object": "list", "data": [self._openai(made) for made in page], "has_more": more})

    def _batch(self, id: str, **_: Any) -> Said:
        return self._looked_at(id, self._openai)

    def _openai(self, made: Made) -> dict[str, Any]:
        over, total = self._over(made), len(made.requests)
        failed = made.fate.end == "failed"
        answers = [item for item in made.items if item[1][0] == 200]
        faults = [item for item in made.items if item[1][0] != 200]
        status = "cancelled" if made.cancelled else made.fate.end
        words = {
            "code": "token_limit_exceeded",
            "message": "Enqueued token limit reached.",
            "line": None,
            "param": None,
        }
        said = {
            "id": made.id,
            "object": "batch",
            "endpoint": made.path,
            "completion_window": "24h",
            "input_file_id": "file-in",
            "created_at": int(made.created.timestamp()),
            "status": status if over else "in_progress",
            "output_file_id": f"{made.id}-output" if over and answers and not failed else None,
            "error_file_id": f"{made.id}-error" if over and not failed else None,
            "errors": {"object": "list", "data": [words]} if over and failed else None,
            "request_counts": {
                "total": total,
                "completed": len(answers) * over,
                "failed": len(faults) * over,
            },
            "metadata": made.metadata,
        }
        return self.tell(made, said)

    def _download(self, id: str, **_: Any) -> Said:
        name, which = id.rsplit("-", 1)
        made = self.made.get(name)
        if made is None or made.fate.gone:
            return Said(404, json.dumps(say("/files", Fault("not_found", f"No such file: {id}"), {})))
        if which == "error":
            lines = [_openai_line(name, item) for name, item in made.items if item[0] != 200]
            lines += [] if made.fate.silent else [_openai_rest(name, made.fate.end) for name in _rest(made)]
        else:
            lines = [_openai_line(name, item) for name, item in made.items if item[0] == 200]
            lines += [lines[0], {**lines[0], "custom_id": "nobody-0"}] if made.fate.odd else []
        return _lines(lines, None if which == "error" else made.fate)

    # --- Anthropic

    def _create_messages(self, *, raw: bytes, **_: Any) -> Said:
        requests = [(asked["custom_id"], asked["params"]) for asked in json.loads(raw)["requests"]]
        assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", id) for id, _ in requests)
        made = self._make("msgbatch", "/v1/messages", requests, None)
        return _said(self._anthropic(made), made.fate)

    def _list_messages(self, *, query: dict[str, str], **_: Any) -> Said:
        page, more = self._page(query.get("after_id"))
        return _said({"data": [self._anthropic(made) for made in page], "has_more": more})

    def _message_batch(self, id: str, **_: Any) -> Said:
        return self._looked_at(id, self._anthropic)

    def _anthropic(self, made: Made) -> dict[str, Any]:
        over = self._over(made)
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        for _, result in _results(made):
            counts[result["type"] if over else "processing"] += 1
        said = {
            "id": made.id,
            "type": "message_batch",
            "processing_status": "ended" if over else "in_progress",
            "request_counts": counts,
            "created_at": made.created.isoformat(),
            "expires_at": (made.created + timedelta(days=1)).isoformat(),
            "archived_at": made.created.isoformat() if made.fate.gone else None,
            "results_url": f"https://elsewhere.invalid/{made.id}" if over else None,
        }
        return self.tell(made, said)

    def _message_results(self, id: str, **_: Any) -> Said:
        made = self.made[id]
        if made.fate.gone:
            return Said(404, json.dumps(say("/messages", Fault("not_found_error", f"No results: {id}"), {})))
        lines = [{"custom_id": name, "result": result} for name, result in _results(made)]
        lines = lines[: len(made.items)] if made.fate.silent else lines
        lines += [lines[0], {**lines[0], "custom_id": "nobody-0"}] if made.fate.odd else []
        return _lines(lines, made.fate)

    # --- both

    def _make(
        self,
        kind: str,
        path: str,
        requests: list[tuple[str, dict[str, Any]]],
        metadata: dict[str, str] | None,
    ) -> Made:
        fate = next(self._fates, Fate())
        made = Made(f"{kind}_{len(self.made)}", path, requests, fate, metadata, datetime.now(UTC))
        asked = [] if fate.end == "failed" and kind == "batch" else requests[: fate.answered]
        made.items = [(id, self._answer(path, body)) for id, body in asked]
        self.made[made.id] = made
        return made

    def _page(self, after: str | None) -> tuple[list[Made], bool]:
        """The newest first."""
        every = list(reversed(self.made.values()))
        start = next((at + 1 for at, made in enumerate(every) if made.id == after), 0)
        return every[start : start + PAGE], start + PAGE < len(every)

    def _looked_at(self, id: str, form: Callable[[Made], dict[str, Any]]) -> Said:
        made = self.made.get(id)
        if made is None:
            path = "/messages" if form == self._anthropic else "/batches"
            return Said(404, json.dumps(say(path, Fault("not_found_error", f"No batch {id}"), {})))
        made.looks += 1
        return _said(form(made))

    def _cancel(self, id: str, **_: Any) -> Said:
        made = self.made[id]
        made.cancelled = True
        return _said(self._anthropic(made) if made.path.endswith("/messages") else self._openai(made))

    def _over(self, made: Made) -> bool:
        age = (datetime.now(UTC) - made.created).total_seconds()
        return made.cancelled or (made.looks > made.fate.looks and age >= made.fate.seconds)


def _rest(made: Made) -> list[str]:
    """What was not answered."""
    done = {id for id, _ in made.items}
    return [id for id, _ in made.requests if id not in done]


def _results(made: Made) -> list[tuple[str, dict[str, Any]]]:
    """Anthropic's results: what was answered first, and then the rest."""
    unasked = "canceled" if made.cancelled or made.fate.end == "cancelled" else "expired"
    done = [(id, _anthropic_result(item)) for id, item in made.items]
    return [*done, *((id, {"type": unasked}) for id in _rest(made))]


def _anthropic_result(item: Item) -> dict[str, Any]:
    status, body = item
    return {"type": "succeeded", "message": body} if status == 200 else {"type": "errored", "error": body}


def _openai_line(id: str, item: Item) -> dict[str, Any]:
    status, body = item
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": f"req_{id}", "custom_id": id, "response": response, "error": None}


def _openai_rest(id: str, end: str) -> dict[str, Any]:
    error = {"code": f"batch_{end}", "message": "This request was not executed before the batch ended."}
    return {"id": f"req_{id}", "custom_id": id, "response": None, "error": error}


def _lines(lines: list[dict[str, Any]], fate: Fate | None) -> Said:
    """A file of results, in an order that is not the one of asking."""
    written = [json.dumps(line, ensure_ascii=False) for line in reversed(lines)]
    return Said(200, "".join(f"{line}\n" for line in (fate.spoil(written) if fate else written)))


def _said(body: dict[str, Any], fate: Fate | None = None) -> Said:
    fate = fate or Fate()
    return Said(200, json.dumps(body), drop=fate.lost, hold=fate.held)
