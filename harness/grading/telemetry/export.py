"""Send spans and events to a collector, beside the run: its faults never affect the run."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.grading.telemetry.messages import rejected_in, request_of
from harness.grading.telemetry.settings import OtelSignal, Telemetry
from harness.providers.connection import is_loopback
from harness.providers.wire import retry_after, shown
from harness.storage.plural import plural

BATCH, BATCH_WITH_CONTENT = 512, 32
"""The most spans or events of a request. Prompts are long, and collectors accept a few megabytes."""
EVERY = 5.0
"""Seconds after which a request is sent even if it is not full."""
PENDING = 16
"""The most requests in flight: what a collector cannot keep up with is dropped and counted."""
AGAIN = (429, 502, 503, 504)
"""Statuses after which the standard asks for another attempt."""
WAITS = (1.0, 2.0)
"""Seconds before the second and the third attempt, if the collector names none."""
LONGEST_WAIT = 5.0
MOST_READ = 64 << 10
"""How many bytes of an answer are read."""


class _Parcel(NamedTuple):
    """A request with some spans or events."""

    signal: OtelSignal
    body: bytes
    number: int
    kind: str


class Exporter:
    """Two queues, and the requests in flight. For one event loop."""

    def __init__(self, telemetry: Telemetry, said: Callable[[str], None]) -> None:
        self._telemetry = telemetry
        self._said = said
        self._batch = BATCH_WITH_CONTENT if telemetry.content else BATCH
        self._spans: list[bytes] = []
        self._events: list[bytes] = []
        self._sent_at = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions: dict[str, Any] = {}
        self._lost: Counter[tuple[str, str, str]] = Counter()
        """How many did not arrive, by what they are, the address and the reason."""

    def span(self, span: bytes) -> None:
        """Send a span with the next ones."""
        if self._telemetry.traces:
            self._spans.append(span)
            self._send_if(len(self._spans))

    def event(self, event: bytes) -> None:
        """Send an event with the next ones."""
        if self._telemetry.logs:
            self._events.append(event)
            self._send_if(len(self._events))

    def _send_if(self, count: int) -> None:
        if count >= self._batch or time.monotonic() - self._sent_at >= EVERY:
            self.send()

    def send(self) -> None:
        """Start requests for everything that is queued."""
        self._sent_at = time.monotonic()
        spans, self._spans = self._spans, []
        events, self._events = self._events, []
        told = self._telemetry
        if spans and told.traces:
            self._start(_Parcel(told.traces, request_of(told.resource, spans), len(spans), "span"))
        if events and told.logs:
            self._start(_Parcel(told.logs, request_of(told.resource, events), len(events), "event"))

    def _start(self, parcel: _Parcel) -> None:
        if len(self._tasks) >= PENDING:
            self._lose(parcel, parcel.number, "it takes them more slowly than they are made")
            return
        task = asyncio.get_running_loop().create_task(self._deliver(parcel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, parcel: _Parcel) -> None:
        """Send one request, and again if the standard says so; what does not arrive is counted."""
        why = "no answer before the run ended"
        try:
            if parcel.signal.gzip:
                import gzip

                parcel = parcel._replace(body=gzip.compress(parcel.body))
            for wait in (*WAITS, None):
                why, after = await self._post(parcel)
                if after is None or wait is None:
                    break
                await asyncio.sleep(min(after or wait, LONGEST_WAIT))
        except Exception as error:  # noqa: BLE001 - whatever a collector causes, the run goes on
            why = f"{type(error).__name__}: {error}"
        finally:
            if why:
                self._lose(parcel, parcel.number, why)

    async def _post(self, parcel: _Parcel) -> tuple[str, float | None]:
        """Why a request failed, and the seconds before another one (0: not named, None: no other one)."""
        import aiohttp

        signal = parcel.signal
        coding = {"Content-Encoding": "gzip"} if signal.gzip else {}
        headers = {**signal.headers, "Content-Type": "application/x-protobuf", **coding}
        # A redirect would take the headers, and a key in them, where nobody said that they may go.
        post = self._session(signal).post(
            signal.url, data=parcel.body, headers=headers, allow_redirects=False
        )
        try:
            async with post as answer:
                said = await answer.content.read(MOST_READ)
                if answer.status < 300:
                    self._look_into(parcel, said)
                    return "", None
                why = f"{answer.status} {answer.reason or ''}".strip()
                return why, (retry_after(answer.headers) or 0.0) if answer.status in AGAIN else None
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            return str(error) or "no answer in time", 0.0

    def _look_into(self, parcel: _Parcel, answer: bytes) -> None:
        """A collector can accept only a part of a request."""
        count, why = rejected_in(answer)
        if count:
            self._lose(parcel, count, why or "rejected")

    def _session(self, signal: OtelSignal) -> Any:
        import aiohttp

        if signal.url not in self._sessions:
            self._sessions[signal.url] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=_trusted(signal)),
                timeout=aiohttp.ClientTimeout(total=signal.seconds),
                trust_env=not is_loopback(signal.url),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._sessions[signal.url]

    def _lose(self, parcel: _Parcel, count: int, why: str) -> None:
        self._lost[parcel.kind, parcel.signal.shown, why] += count

    async def close(self, seconds: float) -> None:
        """Wait a limited time for requests in flight, and report what did not arrive."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for session in self._sessions.values():
            await session.close()
        for (kind, address, why), count in self._lost.items():
            self._said(f"telemetry: {plural(count, kind)} did not arrive at {address}: {shown(why)}")


def _trusted(signal: OtelSignal) -> ssl.SSLContext | bool:
    if not signal.certificate and not signal.client:
        return True
    context = ssl.create_default_context(cafile=signal.certificate)
    if signal.client:
        context.load_cert_chain(*signal.client)
    return context
