"""The ratings of a golden set."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.rating.raters import RATERS, how_to_plan, rater_kinds
from harness.golden.scales import off_scale
from harness.golden.table_faults import rating_name, without_doubles
from harness.nouns.pair import ALMOST, Example, NamedPair, Rating, Unrated, namesakes
from harness.nouns.policy import Policy
from harness.policy.load import policy_digest
from harness.storage.files import build, each_json_line, to_line, too_long, write_lines
from harness.storage.locks import alone
from harness.storage.plural import plural

RATINGS = "ratings.jsonl"
Said = Rating | Unrated
"""A line of ratings.jsonl: a grade, or why there is none."""


@dataclass(frozen=True, slots=True)
class Rated:
    """Ratings with the raters' kinds and the rated examples.

    `kinds`: whether each rater is "human" or "llm"; None if unknown. `about` holds the golden examples by id,
    if the items are golden examples. `compared`: the rater who was left out, since that rater's grades are
    compared with the golden ones. `warnings`: what is odd about the file. `unrated`: what raters could not
    grade. `unfinished`: why no verdict may be read from them yet, since a round of rating is open; `early`:
    that a round was closed too early. `versions`: every policy version that their file has grades under.
    `strangers`: rated items that the golden set lacks; their ratings are left out.
    """

    ratings: Sequence[Rating]
    kinds: Mapping[str, str] | None = None
    about: Mapping[str, Example] = field(default_factory=dict)
    compared: str | None = None
    warnings: tuple[str, ...] = ()
    unrated: Sequence[Unrated] = ()
    unfinished: str | None = None
    early: str | None = None
    versions: tuple[str, ...] = ()
    strangers: frozenset[str] = frozenset()

    @property
    def raters(self) -> frozenset[str]:
        """The raters."""
        return frozenset(rating.rater for rating in self.ratings)

    def without(self, raters: Collection[str | None]) -> "Rated":
        """The same without what these raters said."""
        return replace(
            self,
            ratings=[rating for rating in self.ratings if rating.rater not in raters],
            unrated=[one for one in self.unrated if one.rater not in raters],
        )


def without_rater(rated: Rated | None, grader: str | None) -> tuple[Rated | None, tuple[str, ...]]:
    """The ratings without the grader's own, and warnings.

    A grader's own ratings do not show that the policy is clear to people.
    """
    if rated is None:
        return None, ()
    others = rated.without({grader})
    warnings = [*rated.warnings]
    if len(others.ratings) < len(rated.ratings):
        others = replace(others, compared=grader)
        warnings.append(
            f"{grader} is one of the raters: where the golden grades were made with these ratings too, "
            "agreement looks better than it is"
        )
    named = sorted(others.raters | {grader}) if grader else []
    warnings += [f"{', '.join(one)} {ALMOST}: is it one person?" for one in namesakes(named) if grader in one]
    if len(others.raters) < 2:
        return None, (*warnings, "fewer than two raters are left: no Gate 1, and no human ceiling")
    return others, tuple(warnings)


def raters_by_version(path: Path) -> dict[str, int]:
    """How many rated under each policy version; empty without a file."""
    names: dict[str, set[str]] = defaultdict(set)
    for rating in load_said(path):
        if isinstance(rating, Rating):
            names[rating.policy_version].add(rating.rater)
    return {version: len(raters) for version, raters in names.items()}


def read_said(path: Path) -> tuple[list[tuple[int, Said]], list[Fault]]:
    """Each line of a ratings file with its number, and every fault; none without a file."""
    said: list[tuple[int, Said]] = []
    faults: list[Fault] = []
    for number, data in each_json_line(path) if path.exists() else ():
        where = f"{path}, line {number}"
        if isinstance(data, Fault):
            faults.append(data)
            continue
        if "grade" in data and "cannot" in data:
            faults.append(Fault(where, "has a grade and `cannot`: keep the one that holds"))
            continue
        one, found = build(Unrated, data, where) if "cannot" in data else build(Rating, data, where)
        faults += found
        if one is not None:
            said.append((number, one))
    return said, faults


def load_said(path: Path) -> list[Said]:
    """Every line of a ratings file; none without a file. BadInput names every invalid line."""
    numbered, faults = read_said(path)
    refuse_faults(faults)
    return [one for _, one in numbered]


Key = tuple[str, str, str, int]
"""The item, rater, policy version and repeat of a rating."""


@dataclass(slots=True)
class Taken:
    """The effect of new ratings. `added` counts by policy version; `conflicts` are not taken."""

    added: Counter[str] = field(default_factory=Counter)
    replaced: int = 0
    same: int = 0
    conflicts: list[Fault] = field(default_factory=list)


def add_ratings(path: Path, new: Sequence[Said]) -> Taken:
    """Add ratings to a file, replacing others of the same item, rater, policy version and repeat.

    Locked, so that two sheets collected at once are both kept. BadInput where the file has a rating twice,
    and for ratings of what was sealed in a round.
    """
    return merge_ratings(path, lambda _: new)


def merge_ratings(path: Path, made: Callable[[Sequence[Said]], Sequence[Said]]) -> Taken:
    """The same with ratings that are made from the present ones, while the file is locked."""
    with alone(path.parent / ".ratings.lock"):
        merged = ratings_by_key(path)
        count = take(merged, ((f"{path}, {one.item}", one) for one in made([*merged.values()])), replace=True)
        refuse_faults(count.conflicts)
        write_lines(path, [merged[key] for key in sorted(merged)])
    return count


def ratings_by_key(path: Path) -> dict[Key, Said]:
    """The lines of a file, none without one. BadInput for duplicates, of which one would be lost."""
    numbered, faults = read_said(path)
    refuse_faults(faults)
    keyed = ((line, _key(rating), rating) for line, rating in numbered)
    return without_doubles(keyed, rating_name, f"{path}, line")


def take(ratings: dict[Key, Said], new: Iterable[tuple[str, Said]], *, replace: bool) -> Taken:
    """Add new ratings, given with their places. Without `replace`, contradicting ones are conflicts.

    No rating that came another way replaces what was sealed in a round.
    """
    count = Taken()
    for where, one in new:
        count.conflicts += too_long(to_line(one, sparse=True), where)
        # A rating without a version counts under every version.
        old = ratings.get(_key(one)) or ratings.get((one.item, one.rater, "", one.repeat))
        if old is not None and _says_no_more(one, old):
            count.same += 1
        elif old is not None and old.drawn and not one.drawn:
            count.conflicts.append(Fault(where, _sealed(one, old), f"sealed {one.rater}"))
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


def _key(rating: Said) -> Key:
    return rating.item, rating.rater, rating.policy_version, rating.repeat


def _says_no_more(new: Said, old: Said) -> bool:
    """Whether a rating is stored already: same grade or cause, no other reasoning, same policy text."""
    reads_alike = "" in (new.policy_digest, old.policy_digest) or new.policy_digest == old.policy_digest
    return reads_alike and verdict_of(new) == verdict_of(old) and new.reasoning in ("", old.reasoning)


def verdict_of(said: Said) -> str:
    """The grade of a rating, or why there is none, in words."""
    return f"grade {said.grade}" if isinstance(said, Rating) else f"cannot: {said.cannot}"


def _conflict(new: Said, old: Said) -> str:
    of = f"{new.item!r} by {new.rater!r} under {new.policy_version}"
    here = new.grade if isinstance(new, Rating) else verdict_of(new)
    alike = verdict_of(old) == verdict_of(new)
    differs = "another reasoning" if alike else f"{verdict_of(old)}, here {here}"
    return f"{of} is there already with {differs}; --replace takes this one"


def _sealed(new: Said, old: Said) -> str:
    of = f"{new.item!r} by {new.rater!r} under {old.policy_version}"
    what = f"was sealed in a round, with {verdict_of(old)}; what was rated blind is not replaced"
    return f"{of} {what}: give a later reading its number in `repeat`"


def load_rated(
    path: Path, policy: Policy, about: Mapping[str, Example], waits: Callable[[], str | None] = lambda: None
) -> Rated:
    """The ratings of a file under this policy version, with the raters' kinds. BadInput without any.

    `waits`: says which ratings an open round under the version lacks, if any.
    """
    found = rated_under(path, policy, about.values())
    if not found.ratings:
        why = waits()
        instead = f"{why}, and no set is sealed" if why else _rated_instead(path, policy)
        raise BadInput([Fault(str(path), f"no ratings under {policy.label}; {instead}")])
    return replace(found, about=about)


def _rated_instead(path: Path, policy: Policy) -> str:
    """Which versions were rated; if none was, how to begin."""
    counts = Counter(one.policy_version for one in load_said(path))
    rated = {f"{policy.name}@{version}": count for version, count in sorted(counts.items()) if version}
    if rated:
        known = ", ".join(f"{label} ({count:,})" for label, count in rated.items())
        return f"rated are {known}: name the version, as in --policy {[*rated][-1]}"
    return f"`{how_to_plan(policy.label)}` plans a round"


def rated_under(path: Path, policy: Policy, examples: Iterable[NamedPair]) -> Rated:
    """The ratings under this policy version, and the raters' kinds. Each rating has its example's query.

    A rating without a version counts under every version; a grade that a rater gives after "could not rate"
    does not count as a first reading, and is left out. BadInput names every invalid line. A warning counts
    ratings under another text of the policy.
    """
    numbered, faults = read_said(path)
    here = [(line, one) for line, one in numbered if one.policy_version in ("", policy.version)]
    for line, one in here:
        if isinstance(one, Rating) and one.grade not in policy.scale:
            faults.append(Fault(f"{path}, line {line}", off_scale(one.grade, policy)))
    refuse_faults(faults)
    keyed = ((line, (one.item, one.rater, one.repeat), one) for line, one in here)
    without_doubles(keyed, rating_name, f"{path}, line")
    rated = {one.item for _, one in here}
    queries = {example.id: example.query for example in examples if example.id in rated}
    here = [(line, one) for line, one in here if one.item in queries]
    unrated = [one for _, one in here if isinstance(one, Unrated)]
    unsure: dict[tuple[str, str], int] = {}
    for one in unrated:
        unsure[one.item, one.rater] = min(one.repeat, unsure.get((one.item, one.rater), one.repeat))
    return Rated(
        ratings=[
            one.model_copy(update={"query": queries[one.item]})
            for _, one in here
            if isinstance(one, Rating) and one.repeat < unsure.get((one.item, one.rater), one.repeat + 1)
        ],
        kinds=rater_kinds(path.with_name(RATERS)),
        warnings=tuple(of_other_text([one for _, one in here], policy)),
        unrated=unrated,
        strangers=frozenset(rated - set(queries)),
        versions=tuple(sorted({one.policy_version for _, one in numbered if isinstance(one, Rating)})),
    )


def of_other_text(said: Iterable[Said], policy: Policy) -> Iterable[str]:
    """A warning that counts the ratings under another text of the version, if there are any."""
    now = policy_digest(policy)
    count = sum(one.policy_digest not in ("", now) for one in said)
    if count:
        were = plural(count, "rating was", "ratings were")
        yield f"{were} given before the text of {policy.label} changed; do not change a version that is rated"
