"""Features of an item that the teacher's error should not depend on."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.nouns.base import Reason
from harness.nouns.pair import Result, words
from harness.scorecards.audit import ORDER
from harness.storage.cells import number_of

PER_SD = "standard deviation"
AGAINST = "against the others"
MOST_NAMED = 3
"""The most brands, scripts and languages that become features: the most frequent ones."""
LEAST_SIDE = 10
"""The fewest items on either side with which a feature that an item has or lacks is tested."""
LANGUAGE_KEYS = ("language", "lang", "locale")
"""Keys of a context, and beginnings of a tag (`language:de`), that name the language."""
_PRICE = re.compile(r"[0-9][0-9.,\u00a0 ']*")


@dataclass(frozen=True, slots=True)
class Subject:
    """One golden item with the teacher's mean error; `position`: its place in the order of asking."""

    item: str
    cluster: str
    query: str
    title: str
    golden: int
    error: float
    result: Result | None = None
    position: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class AuditFeature:
    """A value of each subject, None if it is missing. `reason`: why it is missing for all subjects."""

    name: str
    unit: str
    values: Sequence[float | None]
    reason: Reason | None = None


def features(subjects: Sequence[Subject]) -> Iterator[AuditFeature]:
    """Every feature, in a fixed order. A feature without any value carries the reason."""
    yield _measured("title length", subjects, _title_length, "no item has a title")
    yield _measured("query words in title", subjects, _shared, "no item has a query and a title")
    yield _price(subjects)
    yield _measured("brand named", subjects, _brand_named, "no item says whether it has a brand", AGAINST)
    brands = [one.result.brand if one.result else None for one in subjects]
    yield from _each_frequent("brand", brands, skip_first=False)
    yield _measured(ORDER, subjects, lambda one: one.position, "the order is unknown")
    yield from _each_frequent("script", [_script(f"{one.query} {one.title}") for one in subjects])
    yield from _each_frequent("language", [one.language for one in subjects])


def language_of(context: dict[str, str] | None, tags: Iterable[str]) -> str | None:
    """The language that an item's context or tags name."""
    for key in LANGUAGE_KEYS:
        if context and context.get(key):
            return context[key]
        for tag in tags:
            if tag.startswith(f"{key}:"):
                return tag.removeprefix(f"{key}:")
    return None


def _measured(
    name: str,
    subjects: Sequence[Subject],
    measure: Callable[[Subject], float | None],
    missing: str,
    unit: str = PER_SD,
) -> AuditFeature:
    values = [measure(one) for one in subjects]
    return AuditFeature(name, unit, values, None if any(v is not None for v in values) else _cannot(missing))


def _cannot(why: str) -> Reason:
    return Reason("undefined", why)


def _title_length(one: Subject) -> float | None:
    """The logarithm, since a word more matters less in a long title."""
    return math.log1p(len(words(one.title))) if one.title else None


def _shared(one: Subject) -> float | None:
    """The share of the query's words that the title has."""
    query = set(words(one.query))
    return len(query & set(words(one.title))) / len(query) if query and one.title else None


def _brand_named(one: Subject) -> float | None:
    return None if one.result is None else float(bool(one.result.brand))


def _price(subjects: Sequence[Subject]) -> AuditFeature:
    """The logarithm of the price; no feature where prices are in several currencies."""
    texts = [one.result.price if one.result else None for one in subjects]
    prices = [price_of(text) if text else None for text in texts]
    signs = {
        _PRICE.sub("", text).strip() for text, price in zip(texts, prices, strict=True) if text and price
    }
    reason = None
    if not any(prices):
        reason = _cannot("no item has a price above 0")
    elif len(signs) > 1:
        reason = _cannot(f"prices are in several forms: {', '.join(sorted(map(repr, signs))[:MOST_NAMED])}")
    return AuditFeature("price", PER_SD, [math.log(price) if price else None for price in prices], reason)


def price_of(text: str) -> float | None:
    """The one number of a price; None where there is none or several, or it could be read in two ways."""
    found = [part.strip(" .,'\u00a0") for part in _PRICE.findall(text)]
    if len(found) != 1:
        return None
    bare = re.sub(r"[\u00a0 ']", "", found[0])
    # Both marks: the last one is the decimal mark.
    if "." in bare and "," in bare:
        thousands = "," if bare.rindex(".") > bare.rindex(",") else "."
        bare = bare.replace(thousands, "")
    return number_of(bare)


def _each_frequent(
    name: str, named: Sequence[str | None], *, skip_first: bool = True
) -> Iterator[AuditFeature]:
    """A feature for each of the most frequent names: this one against the others.

    `skip_first`: leave out the most frequent name, with which the others are compared.
    """
    counts = Counter(one for one in named if one)
    known = sum(counts.values())
    ranked = sorted(counts, key=lambda one: (-counts[one], one))[skip_first:]
    chosen = [one for one in ranked if min(counts[one], known - counts[one]) >= LEAST_SIDE]
    if not counts or not chosen:
        why = f"no {name} has {LEAST_SIDE} items beside {LEAST_SIDE} others"
        yield AuditFeature(
            name, AGAINST, [None] * len(named), _cannot(why if counts else f"no item names its {name}")
        )
    for one in chosen[:MOST_NAMED]:
        values = [None if other is None else float(other == one) for other in named]
        yield AuditFeature(f"{name}: {one}", AGAINST, values)


@lru_cache(maxsize=65_536)
def _script(text: str) -> str | None:
    """The script of most letters, by the first word of their Unicode names; None without a letter."""
    counts = Counter(_script_of(letter) for letter in text if letter.isalpha())
    return max(counts, key=lambda one: (counts[one], one)) if counts else None


@lru_cache(maxsize=65_536)
def _script_of(letter: str) -> str:
    name = unicodedata.name(letter, "UNKNOWN").split(" ")[0].removesuffix("-1").capitalize()
    return "Latin" if name in ("Fullwidth", "Feminine", "Masculine", "Micro") else name
