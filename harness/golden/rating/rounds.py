"""Rounds: planned pieces of rating, each a folder below golden/<policy>/rounds/.

round.json          what was planned: policy, raters, design, seed
policy.toml         the policy as it read when the round was planned
pairs.jsonl         the pairs that were drawn, with their golden ids, which never leave the server
assignments.jsonl   who rates which pair, in which order
links.jsonl         the raters' links, as digests
answers.sqlite3     what the raters answered
sealed.jsonl        whose set is closed, and counted in ratings.jsonl
"""

import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.leakage import Leaks
from harness.golden.rating.raters import how_to_plan
from harness.golden.rating.ratings import RATINGS
from harness.golden.rating.round_folders import ROUND as ROUND
from harness.golden.rating.round_folders import round_names
from harness.golden.rating.round_folders import rounds_folder as rounds_folder
from harness.nouns.base import Noun
from harness.nouns.pair import Chance, Drawn, Pair, RaterName, Result
from harness.nouns.policy import Policy
from harness.policy.load import load_policy, policy_digest
from harness.storage.files import build, load_nouns, read_json
from harness.storage.plural import plural
from harness.storage.project import Project, is_name, likeliest
from harness.storage.regular import SETTINGS, odd_files

POLICY = "policy.toml"
PAIRS, ASSIGNMENTS, SEALED = "pairs.jsonl", "assignments.jsonl", "sealed.jsonl"
ANSWERS, LINKS = "answers.sqlite3", "links.jsonl"
FORMAT = 1
PRODUCTION = "production-ratings.jsonl"
"""The file for sealed ratings of production pairs: `harness estimate` reads it, and no gate."""
FIELDS = ("title", "brand", "category", "price", "description", "attributes")


class Show(Noun):
    """The parts of a result that raters see.

    `picture`: the attribute that has a picture's URL; it is shown from `picture_hosts` alone.
    """

    fields: tuple[str, ...] = FIELDS
    picture: str = ""
    picture_hosts: tuple[str, ...] = ()


class Design(Noun):
    """The design: each pair is rated by `each` raters, a share by all, a share twice by the same rater."""

    each: int = Field(default=2, ge=1)
    by_all: float = Field(default=0.1, ge=0, le=1)
    repeated: float = Field(default=0.05, ge=0, le=1)


class Round(Noun):
    """A planned round. `reasons`: the share of pairs that a reason is asked for. `planned`: how many ratings.

    `production`: its pairs are production pairs, not golden examples: sealed ratings go to a file of their
    own, which no gate reads.
    """

    format: int = 1
    name: str = Field(min_length=1)
    policy: str = Field(min_length=1)
    policy_digest: str
    seed: int
    created_at: str
    raters: tuple[RaterName, ...] = Field(min_length=1)
    design: Design = Design()
    reasons: float = Field(default=0.1, ge=0, le=1)
    planned: int = Field(ge=1)
    show: Show = Show()
    production: bool = False

    @property
    def ratings(self) -> str:
        """The file beside the golden set that sealed ratings go to."""
        return PRODUCTION if self.production else RATINGS


class RoundPair(Noun):
    """A pair of a round. `code`: its random name in the round.

    `item`: its id in the golden set, or among the labels. `also`: other ids that the same pair has in the
    golden set; a rating of it counts under each. `pi`: its inclusion probability; None if it was hunted, so
    that no estimate can use it.
    """

    code: str = Field(min_length=1)
    item: str = Field(min_length=1)
    also: tuple[str, ...] = ()
    query: str = Field(min_length=1)
    result: Result
    context: dict[str, str] | None = None
    drawn: Drawn
    pi: Chance | None = None
    stratum: str = ""

    @property
    def pair(self) -> Pair:
        """The pair that is graded."""
        return Pair(query=self.query, result=self.result, context=self.context)


class Assignment(Noun):
    """One pair for one rater, at a place in that rater's order. `repeat` 1: the second time, unmarked."""

    rater: RaterName
    place: int = Field(ge=0)
    code: str
    repeat: int = Field(default=0, ge=0, le=1)


class Sealed(Noun):
    """A rater's set is closed. `graded` and `cannot` count what went to ratings.jsonl."""

    rater: RaterName
    at: str
    graded: int = 0
    cannot: int = 0


@dataclass(frozen=True)
class OpenRound:
    """A round's folder, read once.

    `policy`: as raters may see it, without worked examples that give away a pair of the round.
    `policy_changed`: a sentence if the policy file changed since the round was planned, or empty.
    """

    folder: Path
    round: Round
    policy: Policy
    pairs: Mapping[str, RoundPair]
    assignments: Mapping[str, tuple[Assignment, ...]]
    policy_changed: str = ""

    def assigned(self, rater: str) -> tuple[Assignment, ...]:
        """A rater's assignments, in the rater's own order."""
        return self.assignments.get(rater, ())

    def sealed(self) -> Mapping[str, str]:
        """The raters whose sets are closed, and since when: read again at each call."""
        return {one.rater: one.at for one in load_nouns(self.folder / SEALED, Sealed)}

    def asks_reason(self, rater: str, place: int) -> bool:
        """Whether the page asks for a reason at a place. It is random, so it tells the rater nothing."""
        chance = random.Random(f"reason {self.round.seed} {rater} {place}").random()
        return chance < self.round.reasons


def rounds_of(project: Project, policy: str) -> list[str]:
    """The names of a policy's rounds, the oldest first."""
    folder = rounds_folder(project, policy)
    names = round_names(project, policy)
    return sorted(names, key=lambda name: (load_round(folder / name).created_at, _natural(name)))


