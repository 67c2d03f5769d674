"""The batch APIs of OpenAI and Anthropic: files, batches, results. A Fate says how each batch ends."""

import json
import re
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harness.demo.batch_lines import (
    Fate,
    Item,
    Made,
    Said,
    anthropic_results,
    openai_line,
    openai_rest,
    results_file,
    said_of,
    unanswered,
)
from harness.demo.wire import WireFault, say

PAGE = 2
"""Batches on a page of a list: few, so that clients have to ask for a second page."""


class BatchDesk:
    """Accepts batches for both APIs, and answers their requests at once, when they are paid for."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], Item], fates: Iterable[Fate] = ()) -> None:
        self.made: dict[str, Made] = {}
        self.tell: Callable[[Made, dict[str, Any]], dict[str, Any]] = lambda made, said: said
        """Changes the description of a batch before it is sent."""
        self._answer = answer
        self._fates = iter(fates)
        self._files: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def paid(self) -> list[str]:
        """The id of every request that was answered."""
        return [id for batch in self.made.values() for id, _ in batch.items]

    def handle(self, method: str, target: str, kind: str, raw: bytes) -> Said | None:
        """The response at a path of the batch APIs; None at others. ValueError for an invalid request."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        for verb, pattern, act in self._routes():
            found = re.fullmatch(f".*{pattern}", url.path)
            if verb == method and found:
                with self._lock:
                    return act(*found.groups(), query=query, kind=kind, raw=raw)
        return None

    def _routes(self) -> list[tuple[str, str, Callable[..., Said]]]:
        """Anthropic's come first: their paths end like OpenAI's."""
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
        content: Any = parts["file"].get_payload(decode=True)  # bytes, or None of a form inside the form
        _check(content is not None and parts["purpose"].get_payload() == "batch", "a file for a batch")
        id = f"file-{len(self._files)}"
        self._files[id] = content.decode("utf-8")
        return said_of(
            {"id": id, "object": "file", "bytes": len(content), "purpose": "batch", "status": "processed"}
        )

    def _create(self, *, raw: bytes, **_: Any) -> Said:
        asked = json.loads(raw)
        _check(asked["completion_window"] == "24h", "completion_window: 24h")
        lines = [json.loads(line) for line in self._files[asked["input_file_id"]].split("\n") if line]
        ways = {(line["method"], line["url"]) for line in lines}
        _check(ways == {("POST", asked["endpoint"])}, "lines that POST to the batch's endpoint")
        requests = [(line["custom_id"], line["body"]) for line in lines]
        made = self._make("batch", asked["endpoint"], requests, asked.get("metadata"))
        return said_of(self._openai(made), made.fate)

    def _list(self, *, query: dict[str, str], **_: Any) -> Said:
        page, more = self._page(query.get("after"))
        return said_of({"object": "list", "data": [self._openai(made) for made in page], "has_more": more})

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
            return _missing("/files", f"No such file: {id}", "not_found")
        if which == "error":
            lines = [openai_line(name, item) for name, item in made.items if item[0] != 200]
            lines += (
                [] if made.fate.silent else [openai_rest(name, made.fate.end) for name in unanswered(made)]
            )
        else:
            lines = [openai_line(name, item) for name, item in made.items if item[0] == 200]
            lines += [lines[0], {**lines[0], "custom_id": "nobody-0"}] if made.fate.odd else []
        return results_file(lines, None if which == "error" else made.fate)

    # --- Anthropic

    def _create_messages(self, *, raw: bytes, **_: Any) -> Said:
        requests = [(asked["custom_id"], asked["params"]) for asked in json.loads(raw)["requests"]]
        _check(
            all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", id) for id, _ in requests),
            "custom_id: 1-64 of A-Za-z0-9_-",
        )
        made = self._make("msgbatch", "/v1/messages", requests, None)
        return said_of(self._anthropic(made), made.fate)

    def _list_messages(self, *, query: dict[str, str], **_: Any) -> Said:
        page, more = self._page(query.get("after_id"))
        return said_of({"data": [self._anthropic(made) for made in page], "has_more": more})

    def _message_batch(self, id: str, **_: Any) -> Said:
        return self._looked_at(id, self._anthropic)

    def _anthropic(self, made: Made) -> dict[str, Any]:
        over = self._over(made)
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        for _, result in anthropic_results(made):
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
            return _missing("/messages", f"No results: {id}")
        lines = [{"custom_id": name, "result": result} for name, result in anthropic_results(made)]
        lines = lines[: len(made.items)] if made.fate.silent else lines
        lines += [lines[0], {**lines[0], "custom_id": "nobody-0"}] if made.fate.odd else []
        return results_file(lines, made.fate)

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
            return _missing(path, f"No batch {id}")
        made.looks += 1
        return said_of(form(made))

    def _cancel(self, id: str, **_: Any) -> Said:
        made = self.made[id]
        made.cancelled = True
        return said_of(self._anthropic(made) if made.path.endswith("/messages") else self._openai(made))

    def _over(self, made: Made) -> bool:
        age = (datetime.now(UTC) - made.created).total_seconds()
        return made.cancelled or (made.looks > made.fate.looks and age >= made.fate.seconds)


def _missing(path: str, what: str, code: str = "not_found_error") -> Said:
    return Said(404, json.dumps(say(path, WireFault(code, what), {})))


def _check(right: bool, expected: str) -> None:
    if not right:
        raise ValueError(f"expected {expected}")
