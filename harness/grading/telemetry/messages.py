"""The messages of OTLP as bytes, by the field numbers of its published package, which never change.

Written here: the package takes 25 ms to import, and its messages twice as long to fill and to write, a
twentieth of a run's processor time. The tests read with the package what is written here.
"""

import random
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

Value = str | int | float | bool | tuple[str, ...]
Attributes = Mapping[str, Value | None]
TRACE_ID, SPAN_ID = 16, 8
"""Bytes of an id."""
INTERNAL, CLIENT = 1, 3
"""Kinds of a span: what happens within, and a call of a server."""
RESULT = "gen_ai.evaluation.result"
LONG = 100
"""Texts of more letters are not cached: they hardly ever come again."""
_INFO, _ERROR = 9, 2
_TIMES, _TIME = struct.Struct("<BQBQ"), struct.Struct("<BQ")
_SIGNED, _UNSIGNED = struct.Struct("<q"), struct.Struct("<Q")
# Not the run's seeded generator: ids must not change a sample.
_dice = random.Random()


def new_id(size: int, head: bytes = b"") -> bytes:
    """An id of a trace or a span. Its head is not random, so it is never all zeros, which means no id."""
    drawn = size - len(head)
    return head + (_dice.getrandbits(8 * drawn) or 1).to_bytes(drawn, "big")


def written(told: Attributes) -> list[bytes]:
    """Each attribute as a message, without those that are None."""
    return [
        _attribute.__wrapped__(name, value)
        if isinstance(value, str) and len(value) > LONG
        else _attribute(name, value)
        for name, value in told.items()
        if value is not None
    ]


def span_head(name: str, kind: int, told: Attributes) -> bytes:
    """The common fields of all spans of a kind."""
    return _text(5, name) + _count(6, kind) + _each(9, written(told))


def event_head(told: Attributes) -> bytes:
    """The common fields of the events of all grades."""
    return _count(2, _INFO) + _each(6, written(told)) + _text(12, RESULT)


def span_of(
    head: bytes,
    ids: tuple[bytes, bytes, bytes],
    times: tuple[int, int],
    told: Iterable[bytes],
    status: bytes = b"",
) -> bytes:
    """A span. `ids`: of its trace, its own, and its parent's, empty without one; `times` in nanoseconds."""
    trace, own, parent = ids
    above = _field(4, parent) if parent else b""
    when = _TIMES.pack(7 << 3 | 1, times[0], 8 << 3 | 1, times[1])
    return b"".join((_field(1, trace), _field(2, own), above, head, when, _each(9, told), status))


def event_of(head: bytes, trace: bytes, span: bytes, when: int, told: Iterable[bytes]) -> bytes:
    """An event of a span, at a time in nanoseconds."""
    return b"".join((_TIME.pack(1 << 3 | 1, when), head, _each(6, told), _field(9, trace), _field(10, span)))


def error(words: str = "") -> bytes:
    """The status of a span that ended in an error."""
    return _field(15, (_text(2, words) if words else b"") + _count(3, _ERROR))


def request_of(resource: Attributes, many: Sequence[bytes]) -> bytes:
    """Spans, or events, as the body of a request: the two have the same form."""
    version = str(resource.get("service.version", ""))
    scope = _field(1, _text(1, "harness.grading") + _text(2, version))
    who = _field(1, _each(1, written(resource)))
    return _field(1, who + _field(2, scope + _each(2, many)))


def rejected_in(answer: bytes) -> tuple[int, str]:
    """How much of a request a collector refused, and why. The answer to logs has the same form."""
    if not answer:
        return 0, ""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        said = ExportTraceServiceResponse.FromString(answer).partial_success
    except DecodeError:
        return 0, ""  # Some answer in plain text or JSON: they accepted everything.
    return said.rejected_spans, said.error_message


@lru_cache(maxsize=1024, typed=True)
def _attribute(name: str, value: Value) -> bytes:
    return _name(name) + _field(2, _value(value))


@cache
def _name(name: str) -> bytes:
    return _text(1, name)


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return _text(1, value)
    if isinstance(value, bool):
        # Before int: True is an int too.
        return _count(2, value)
    if isinstance(value, int):
        # A negative number is written in two's complement of 64 bits.
        return _count(3, *_UNSIGNED.unpack(_SIGNED.pack(value)))
    if isinstance(value, float):
        return struct.pack("<Bd", 4 << 3 | 1, value)
    return _field(5, _each(1, map(_value, value)))


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _each(number: int, contents: Iterable[bytes]) -> bytes:
    """A field that comes many times."""
    mark = _varint(number << 3 | 2)
    return b"".join([part for one in contents for part in (mark, _varint(len(one)), one)])


def _field(number: int, content: bytes) -> bytes:
    """A field with a text, bytes or a message."""
    return b"%b%b%b" % (_varint(number << 3 | 2), _varint(len(content)), content)


def _count(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(number: int) -> bytes:
    """A number from 0, seven bits a byte, the lowest first."""
    if number < len(_SHORT):
        return _SHORT[number]
    found = bytearray()
    while number >= 128:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


_SHORT = [bytes([number]) for number in range(128)]
