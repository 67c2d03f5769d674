"""A plan of production pairs to rate: plan.jsonl, as `harness sample` writes it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.base import Level, Noun
from harness.nouns.pair import Chance, Drawn, Pair, Result
from harness.scorecards.signal import Kind
from harness.storage.files import load_nouns


class Doubt(Noun):
    """How users contradict a pair's label: `grade` and `clauses` are the label's.

    `reference`: the grade whose median pair the pair does better or worse than, as `kind` says. None of this
    goes into a round: raters are blind.
    """

    kind: Kind
    grade: Level
    reference: Level
    clauses: tuple[str, ...] = ()


class PlannedPair(Noun):
    """A pair to rate. `item`: its id among the labels; `also`: other ids of the same pair there.

    `pi`: the probability with which it was drawn at random; None where it was hunted, for a `reason`, and of
    pairs that behaviour contradicts a `doubt`.
    """

    item: str = Field(min_length=1)
    also: tuple[str, ...] = ()
    query: str = Field(min_length=1)
    result: Result
    context: dict[str, str] | None = None
    drawn: Drawn
    pi: Chance | None = None
    stratum: str = ""
    reason: str = ""
    doubt: Doubt | None = None

    @property
    def pair(self) -> Pair:
        """The pair that is graded."""
        return Pair(query=self.query, result=self.result, context=self.context)


def load_pair_plan(path: Path) -> list[PlannedPair]:
    """The pairs of a plan. BadInput names every invalid line, and each item that comes twice."""
    if not path.exists():
        raise BadInput([Fault(str(path), "no such file; `harness sample LABELS -o plan.jsonl` makes one")])
    pairs = load_nouns(path, PlannedPair)
    if not pairs:
        raise BadInput([Fault(str(path), "holds no pair")])
    refuse_faults(_faults(path, pairs))
    return pairs


def _faults(path: Path, pairs: Sequence[PlannedPair]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for number, one in enumerate(pairs, start=1):
        where = f"{path}, line {number}"
        if (one.pi is None) is (one.drawn == "random"):
            what = "has none" if one.pi is None else "has one"
            yield Fault(where, f"pi: a pair that was drawn {one.drawn} {what}; draw the plan anew")
        for item in {one.item, *one.also}:
            if item in first:
                yield Fault(where, f"item {item!r} is there twice (first: line {first[item]})")
            first.setdefault(item, number)
