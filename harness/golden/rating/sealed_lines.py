"""Check that a file of ratings still holds what was sealed in rounds.

This cannot stop a person who edits all files by hand. It compares the lines that say how their pair was drawn
with the rounds, and the sealed sets with their lines.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.golden.rating.ratings import Said, verdict_of
from harness.nouns.pair import one_form
from harness.storage.files import text_lines
from harness.storage.plural import plural
from harness.storage.strict_json import parse_json

if TYPE_CHECKING:
    from harness.golden.rating.rounds import OpenRound
    from harness.golden.rating.waiting import RaterSet, RoundNow

LINES = (".jsonl", ".ndjson")


class Line(NamedTuple):
    """The fields that a sealed line keeps; its number among the rater's readings may change."""

    item: str
    rater: str
    at: str
    verdict: str


Lines = Mapping[Line, Sequence[int]]
"""The lines of a file with their numbers; two readings of a pair that came in one request may be alike."""


def sealed_lines(path: Path, version: str) -> Lines:
    """The lines of a file that say how their pair was drawn: they came from a round."""
    found: dict[Line, list[int]] = defaultdict(list)
    if path.suffix.lower() not in LINES or not path.exists():
        return {}
    # Most files are long, and most lines are from no round.
    for _, text in text_lines(path):
        one = _parsed(text) if '"drawn"' in text else {}
        if one.get("drawn") and one.get("policy_version", "") in ("", version):
            item, rater, at = (one_form(str(one.get(key, ""))) for key in ("item", "rater", "at"))
            repeat = one.get("repeat", 0)
            verdict = f"cannot: {one['cannot']}" if "cannot" in one else f"grade {one.get('grade')}"
            found[Line(item, rater, at, verdict)].append(repeat if isinstance(repeat, int) else 0)
    return dict(found)


def _parsed(text: str) -> Mapping[str, object]:
    try:
        value = parse_json(text)
    except (ValueError, RecursionError):
        return {}  # the reader of the ratings reports it
    return value if isinstance(value, dict) else {}


def is_about(lines: Lines, now: "RoundNow") -> bool:
    """Whether any line is of a round."""
    pairs = _pairs_of(now.open_round)
    return any((one.rater, one.item) in pairs for one in lines)


def stray(lines: Lines, rounds: Iterable["RoundNow"], folder: Path) -> str | None:
    """A sentence about lines of rounds that are not there; None without any."""
    known = {pair for now in rounds for pair in _pairs_of(now.open_round)}
    count = Counter[str]()
    for one, numbers in lines.items():
        if (one.rater, one.item) not in known:
            count[one.rater] += len(numbers)
    if not count:
        return None
    by = ", ".join(sorted(count))
    are = "rating comes" if count.total() == 1 else "ratings come"
    return (
        f"{count.total():,} {are} from a round that is not in {folder.parent.name}/{folder.name} (by {by}): "
        "whether it was finished is not known"
    )


def _pairs_of(opened: "OpenRound") -> set[tuple[str, str]]:
    """The raters with the items that each of them rates."""
    return {
        (rater, item)
        for rater, assigned in opened.assignments.items()
        for one in assigned
        for item in (opened.pairs[one.code].item, *opened.pairs[one.code].also)
    }


def missing(lines: Lines, now: "RoundNow", file: str) -> Iterator[str]:
    """A sentence for each sealed set whose lines are not all in the file as they were sealed."""
    for one in now.sets:
        if one.progress.sealed_at is None:
            continue
        there, sealed = _there(lines, now.open_round, one)
        if there < sealed:
            name = now.open_round.round.name
            yield (
                f"{one.rater} sealed {plural(sealed, 'rating')} in round {name}, and {file} has {there:,} of "
                f"them as they were sealed: `harness rate seal {one.rater}` puts them back"
            )


def _there(lines: Lines, opened: "OpenRound", one: "RaterSet") -> tuple[int, int]:
    """How many of a set's lines there are, and how many there should be. Without the answers, only counts."""
    if one.said:
        sealed = Counter(map(_line_of, one.said))
        return sum(min(n, len(lines.get(line, ()))) for line, n in sealed.items()), len(one.said)
    items = {opened.pairs[assigned.code].item for assigned in opened.assigned(one.rater)}
    numbers = (found for line, found in lines.items() if line.rater == one.rater and line.item in items)
    there = sum(map(len, numbers))
    return min(there, one.given), one.given


def _line_of(said: Said) -> Line:
    return Line(said.item, said.rater, said.at, verdict_of(said))


def not_first(lines: Lines, now: "RoundNow") -> str | None:
    """A sentence about lines that Gate 1 leaves out, since their raters had rated the pairs elsewhere."""
    blind = {(one.item, one.rater) for one, numbers in lines.items() if 0 in numbers}
    later = [
        said
        for each in now.sets
        for said in each.said
        if not said.repeat and min(lines.get(_line_of(said), (0,))) and (said.item, said.rater) not in blind
    ]
    if not later:
        return None
    count = plural(len(later), "rating counts as a repeat", "ratings count as repeats")
    had = f"{count}, since their raters had rated the pairs elsewhere before"
    return f"round {now.open_round.round.name}: {had}; agreement is read from those"
