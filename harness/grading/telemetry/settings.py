"""Where telemetry goes and what it may hold: the standard OTEL_* variables of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.errors import Fault, refuse_faults

EXPORTER = "OTEL_EXPORTER_OTLP_"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
DEFAULT = "http://localhost:4318"
PROTOCOL = "http/protobuf"
TIMEOUT = 10_000
"""Milliseconds that a request may take, if the environment does not say it: the standard's default."""
CAPTURING = ("true", "span_only", "event_only", "span_and_event")
NOT_CAPTURING = ("", "false", "no_content")
SERVICE = "teacher-harness"


@dataclass(frozen=True, slots=True)
class OtelSignal:
    """How one kind of telemetry is sent. `headers` can hold keys: they are shown nowhere."""

    url: str
    headers: Mapping[str, str]
    seconds: float
    gzip: bool = False
    certificate: str | None = None
    """A file of certificates to trust, in place of the system's."""
    client: tuple[str, str | None] | None = None
    """Files with the certificate and the key by which the collector knows this client."""

    @property
    def shown(self) -> str:
        """The address without a user, a password and a query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is sent: spans, events of grades, and whether they hold prompts, replies and ids."""

    traces: OtelSignal | None
    logs: OtelSignal | None
    content: bool
    resource: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """A sentence on what is sent where."""
        parts = [
            f"{what} to {signal.shown}"
            for what, signal in (("spans", self.traces), ("grades as events", self.logs))
            if signal
        ]
        held = "with" if self.content else "without"
        return f"telemetry: {', '.join(parts)}, {held} prompts, replies and ids"


def telemetry_asked(*, content: bool, environ: Mapping[str, str] = os.environ) -> Telemetry | None:
    """The telemetry settings of the environment; None if it turns telemetry off.

    BadInput for every invalid variable, and if the extra is not installed. The project's .env is not read:
    the author of a project must not choose where its prompts go.
    """
    if environ.get("OTEL_SDK_DISABLED", "").casefold() == "true":
        return None
    faults: list[Fault] = []
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.proto") is None:
        faults.append(Fault("--telemetry", "wants a package: pip install 'teacher-harness[otel]'"))
    traces, logs = (_signal(name, environ, faults) for name in ("traces", "logs"))
    captures = content or _captures(environ, faults)
    resource = _resource(environ, faults)
    refuse_faults(faults)
    return Telemetry(traces, logs, captures, resource) if traces or logs else None


def _captures(environ: Mapping[str, str], faults: list[Fault]) -> bool:
    said = environ.get(CAPTURE, "").strip().casefold()
    if said not in (*CAPTURING, *NOT_CAPTURING):
        known = ", ".join((*CAPTURING, *filter(None, NOT_CAPTURING)))
        faults.append(Fault(CAPTURE, f"{said[:40]!r} is none of: {known}"))
    return said in CAPTURING


@dataclass(frozen=True, slots=True)
class _Said:
    """The variables of one kind of telemetry: its own take precedence over the common ones."""

    name: str
    environ: Mapping[str, str]
    faults: list[Fault]

    @property
    def own(self) -> str:
        return f"{EXPORTER}{self.name.upper()}_"

    def variable(self, what: str) -> str:
        return self.own + what if self.environ.get(self.own + what) else EXPORTER + what

    def text(self, what: str) -> str:
        return self.environ.get(self.variable(what), "")

    def fault(self, what: str, why: str) -> None:
        self.faults.append(Fault(self.variable(what), why))

    def one_of(self, what: str, *known: str) -> str:
        if (text := self.text(what)) not in ("", *known):
            self.fault(what, f"{text[:40]!r} is none of: {', '.join(known)}")
        return text

    def file(self, what: str) -> str | None:
        if (path := self.text(what)) and not Path(path).is_file():
            self.fault(what, f"{path}: no such file")
        return path or None

    def url(self) -> str:
        text = self.text("ENDPOINT")
        # The address of one kind is complete; the common address is the folder above.
        whole = bool(text) and self.variable("ENDPOINT").startswith(self.own)
        url = text if whole else f"{(text or DEFAULT).rstrip('/')}/v1/{self.name}"
        if not _is_url(url):
            self.fault("ENDPOINT", "is not an address: write http://host:port")
        return url

    def seconds(self) -> float:
        text = self.text("TIMEOUT")
        try:
            milliseconds = float(text or TIMEOUT)
        except ValueError:
            milliseconds = 0
        if not 0 < milliseconds < 3_600_000:
            self.fault("TIMEOUT", f"{text[:40]!r} is not a number of milliseconds")
        return milliseconds / 1000


def _signal(name: str, environ: Mapping[str, str], faults: list[Fault]) -> OtelSignal | None:
    """How one kind of telemetry is sent; None where it is turned off."""
    variable = f"OTEL_{name.upper()}_EXPORTER"
    exporter = environ.get(variable) or "otlp"
    if exporter not in ("otlp", "none"):
        faults.append(Fault(variable, f"{exporter[:40]!r} is none of: otlp, none"))
    if exporter != "otlp":
        return None
    said = _Said(name, environ, faults)
    said.one_of("PROTOCOL", PROTOCOL)
    known_by = said.file("CLIENT_CERTIFICATE")
    key = said.file("CLIENT_KEY")
    return OtelSignal(
        said.url(),
        _pairs(said.text("HEADERS"), said.variable("HEADERS"), faults),
        said.seconds(),
        said.one_of("COMPRESSION", "gzip", "none") == "gzip",
        said.file("CERTIFICATE"),
        (known_by, key) if known_by else None,
    )


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # Reading the port is what checks it.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _pairs(text: str, variable: str, faults: list[Fault]) -> dict[str, str]:
    """`key=value,key=value`, with %20 for a space. A fault shows no value: it may be a key."""
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        name, equals, value = part.partition("=")
        name, value = name.strip(), unquote(value.strip())
        if not (equals and name.isascii() and name.isprintable() and value.isprintable()) or " " in name:
            faults.append(Fault(variable, "is not a list of name=value, separated by commas"))
            break
        found[name] = value
    return found


def _resource(environ: Mapping[str, str], faults: list[Fault]) -> dict[str, str]:
    """Who sends: the service, and what else the environment says of it."""
    from harness import __version__

    own = {"service.name": SERVICE, "service.version": __version__}
    told = _pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""), "OTEL_RESOURCE_ATTRIBUTES", faults)
    name = environ.get("OTEL_SERVICE_NAME")
    return {**own, **told, **({"service.name": name} if name else {})}
