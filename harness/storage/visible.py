"""Control characters made visible: a stranger's text must not steer a terminal or forge a line."""

import re

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Controls but for tab and line end, what else ends a line, and what turns the direction of writing."""


def visible(text: str) -> str:
    """The text with every control character as its escape; tabs and line ends stay."""
    return _STEERING.sub(_escape, text)


def one_line(text: str) -> str:
    """The same on one line, for a log: a line end in it would begin an entry of its own."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "\\r" if code == 13 else f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
