"""Import ratings from a table of any layout into a policy's golden folder."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.by_chance import Told, other_items
from harness.golden.examples import golden_path
from harness.golden.grade_tables import RatingRow, rating_rows
from harness.golden.graded_files import examples_of
from harness.golden.rating.ratings import RATERS, RATINGS, rater_kinds
from harness.golden.rating.sheet import check_rater
from harness.golden.table_faults import rating_name, without_doubles
from harness.golden.unmatched import unmatched
from harness.nouns.pair import Example, Rating
from harness.nouns.policy import Policy
from harness.storage.files import read_nouns, read_text, write_atomic, write_lines
from harness.storage.locks import alone
from harness.storage.project import Project, is_version
from harness.storage.tables import Layout

Kind = Literal["human", "llm"]
Key = tuple[str, str, str]
"""The item, rater and policy version of a rating."""


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
    added: int
    replaced: int
    same: int
    raters: tuple[str, ...]
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
    written, for any fault in any row, and for ratings that contradict those there unless `replace`.
    """
    path = golden_path(project, policy.name).with_name(RATINGS)
    examples = examples_of(project, policy)
    rows = rating_rows(table.path, table.layout, policy.scale, policy.version, table.rater)
    given = [row for row in rows if row.grade is not None]
    known = [row for row in given if row.item in examples]
    unmet = _unmet(given, examples, path.parent)
    if not known:
        raise BadInput([Fault(str(table.path), unmet or "holds no grade")])
    if dry_run:
        return _merged(path, policy, table, known, examples, unmet)[0]
    with alone(path.parent / ".ratings.lock"):
        found, ratings = _merged(path, policy, table, known, examples, unmet)
        if found.kinds:
            write_atomic(path.with_name(RATERS), _with_kinds(path.with_name(RATERS), found.kinds))
        if found.added or found.replaced:
            write_lines(path, [ratings[key] for key in sorted(ratings)])
    return found


def _merged(
    path: Path,
    policy: Policy,
    table: RatingsTable,
    rows: Sequence[RatingRow],
    examples: Mapping[str, Example],
    unmet: str,
) -> tuple[RatingsImported, dict[Key, Rating]]:
    """The ratings of the file after the import, and what the import changes in it."""
    ratings = _there(path)
    kinds = rater_kinds(path.with_name(RATERS))
    raters = tuple(dict.fromkeys(row.rater or "" for row in rows))
    new = [(row.where, _rating(row, examples[row.item].id)) for row in rows]
    count, conflicts = _take(ratings, new, replace=table.replace)
    refuse_faults([*_rater_faults(raters, kinds, table.kind), *_version_faults(rows), *conflicts])
    examples_of_rows = ((row, examples[row.item]) for row in {row.item: row for row in rows}.values())
    both = ((row.item, row.about, Told(one.query, one.result.title)) for row, one in examples_of_rows)
    missing = tuple(rater for rater in raters if rater not in kinds)
    found = RatingsImported(
        path=path,
        policy=policy.label,
        added=count["added"],
        replaced=count["replaced"],
        same=count["same"],
        raters=raters,
        kinds=dict.fromkeys(missing, table.kind) if table.kind else {},
        unsaid=() if table.kind else missing,
        unmatched=unmet,
        warnings=other_items(both, table.path.name, "the golden set"),
    )
    return found, ratings


def _there(path: Path) -> dict[Key, Rating]:
    """The ratings in the golden folder. BadInput for duplicates, of which one would be lost."""
    numbered, faults = read_nouns(path, Rating) if path.exists() else ([], [])
    refuse_faults(faults)
    keyed = ((line, _key(rating), rating) for line, rating in numbered)
    return without_doubles(keyed, rating_name, f"{path}, line")


def _take(
    ratings: dict[Key, Rating], new: Iterable[tuple[str, Rating]], *, replace: bool
) -> tuple[Counter[str], list[Fault]]:
    """Add new ratings, each with its place: how many were added, replaced and the same, and the conflicts."""
    count: Counter[str] = Counter()
    conflicts = []
    for where, one in new:
        # A rating without a version counts under every version.
        old = ratings.get(_key(one)) or ratings.get((one.item, one.rater, ""))
        if old is not None and _says_no_more(one, old):
            count["same"] += 1
        elif old is not None and not replace:
            conflicts.append(Fault(where, _conflict(one, old)))
        else:
            count["replaced" if old else "added"] += 1
            if old is not None:
                del ratings[_key(old)]
            ratings[_key(one)] = one
    return count, conflicts


def _key(rating: Rating) -> Key:
    return rating.item, rating.rater, rating.policy_version


def _rating(row: RatingRow, item: str) -> Rating:
    said = {name: value for name, value in row._asdict().items() if name not in ("where", "item", "about")}
    return Rating(item=item, **said)


def _says_no_more(new: Rating, old: Rating) -> bool:
    """Whether a rating is there already: the same grade, and no other reasoning."""
    return new.grade == old.grade and new.reasoning in ("", old.reasoning)


def _conflict(new: Rating, old: Rating) -> str:
    of = f"{new.item!r} by {new.rater!r} under {new.policy_version}"
    differs = f"grade {old.grade}, here {new.grade}" if new.grade != old.grade else "another reasoning"
    return f"{of} is there already with {differs}; --replace takes this one"


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


def _version_faults(rows: Iterable[RatingRow]) -> list[Fault]:
    return [
        Fault(row.where, f"policy_version: {row.policy_version!r} is not a version such as v1")
        for row in rows
        if row.policy_version and not is_version(row.policy_version)
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


def _with_kinds(path: Path, kinds: Mapping[str, str]) -> str:
    """The text of raters.toml with further raters: what is there stays as it is, comments too."""
    before = read_text(path).rstrip() + "\n\n" if path.exists() else ""
    return before + "\n".join(f'[{_toml_key(rater)}]\nkind = "{kind}"\n' for rater, kind in kinds.items())


def _toml_key(name: str) -> str:
    # A JSON string is a TOML string too.
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
