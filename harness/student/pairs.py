"""Reads the pairs of a label set that a student may learn from: none that reveals the golden set."""

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from math import log1p
from typing import Any, Literal

from harness.errors import BadInput, Fault
from harness.nouns.pair import Pair, query_key
from harness.providers import is_student
from harness.runs.labels import LabelSet
from harness.scorecards.training import LeftOut
from harness.storage.digest import key_of_digest
from harness.storage.files import parse
from harness.student.golden import GradedSet

COLUMNS = (
    "item", "pair", "weight", "outcome", "grade", "action", "reasoning", "clauses", "probabilities",
    "shot_query", "model",
)  # fmt: skip
REASONS = ("unread", "unanswered", "shot_query", "graded_query", "near_graded", "canary")
HIGHEST = 1 + 1e-6
"""A probability may be above 1 by rounding."""
Balance = Literal["traffic", "grades"]
Part = Literal["train", "validation"]


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A distinct pair with the teacher's label. `weight`: how often it is seen, over all its rows."""

    item: str
    pair: Pair
    grade: int
    action: str
    reasoning: str
    clauses: tuple[str, ...]
    probabilities: dict[int, float] | None
    weight: float
    part: Part


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the pairs to take. `validation`: the share of the queries that is held back, in per cent.

    `by_weight`: whether a limited draw of the traffic takes pairs by how often they are seen.
    """

    balance: Balance = "traffic"
    limit: int | None = None
    validation: int = 0
    seed: int = 0
    by_weight: bool = False


class TrainingPairs:
    """The pairs to learn from, streamed. Each distinct pair once; those of a query are all in, or all out.

    `rows`, `distinct`: of the label set. `left_out` counts distinct pairs. BadInput where nothing is left.
    """

    def __init__(self, labels: LabelSet, graded: GradedSet, choice: Choice) -> None:
        _refuse_students(labels)
        self.labels, self.choice = labels, choice
        self._found = _Survey(labels, graded)
        self.rows, self.distinct = self._found.rows, self._found.distinct
        self._taken = _chosen(self._found, choice)
        self.count = sum(self._taken)
        found = self._found
        self.left_out = LeftOut(**found.reasons, not_drawn=len(found.grades) - self.count)
        if not self.count:
            raise BadInput([Fault(str(labels.folder), f"has no pair to learn from ({self.left_out.words})")])

    def __iter__(self) -> Iterator[TrainingPair]:
        at = 0
        for row, pair in _distinct(self.labels):
            if _reason(row) or not self._found.may(query_key(pair.query)):
                continue
            if self._taken[at]:
                yield self._made(row, pair, self._found.weights[at])
            at += 1

    def _made(self, row: dict[str, Any], pair: Pair, weight: float) -> TrainingPair:
        held_back = (
            _chance("validation", self.choice.seed, query_key(pair.query)) * 100 < self.choice.validation
        )
        return TrainingPair(
            item=row["item"],
            pair=pair,
            grade=row["grade"],
            action=row["action"] or "",
            reasoning=row["reasoning"] or "",
            clauses=tuple(row["clauses"] or ()),
            probabilities=_shares(self.labels, row),
            weight=weight,
            part="validation" if held_back else "train",
        )


def _refuse_students(labels: LabelSet) -> None:
    """BadInput for labels that a student gave, all or some: a student learns from its teacher alone."""
    made = labels.manifest
    if made.cascade:
        what, todo = f"by a cascade, in part by {made.cascade.student}", "label without --cascade"
    elif made.digests.trained is not None or is_student(made.asked.model):
        what, todo = f"by a student, {made.asked.model}", "label with the teacher"
    else:
        return
    raise _learned(labels, what, todo)


def _learned(labels: LabelSet, what: str, todo: str) -> BadInput:
    what = f"was labelled {what}: a student learns from its teacher alone; {todo}"
    return BadInput.at(labels.folder, what)


class _Leaks:
    """The queries of a label set that give a graded pair away, each by the first reason that it has."""

    def __init__(self, graded: GradedSet) -> None:
        self._graded = graded
        self._near: set[str] = set()
        self._canary: set[str] = set()

    def see(self, query: str, pair: Pair) -> None:
        """Add a pair. `query`: its query, as its key."""
        for near, graded in ((self._near, self._graded.guard), (self._canary, self._graded.canaries)):
            if query not in near and graded.is_near(pair):
                near.add(query)

    def reason(self, query: str) -> str:
        """Why no pair of a query, as its key, may be learned from; empty where they may. All were seen."""
        if self._graded.guard.has_query(query):
            return "graded_query"
        if query in self._near:
            return "near_graded"
        return "canary" if query in self._canary or self._graded.canaries.has_query(query) else ""


class _Survey:
    """What one reading of the rows finds: the pairs to learn from, in their order, and how many are not."""

    def __init__(self, labels: LabelSet, graded: GradedSet) -> None:
        self.rows = self.distinct = 0
        self._leaks = _Leaks(graded)
        found: dict[bytes, list[Any]] = {}
        for row, pair in _read(labels):
            self.rows += 1
            key = key_of_digest(pair.digest)
            if key in found:
                found[key][1] += row["weight"]
                continue
            query = query_key(pair.query)
            self._leaks.see(query, pair)
            found[key] = [_reason(row), row["weight"], row["grade"], query]
        self.distinct = len(found)
        self.reasons = dict.fromkeys(REASONS, 0)
        self.weights, self.grades, self.order = array("d"), array("q"), list[bytes]()
        for key, (reason, weight, grade, query) in found.items():
            if why := self._leaks.reason(query) or reason:
                self.reasons[why] += 1
            else:
                self.weights.append(weight)
                self.grades.append(grade)
                self.order.append(key)

    def may(self, query: str) -> bool:
        """Whether a query, as its key, may be learned from."""
        return not self._leaks.reason(query)


def _shares(labels: LabelSet, row: dict[str, Any]) -> dict[int, float] | None:
    """The teacher's probabilities. BadInput for invalid ones: a received set can hold anything."""
    if not row["probabilities"]:
        return None
    shares = dict(row["probabilities"])
    fit = all(
        grade in labels.policy.scale and share is not None and 0 <= share <= HIGHEST
        for grade, share in shares.items()
    )
    if not fit:
        where = f"{labels.folder}, {row['item']}"
        raise BadInput([Fault(where, "probabilities: has values that no label set has; restore the shard")])
    return shares


