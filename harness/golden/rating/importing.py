"""Import ratings from a file of any format into a policy's golden folder."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.by_chance import Told, other_items
from harness.golden.examples import golden_path
from harness.golden.graded_files import examples_of
from harness.golden.rating.exchange.joining import Given
from harness.golden.rating.exchange.pseudonyms import Pseudonyms
from harness.golden.rating.exchange.reading import Incoming, read_ratings_file
from harness.golden.rating.exchange.responses import Source
from harness.golden.rating.open_rounds import blind_faults
from harness.golden.rating.raters import RATERS, Kind, kind_faults, rater_kinds, with_kinds
from harness.golden.rating.ratings import RATINGS, Key, Said, ratings_by_key, take
from harness.golden.rating.sheet import check_rater
from harness.golden.unmatched import unmatched
from harness.nouns.pair import ALMOST, Example, Unrated, namesakes
from harness.nouns.policy import Policy
from harness.policy.load import policy_versions
from harness.storage.files import write_atomic, write_lines
from harness.storage.locks import alone
from harness.storage.project import Project, version_number
from harness.storage.tables import Layout
from harness.storage.visible import shown_name


@dataclass(frozen=True, slots=True)
class RatingsFile:
    """A file of ratings, and how to take it.

    `rater`: whose ratings; where the file has no raters, the one who gave them all. `kind`: the kind of
    raters that raters.toml does not list. `replace`: whether other ratings of the same items give way.
    `format`: None tells it from the file. `keep_names`: no pseudonyms. `submissions`: the crowd's own list,
    which says whose work was accepted.
    """

    path: Path
    layout: Layout = field(default_factory=Layout)
    rater: str | None = None
    kind: Kind | None = None
    replace: bool = False
    format: str | None = None
    keep_names: bool = False
    submissions: Path | None = None


class RatingsImported(NamedTuple):
    """The result of an import. `unmatched`: the items that the golden set lacks, in words; empty without any.

    `added`, `raters`: by policy version. `kinds` are new in raters.toml; it has no kind of the raters in
    `unsaid`. `cannot` counts what could not be rated, `left_out` what does not count as a rating. `renamed`:
    how many raters got a pseudonym; with `made_up`, another one in each dry run.
    """

    path: Path
    policy: str
    format: str
    added: Mapping[str, int]
    cannot: int
    replaced: int
    same: int
    raters: Mapping[str, tuple[str, ...]]
    renamed: int
    made_up: bool
    kinds: Mapping[str, str]
    unsaid: tuple[str, ...]
    unmatched: str
    left_out: Mapping[str, int]
    warnings: tuple[str, ...]


def import_ratings(
    project: Project, policy: Policy, file: RatingsFile, *, dry_run: bool = False
) -> RatingsImported:
    """Add a file's ratings to golden/<policy>/ratings.jsonl, and their raters to raters.toml.

    A rating without a version of its own counts as given under this policy version. BadInput, with nothing
    written, for any fault in any row, such as a version that the policy does not have, and for ratings that
    contradict those there unless `replace`.
    """
    if file.rater is not None:
        file = replace(file, rater=check_rater(file.rater))
    path = golden_path(project, policy.name).with_name(RATINGS)
    examples = examples_of(project, policy)
    source = Source(file.path, file.layout, file.rater, file.submissions)
    incoming = read_ratings_file(source, file.format, examples, policy)
    refuse_faults(
        _version_faults(incoming.given, policy.name, policy_versions(project.policies / policy.name))
    )
    if not incoming.given:
        raise BadInput([Fault(str(file.path), _unmet(incoming, examples, path.parent) or _nothing(incoming))])
    merging = _Merging(project, path, policy, file, examples)
    if dry_run:
        return merging.merged(incoming)[0]
    with alone(path.parent / ".ratings.lock"):
        found, ratings, names = merging.merged(incoming)
        names.keep()
        if found.kinds:
            write_atomic(path.with_name(RATERS), with_kinds(path.with_name(RATERS), found.kinds))
        if any(found.added.values()) or found.replaced:
            write_lines(path, [ratings[key] for key in sorted(ratings)])
    return found


def _nothing(incoming: Incoming) -> str:
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in incoming.left_out.items())
    return f"holds no grade ({left_out})" if left_out else "holds no grade"


class _Merging(NamedTuple):
    """The golden set that a file of ratings is imported into."""

    project: Project
    path: Path
    policy: Policy
    file: RatingsFile
    examples: Mapping[str, Example]

    def merged(self, incoming: Incoming) -> tuple[RatingsImported, dict[Key, Said], Pseudonyms]:
        """The ratings of the file after the import, and what the import changes in it."""
        ratings = ratings_by_key(self.path)
        kinds = rater_kinds(self.path.with_name(RATERS))
        names = Pseudonyms(self.project, {*kinds, *(one.rater for one in ratings.values())})
        given = incoming.given if self.file.keep_names else _renamed(incoming, names)
        raters = tuple(dict.fromkeys(one.said.rater for one in given))
        said = [(one.where, one.said) for one in given]
        count = take(ratings, said, replace=self.file.replace)
        blind = blind_faults(self.project, self.policy.name, said)
        refuse_faults([*_rater_faults(raters, kinds, self.file.kind), *count.conflicts, *blind])
        by_version = _raters_by_version(given)
        missing = tuple(rater for rater in raters if rater not in kinds)
        found = RatingsImported(
            path=self.path,
            policy=self.policy.name,
            format=incoming.format,
            added={version: count.added[version] for version in by_version},
            cannot=sum(isinstance(one.said, Unrated) for one in given),
            replaced=count.replaced,
            same=count.same,
            raters=by_version,
            renamed=len(names.renamed),
            made_up=names.made_up,
            kinds=dict.fromkeys(missing, self.file.kind) if self.file.kind else {},
            unsaid=() if self.file.kind else missing,
            unmatched=_unmet(incoming, self.examples, self.path.parent),
            left_out=Counter({reason: n for reason, n in incoming.left_out.items() if n}),
            warnings=(*incoming.notes, *self._other_items(given), *_alike(raters, kinds, ratings.values())),
        )
        return found, ratings, names

    def _other_items(self, given: Sequence[Given]) -> tuple[str, ...]:
        """A warning about items that have another query in the file than in the golden set."""
        by_id = {one.id: one for one in self.examples.values()}
        both = (
            (item, one.about, Told(by_id[item].query, by_id[item].result.title))
            for item, one in {one.said.item: one for one in given}.items()
        )
        return other_items(both, shown_name(self.file.path), "the golden set")


def _alike(raters: Collection[str], kinds: Iterable[str], ratings: Iterable[Said]) -> Iterator[str]:
    """Warnings of one person under two names, in the file or beside those there: two raters who agree."""
    known = {*raters, *kinds, *(one.rater for one in ratings)}
    for names in namesakes(sorted(known)):
        if set(raters) & set(names):
            yield f"{', '.join(names)} {ALMOST}: is it one person?"


def _renamed(incoming: Incoming, names: Pseudonyms) -> list[Given]:
    """The ratings under the names that are stored: pseudonyms for e-mail addresses and ids of a crowd."""
    stored = {
        rater: names.of(rater, every=incoming.people) for rater in {one.said.rater for one in incoming.given}
    }
    return [
        one
        if stored[one.said.rater] == one.said.rater
        else one._replace(said=one.said.model_copy(update={"rater": stored[one.said.rater]}))
        for one in incoming.given
    ]


def _raters_by_version(given: Sequence[Given]) -> dict[str, tuple[str, ...]]:
    raters: dict[str, dict[str, None]] = {}
    for one in given:
        raters.setdefault(one.said.policy_version, {})[one.said.rater] = None
    return {version: tuple(raters[version]) for version in sorted(raters, key=version_number)}


def _rater_faults(raters: Iterable[str], kinds: Mapping[str, str], kind: Kind | None) -> Iterator[Fault]:
    for rater in raters:
        try:
            check_rater(rater)
        except BadInput as error:
            yield from error.faults
        yield from kind_faults((rater,), kinds, kind)


def _version_faults(given: Iterable[Given], name: str, versions: Collection[str]) -> list[Fault]:
    there = f"{name} has no such version; there are: {', '.join(versions)}"
    return [
        Fault(one.where, f"policy_version {one.said.policy_version!r}: {there}")
        for one in given
        if one.said.policy_version not in versions
    ]


def _unmet(incoming: Incoming, examples: Mapping[str, Example], golden: Path) -> str:
    """The items that the golden set lacks, in words, with the likeliest reason."""
    if not incoming.lost:
        return ""
    rated = {one.said.item for one in incoming.given}
    there = (item for item, one in examples.items() if one.id not in rated)
    likely = unmatched(incoming.lost, there, f"golden/{golden.name}")
    count = f"{len(incoming.lost):,} of {incoming.rated:,}"
    return f"rated items that are not in the golden set: {count} ({likely})"
