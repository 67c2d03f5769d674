"""Checks of judgements: grades against clauses, histories, policy versions."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.golden.examples import stale
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.storage.plural import plural

SHORT_WORDS = 8
"""A reasoning with fewer words than this gives no reason."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: fix an error; review a warning.

    `kind`: groups findings whose `what` differs by example; if empty, `what` is the kind. `ids`: the examples
    that `what` names.
    """

    level: Literal["error", "warning"]
    where: str
    what: str
    kind: str = ""
    ids: tuple[str, ...] = ()


def words_of(text: str) -> list[str]:
    """The words of a text, without case."""
    return re.findall(r"\w+", text.casefold())


def runs_of(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Every so many consecutive words."""
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]


def short_reasoning(example: Example) -> Iterator[Finding]:
    """A finding about a reasoning that is too short to give a reason."""
    count = len(words_of(example.reasoning))
    if 0 < count < SHORT_WORDS:
        what = f"a reasoning of {plural(count, 'word')} gives no reason"
        yield Finding("error", example.id, what, "a reasoning too short")


def unknown_clauses(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """Cited clauses that the policy does not have."""
    for example in examples:
        for clause in example.clauses:
            if clause not in policy.clause_ids:
                yield Finding("error", example.id, f"cites the clause {clause!r}, unknown in {policy.label}")


def broken_caps(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """A cited cap or floor that the grade breaks. A floor holds only where no cap binds."""
    clauses = {clause.id: clause for clause in policy.clauses}
    for example in examples:
        cited = [clauses[id_] for id_ in example.clauses if id_ in clauses]
        caps = [clause for clause in cited if clause.max_grade is not None]
        for clause in caps:
            if clause.max_grade is not None and example.grade > clause.max_grade:
                what = f"grade {example.grade}, but {clause.id} allows at most {clause.max_grade}"
                yield Finding("error", example.id, what, "a grade above a cited cap")
        for clause in [] if caps else cited:
            if clause.min_grade is not None and example.grade < clause.min_grade:
                what = f"grade {example.grade}, but {clause.id} asks for at least {clause.min_grade}"
                yield Finding("error", example.id, what, "a grade below a cited floor")


def broken_history(examples: Sequence[Example]) -> Iterator[Finding]:
    """A past judgement marked `stands` whose grade differs from the next one."""
    for example in examples:
        grades = [past.grade for past in example.history] + [example.grade]
        for past, now in zip(example.history, grades[1:], strict=True):
            if past.stands and past.grade != now:
                what = (
                    f"history: {past.grade} under {past.policy_version} is marked `stands`, but became {now}"
                )
                yield Finding("error", example.id, f"{what}; write its reasoning and clauses there instead")


def how_to_confirm(policy: str) -> str:
    """The commands that judge the golden grades again under a policy version."""
    return f"harness golden confirm --policy {policy} --unaffected, then confirm or regrade the others"


def not_judged(examples: Sequence[Example], policy: Policy) -> Iterator[Finding]:
    """Count the examples not judged under this version; no gate can be read from such examples."""
    left = stale(examples, policy)
    for version, count in Counter(example.policy_version for example in left).items():
        first = next(example.id for example in left if example.policy_version == version)
        edited = " before its rules were edited" if version == policy.version else ""
        judged = f"graded under {version}{edited}, not yet judged under {policy.version}"
        what = f"{count:,} of {len(examples):,} {judged}{' as it reads now' if edited else ''}"
        next_ = f"`harness golden confirm` and `regrade` with {policy.label}"
        yield Finding("error", f"stale, such as {first}", f"{what}: {next_}")
