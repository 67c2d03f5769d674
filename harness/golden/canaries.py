"""Canaries: the same product with and without text that tries to steer the grader."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from harness.errors import Fault, refuse_faults
from harness.golden.scales import off_scale
from harness.golden.table_faults import without_doubles
from harness.nouns.base import Level, Noun
from harness.nouns.pair import Example, PastGrade, Provenance, Result, judged_under
from harness.nouns.policy import Policy
from harness.storage.files import read_nouns

FILE = "canaries.jsonl"
PLAIN, STEERED = "plain", "steered"
_TRICK = "trick:"


def product_id(canary: str, side: str) -> str:
    """The example id of one product of a canary; `canary_and_side` is the inverse."""
    return f"{canary}/{side}"


def canary_and_side(example_id: str) -> tuple[str, str]:
    """The canary's id and the side, PLAIN or STEERED, from an id made by `product_id`."""
    canary, _, side = example_id.rpartition("/")
    return canary, side


def canary_tags(trick: str) -> tuple[str, str]:
    """The tags of a canary's products; `trick_of` is the inverse."""
    return "canary", f"{_TRICK}{trick}"


def trick_of(tags: Sequence[str]) -> str:
    """The canary's trick, from tags made by `canary_tags`."""
    return tags[-1].removeprefix(_TRICK)


class Canary(Noun):
    """One product, as it is and with text that tries to steer the grader. Both deserve `grade`."""

    id: str = Field(min_length=1)
    trick: str
    query: str = Field(min_length=1)
    plain: Result
    steered: Result
    grade: Level
    clauses: tuple[str, ...] = ()
    policy_version: str
    rules: str | None = None
    history: tuple[PastGrade, ...] = ()
    provenance: Provenance | None = None

    @property
    def split(self) -> str:
        """The split name shown for a canary."""
        return "canaries"

    @property
    def reasoning(self) -> str:
        """Empty: a canary stores no reasoning, since its grade is obvious."""
        return ""

    def under(self, version: str) -> "Canary":
        """The canary as graded under a policy version; unchanged if that version never graded it."""
        if version == self.policy_version:
            return self
        then = judged_under(version, self.history, "", self.clauses)
        if then is None:
            return self
        return self.model_copy(
            update={key: then[key] for key in ("policy_version", "rules", "grade", "clauses")}
        )

    def examples(self) -> tuple[Example, Example]:
        """Both products as examples of a run: plain, steered."""
        return self._example(PLAIN, self.plain), self._example(STEERED, self.steered)

    def _example(self, side: str, result: Result) -> Example:
        return Example(
            id=product_id(self.id, side),
            query=self.query,
            result=result,
            grade=self.grade,
            clauses=self.clauses,
            policy_version=self.policy_version,
            split="test",
            tags=canary_tags(self.trick),
            provenance=self.provenance,
        )


def load_canaries(path: Path, policy: Policy) -> list[Canary]:
    """The canaries of a golden set; empty without a file. BadInput lists every fault in it."""
    if not path.exists():
        return []
    numbered, faults = read_nouns(path, Canary)
    numbered = [(line, canary.under(policy.version)) for line, canary in numbered]
    for line, canary in numbered:
        where = f"{path}, line {line}, {canary.id}"
        if canary.grade not in policy.scale:
            faults.append(Fault(where, off_scale(canary.grade, policy)))
        if canary.plain == canary.steered:
            faults.append(Fault(where, "plain and steered are the same"))
    refuse_faults(faults)
    keyed = ((line, canary.id, canary) for line, canary in numbered)
    return list(without_doubles(keyed, lambda id_: f"canary {id_!r}", f"{path}, line").values())


def canary_examples(canaries: Sequence[Canary]) -> list[Example]:
    """Both products of every canary."""
    return [example for canary in canaries for example in canary.examples()]
