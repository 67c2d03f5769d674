"""Add production pairs that people judged in a round to the golden set: all named pairs, or none.

The grade is the one that all planned raters gave, or the author's decision. Pairs without either stay out.
"""

import shlex
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.checks import SHORT_WORDS, words_of
from harness.golden.examples import golden_path
from harness.golden.importing import DEFAULT_SHARES
from harness.golden.joining_in import NewPair, present_shares, splits_of_new
from harness.golden.rating.adjudications import Adjudication
from harness.golden.rating.disputes import production_pairs
from harness.golden.rating.production_rounds import said_in_round
from harness.golden.rating.ratings import Said
from harness.golden.rating.rounds import PAIRS, POLICY, OpenRound
from harness.golden.rejudging import Judged, Judgement, golden_lines, judgement_faults
from harness.nouns.base import Split
from harness.nouns.pair import Example, NamedPair, Provenance, Rating, Unrated
from harness.nouns.policy import Policy
from harness.policy.lint import noted_rules
from harness.policy.load import load_policy
from harness.storage.digest import digest_file
from harness.storage.files import read_text, to_line, too_long, write_atomic
from harness.storage.locks import alone
from harness.storage.plural import plural
from harness.storage.project import Project


@dataclass(frozen=True, slots=True)
class Adding:
    """The pairs to add. `only`: these alone; `leave_out`: all but these. `shares`: of the splits that new
    queries join; None takes the present shares of the set."""

    only: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    shares: tuple[int, int, int] | None = None
    seed: int = 0
    dry_run: bool = False


class _Verdict(NamedTuple):
    """The judgement of a pair and its author, or why there is none.

    `waits_for`: the planned raters who have not rated it.
    """

    judgement: Judgement | None
    raters: tuple[str, ...] = ()
    decided_by: str | None = None
    faults: tuple[Fault, ...] = ()
    waits_for: tuple[str, ...] = ()


def add_judged(project: Project, opened: OpenRound, wanted: Adding) -> tuple[Path, list[Example]]:
    """Add the judged pairs of a round to the golden set; returns its file and the new examples.

    BadInput with every fault of every pair, and then nothing is written: raters who differ or could not
    grade, without a decision of the author; missing ratings; an id or a pair that the set has already; a
    query that would leak.
    """
    policy = load_policy(opened.folder / POLICY)
    path = golden_path(project, policy.name)
    if not path.exists():
        raise BadInput([Fault(str(path), "no golden set; `harness golden import` makes one")])
    pairs = _chosen(opened, wanted)
    with alone(path.parent / ".golden.lock"):
        golden = golden_lines(path)
        verdicts = _verdicts(path, policy, opened, pairs)
        made, faults = _examples(opened, policy, golden, pairs, verdicts, wanted)
        lines = [to_line(one, sparse=True) for one in made]
        faults += [fault for one, line in zip(made, lines, strict=True) for fault in too_long(line, one.id)]
        unsealed = list(_unsealed(opened, pairs, verdicts))
        refuse_faults([*unsealed, *(() if unsealed else _remedy(faults, pairs)), *faults])
        if not wanted.dry_run:
            before = read_text(path)
            write_atomic(path, before + ("" if before.endswith("\n") else "\n") + "".join(lines))
    return path, made


def _chosen(opened: OpenRound, wanted: Adding) -> list[NamedPair]:
    pairs = {one.id: one for one in production_pairs(opened)}
    named = {"--only": wanted.only, "--leave-out": wanted.leave_out}
    refuse_faults(
        Fault(option, f"{id_!r} is not a pair of round {opened.round.name}")
        for option, ids in named.items()
        for id_ in ids
        if id_ not in pairs
    )
    chosen = [one for id_, one in pairs.items() if (not wanted.only or id_ in wanted.only)]
    chosen = [one for one in chosen if one.id not in wanted.leave_out]
    if not chosen:
        raise BadInput("--leave-out leaves no pair to add")
    return chosen


def _unsealed(
    opened: OpenRound, pairs: Sequence[NamedPair], verdicts: Mapping[str, _Verdict]
) -> Iterator[Fault]:
    """Raters whose sets are not sealed though pairs wait for them: reported once for all pairs."""
    waited = {rater for one in pairs for rater in verdicts[one.id].waits_for}
    if names := sorted(waited - set(opened.sealed())):
        sets = "set is" if len(names) == 1 else "sets are"
        seal = "`harness rate seal --all` counts what is answered"
        yield Fault(f"round {opened.round.name}", f"{', '.join(names)}: the {sets} not sealed; {seal}")


def _verdicts(
    path: Path, policy: Policy, opened: OpenRound, pairs: Sequence[NamedPair]
) -> dict[str, _Verdict]:
    """The judgement of each pair, by its id."""
    said, decided, _ = said_in_round(path, policy, opened, pairs)
    items = {code: one.item for code, one in opened.pairs.items()}
    planned: dict[str, set[str]] = defaultdict(set)
    for rater, assigned in opened.assignments.items():
        for one in assigned:
            planned[items[one.code]].add(rater)
    order, sealed = opened.round.raters, opened.sealed()
    found: dict[str, _Verdict] = {}
    for pair in pairs:
        if made := decided.get(pair.id):
            found[pair.id] = _decided(policy, made)
            continue
        by_rater = {one.rater: one for one in said.get(pair.id, ())}
        missing = sorted(planned[pair.id] - set(by_rater))
        raters = sorted(by_rater, key=lambda name: (name not in order, name))
        found[pair.id] = _agreed(
            opened, policy, pair.id, [by_rater[name] for name in raters], missing, sealed
        )
    return found