def _natural(name: str) -> list[tuple[int, str]]:
    """A key by which r10 comes after r9."""
    return [(int(part or 0), rest) for rest, part in re.findall(r"([^0-9]*)([0-9]*)", name)]


def load_round(folder: Path) -> Round:
    """The planned round of a folder."""
    round_, faults = build(Round, read_json(folder / ROUND, SETTINGS, links=False), str(folder / ROUND))
    if round_ is None:
        raise BadInput(faults)
    return round_


def open_round(project: Project, policy: str, name: str | None = None) -> OpenRound:
    """A round of a policy, the latest where none is named. BadInput without one, and for faulty files."""
    label = policy.partition("@")[0]
    names = rounds_of(project, label)
    if name is None and names:
        name = names[-1]
    if name is None or name not in names:
        raise BadInput(_no_round(project, label, name, names))
    return read_round(rounds_folder(project, label) / name, project)


def _no_round(project: Project, policy: str, name: str | None, names: list[str]) -> str:
    if name is None:
        plan = how_to_plan(policy)
        return f"{policy} has no round yet in {rounds_folder(project, policy)}; `{plan}` plans one"
    near = likeliest(name, names)
    meant = f"; did you mean {near}?" if near else ""
    return f"{policy} has no round {name!r}{meant} (there are: {', '.join(names) or 'none'})"


def read_round(folder: Path, project: Project | None = None) -> OpenRound:
    """Read a round's folder. BadInput for all faults of its files."""
    refuse_faults(odd_files(folder))
    planned = load_round(folder)
    policy = load_policy(folder / POLICY)
    pairs = load_nouns(folder / PAIRS, RoundPair)
    assigned = load_nouns(folder / ASSIGNMENTS, Assignment)
    refuse_faults(_faults(folder, planned, policy, pairs, assigned))
    changed = policy_change(project, planned) if project else ""
    return opened(folder, planned, policy, pairs, assigned, changed)


def opened(
    folder: Path,
    planned: Round,
    policy: Policy,
    pairs: Sequence[RoundPair],
    assigned: Sequence[Assignment],
    changed: str = "",
) -> OpenRound:
    """A round from parts that were checked against each other."""
    leaks = Leaks((), policy)
    for pair in pairs:
        leaks.see(pair.code, pair.pair)
    orders: dict[str, list[Assignment]] = {rater: [] for rater in planned.raters}
    for one in sorted(assigned, key=lambda one: one.place):
        orders[one.rater].append(one)
    return OpenRound(
        folder=folder,
        round=planned,
        policy=leaks.shown_policy()[0],
        pairs={pair.code: pair for pair in pairs},
        assignments={rater: tuple(order) for rater, order in orders.items()},
        policy_changed=changed,
    )


def _faults(
    folder: Path,
    planned: Round,
    policy: Policy,
    pairs: Sequence[RoundPair],
    assigned: Sequence[Assignment],
) -> list[Fault]:
    faults: list[Fault] = []
    codes = {pair.code for pair in pairs}
    if planned.format > FORMAT:
        what = f"has format {planned.format}, and this version reads up to {FORMAT}: use a newer one"
        faults.append(Fault(str(folder / ROUND), what))
    if not is_name(planned.name) or planned.name != folder.name:
        faults.append(Fault(str(folder / ROUND), f"name: {planned.name!r} is not the folder's name"))
    if policy_digest(policy) != planned.policy_digest:
        faults.append(
            Fault(str(folder / POLICY), "is not the policy that round.json was planned with; restore it")
        )
    if len(codes) < len(pairs):
        faults.append(Fault(str(folder / PAIRS), "a code is there twice; restore the file"))
    return [*faults, *_assignment_faults(folder / ASSIGNMENTS, planned, codes, assigned)]


def _assignment_faults(
    path: Path, planned: Round, codes: Collection[str], assigned: Sequence[Assignment]
) -> Iterator[Fault]:
    orders: dict[str, list[int]] = {rater: [] for rater in planned.raters}
    for number, a in enumerate(assigned, start=1):
        if a.code not in codes:
            yield Fault(f"{path}, line {number}", f"no pair of {PAIRS} has the code {a.code!r}")
        if a.rater not in orders:
            yield Fault(f"{path}, line {number}", f"{a.rater!r} is not a rater of the round")
        else:
            orders[a.rater].append(a.place)
    if len(assigned) != planned.planned:
        has = plural(len(assigned), "assignment")
        yield Fault(str(path), f"has {has}, and {ROUND} planned {planned.planned:,}: restore it")
    # An answer is stored at a place: with a gap, a page would show one pair and store another's grade.
    if any(sorted(places) != list(range(len(places))) for places in orders.values()):
        yield Fault(str(path), "a rater's places do not count 0, 1, 2 ...; restore the file")
    if len({(a.rater, a.code, a.repeat) for a in assigned}) < len(assigned):
        yield Fault(str(path), "an assignment is there twice; restore the file")


def policy_change(project: Project, planned: Round) -> str:
    """A sentence if the policy file changed since the round was planned; empty if it did not.

    A server calls this again from time to time, since `OpenRound.policy_changed` is not updated.
    """
    name, _, version = planned.policy.partition("@")
    path = project.policies / name / f"{version}.toml"
    if not path.exists():
        return f"{planned.policy} is gone from policies/: the round goes on with its own copy"
    try:
        same = policy_digest(load_policy(path)) == planned.policy_digest
    except BadInput:
        same = False
    if same:
        return ""
    since = f"{planned.policy} was changed after round {planned.name} was planned"
    return f"{since}: the round goes on with its own copy"
