"""Import ratings from a table of any layout into a policy's golden folder."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.by_chance import Told, other_items
from harness.golden.examples import golden_path
from harness.golden.grade_tables import RatingRow, rating_rows
from harness.golden.graded_files import examples_of
from harness.golden.rating.ratings import (
    RATERS,
    RATINGS,
    Key,
    Kind,
    Said,
    rater_kinds,
    ratings_by_key,
    take,
    with_kinds,
)
from harness.golden.rating.sheet import check_rater
from harness.golden.unmatched import unmatched
from harness.nouns.pair import Example, Rating
from harness.nouns.policy import Policy
from harness.policy.load import policy_versions
from harness.storage.files import write_atomic, write_lines
from harness.storage.locks import alone
from harness.storage.project import Project, version_number
from harness.storage.tables import Layout


@dataclass(frozen=True, slots=True)
class RatingsTable:
    """A file of ratings, and how to take it.

    `rater`: whose ratings; where the table has no raters, the one who gave them all. `kind`: what the raters
    are that raters.toml does not have. `replace`: whether other ratings of the same items give way.
    """

    path: Path
    layout: Layout = field(default_factory=Layout)
    rater: str | None = None
    kind: Kind | None = None
    replace: bool = False


class RatingsImported(NamedTuple):
    """What an import adds. `unmatched`: the items that the golden set lacks, in words; empty without any."""

    path: Path
    policy: str
    added: Mapping[str, int]
    """How many under each policy version of the rows."""
    replaced: int
    same: int
    raters: Mapping[str, tuple[str, ...]]
    """Who rated under each policy version of the rows."""
    kinds: Mapping[str, str]
    """The kinds that are new in raters.toml."""
    unsaid: tuple[str, ...]
    """The raters whose kind raters.toml does not have."""
    unmatched: str
    warnings: tuple[str, ...]


def import_ratings(
    project: Project, policy: Policy, table: RatingsTable, *, dry_run: bool = False
) -> RatingsImported:
    """Add a table's ratings to golden/<policy>/ratings.jsonl, and their raters to raters.toml.

    A rating without a version of its own counts as given under this policy version. BadInput, with nothing
    written, for any fault in any row, such as a version that the policy does not have, and for ratings that
    contradict those there unless `replace`.
    """
    if table.rater is not None:
        table = replace(table, rater=check_rater(table.rater))
    path = golden_path(project, policy.name).with_name(RATINGS)
    examples = examples_of(project, policy)
    rows = rating_rows(table.path, table.layout, policy.scale, policy.version, table.rater)
    given = [row for row in rows if row.grade is not None]
    refuse_faults(_version_faults(given, policy.name, policy_versions(project.policies / policy.name)))
    known = [row for row in given if row.item in examples]
    unmet = _unmet(given, examples, path.parent)
    if not known:
        raise BadInput([Fault(str(table.path), unmet or "holds no grade")])
    if dry_run:
        return _merged(path, policy, table, known, examples, unmet)[0]
    with alone(path.parent / ".ratings.lock"):
        found, ratings = _merged(path, policy, table, known, examples, unmet)
        if found.kinds:
            write_atomic(path.with_name(RATERS), with_kinds(path.with_name(RATERS), found.kinds))
        if any(found.added.values()) or found.replaced:
            write_lines(path, [ratings[key] for key in sorted(ratings)])
    return found


def _merged(
    path: Path,
    policy: Policy,
    table: RatingsTable,
    rows: Sequence[RatingRow],
    examples: Mapping[str, Example],
    unmet: str,
) -> tuple[RatingsImported, dict[Key, Said]]:
    """The ratings of the file after the import, and what the import changes in it."""
    ratings = ratings_by_key(path)
    kinds = rater_kinds(path.with_name(RATERS))
    raters = tuple(dict.fromkeys(row.rater for row in rows))
    versions = sorted({row.policy_version for row in rows}, key=version_number)
    new = [(row.where, _rating(row, examples[row.item].id)) for row in rows]
    count = take(ratings, new, replace=table.replace)
    refuse_faults([*_rater_faults(raters, kinds, table.kind), *count.conflicts])
    examples_of_rows = ((row, examples[row.item]) for row in {row.item: row for row in rows}.values())
    both = ((row.item, row.about, Told(one.query, one.result.title)) for row, one in examples_of_rows)
    missing = tuple(rater for rater in raters if rater not in kinds)
    found = RatingsImported(
        path=path,
        policy=policy.name,
        added={version: count.added[version] for version in versions},
        replaced=count.replaced,
        same=count.same,
        raters={
            version: tuple(dict.fromkeys(row.rater for row in rows if row.policy_version == version))
            for version in versions
        },
        kinds=dict.fromkeys(missing, table.kind) if table.kind else {},
        unsaid=() if table.kind else missing,
        unmatched=unmet,
        warnings=other_items(both, table.path.name, "the golden set"),
    )
    return found, ratings


def _rating(row: RatingRow, item: str) -> Rating:
    said = {name: value for name, value in row._asdict().items() if name not in ("where", "item", "about")}
    return Rating(item=item, **said)


def _rater_faults(raters: Iterable[str], kinds: Mapping[str, str], kind: Kind | None) -> list[Fault]:
    faults: list[Fault] = []
    for rater in raters:
        try:
            check_rater(rater)
        except BadInput as error:
            faults += error.faults
        if kind and kinds.get(rater, kind) != kind:
            what = f"raters.toml says {kinds[rater]}, --kind says {kind}; correct the one that is wrong"
            faults.append(Fault(rater, what))
    return faults


def _version_faults(rows: Iterable[RatingRow], name: str, versions: Collection[str]) -> list[Fault]:
    there = f"{name} has no such version; there are: {', '.join(versions)}"
    return [
        Fault(row.where, f"policy_version {row.policy_version!r}: {there}")
        for row in rows
        if row.policy_version not in versions
    ]


def _unmet(rows: Sequence[RatingRow], examples: Mapping[str, Example], golden: Path) -> str:
    """The items that the golden set lacks, in words, with the likeliest reason."""
    rated = dict.fromkeys(row.item for row in rows)
    strangers = [item for item in rated if item not in examples]
    if not strangers:
        return ""
    there = (item for item in examples if item not in rated)
    likely = unmatched(strangers, there, f"golden/{golden.name}")
    return f"rated items that are not in the golden set: {len(strangers):,} of {len(rated):,} ({likely})"
