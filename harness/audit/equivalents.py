"""Words and notations that mean the same in texts about products: a paraphrase by rule, in English.

The table is small on purpose: a spelling that could mean something else is changed in one direction alone,
only beside what settles its meaning (a number before a unit), or not at all.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_NUMBER = r"(?<![\w.,/'])(?<![A-Za-z]-)(?P<n>\d+(?:[.,]\d+)*)"
"""A number of its own: not the end of V28, of 1/2 or of 7'10."""
_ONE = r"(?<![\w.,/'-])(?P<n>1)"
_POINT = r"\b(?:\.(?= [a-z0-9]|[),;]))?"
"""The end of an abbreviation, with its point if the point cannot end a sentence."""
_CLOSED = r"(?=$|[,;)\]]|\.(?:\s|$))"
"""A place where nothing follows that belongs to the number before."""
_NUMERALS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SETS = r"(?P<of>\b[Ss]et of |\b[Pp]ack of |\b[Bb]ox of )"
_QUOTE = re.compile(r'(?<!\d)"')
"""A quotation mark that no number stands before: the others of the text may be quotation marks too."""
_LONE = r"(?! ?[\"'%″x\u00d7]| ?(?:cm|mm|ml|kg|lbs?|oz|in|ft|g|l)\b|[.,/-]?\w)"


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A spelling to find, and the one that replaces it: a template of `Match.expand`."""

    found: re.Pattern[str]
    instead: str


@lru_cache(maxsize=65_536)
def in_other_words(text: str, brand: str | None = None) -> str:
    """The text with every spelling of the table replaced by its equivalent; unchanged without any.

    Each place is changed once. The name of the brand stays. A text with a letter outside of a to z stays
    unchanged: it may be in another language.
    """
    if any(letter.isalpha() and not letter.isascii() for letter in text):
        return text
    parts: list[str] = []
    end = 0
    for start, stop, instead in sorted(_places(text, brand), key=lambda one: (one[0], -one[1])):
        if start >= end:
            parts += [text[end:start], instead]
            end = stop
    return "".join([*parts, text[end:]])


def _places(text: str, brand: str | None) -> Iterator[tuple[int, int, str]]:
    """The places that each row finds, with their replacements."""
    names = list(_named(text, brand)) if brand else []
    ends = [end for _, end in names]
    quotes = _QUOTE.search(text) is not None
    for row in EQUIVALENTS:
        for match in row.found.finditer(text):
            # The names stand in order and apart: only the first that ends behind the start can overlap.
            first = bisect_right(ends, match.start())
            named = first < len(names) and names[first][0] < match.end()
            if not named and not (quotes and '"' in match[0]):
                yield match.start(), match.end(), match.expand(row.instead)


def _named(text: str, brand: str) -> Iterator[tuple[int, int]]:
    """Where the brand is named, in any case. `find`, as an expression may take the square of the length."""
    text, brand = text.lower(), brand.lower()
    start = text.find(brand)
    while start >= 0:
        end = start + len(brand)
        yield start, end
        start = text.find(brand, end)


def _row(found: str, instead: str) -> Equivalent:
    return Equivalent(re.compile(found), instead)


def _written_out(short: str, one: str, many: str) -> Iterator[Equivalent]:
    """A unit after a number, from its sign to its word."""
    yield _row(rf"{_ONE} ?(?:{short})", rf"\g<n> {one}")
    yield _row(rf"{_NUMBER} ?(?:{short})", rf"\g<n> {many}")


def _shortened(long: str, short: str) -> Equivalent:
    """A unit after a number, from its word to its sign."""
    return _row(rf"{_NUMBER}[ -](?:{long})\b", rf"\g<n> {short}")


def _spellings(one: str, other: str, ending: str = "") -> Iterator[Equivalent]:
    """Two spellings of a word, in both directions; the size of its first letter and its `ending` stay."""
    for found, instead in ((one, other), (other, one)):
        kept = r"\2" if ending else ""
        yield _row(rf"\b([{found[0].upper()}{found[0]}]){found[1:]}{ending}\b", rf"\1{instead[1:]}{kept}")


def _unit(short: str, long: str, sign: str, one: str, many: str) -> Iterator[Equivalent]:
    """A unit in both directions."""
    yield from _written_out(short + _POINT, one, many)
    yield _shortened(long, sign)


_INCH_MARK = r"(?:″|\"(?!\w))"
EQUIVALENTS: tuple[Equivalent, ...] = (
    # Units, only after a number. Left out: g, l, m, W, V and GB, which are sizes and names too: 5G, 32W, 5 M.
    *_unit("[Cc][Mm]s?", "[Cc]entimet(?:er|re)s?", "cm", "centimeter", "centimeters"),
    *_unit("[Mm][Mm]", "[Mm]illimet(?:er|re)s?", "mm", "millimeter", "millimeters"),
    *_unit("[Mm][Ll]", "[Mm]illilit(?:er|re)s?", "ml", "milliliter", "milliliters"),
    *_unit("[Kk][Gg]s?", "[Kk]ilogram(?:me)?s?", "kg", "kilogram", "kilograms"),
    *_unit("[Oo]z", "[Oo]unces?", "oz", "ounce", "ounces"),
    *_unit(r"[Ff]l\.? ?[Oo]z", "[Ff]luid [Oo]unces?", "fl oz", "fluid ounce", "fluid ounces"),
    # "in" is a preposition: it is read as inches at the end of a text or of brackets, or before a measure,
    # and is not written where "of" comes before: a "set of 4 inch pots" would be one "of 4 in pots".
    *_written_out(rf"{_INCH_MARK}|in\b\.?(?=$|\)| ?[x\u00d7] ?\d)", "inch", "inches"),
    _row(rf"(?<!of ){_NUMBER}[ -][Ii]nch(?:es)?\b", r"\g<n> in"),
    # One direction: 8 pounds can be a price, and 4 feet those of a sofa.
    *_written_out(f"[Ll]bs?{_POINT}", "pound", "pounds"),
    *_written_out(f"[Ff]t{_POINT}", "foot", "feet"),
    # Only small letters: the 24 Hours of Le Mans keep their name. "hr" and "yr" have no other sense.
    *_written_out(f"hrs?{_POINT}", "hour", "hours"),
    _row(rf"{_NUMBER} hours?\b(?! of)", r"\g<n> hr"),
    *_written_out(f"yrs?{_POINT}", "year", "years"),
    _row(rf"{_NUMBER} years?\b(?! old| of)", r"\g<n> yr"),
    _row(rf"{_NUMBER} ?%(?!\w)", r"\g<n> percent"),
    _row(rf"{_NUMBER} percent\b", r"\g<n>%"),
    # Numbers of things. PCs are computers, and "pack of 3 pairs" has its noun behind it.
    *_written_out(rf"(?:pcs|Pcs|PCS){_POINT}", "piece", "pieces"),
    _row(rf"{_NUMBER} [Pp]ieces\b", r"\g<n> pcs"),
    _row(rf"\b([Pp])ack of (\d+){_CLOSED}", r"\2-\1ack"),
    _row(rf"{_NUMBER}[ -]([Pp])ack\b(?! of)", r"\2ack of \g<n>"),
    *(_row(rf"{_SETS}{digit}{_LONE}", rf"\g<of>{word}") for digit, word in enumerate(_NUMERALS, 2)),
    *(
        _row(rf"{_SETS}[{word[0]}{word[0].upper()}]{word[1:]}\b(?!-)", rf"\g<of>{digit}")
        for digit, word in enumerate(_NUMERALS, 2)
    ),
    _row(r"\b([Qq])ty\b\.?(?= ?[:\d])", r"\1uantity"),
    _row(r"\b([Qq])uantity(?= ?:)", r"\1ty"),
    # Short forms. "with" stays: it stands in names of films and books.
    _row(r"\b([Aa])pprox\b\.?", r"\1pproximately"),
    _row(r"\b([Aa])pproximately\b", r"\1pprox."),
    _row(r"(?<![\w/])w/o\b ?(?=\w)", "without "),
    _row(r"(?<![\w/])(?<!\d )w/(?!o\b|out\b) ?(?=[A-Za-z]{2}|\d)", "with "),
    _row(r"\be\.g\.(?=,? \w)", "for example"),
    _row(r"\bfor example\b(?=,? \w)", "e.g."),
    # Between two capitals, as in Black & Decker or Tom and Jerry, it may be a name.
    _row(r"(?<=[a-z0-9]) & (?=[a-z])", " and "),
    _row(r"(?<=[a-z]) and (?=[a-z])", " & "),
    # Words. One direction: in Apple TV or Fire TV the letters are a name.
    _row(r"\b[Tt]elevision(s?)\b(?! [A-Z])", r"TV\1"),
    _row(r"\b([Tt])-?[Ss]hirt(s?)\b", r"\1ee shirt\2"),
    _row(r"\b([Tt])ee [Ss]hirt(s?)\b", r"\1-shirt\2"),
    # British and American spelling. Only small letters of "grey", which is a surname, and no "Colorado".
    *_spellings("colour", "color", "(s|ed|ful)?"),
    _row(r"\bgrey\b", "gray"),
    _row(r"\bgray\b", "grey"),
    *_spellings("aluminium", "aluminum"),
    *_spellings("jewellery", "jewelry"),
)
"""Every row. If two find the same place, the longer match counts."""