def _reason(row: dict[str, Any]) -> str:
    """Why a row teaches nothing, or would teach what the teacher was shown."""
    if row["outcome"] == "failed":
        return "unanswered"
    if row["outcome"] != "grade":
        return "unread"
    return "shot_query" if row["shot_query"] else ""


def _read(labels: LabelSet) -> Iterator[tuple[dict[str, Any], Pair]]:
    """The rows with their pairs. The pair alone counts: a set that somebody sends can name another query."""
    last: tuple[str, Pair] | None = None
    for row in labels.rows(COLUMNS):
        if is_student(row["model"] or ""):
            raise _learned(
                labels, f"in part by {row['model']} ({row['item']})", "label with the teacher alone"
            )
        text = row["pair"]
        if last is None or last[0] != text:
            pair, faults = parse(Pair, text, f"{labels.folder}, {row['item']}")
            if pair is None:
                raise BadInput(faults)
            last = text, pair
        yield row, last[1]


def _distinct(labels: LabelSet) -> Iterator[tuple[dict[str, Any], Pair]]:
    """The first row of each pair."""
    seen: set[bytes] = set()
    for row, pair in _read(labels):
        key = key_of_digest(pair.digest)
        if key not in seen:
            seen.add(key)
            yield row, pair


def _chosen(found: _Survey, choice: Choice) -> bytearray:
    """A flag for each pair. Drawn by the pair's digest, so that a longer label set keeps what it can."""
    total = len(found.grades)
    if choice.balance == "traffic" and choice.limit is None:
        return bytearray(b"\1") * total
    by_weight = choice.by_weight and choice.balance == "traffic"

    def turn(at: int) -> float:
        """The lowest come first: an exponential race (Efraimidis & Spirakis 2006)."""
        chance = _chance("draw", choice.seed, found.order[at].hex())
        return -log1p(-chance) / (found.weights[at] if by_weight else 1.0)

    turns = sorted(range(total), key=turn)
    most = total if choice.limit is None else choice.limit
    if choice.balance == "grades":
        turns = _alike(turns, found.grades, most)
    taken = bytearray(total)
    for at in turns[:most]:
        taken[at] = 1
    return taken


def _alike(turns: list[int], grades: "array[int]", most: int) -> list[int]:
    """Equally many of each grade that occurs, as many as the rarest has, and no more than `most` in all."""
    by_grade: dict[int, list[int]] = {}
    for at in turns:
        by_grade.setdefault(grades[at], []).append(at)
    each = min([most // max(1, len(by_grade)), *map(len, by_grade.values())])
    return [at for mine in by_grade.values() for at in mine[:each]]


def _chance(what: str, seed: int, text: str) -> float:
    """A number in [0, 1) that a seed and a text decide."""
    found = hashlib.sha256(f"{what} {seed} {text}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(found[:7]) / (1 << 56)
