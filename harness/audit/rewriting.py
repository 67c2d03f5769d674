"""Ways to rewrite a result, the mildest first. All are deterministic and call no model."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.audit.equivalents import in_other_words
from harness.audit.features import language_of
from harness.golden.canaries import canary_and_side
from harness.nouns.pair import Example, Result
from harness.runs.pairs import ShownPair
from harness.scorecards.audit import PARAPHRASE
from harness.stats.intervals import FEW

PLAIN = "plain"
"""The kind of a pair that is not rewritten."""
_CANARY = "canary-"
PRAISE = "best seller! top quality"
_AFTER = r"[,;:!?|()\[\]{}\"]"
_MARKS = re.compile(rf"(?<!{_AFTER}){_AFTER}+(?=\s|$)|(?:(?<=\s)|^)[-\u2013\u2014(\[{{\"|&/]+(?=\s|\w)")
"""Marks at the edge of a word; those inside, as in 5.5 or USB-C, are part of it.

A run of marks is tried from its first mark alone; tried from each, it would cost the square of its length.
"""
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+")  # noqa: RUF001 the full stops of other scripts
Rewriter = Callable[[Example], Result | None]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """One way to rewrite a result.

    `what`: in words. `may_move`: whether the right grade of the rewritten result may differ. `of`: the
    rewritten result, or None where there is nothing to rewrite. `least`: the fewest queries with which the
    shift is tested.
    """

    what: str
    of: Rewriter
    may_move: bool = False
    least: int = 0


Ways = Mapping[str, Rewriting]


def ways_with(paraphrases: Mapping[str, Result], source: str = "") -> Ways:
    """Every way, the mildest first, with the paraphrases by the ids of their examples.

    `source`: the name of their file.
    """
    given = Rewriting(f"as {source} words it", lambda one: paraphrases.get(one.id), least=FEW)
    order = list(REWRITINGS.items())
    order.insert(list(REWRITINGS).index("praise"), (PARAPHRASE, given))
    return dict(order)


def rewritten(examples: Callable[[], Iterable[Example]], ways: Ways | None = None) -> Iterator[ShownPair]:
    """Every pair unchanged, then rewritten in each way that changes it. Default: the ways of REWRITINGS."""
    for example in examples():
        yield _pair(example, PLAIN, example.result)
    for kind, way in (REWRITINGS if ways is None else ways).items():
        for example in examples():
            result = way.of(example)
            if result is not None and shown_text(result) != shown_text(example.result):
                yield _pair(example, kind, result)


def canary_pairs(canaries: Iterable[Example]) -> Iterator[ShownPair]:
    """The products of the canaries, from `canary_examples`."""
    for one in canaries:
        canary, side = canary_and_side(one.id)
        yield ShownPair(id=pair_id(canary, _CANARY + side), query=one.query, result=one.result)


def pair_id(item: str, kind: str) -> str:
    """The id of an item rewritten in one way."""
    return f"{item}/{kind}"


def canary_pair_id(product: str) -> str:
    """The id of a canary's product among the rewritten pairs, from its id as an example."""
    canary, side = canary_and_side(product)
    return pair_id(canary, _CANARY + side)


def shown_text(result: Result) -> str:
    """A result as a prompt shows it, with its attributes in their order."""
    return result.model_dump_json(exclude_defaults=True)


def _pair(example: Example, kind: str, result: Result) -> ShownPair:
    id_ = pair_id(example.id, kind)
    return ShownPair(id=id_, query=example.query, result=result, context=example.context)


def _titled(change: Callable[[Example], str]) -> Rewriter:
    """A rewriting of the title alone; None if the new title would be empty."""

    def of(example: Example) -> Result | None:
        title = change(example)
        return example.result.model_copy(update={"title": title}) if title.strip() else None

    return of


def _without_marks(text: str) -> str:
    return " ".join(_MARKS.sub(" ", text).split())


def _unpunctuated(example: Example) -> Result | None:
    result = example.result
    title = _without_marks(result.title)
    description = _without_marks(result.description) if result.description else result.description
    return result.model_copy(update={"title": title, "description": description}) if title else None


def _attributes_reversed(example: Example) -> Result | None:
    attributes = dict(reversed(example.result.attributes.items()))
    return example.result.model_copy(update={"attributes": attributes})


def _sentences_reversed(example: Example) -> Result | None:
    sentences = _SENTENCE.split((example.result.description or "").strip())
    if len(sentences) < 2:
        return None
    return example.result.model_copy(update={"description": " ".join(reversed(sentences))})


def _equivalents(example: Example) -> Result | None:
    """The texts in other words of the same meaning; None for an example in another language than English."""
    language = language_of(example.context, example.tags)
    if language is not None and not language.casefold().startswith("en"):
        return None
    result, brand = example.result, example.result.brand
    said, known = result.description, result.attributes.items()
    changed = {
        "title": in_other_words(result.title, brand),
        "description": in_other_words(said, brand) if said else said,
        "attributes": {name: in_other_words(text, brand) for name, text in known},
    }
    return result.model_copy(update=changed)


def _without(field: str) -> Rewriter:
    empty: dict[str, str] | None = {} if field == "attributes" else None

    def of(example: Example) -> Result | None:
        return example.result.model_copy(update={field: empty}) if getattr(example.result, field) else None

    return of


FIELDS = ("price", "brand", "category", "attributes", "description")
REWRITINGS: Ways = {
    "spaces": Rewriting(
        "two spaces between the words of the title", _titled(lambda one: "  ".join(one.result.title.split()))
    ),
    "punctuation": Rewriting("no marks at the edges of words in title and description", _unpunctuated),
    "lower-case": Rewriting("the title in small letters", _titled(lambda one: one.result.title.lower())),
    "upper-case": Rewriting("the title in capitals", _titled(lambda one: one.result.title.upper())),
    "attribute-order": Rewriting("the attributes in reverse order", _attributes_reversed),
    "sentence-order": Rewriting("the sentences of the description in reverse order", _sentences_reversed),
    "equivalents": Rewriting(
        "other notations and spellings of the same meaning in title, description and attributes", _equivalents
    ),
    "praise": Rewriting(f'"{PRAISE}" after the title', _titled(lambda one: f"{one.result.title} - {PRAISE}")),
    "stuffing": Rewriting(
        "the query's words after the title",
        _titled(lambda one: f"{one.result.title} {one.query}"),
        may_move=True,
    ),
    **{f"no-{field}": Rewriting(f"no {field}", _without(field), may_move=True) for field in FIELDS},
}
"""Every way that needs no file, by its name, the mildest first."""
