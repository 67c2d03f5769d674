"""Plan a round: draw the pairs, assign them, write the folder."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, refuse_faults
from harness.golden.examples import golden_path, load_examples
from harness.golden.rating.drawing import Drawing, DrawnPair, draw, hunt_order
from harness.golden.rating.new_round import IGNORED, RoundPlan, free_name, round_content, write_round
from harness.golden.rating.pair_plan import PlannedPair
from harness.golden.rating.raters import RATERS, Kind, kind_faults, rater_kinds, with_kinds
from harness.golden.rating.ratings import RATINGS, load_said, rated_under
from harness.golden.rating.rounds import (
    PRODUCTION,
    OpenRound,
    opened,
    read_round,
    rounds_folder,
)
from harness.nouns.pair import ALMOST, Example, namesakes
from harness.nouns.policy import Policy
from harness.policy.lint import unfinished
from harness.policy.load import load_policy, policy_path
from harness.storage.files import write_atomic
from harness.storage.locks import alone
from harness.storage.plural import plural
from harness.storage.project import Project


@dataclass(frozen=True, slots=True)
class Planned:
    """A round that was planned. `warnings`: for the lead, before the rating begins."""

    opened: OpenRound
    examples: Sequence[Example]
    warnings: tuple[str, ...] = ()


def plan_round(project: Project, policy: str, wanted: RoundPlan, *, dry_run: bool = False) -> Planned:
    """Plan a round of a policy, and write its folder unless `dry_run`. BadInput where it cannot be."""
    path = policy_path(project, policy)
    judged_by = load_policy(path)
    golden = golden_path(project, judged_by.name)
    examples = [one for one in load_examples(golden, judged_by) if one.split in wanted.splits]
    seed = _seed(wanted)
    hunted = hunt_order(*wanted.hunted, seed=seed)
    drawn = draw(examples, judged_by, wanted.drawing, seed, hunted)
    if not drawn:
        raise BadInput("no pair to rate: --pairs draws none, and nothing was found to hunt")
    pairs = [_planned_pair(one) for one in drawn]
    found, warnings = _made(project, path, judged_by, wanted, pairs, seed, dry_run=dry_run)
    rated = rated_under(golden.with_name(RATINGS), judged_by, examples).ratings
    before = {(one.item, one.rater) for one in rated}
    warnings = [*_missing(wanted.drawing, drawn), *warnings, *_rated_before(before, judged_by, found)]
    return Planned(found, [one.example for one in drawn], tuple(warnings))


def plan_production(
    project: Project, policy: str, wanted: RoundPlan, pairs: Sequence[PlannedPair], *, dry_run: bool = False
) -> Planned:
    """Plan a round of production pairs, which were drawn before. No gate reads what is sealed of it."""
    path = policy_path(project, policy)
    judged_by = load_policy(path)
    found, warnings = _made(
        project, path, judged_by, wanted, pairs, _seed(wanted), production=True, dry_run=dry_run
    )
    said = load_said(golden_path(project, judged_by.name).with_name(PRODUCTION))
    before = {(one.item, one.rater) for one in said if one.policy_version in ("", judged_by.version)}
    return Planned(found, (), (*warnings, *_rated_before(before, judged_by, found)))


def _seed(wanted: RoundPlan) -> int:
    return secrets.randbits(53) if wanted.seed is None else wanted.seed


def _planned_pair(one: DrawnPair) -> PlannedPair:
    return PlannedPair(
        item=one.example.id,
        also=one.also,
        query=one.example.query,
        result=one.example.result,
        context=one.example.context,
        drawn=one.drawn,
        pi=one.pi,
        stratum=one.stratum,
    )


def _made(
    project: Project,
    path: Path,
    judged_by: Policy,
    wanted: RoundPlan,
    pairs: Sequence[PlannedPair],
    seed: int,
    *,
    production: bool = False,
    dry_run: bool,
) -> tuple[OpenRound, list[str]]:
    """The round of these pairs, written unless `dry_run`, and warnings for the lead."""
    golden = golden_path(project, judged_by.name)
    raters_file = golden.with_name(RATERS)
    kinds = _new_kinds(raters_file, wanted.raters, wanted.kind)
    with alone(golden.parent / ".rounds.lock"):
        folder = rounds_folder(project, judged_by.name)
        name = free_name(folder, wanted.name)
        planned, coded, assigned = round_content(judged_by, wanted, pairs, name, seed)
        planned = planned.model_copy(update={"production": production})
        found = opened(folder / name, planned, judged_by, coded, assigned)
        if not dry_run:
            # The folder comes last: after a kill there is either no round or a complete one.
            folder.mkdir(exist_ok=True)
            if not (folder / ".gitignore").exists():
                write_atomic(folder / ".gitignore", IGNORED)
            if kinds:
                write_atomic(raters_file, with_kinds(raters_file, kinds))
            write_round(folder / name, planned, path, coded, assigned)
            found = read_round(folder / name, project)
    return found, [
        *_unsaid(found.round.raters, {**rater_kinds(raters_file), **kinds}),
        *_unworded(judged_by),
        *_alike({*found.round.raters, *rater_kinds(raters_file)}),
    ]


def _new_kinds(path: Path, raters: Sequence[str], kind: Kind | None) -> dict[str, str]:
    """The kinds that --kind adds to raters.toml. BadInput if it has another kind of a rater."""
    known = rater_kinds(path)
    refuse_faults(kind_faults(raters, known, kind))
    return {rater: kind for rater in raters if rater not in known} if kind else {}


def _missing(wanted: Drawing, drawn: Sequence[DrawnPair]) -> Iterator[str]:
    if lack := wanted.pairs - len(drawn):
        yield f"nothing more to hunt: {plural(lack, 'pair')} fewer than asked for"


def _unsaid(raters: Sequence[str], kinds: Mapping[str, str]) -> Iterator[str]:
    """A warning if raters.toml does not say what raters are: Gate 1 is about people."""
    if unsaid := [rater for rater in raters if rater not in kinds]:
        are = "is" if len(unsaid) == 1 else "are"
        yield f"raters.toml does not say what {', '.join(unsaid)} {are}: --kind human says it"


def _unworded(policy: Policy) -> Iterator[str]:
    """A warning about an unfinished policy: raters read it as it is."""
    if lacks := unfinished(policy):
        what = f"{policy.label} is unfinished, and raters would rate by it so: {lacks[0]}"
        more = f", and {len(lacks) - 1:,} more" if len(lacks) > 1 else ""
        yield f"{what}{more}; `harness policy lint --policy {policy.label}` lists them"


def _alike(names: Iterable[str]) -> list[str]:
    """A warning about similar names: one person under two names is two raters who always agree."""
    return [f"{', '.join(sorted(one))} {ALMOST}: is it one person?" for one in namesakes(sorted(names))]


def _rated_before(before: Collection[tuple[str, str]], policy: Policy, found: OpenRound) -> Iterator[str]:
    """A warning about raters who rated pairs of the round before: their new grades count as repeats."""
    for rater in found.round.raters:
        codes = {one.code for one in found.assigned(rater)}
        count = sum((found.pairs[code].item, rater) in before for code in codes)
        if count:
            what = f"{rater} rated {count:,} of {plural(len(codes), 'pair')} before under {policy.version}"
            yield f"{what}: the new grades count as repeats, for self-agreement alone"
