"""OTLP as it is written here, read with its published package."""

from typing import Any

import pytest
from collector import attributes
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from harness.grading.telemetry.messages import (
    CLIENT,
    INTERNAL,
    LONG,
    RESULT,
    SPAN_ID,
    TRACE_ID,
    error,
    event_head,
    event_of,
    new_id,
    rejected_in,
    request_of,
    span_head,
    span_of,
    written,
)

TRACE, OWN, ABOVE = new_id(TRACE_ID), new_id(SPAN_ID), new_id(SPAN_ID)
ENDS = (0, 1, 127, 128, 16_383, 16_384, 2**31, 2**63 - 1, -1, -(2**63))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=3 * LONG)
numbers = st.sampled_from(ENDS) | st.integers(-(2**63), 2**63 - 1)
values = (
    st.none()
    | texts
    | st.booleans()
    | numbers
    | st.floats(allow_nan=False)
    | st.lists(texts, max_size=3).map(tuple)
)
told = st.dictionaries(texts.filter(bool), values, max_size=4)


def plain(given: dict[str, Any]) -> dict[str, Any]:
    """What is read again; a list is one of AnyValue."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value is not None
    }


def same(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Equal, and of the same kinds: 1, 1.0 and true are three values."""
    return found == wanted and {key: type(one) for key, one in found.items()} == {
        key: type(one) for key, one in wanted.items()
    }


@given(told, told, st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_span_is_read_as_it_was_meant(head: Any, more: Any, began: int, ended: int) -> None:
    more = {f"+{name}": value for name, value in more.items()}
    first = span_head("chat ü", CLIENT, head)
    span = Span.FromString(span_of(first, (TRACE, OWN, ABOVE), (began, ended), written(more)))
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE, OWN, ABOVE)
    assert (span.name, span.kind) == ("chat ü", Span.SPAN_KIND_CLIENT)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (began, ended)
    assert span.status == Status()
    assert same(attributes(span), plain({**head, **more}))


@given(told, told, st.integers(1, 2**64 - 1))
def test_an_event_is_read_as_it_was_meant(head: Any, more: Any, when: int) -> None:
    more = {f"+{name}": value for name, value in more.items()}
    event = LogRecord.FromString(event_of(event_head(head), TRACE, OWN, when, written(more)))
    assert (event.trace_id, event.span_id, event.time_unix_nano) == (TRACE, OWN, when)
    assert (event.event_name, event.severity_number) == (RESULT, SeverityNumber.SEVERITY_NUMBER_INFO)
    assert same(attributes(event), plain({**head, **more}))


@pytest.mark.parametrize("words", ["", "too long", "ü" * 300])
def test_a_span_without_a_parent_that_ended_in_an_error(words: str) -> None:
    head = span_head("grade", INTERNAL, {})
    span = Span.FromString(span_of(head, (TRACE, OWN, b""), (1, 2), [], error(words)))
    assert (span.kind, span.parent_span_id) == (Span.SPAN_KIND_INTERNAL, b"")
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, words)


@given(st.lists(texts, max_size=5), told)
def test_a_request_says_who_sends_and_holds_all_in_order(names: list[str], resource: Any) -> None:
    resource = {**resource, "service.version": "1.2"}
    spans = [span_of(span_head(name, CLIENT, {}), (TRACE, OWN, b""), (1, 2), []) for name in names]
    (held,) = ExportTraceServiceRequest.FromString(request_of(resource, spans)).resource_spans
    (scope,) = held.scope_spans
    assert [span.name for span in scope.spans] == names
    assert (scope.scope.name, scope.scope.version) == ("harness.grading", "1.2")
    assert same(attributes(held.resource), plain(resource))
    events = [event_of(event_head({"a": name}), TRACE, OWN, 1, []) for name in names]
    (logs,) = ExportLogsServiceRequest.FromString(request_of(resource, events)).resource_logs
    assert [attributes(one)["a"] for one in logs.scope_logs[0].log_records] == names


@pytest.mark.parametrize("beyond", [2**63, -(2**63) - 1])
def test_a_number_that_the_standard_has_not_is_refused(beyond: int) -> None:
    with pytest.raises(Exception, match=r"argument|range"):
        written({"a": beyond})
    with pytest.raises(ValueError, match="range"):
        AnyValue(int_value=beyond)


def test_the_answer_of_a_collector_is_read() -> None:
    said = ExportTracePartialSuccess(rejected_spans=3, error_message="too old")
    assert rejected_in(ExportTraceServiceResponse(partial_success=said).SerializeToString()) == (3, "too old")
    for nothing in (b"", b"{}", b"thank you", ExportTraceServiceResponse().SerializeToString()):
        assert rejected_in(nothing) == (0, "")
