"""The pairs of a run for the page's list: disagreements first, the worst on top."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import accumulate
from typing import Any

from harness.nouns.pair import Example, Rating
from harness.report.page.environment import in_page
from harness.score.items import GradedItem, voted
from harness.score.reading import NEVER, Unread
from harness.scorecards.comparison import Comparison, Flip
from harness.scorecards.gate2 import Disagreement
from harness.storage.plural import plural
from harness.verdicts.assessment import Assessment

Item = dict[str, Any]


def items_of(
    found: Assessment, examples: Sequence[Example], comparison: Comparison | None = None
) -> list[Item]:
    """Every pair as plain data without absent keys: misses by severity, then unreadable, then right ones."""
    run, reading = found.run, found.reading
    misses = {miss.item: miss for miss in found.gate2.misses}
    place = {name: at for at, name in enumerate(misses)}
    ratings: dict[str, list[Rating]] = defaultdict(list)
    for rating in run.ratings:
        ratings[rating.item].append(rating)
    flips = {flip.item: flip for flip in comparison.flips} if comparison else {}
    made = [
        _sparse(
            _item(example, one, misses.get(one.item), ratings[one.item])
            | _unread(one, reading.unread)
            | _flipped(flips.get(one.item))
        )
        for example, one in zip(examples, reading.items, strict=True)
    ]
    rank = ("wrong", "unread", "right").index
    return sorted(made, key=lambda item: (rank(item["outcome"]), place.get(item["id"], 0)))


def _item(about: Example, one: GradedItem, miss: Disagreement | None, ratings: Sequence[Rating]) -> Item:
    answer = voted(one).answers[0]
    return {
        "id": one.item,
        "query": about.query,
        "result": _sparse(about.result.model_dump()),
        "context": about.context,
        "tags": about.tags,
        "golden": one.golden,
        "goldenWhy": about.reasoning,
        "goldenClauses": about.clauses,
        "outcome": "unread" if answer.grade is None else "wrong" if miss else "right",
        "grade": answer.grade,
        "draws": [draw.grade for draw in one.answers] if len(one.answers) > 1 else None,
        "why": answer.reasoning,
        "clauses": answer.clauses,
        "chances": {str(grade): round(p, 4) for grade, p in (answer.probabilities or {}).items()},
        "sure": _sure(answer.grade, answer.probabilities),
        "diagnosis": miss.diagnosis if miss else None,
        "ratings": [_sparse({"rater": r.rater, "grade": r.grade, "why": r.reasoning}) for r in ratings],
    }


def _sure(grade: int | None, chances: Mapping[int, float] | None) -> float | None:
    return None if grade is None or not chances else round(chances.get(grade, 0.0), 4)


def _unread(one: GradedItem, unread: Mapping[str, Unread]) -> Item:
    """Why there is no grade, and the reply; empty if a grade was read."""
    if any(answer.grade is not None for answer in one.answers):
        return {}
    return asdict(unread.get(one.item, NEVER))


def _flipped(flip: Flip | None) -> Item:
    """The base's answer, if its grade differs."""
    if flip is None:
        return {}
    return {
        "flip": flip.kind,
        "base": flip.base,
        "baseWhy": flip.base_reasoning,
        "baseAction": flip.base_action,
        "baseGolden": flip.golden if flip.golden_candidate is not None else None,
    }


def _sparse(item: Item) -> Item:
    return {
        name: value for name, value in item.items() if value is not None and value not in ("", (), [], {})
    }


# --- limits on the page's size, so that a browser opens it at once ---------------------------

LIMIT = 28_000_000
"""The most bytes of pairs, so that the whole page stays under 30 MB."""
CUT = 280
TEXTS = ("goldenWhy", "why", "baseWhy", "raw", "detail")


def fit(items: Sequence[Item], limit: int = LIMIT) -> tuple[list[Item], list[str]]:
    """The pairs within the limit, and a note of what was omitted, the least important first."""
    kept, said = list(items), list[str]()
    sizes = [_size(item) for item in kept]
    for words, reduce in _REDUCTIONS:
        if sum(sizes) <= limit:
            return kept, said
        kept = [reduce(item) for item in kept]
        sizes = [_size(item) for item in kept]
        said.append(words)
    room = bisect_right(list(accumulate(sizes)), limit)
    if room < len(kept):
        said.append(f"only the first {room:,} of {plural(len(kept), 'pair')} are listed, the worst first")
    return kept[:room], said


def _size(item: Item) -> int:
    """The bytes of a pair in the page, with its comma."""
    return len(in_page(item).encode("utf-8", "replace")) + 1


def _bare_when_right(item: Item) -> Item:
    """A right pair, reduced to its title."""
    if item["outcome"] != "right" or "flip" in item:
        return item
    kept = {
        name: value for name, value in item.items() if name not in ("result", *TEXTS, "ratings", "chances")
    }
    return {**kept, "result": {"title": item["result"]["title"][:CUT]}, "bare": True}


def _cut(item: Item) -> Item:
    """A pair with long texts cut."""
    result = {name: _short(value) for name, value in item["result"].items() if name != "attributes"}
    ratings = [{**rating, "why": _short(rating.get("why", ""))} for rating in item.get("ratings", ())]
    short = {name: _short(item[name]) for name in TEXTS if name in item}
    return _sparse({**item, **short, "result": result, "ratings": ratings})


def _short(text: str) -> str:
    return text if len(text) <= CUT else text[:CUT].rstrip() + " \N{HORIZONTAL ELLIPSIS}"


_REDUCTIONS = (
    ("right grades are listed without reasons and details", _bare_when_right),
    (f"texts are cut after {CUT} letters, and attributes left out", _cut),
)
