"""Check a golden set: errors to fix and warnings to review."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.canaries import FILE as CANARIES
from harness.golden.canaries import canary_examples, load_canaries
from harness.golden.checks import (
    Finding,
    broken_caps,
    broken_history,
    not_judged,
    runs_of,
    short_reasoning,
    unknown_clauses,
    words_of,
)
from harness.golden.examples import read_numbered
from harness.golden.leakage import safe_shots, withhold_worked
from harness.golden.rating.adjudications import FILE as ADJUDICATIONS
from harness.golden.rating.adjudications import Adjudication, decisions_under, load_adjudications
from harness.golden.rating.disputes import first_said, in_dispute
from harness.golden.rating.ratings import rated_under
from harness.golden.similarity import near_duplicates, tokens
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.storage.plural import plural

RUN_WORDS = 8
"""Two reasonings that share this many consecutive words were not both written for their pair."""
CONTRADICTION = "the same query and text with two grades"
DUPLICATE = "the same query and text under two ids"


def lint_golden(path: Path, policy: Policy) -> list[Finding]:
    """Every finding about a golden set under a policy version: errors, then warnings, the worst first."""
    numbered, faults = read_numbered(path, policy)
    findings = _errors(faults)
    examples = [example.under(policy.version) for _, example in numbered]
    findings += broken_history([example for _, example in numbered])
    for check in CHECKS:
        findings += check(examples, policy)
    for beside in () if faults else (_canaries, _beside):
        try:
            findings += beside(path, examples, policy)
        except BadInput as error:
            findings += _errors(error.faults)
    weight = {CONTRADICTION: 0, DUPLICATE: 2}
    return sorted(findings, key=lambda one: (one.level != "error", weight.get(one.kind, 1)))


def _errors(faults: Sequence[Fault]) -> list[Finding]:
    return [Finding("error", fault.where, fault.what) for fault in faults]


def _canaries(path: Path, examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """Canaries are graded like examples, and must not cause a shot to be dropped from the prompts."""
    loaded = load_canaries(path.with_name(CANARIES), policy)
    canaries = canary_examples(loaded)
    # Both products of a canary share one grade: report its faults once, under the canary's name.
    plain = [one.examples()[0].model_copy(update={"id": one.id}) for one in loaded]
    for check in (unknown_clauses, broken_caps, not_judged):
        yield from check(plain, policy)
    for drop in safe_shots([*examples, *canaries])[1]:
        if drop.graded in {canary.id for canary in canaries}:
            what = f"keeps the shot {drop.shot} from every prompt: {drop.reason}"
            yield Finding("error", drop.graded, what)
    for query in withhold_worked(policy, canaries)[1]:
        yield Finding("error", f"query {query!r}", "used by a canary and by a worked example of the policy")


def _beside(path: Path, examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """The files beside the examples: ratings, raters, adjudications."""
    ratings_file = path.with_name("ratings.jsonl")
    decisions = load_adjudications(path.with_name(ADJUDICATIONS))
    rated = rated_under(ratings_file, policy, examples)
    ratings, kinds = rated.ratings, rated.kinds or {}
    for warning in rated.warnings:
        yield Finding("warning", "ratings", warning)
    if ratings_file.exists() and not ratings:
        yield Finding(
            "warning", "ratings", f"none under {policy.label}, so Gate 1 has no result for this version"
        )
    golden = {example.id: example.grade for example in examples}
    for item in sorted(rated.strangers):
        yield Finding("error", item, "rated, but not in the golden set")
    for rater in sorted(rated.raters - set(kinds)):
        yield Finding("warning", rater, "raters.toml does not say whether this rater is human or llm")
    decided = decisions_under(decisions, policy.version)
    for item, made in decided.items():
        for what in (*_doubles(made), *_decision_faults(made[-1], golden, policy)):
            yield Finding("error", item, what)
    said = first_said(ratings, rated.unrated)
    open_ = [item for item in in_dispute(examples, said) if item not in decided]
    if open_:
        why = "a rater differs from another or from the golden grade, or could not grade it"
        what = f"{plural(len(open_), 'pair')} to adjudicate: {why} (the first: {open_[0]}); "
        what += f"harness adjudicate --policy {policy.label}"
        yield Finding("warning", "ratings", what, ids=(open_[0],))


def _doubles(made: Sequence[Adjudication]) -> Iterator[str]:
    """Two decisions about one item, unless the later one says that it supersedes the earlier one."""
    if any(then.supersedes != first.key for first, then in pairwise(made)):
        yield "adjudicated twice"


def _decision_faults(decision: Adjudication, golden: Mapping[str, int], policy: Policy) -> Iterator[str]:
    if decision.item not in golden:
        yield "adjudicated, but not in the golden set"
    elif golden[decision.item] != decision.grade:
        yield f"adjudicated as {decision.grade}, but golden is {golden[decision.item]}"
    if not decision.reason.strip():
        yield "adjudicated without a reason"
    for clause in decision.unclear:
        if clause not in policy.clause_ids:
            yield f"its adjudication calls the clause {clause!r} unclear, unknown in {policy.label}"
    for clause in decision.clauses:
        if clause not in policy.clause_ids:
            yield f"its adjudication cites the clause {clause!r}, unknown in {policy.label}"


def _queries_in_two_splits(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    splits: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        splits[example.cluster].add(example.split)
    for query, found in splits.items():
        if len(found) > 1:
            yield Finding("error", f"query {query!r}", f"lies in several splits: {', '.join(sorted(found))}")


def _same_pairs(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """A query and text under two ids: a duplicate with equal grades, a contradiction with different ones.

    It may be one product twice, or two products with the same text: the check cannot tell.
    """
    first: dict[str, Example] = {}
    for example in examples:
        other = first.setdefault(example.pair.digest, example)
        if other.grade != example.grade:
            what = f"grade {example.grade}, but the same query and text is {other.grade} in {other.id}"
            yield Finding(
                "warning" if _imported(example) else "error", example.id, what, CONTRADICTION, (other.id,)
            )
        elif other is not example:
            yield Finding(
                "warning", example.id, f"the same query and text as {other.id}", DUPLICATE, (other.id,)
            )


def _near_duplicates(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    for one, other in near_duplicates(map(tokens, examples), [example.cluster for example in examples]):
        left, right = examples[one], examples[other]
        if left.split != right.split:
            what = f"nearly the same query and title as {right.id}, in another split ({right.split})"
            yield Finding("error", left.id, what, "nearly the same pair in two splits", (right.id,))


def _missing_reasonings(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """Imported sets come without reasonings, so they get one warning; other examples get an error each."""
    empty = [example for example in examples if not example.reasoning.strip()]
    imported = [example for example in empty if _imported(example)]
    yield from (Finding("error", example.id, "no reasoning") for example in empty if not _imported(example))
    if imported:
        count = plural(len(imported), "imported example has", "imported examples have")
        what = f"{count} no reasoning (the first: {imported[0].id})"
        yield Finding("warning", "reasoning", what, ids=(imported[0].id,))


def _missing_clauses(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """Only one warning: an obvious grade may rest on the rubric alone."""
    empty = [example for example in examples if not example.clauses]
    if empty and policy.clauses:
        count = plural(len(empty), "example cites", "examples cite")
        what = f"{count} no clause (the first: {empty[0].id})"
        yield Finding("warning", "clauses", what, ids=(empty[0].id,))


def _imported(example: Example) -> bool:
    return example.provenance is not None and example.provenance.digest is not None


def _boilerplate(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """Reasonings that are too short, and those that share a run of words found in no clause."""
    allowed = {run for clause in policy.clauses for run in runs_of(words_of(clause.text), RUN_WORDS)}
    first: dict[tuple[str, ...], str] = {}
    for example in examples:
        yield from short_reasoning(example)
        runs = runs_of(words_of(example.reasoning), RUN_WORDS)
        shared = {run: first[run] for run in runs if run in first and run not in allowed}
        if shared:
            run, other = next(iter(shared.items()))
            what = f'boilerplate: shares "{" ".join(run)}" with {other}'
            yield Finding("error", example.id, what, "boilerplate", (other,))
        for run in runs:
            first.setdefault(run, example.id)


def _lost_shots(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    _, dropped = safe_shots(examples)
    for drop in dropped:
        what = f"never shown to a teacher: {drop.reason} as {drop.graded}"
        yield Finding("warning", drop.shot, what, "a shot that is never shown to a teacher", (drop.graded,))


def _worked_queries(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    _, withheld = withhold_worked(policy, examples)
    for query in withheld:
        what = "is graded here and is a worked example of the policy: prompts leave the worked example out"
        yield Finding("warning", f"query {query!r}", what)


def _unused_grades(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    for split in ("shots", "dev", "test"):
        used = {example.grade for example in examples if example.split == split}
        for grade in sorted(set(policy.scale) - used):
            yield Finding("warning", f"split {split}", f"no example of grade {grade}")


CHECKS: tuple[Callable[[Sequence[Example], Policy], Iterator[Finding]], ...] = (
    unknown_clauses,
    broken_caps,
    _queries_in_two_splits,
    _same_pairs,
    _near_duplicates,
    _missing_reasonings,
    _missing_clauses,
    _boilerplate,
    not_judged,
    _lost_shots,
    _worked_queries,
    _unused_grades,
)
