"""A plan of contradictions, and what people said of its pairs: in a round, or in a file of ratings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.examples import golden_path
from harness.golden.grade_tables import rating_rows
from harness.golden.graded_files import Levels
from harness.golden.rating.disputes import production_pairs
from harness.golden.rating.pair_plan import PlannedPair, load_pair_plan
from harness.golden.rating.production_rounds import said_in_round
from harness.golden.rating.raters import RATERS, rater_kinds
from harness.golden.rating.rounds import OpenRound
from harness.golden.rating.waiting import round_now
from harness.golden.unmatched import unmatched
from harness.nouns.pair import Rating, query_key
from harness.policy.load import load_policy, policy_path
from harness.score.human_grades import first_rows
from harness.scorecards.judged import Judged, SidedPair
from harness.signal.judged import SaidByRater, every_group, judged_pair, sided
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.tables import Layout

NO_DOUBT = (
    "no pair of it says what users do against its label (doubt): write the plan anew with `harness signal "
    "LOG --labels LABELS -o {name}`"
)


@dataclass(frozen=True, slots=True)
class People:
    """What people said of items: each rater's first answer, and the author's decisions.

    `queries`: each item's query there, if known. `warnings`: why more may be said later.
    """

    source: str
    said: Mapping[str, Sequence[SaidByRater]]
    decided: Mapping[str, int] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None
    round: str | None = None
    machines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def people_of_round(project: Project, opened: OpenRound) -> People:
    """What is sealed of a round of production pairs, with the author's decisions on its pairs."""
    policy = load_policy(policy_path(project, opened.round.policy))
    golden, pairs = golden_path(project, policy.name), production_pairs(opened)
    by_item, decided, odd = said_in_round(golden, policy, opened, pairs)
    path = golden.with_name(opened.round.ratings)
    waits = round_now(opened).unread
    return People(
        source=str(path),
        said={
            item: [SaidByRater(one.rater, one.grade if isinstance(one, Rating) else None) for one in said]
            for item, said in by_item.items()
        },
        decided={item: made.grade for item, made in decided.items()},
        queries={one.id: one.query for one in pairs},
        policy=policy.label,
        round=opened.round.name,
        machines=_machines(path),
        warnings=(*odd, *((f"{waits}: what is said here may change",) if waits else ())),
    )


def people_of_file(path: Path, layout: Layout, levels: Levels) -> People:
    """What a file of ratings says, under the policy's version where there is one."""
    version = levels.policy.version if levels.policy else ""
    rows = rating_rows(path, layout, levels.scale, version)
    versions = sorted({row.policy_version for row in rows} - {""})
    if not version and len(versions) > 1:
        what = f"ratings under several policy versions: {', '.join(versions)}; name one with --policy"
        raise BadInput([Fault(str(path), what)])
    rows = [row for row in rows if not version or row.policy_version in ("", version)]
    if not rows:
        under = f" under {levels.policy.label}" if levels.policy else ""
        raise BadInput([Fault(str(path), f"no ratings{under}")])
    said: dict[str, list[SaidByRater]] = {}
    for row in first_rows(rows):
        said.setdefault(row.item, []).append(SaidByRater(row.rater, row.grade))
    return People(
        source=str(path),
        said=said,
        queries={row.item: row.about.query for row in rows if row.about.query},
        policy=levels.policy.label if levels.policy else None,
        machines=_machines(path),
    )


def _machines(path: Path) -> tuple[str, ...]:
    kinds = rater_kinds(path.with_name(RATERS))
    return tuple(sorted(rater for rater, kind in kinds.items() if kind == "llm"))


def judged_files(plan: Path, people: People) -> Judged:
    """Whether people agree with users or with the labels on the pairs of a plan of `harness signal -o`.

    BadInput for a plan that does not say what users do, and where none of its pairs was judged.
    """
    planned = load_pair_plan(plan)
    doubted = [(one, one.doubt) for one in planned if one.doubt is not None]
    if not doubted:
        raise BadInput([Fault(str(plan), NO_DOUBT.format(name=plan.name))])
    _refuse_others(plan, planned, people)
    pairs = tuple(
        judged_pair(one, doubt, people.said.get(one.item, ()), people.decided.get(one.item))
        for one, doubt in doubted
    )
    raters = sorted({said.rater for one, _ in doubted for said in people.said.get(one.item, ())})
    return Judged(
        plan=str(plan),
        ratings=people.source,
        policy=people.policy,
        round=people.round,
        raters=tuple(raters),
        all=sided("all", "all", pairs),
        groups=every_group(pairs),
        pairs=pairs,
        warnings=(*people.warnings, *_warnings(pairs, len(planned), people, raters)),
    )


def _refuse_others(plan: Path, planned: Sequence[PlannedPair], people: People) -> None:
    """BadInput if none of the plan's pairs was to be judged there, or an id belongs to another query."""
    known = {*people.queries, *people.said}
    items = [one.item for one in planned]
    if known.isdisjoint(items):
        likely = unmatched(items, known, people.source)
        where = f"round {people.round}: name another with --round" if people.round else people.source
        raise BadInput([Fault(str(plan), f"none of its pairs is in {where} ({likely})")])
    refuse_faults(
        Fault(f"{plan}, {one.item}", f"is of the query {one.query!r}, and of {told!r} in {people.source}")
        for one in planned
        if (told := people.queries.get(one.item)) and query_key(told) != query_key(one.query)
    )


def _warnings(
    pairs: Sequence[SidedPair], planned: int, people: People, raters: Sequence[str]
) -> Iterator[str]:
    left = sum(one.side is None for one in pairs)
    alone = sum(one.decided is None and len(one.grades) + one.could_not == 1 for one in pairs)
    if left:
        are = "pair of the plan is" if left == 1 else "pairs of the plan are"
        yield f"{left:,} {are} judged by nobody yet: the shares are of the others"
    if alone:
        yield f"{plural(alone, 'pair has', 'pairs have')} one rater alone, with whom nobody could differ"
    if others := planned - len(pairs):
        are = "pair of the plan says" if others == 1 else "pairs of the plan say"
        yield f"{others:,} {are} nothing of users, and count nowhere"
    if models := [rater for rater in raters if rater in people.machines]:
        yield f"{', '.join(models)}: a language model by raters.toml, not a person"
