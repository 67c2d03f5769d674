"""Escape control characters: untrusted text must not control a terminal or forge a line."""

import re

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters except tab and line end, other line separators, and bidirectional controls."""


def visible(text: str) -> str:
    """The text with every control character escaped, except tabs and line ends."""
    return _STEERING.sub(_escape, text)


def one_line(text: str) -> str:
    """The same on one line, for a log: a line end would start a forged entry."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "\\r" if code == 13 else f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
