"""The messages of OTLP, as its published package defines them.

Built without the SDK, whose spans and logs take four times as long: they would be a tenth of a run's
processor time.
"""

import random
from collections.abc import Mapping, Sequence

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Value = str | int | float | bool | Sequence[str]
Attributes = Mapping[str, Value | None]
TRACE_ID, SPAN_ID = 16, 8
"""Bytes of an id."""
CLIENT, INTERNAL = Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL
RESULT = "gen_ai.evaluation.result"
# Not the generator that a run's seed draws with: ids must not move a sample.
_dice = random.Random()


def new_id(size: int, head: bytes = b"") -> bytes:
    """An id of a trace or a span, with a head that is not drawn: never all zeros, which would be none."""
    drawn = size - len(head)
    return head + (_dice.getrandbits(8 * drawn) or 1).to_bytes(drawn, "big")


def add_to(message: Span | LogRecord | Resource, attributes: Attributes) -> None:
    """Add attributes; None is no attribute."""
    add = message.attributes.add
    for name, value in attributes.items():
        if value is None:
            continue
        held = add(key=name).value
        if isinstance(value, str):
            held.string_value = value
        elif isinstance(value, bool):
            # Before int: True is an int too.
            held.bool_value = value
        elif isinstance(value, int):
            held.int_value = value
        elif isinstance(value, float):
            held.double_value = value
        else:
            for one in value:
                held.array_value.values.add(string_value=one)


def span_of(name: str, kind: Span.SpanKind.ValueType, attributes: Attributes) -> Span:
    """What all spans of a kind have in common."""
    span = Span(name=name, kind=kind)
    add_to(span, attributes)
    return span


def event_of(attributes: Attributes) -> LogRecord:
    """What the events of all grades have in common."""
    record = LogRecord(event_name=RESULT, severity_number=SeverityNumber.SEVERITY_NUMBER_INFO)
    add_to(record, attributes)
    return record


def failed(span: Span, kind: str, words: str = "") -> None:
    """Mark a span as one that ended in an error."""
    span.status.code = Status.STATUS_CODE_ERROR
    span.status.message = words
    add_to(span, {"error.type": kind})


def spans_request(resource: Attributes, spans: Sequence[Span]) -> bytes:
    """Spans as the body of a request."""
    request = ExportTraceServiceRequest()
    held = request.resource_spans.add()
    scope = held.scope_spans.add()
    # Filled in their places: a message that is given another one copies it whole.
    scope.spans.extend(spans)
    _say_who(held.resource, scope.scope, resource)
    body: bytes = request.SerializeToString()
    return body


def events_request(resource: Attributes, events: Sequence[LogRecord]) -> bytes:
    """Events as the body of a request."""
    request = ExportLogsServiceRequest()
    held = request.resource_logs.add()
    scope = held.scope_logs.add()
    scope.log_records.extend(events)
    _say_who(held.resource, scope.scope, resource)
    body: bytes = request.SerializeToString()
    return body


def rejected_in(answer: bytes) -> tuple[int, str]:
    """How much of a request a collector did not take, and why. The answer to logs has the same form."""
    try:
        said = ExportTraceServiceResponse.FromString(answer).partial_success
    except DecodeError:
        return 0, ""  # Some answer with words, or in JSON: they took all.
    return said.rejected_spans, said.error_message


def _say_who(held: Resource, scope: InstrumentationScope, resource: Attributes) -> None:
    add_to(held, resource)
    scope.name, scope.version = "harness.grading", str(resource.get("service.version", ""))
