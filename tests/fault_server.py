"""A real server on loopback that speaks chat completions and misbehaves as scripted.

A script answers each request, by its number and body, with a Turn; the real SDK reaches it by its base URL.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Turn:
    """One response. `drop` closes the connection instead; `wait` holds the response back, in seconds."""

    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    wait: float = 0.0


Script = Callable[[int, dict[str, Any]], Turn]


def completion(content: str | None, finish: str = "stop", refusal: str | None = None) -> Turn:
    """A whole chat completion."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return Turn(
        json.dumps(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 0,
                "model": "test-model-2026-11-01",
                "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                "usage": {
                    "prompt_tokens": 100,
                    "completion_tokens": 10,
                    "total_tokens": 110,
                    "prompt_tokens_details": {"cached_tokens": 64},
                },
            }
        )
    )


def graded(grade: int = 1) -> Turn:
    """A good answer."""
    return completion(json.dumps({"reasoning": "Because.", "clauses": [], "grade": grade}))


def error(status: int, code: str = "error", message: str = "no", **headers: str) -> Turn:
    """An error in the API's form."""
    body = json.dumps({"error": {"message": message, "type": code, "code": code, "param": None}})
    return Turn(body, status, headers)


@dataclass
class FaultServer:
    """What a running server is reached by, and what it was asked."""

    url: str
    requests: list[dict[str, Any]]
    headers: list[dict[str, str]]


@contextmanager
def fault_server(script: Script) -> Iterator[FaultServer]:
    """Serve a script until the block ends."""
    asked: list[dict[str, Any]] = []
    headers: list[dict[str, str]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(asked)
                asked.append(body)
                headers.append({name.lower(): value for name, value in self.headers.items()})
            turn = script(number, body)
            time.sleep(turn.wait)
            if turn.drop:
                self.close_connection = True
                self.connection.close()
                return
            data = turn.body.encode("utf-8")
            self.send_response(turn.status)
            self.send_header("Content-Type", "application/json")
            for name, value in turn.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:
            """A client that hangs up is part of the test."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield FaultServer(f"http://127.0.0.1:{server.server_port}/v1", asked, headers)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def item_of(body: dict[str, Any]) -> dict[str, Any]:
    """The pair that a request asks about."""
    text = body["messages"][-1]["content"]
    data: dict[str, Any] = json.loads(text[text.index("{") :])
    return data
