"""How many tokens a text may have, without a tokenizer, which most vendors do not publish.

The bounds hold for every text of tests/cases/tokens.toml in six tokenizers, old and new, of OpenAI, Anthropic
and DeepSeek: prose in 19 languages, capitals, article numbers, emoji. A single word can lie outside.
"""

import re
from typing import NamedTuple

_LOWER = bytes(range(ord("a"), ord("z") + 1)) + b" \t\r\n"
_OTHERS = (
    ("[\u0080-\u036f\u1e00-\u1eff\u2000-\u206f]", 0.25, 2.0),
    ("[\u0370-\u06ff]", 0.2, 1.5),
    ("[\u0700-\u1dff\u1f00-\u1fff\u2070-\u2e7f]", 0.2, 3.5),
    ("[\u2e80-\uffff]", 0.5, 2.0),
    ("[\U00010000-\U0010ffff]", 0.5, 4.0),
)
"""Tokens a letter, fewest and most: Latin letters with marks and typographic signs; Greek, Cyrillic, Hebrew
and Arabic; the scripts from Syriac to Georgian, Ethiopic and Khmer; Chinese, Japanese and Korean; emoji."""


class TokenRange(NamedTuple):
    """A number of tokens, as a range."""

    low: float
    high: float

    def plus(self, other: "TokenRange") -> "TokenRange":
        """The sum."""
        return TokenRange(self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> "TokenRange":
        """The product."""
        return TokenRange(self.low * factor, self.high * factor)


def tokens_of(text: str) -> TokenRange:
    """How many tokens a text may have.

    Five to two small letters and spaces make a token; capitals, digits and signs four to one; for other
    scripts see above.
    """
    plain = text.encode("ascii", "ignore")
    rest = len(plain.translate(None, _LOWER))
    lower = len(plain) - rest
    low, high = lower * 0.2 + rest * 0.25, lower * 0.5 + rest * 1.0
    if len(plain) < len(text):
        for letters, fewest, most in _OTHERS:
            # Compiled at the first text that needs it: that takes longer than to load this module.
            count = len(re.findall(letters, text))
            low, high = low + count * fewest, high + count * most
    return TokenRange(low, high)
