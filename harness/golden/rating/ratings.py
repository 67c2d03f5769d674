"""The ratings of a golden set."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.scales import off_scale
from harness.golden.table_faults import rating_name, without_doubles
from harness.nouns.base import Noun
from harness.nouns.pair import Example, Rating, one_form
from harness.nouns.policy import Policy
from harness.storage.files import build, load_nouns, read_nouns, read_toml, to_line, too_long, write_lines
from harness.storage.locks import alone

RATINGS, RATERS = "ratings.jsonl", "raters.toml"


@dataclass(frozen=True, slots=True)
class Rated:
    """Ratings with the raters' kinds and the rated examples.

    `kinds`: whether each rater is "human" or "llm"; None if unknown. `about` holds the golden examples by id,
    if the items are golden examples. `warnings`: what is odd about the file.
    """

    ratings: Sequence[Rating]
    kinds: Mapping[str, str] | None = None
    about: Mapping[str, Example] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def raters(self) -> frozenset[str]:
        """The raters."""
        return frozenset(rating.rater for rating in self.ratings)


def without_rater(rated: Rated | None, grader: str | None) -> tuple[Rated | None, tuple[str, ...]]:
    """The ratings without the grader's own, and warnings.

    A grader's own ratings are no evidence that the policy is clear to people.
    """
    if rated is None:
        return None, ()
    others = replace(rated, ratings=[rating for rating in rated.ratings if rating.rater != grader])
    warnings = [*rated.warnings]
    if len(others.ratings) < len(rated.ratings):
        warnings.append(
            f"{grader} is one of the raters: where the golden grades were made with these ratings too, "
            "agreement looks better than it is"
        )
    if len(others.raters) < 2:
        return None, (*warnings, "fewer than two raters are left: no Gate 1, and no human ceiling")
    return others, tuple(warnings)


def raters_by_version(path: Path) -> dict[str, int]:
    """How many rated under each policy version; empty without a file."""
    names: dict[str, set[str]] = defaultdict(set)
    for rating in load_nouns(path, Rating):
        names[rating.policy_version].add(rating.rater)
    return {version: len(raters) for version, raters in names.items()}


Key = tuple[str, str, str, int]
"""The item, rater, policy version and repeat of a rating."""


@dataclass(slots=True)
class Taken:
    """What new ratings do to those there. `added` counts by policy version; `conflicts` are not taken."""

    added: Counter[str] = field(default_factory=Counter)
    replaced: int = 0
    same: int = 0
    conflicts: list[Fault] = field(default_factory=list)


def add_ratings(path: Path, new: Sequence[Rating]) -> Taken:
    """Add ratings to a file, replacing others of the same item, rater, policy version and repeat.

    Locked, so that two sheets collected at once are both kept. BadInput where the file has a rating twice.
    """
    with alone(path.parent / ".ratings.lock"):
        merged = ratings_by_key(path)
        count = take(merged, ((str(path), one) for one in new), replace=True)
        write_lines(path, [merged[key] for key in sorted(merged)])
    return count


def ratings_by_key(path: Path) -> dict[Key, Rating]:
    """The ratings of a file, none without one. BadInput for duplicates, of which one would be lost."""
    numbered, faults = read_nouns(path, Rating) if path.exists() else ([], [])
    refuse_faults(faults)
    keyed = ((line, _key(rating), rating) for line, rating in numbered)
    return without_doubles(keyed, rating_name, f"{path}, line")


def take(ratings: dict[Key, Rating], new: Iterable[tuple[str, Rating]], *, replace: bool) -> Taken:
    """Add new ratings, given with their places. Without `replace`, contradicting ones are conflicts."""
    count = Taken()
    for where, one in new:
        count.conflicts += too_long(to_line(one, sparse=True), where)
        # A rating without a version counts under every version.
        old = ratings.get(_key(one)) or ratings.get((one.item, one.rater, "", one.repeat))
        if old is not None and _says_no_more(one, old):
            count.same += 1
        elif old is not None and not replace:
            count.conflicts.append(Fault(where, _conflict(one, old)))
        elif old is not None:
            count.replaced += 1
            del ratings[_key(old)]
            ratings[_key(one)] = one
        else:
            count.added[one.policy_version] += 1
            ratings[_key(one)] = one
    return count


def _key(rating: Rating) -> Key:
    return rating.item, rating.rater, rating.policy_version, rating.repeat


def _says_no_more(new: Rating, old: Rating) -> bool:
    """Whether a rating is there already: the same grade, and no other reasoning."""
    return new.grade == old.grade and new.reasoning in ("", old.reasoning)


def _conflict(new: Rating, old: Rating) -> str:
    of = f"{new.item!r} by {new.rater!r} under {new.policy_version}"
    differs = f"grade {old.grade}, here {new.grade}" if new.grade != old.grade else "another reasoning"
    return f"{of} is there already with {differs}; --replace takes this one"


class Rater(Noun):
    """An entry of raters.toml."""

    kind: Literal["human", "llm"]
    note: str = ""


def rater_kinds(path: Path) -> dict[str, str]:
    """Each rater's kind from raters.toml; empty without a file."""
    kinds: dict[str, str] = {}
    faults: list[Fault] = []
    for name, data in (read_toml(path) if path.exists() else {}).items():
        if not isinstance(data, dict):
            faults.append(Fault(f"{path}, {name}", 'expected a table: kind = "human" or "llm"'))
            continue
        rater, found = build(Rater, data, f"{path}, {name}")
        faults += found
        if rater is not None:
            kinds[one_form(name)] = rater.kind
    refuse_faults(faults)
    return kinds


def load_ratings(path: Path, policy: Policy, examples: Sequence[Example]) -> list[Rating]:
    """The ratings of a file under this policy version; BadInput without any."""
    found = ratings_under(path, policy, examples)
    if not found:
        next_ = f"`harness golden sheet --policy {policy.label} --rater NAME` writes a sheet for a rater"
        raise BadInput([Fault(str(path), f"no ratings under {policy.label}; {next_}")])
    return found


def ratings_under(path: Path, policy: Policy, examples: Iterable[Example]) -> list[Rating]:
    """The ratings given under this policy version, each with the query of its example; none without a file.

    A rating without a version counts under every version. BadInput names every invalid line.
    """
    numbered, faults = read_nouns(path, Rating) if path.exists() else ([], [])
    here = [(line, rating) for line, rating in numbered if rating.policy_version in ("", policy.version)]
    for line, rating in here:
        if rating.grade not in policy.scale:
            faults.append(Fault(f"{path}, line {line}", off_scale(rating.grade, policy)))
    refuse_faults(faults)
    keyed = ((line, (rating.item, rating.rater, rating.repeat), rating) for line, rating in here)
    without_doubles(keyed, rating_name, f"{path}, line")
    rated = {rating.item for _, rating in here}
    queries = {example.id: example.query for example in examples if example.id in rated}
    return [rating.model_copy(update={"query": queries.get(rating.item)}) for _, rating in here]
