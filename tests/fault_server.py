"""A real server on loopback that speaks every model API and misbehaves as scripted.

A script answers each request, by its number and body, with a Turn; the real SDK reaches it by its base URL.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from harness.demo.batch_apis import BatchDesk
from harness.demo.batch_lines import Fate, Item
from harness.demo.wire import Tokens, WireAnswer, WireFault, item_of, say

__all__ = ["FaultServer", "Turn", "completion", "error", "fault_server", "graded", "item_of"]


@dataclass(frozen=True)
class Turn:
    """One response: `said`, in the form of the API that is asked, or else `body` as it is.

    `change` replaces parts of what is said. `drop` closes the connection instead of answering, `cut`
    closes it half-way through the answer, `hang` sends no more than half of it and keeps the connection
    open, `silent` not even that; `wait` holds the answer back and `drip` sends it slowly, byte by byte,
    both in seconds.
    """

    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    said: WireAnswer | WireFault | None = None
    change: dict[str, Any] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False
    hang: bool = False
    silent: bool = False
    wait: float = 0.0
    drip: float = 0.0

    def text(self, path: str, asked: dict[str, Any]) -> str:
        """The response's body for a request."""
        return self.body if self.said is None else json.dumps({**say(path, self.said, asked), **self.change})

    def pieces(self, data: bytes, over: threading.Event) -> Iterator[bytes]:
        """What is sent at once; no more once the server is over."""
        if not self.drip:
            yield data[: len(data) // 2] if self.cut or self.hang else data
            return
        for at in range(len(data)):
            over.wait(self.drip)
            yield data[at : at + 1]


Script = Callable[[int, dict[str, Any]], Turn]


def completion(content: str | None, finish: str = "stop", refusal: str | None = None) -> Turn:
    """A whole answer of some text."""
    if refusal is not None:
        return Turn(said=WireAnswer(refusal, "refused"))
    if finish == "length":
        return Turn(said=WireAnswer(content, "cut_off"))
    return Turn(said=WireAnswer(content, "filtered" if finish == "content_filter" else "end"))


def graded(
    grade: int = 1,
    wait: float = 0.0,
    headers: dict[str, str] | None = None,
    tokens: Tokens | None = None,
    **change: Any,
) -> Turn:
    """A good answer, perhaps late, with parts of it replaced. `tokens`: what the server says that it read."""
    text = json.dumps({"reasoning": "Because.", "clauses": [], "grade": grade})
    return Turn(
        said=WireAnswer(text, tokens=tokens or Tokens()), headers=headers or {}, wait=wait, change=change
    )


def error(
    status: int, code: str = "error", message: str = "no", param: str | None = None, **headers: str
) -> Turn:
    """An error in the API's form."""
    return Turn(status=status, headers=headers, said=WireFault(code, message, param))


@dataclass
class FaultServer:
    """What a running server is reached by, and what it was asked."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    """Method and path of every call to a batch API."""
    desk: BatchDesk | None = None


Control = Callable[[str], Turn | None]
"""What is sent instead for a method and path of a batch API; nothing of what was asked is done then."""


@contextmanager
def fault_server(
    script: Script, fates: Iterable[Fate] = (), control: Control = lambda call: None
) -> Iterator[FaultServer]:
    """Serve a script until the block ends. A batch's requests are answered by it too, and have fates."""
    server = _Server(script, fates, control)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.asked.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield server.asked
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """Notes what it is asked, and answers as the script says."""

    daemon_threads = True

    def __init__(self, script: Script, fates: Iterable[Fate], control: Control) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()
        self.control = control
        self.desk = BatchDesk(self._answer, fates)
        self.asked = FaultServer(desk=self.desk)
        self._script = script
        self._lock = threading.Lock()
        self._batched = 0

    def _answer(self, path: str, body: dict[str, Any]) -> Item:
        """The script's answer to the next request of a batch."""
        self._batched += 1
        turn = self._script(self._batched - 1, body)
        return turn.status, json.loads(turn.text(path, body))

    def turn(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Turn:
        """The script's answer to the next request."""
        with self._lock:
            number = len(self.asked.requests)
            self.asked.requests.append(body)
            self.asked.headers.append(headers)
            self.asked.paths.append(path)
        return self._script(number, body)

    def handle_error(self, *args: object) -> None:
        """A client that hangs up is part of the test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Or else every answer waits 40 ms for the client to acknowledge its headers.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
        call = f"{self.command} {urlsplit(self.path).path}"
        if "/batches" in call or "/files" in call:
            self.do_batch(call, raw)
            return
        body = json.loads(raw)
        headers = {name.lower(): value for name, value in self.headers.items()}
        turn = self.server.turn(self.path, headers, body)
        self.act(turn, body)

    def do_batch(self, call: str, raw: bytes) -> None:
        self.server.asked.controls.append(call)
        turn = self.server.control(call)
        if turn is None:
            said = self.server.desk.handle(self.command, self.path, self.headers["Content-Type"] or "", raw)
            assert said is not None, call
            turn = Turn(said.text, said.status, drop=said.drop, silent=said.hold)
        self.act(turn, {})

    def act(self, turn: Turn, body: dict[str, Any]) -> None:
        self.server.over.wait(None if turn.silent else turn.wait)
        if turn.drop or turn.silent:
            self.hang_up()
        else:
            self.answer(turn, turn.text(self.path, body).encode("utf-8", "surrogateescape"))

    def answer(self, turn: Turn, data: bytes) -> None:
        self.send_response(turn.status)
        self.send_header("Content-Type", "application/json")
        for name, value in turn.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for piece in turn.pieces(data, self.server.over):
            self.wfile.write(piece)
        if turn.hang:
            self.server.over.wait()
        if turn.cut or turn.hang:
            self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def log_message(self, *args: object) -> None:
        pass