def _decided(policy: Policy, made: Adjudication) -> _Verdict:
    judgement = Judgement(grade=made.grade, reasoning=made.reasoning, clauses=made.clauses)
    faults = tuple(judgement_faults(made.item, judgement, policy))
    return _Verdict(judgement, decided_by=made.decided_by or "the author", faults=faults)


def _agreed(
    opened: OpenRound,
    policy: Policy,
    item: str,
    said: Sequence[Said],
    missing: Sequence[str],
    sealed: Collection[str],
) -> _Verdict:
    decide = f"`harness adjudicate --policy {opened.round.policy} --round {opened.round.name}` decides"
    faults: list[Fault] = []
    lost = [rater for rater in missing if rater in sealed]
    if lost or not (said or missing):
        by = ", ".join(lost) or "any rater"
        faults.append(Fault(item, f"no sealed rating by {by}; `harness rate seal` puts back what was lost"))
    if could_not := [one for one in said if isinstance(one, Unrated)]:
        faults.append(Fault(item, f"{len(could_not)} could not grade it, and it is not decided; {decide}"))
    ratings = [one for one in said if isinstance(one, Rating)]
    grades = sorted({one.grade for one in ratings})
    if len(grades) > 1:
        given = " and ".join(map(str, grades))
        faults.append(Fault(item, f"the raters say {given}, and it is not decided; {decide}"))
    if faults or missing or not ratings:
        return _Verdict(None, faults=tuple(faults), waits_for=tuple(missing))
    judgement = _argued(policy, item, ratings)
    found = tuple(judgement_faults(item, judgement, policy))
    return _Verdict(judgement, tuple(one.rater for one in ratings), faults=found)


def _argued(policy: Policy, item: str, ratings: Sequence[Rating]) -> Judgement:
    """The common grade, with the reasoning of the first rater who gave one; without a reasoning if none did.

    Raters write for themselves: a text that is too short, or cites a clause that forbids the grade, does not
    count as a reasoning.
    """
    bare = Judgement(grade=ratings[0].grade, reasoning="", clauses=())
    reasons = ((one.reasoning if _is_reason(one.reasoning) else "", one.clauses) for one in ratings)
    argued = [bare.model_copy(update={"reasoning": text, "clauses": cited}) for text, cited in reasons]
    argued.sort(key=lambda one: (not one.reasoning, not one.clauses))
    return next((one for one in argued if not judgement_faults(item, one, policy)), bare)


def _is_reason(text: str) -> bool:
    return len(words_of(text)) >= SHORT_WORDS


def _examples(
    opened: OpenRound,
    policy: Policy,
    golden: Mapping[str, Judged],
    pairs: Sequence[NamedPair],
    verdicts: Mapping[str, _Verdict],
    wanted: Adding,
) -> tuple[list[Example], list[Fault]]:
    """The examples of the pairs that may be added, and every fault of the others."""
    faults = [*_known(golden, pairs), *(fault for one in verdicts.values() for fault in one.faults)]
    judged = {one.id: verdicts[one.id].judgement for one in pairs}
    # Pairs without a grade get a split too, so that all faults are reported at once.
    new = [NewPair(one, said.grade if (said := judged[one.id]) else policy.scale[0]) for one in pairs]
    there = [one for one in golden.values() if isinstance(one, Example)]
    shares = wanted.shares or (present_shares(there) if there else DEFAULT_SHARES)
    splits, refused = splits_of_new(list(golden.values()), new, shares, wanted.seed)
    faults += [Fault(id_, why) for id_, why in refused.items()]
    source = Provenance(
        source=f"round {opened.round.name} of production pairs",
        digest=digest_file(opened.folder / PAIRS),
        round=opened.round.name,
    )
    drawn = {one.item: one.drawn for one in opened.pairs.values()}
    rules = noted_rules(policy)
    made = [
        _example(pair, verdicts[pair.id], policy, rules, splits[pair.id], source, drawn[pair.id])
        for pair in pairs
        if pair.id in splits and judged[pair.id]
    ]
    return made, faults


def _example(
    pair: NamedPair,
    said: _Verdict,
    policy: Policy,
    rules: str | None,
    split: Split,
    source: Provenance,
    drawn: str,
) -> Example:
    assert said.judgement is not None, "checked"
    return Example(
        **{name: getattr(pair, name) for name in NamedPair.model_fields},
        **dict(said.judgement),
        policy_version=policy.version,
        rules=rules,
        split=split,
        tags=(f"drawn:{drawn}",),
        provenance=source.model_copy(update={"raters": said.raters, "decided_by": said.decided_by}),
    )


def _known(golden: Mapping[str, Judged], pairs: Sequence[NamedPair]) -> Iterator[Fault]:
    """A fault for each id and pair that the set has already."""
    digests = {one.pair.digest: id_ for id_, one in golden.items() if isinstance(one, Example)}
    for one in pairs:
        known = digests.get(one.pair.digest)
        if known is not None:
            named = "" if known == one.id else f" as {known!r}"
            what = f"the golden set has this pair{named}; `harness golden regrade` changes its grade"
            yield Fault(one.id, what)
        elif one.id in golden:
            yield Fault(one.id, "the id is taken in the golden set, by another pair")
        digests.setdefault(one.pair.digest, one.id)


def _remedy(faults: Sequence[Fault], pairs: Sequence[NamedPair]) -> Iterator[Fault]:
    """How to add the other pairs. It comes first, since the last of many faults are not shown."""
    wrong = list(dict.fromkeys(fault.where for fault in faults))
    if wrong and len(wrong) < len(pairs):
        named = ",".join(f'"{id_}"' if "," in id_ else id_ for id_ in wrong)
        of = f"{len(wrong):,} of {plural(len(pairs), 'pair')}"
        what = f"{of} cannot be added, and none was; without them"
        yield Fault("", f"{what}: --leave-out {shlex.quote(named)}")
