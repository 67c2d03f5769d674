"""An OpenTelemetry collector on loopback: real OTLP over HTTP, decoded by the published messages."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What was sent to a running collector. `statuses`: what it answers, the last one from then on."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    """What it says in its answers."""
    wait: float = 0.0
    rejects: int = 0
    """Spans of each request that it says it did not take."""
    paths: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def traces(self) -> list[ExportTraceServiceRequest]:
        """The requests with spans that it took."""
        return [ExportTraceServiceRequest.FromString(body) for path, body in self.taken if "traces" in path]

    @property
    def logs(self) -> list[ExportLogsServiceRequest]:
        """The requests with events that it took."""
        return [ExportLogsServiceRequest.FromString(body) for path, body in self.taken if "logs" in path]

    @property
    def spans(self) -> list[Span]:
        """Every span."""
        held = [one for request in self.traces for one in request.resource_spans]
        return [span for one in held for scope in one.scope_spans for span in scope.spans]

    @property
    def events(self) -> list[LogRecord]:
        """Every event."""
        held = [one for request in self.logs for one in request.resource_logs]
        return [event for one in held for scope in one.scope_logs for event in scope.log_records]

    def named(self, start: str) -> list[Span]:
        """The spans whose names begin so, in the order of their ends."""
        found = [span for span in self.spans if span.name.startswith(start)]
        return sorted(found, key=lambda span: span.end_time_unix_nano)


def attributes(message: Any) -> dict[str, Any]:
    """Attributes as plain values; one that comes twice is a mistake."""
    names = [one.key for one in message.attributes]
    assert len(names) == len(set(names)), names
    return {one.key: _plain(one.value) for one in message.attributes}


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    assert kind is not None
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def collector(**how: Any) -> Iterator[Collector]:
    """Serve until the block ends."""
    server = _Server(Collector(**how))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    server.collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield server.collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, held: Collector) -> None:
        self.collector = held
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        held = self.server.collector
        body = self.rfile.read(int(self.headers["Content-Length"]))
        held.paths.append(self.path)
        held.asked.append({name.casefold(): value for name, value in self.headers.items()})
        held.bodies.append(body)
        time.sleep(held.wait)
        status = held.statuses.pop(0) if len(held.statuses) > 1 else held.statuses[0]
        if status == 200:
            packed = self.headers.get("Content-Encoding") == "gzip"
            held.taken.append((self.path, gzip.decompress(body) if packed else body))
        self._answer(status, held)

    def _answer(self, status: int, held: Collector) -> None:
        said = ExportTracePartialSuccess(rejected_spans=held.rejects, error_message="too old")
        whole: bytes = ExportTraceServiceResponse(partial_success=said).SerializeToString()
        answer = whole if held.rejects else b""
        self.send_response(status)
        for name, value in held.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing on the tests' standard error."""
