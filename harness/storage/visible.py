"""What nobody sees: escape control characters, so that no text controls a terminal or forges a line."""

import re
import unicodedata
from pathlib import Path

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters except tab and line end, other line separators, and bidirectional controls."""

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's categories of invisible characters."""
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | {
    chr(code) for code in range(0xE0100, 0xE01F0)
}
"""Letters and marks that show nothing: fillers, and variation selectors that no emoji takes."""
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
"""Variation selectors that emojis take: they show nothing alone."""


def visible(text: str) -> str:
    """The text with every control character escaped, except tabs and line ends."""
    return _STEERING.sub(_escape, text)


def one_line(text: str) -> str:
    """The same on one line, for a log: a line end would start a forged entry."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def shown_name(path: Path) -> str:
    """The name of a file on one line, for a heading or a message."""
    return one_line(path.name)


def is_hidden(letter: str) -> bool:
    """Whether a reader of a draft would not see a character: a model reads what its author cannot.

    Controls but tab and line end, formats (bidirectional, zero width, tags), separators of lines, halves of
    characters, private and unassigned ones; and letters that show nothing, such as Hangul fillers.
    """
    if letter.isascii():
        return letter not in "\t\n" and not letter.isprintable()
    return letter in UNSEEN or unicodedata.category(letter) in HIDDEN


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: it is empty, or all of it is white space or hidden."""
    return all(letter.isspace() or letter in _SELECTORS or is_hidden(letter) for letter in text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return "\\r" if code == 13 else f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
