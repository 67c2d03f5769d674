"""The frame of a sample: the different pairs of a label set, by query and stratum, as arrays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.errors import BadInput
from harness.nouns.pair import query_key
from harness.nouns.policy import UNDECIDED
from harness.runs.labels import LabelSet
from harness.stats.agreement import Floats, Integers

BY = ("action", "stratum", "grade")
"""What strata can be made of."""
COLUMNS = ("query", "digest", "weight", "stratum", "grade", "action", "confidence", "shot_query")


@dataclass(frozen=True)
class Frame:
    """The pairs that can be drawn, one entry each: the first row of each pair says its stratum.

    `pairs`: the pair's digest as a number (`number_of_pair`); `queries`, `strata`: positions in `asked` and
    `names`. `weight`: what all rows of the pair weigh. `confidence`: NaN where it is not known.
    """

    pairs: "np.ndarray[tuple[int], np.dtype[np.uint64]]"
    queries: Integers
    strata: Integers
    weight: Floats
    confidence: Floats
    grade: Integers
    asked: tuple[str, ...]
    names: tuple[str, ...]
    unread: int
    shots: int

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(slots=True)
class _Columns:
    """Rows as they are read; positions of names in the order in which they came."""

    pairs: list[int] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)
    strata: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    grade: list[int] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)


def number_of_pair(digest: str) -> int:
    """A digest's first 64 bits: no two of a thousand million pairs are likely to share them."""
    return int(digest.rpartition(":")[2][:16], 16)


def parse_by(text: str | None) -> tuple[str, ...]:
    """`action,stratum` as its parts. BadInput for an unknown part, or one twice."""
    parts = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    if set(parts) - set(BY) or len(set(parts)) < len(parts):
        raise BadInput(f"--by {text}: expected some of {', '.join(BY)}, with commas between them")
    return parts


def frame_of(labels: LabelSet, by: Sequence[str]) -> Frame:
    """The pairs of a label set that the teacher graded, but for those whose query a shot has."""
    if "action" in by and labels.policy.decided_actions is None:
        raise BadInput(f"--by action: {labels.policy.label} {UNDECIDED}")
    columns, unread, shots, stated = _Columns(), 0, 0, False
    for one in labels.rows(COLUMNS):
        stated = stated or one["stratum"] is not None
        if one["shot_query"] or one["grade"] is None:
            shots += one["shot_query"]
            unread += not one["shot_query"]
            continue
        _take(columns, one, by)
    if not columns.pairs:
        raise BadInput("the label set has no row that the teacher graded: there is nothing to draw")
    if "stratum" in by and not stated:
        raise BadInput("--by stratum: the labels have no strata; a column `stratum` of the pairs names them")
    return _distinct(columns, unread, shots)


def _take(columns: _Columns, one: Mapping[str, Any], by: Sequence[str]) -> None:
    query, confidence = query_key(one["query"]), one["confidence"]
    stratum = name_of(one, by)
    columns.pairs.append(number_of_pair(one["digest"]))
    columns.queries.append(columns.asked.setdefault(query, len(columns.asked)))
    columns.strata.append(columns.names.setdefault(stratum, len(columns.names)))
    columns.weight.append(one["weight"])
    columns.confidence.append(np.nan if confidence is None else confidence)
    columns.grade.append(one["grade"])


def name_of(row: Mapping[str, object], by: Iterable[str]) -> str:
    """The stratum of a row: the parts it is made of, joined."""
    parts = (f"grade {row[part]}" if part == "grade" else row[part] or "(none)" for part in by)
    return ", ".join(map(str, parts))


def _distinct(columns: _Columns, unread: int, shots: int) -> Frame:
    """Each pair once, with the weight of all its rows."""
    pairs = np.array(columns.pairs, dtype=np.uint64)
    found, first, back = np.unique(pairs, return_index=True, return_inverse=True)
    weight = np.bincount(back, weights=np.array(columns.weight), minlength=len(found))
    order = np.argsort(first)
    kept = first[order]
    return Frame(
        pairs=found[order],
        queries=np.array(columns.queries, dtype=np.int64)[kept],
        strata=np.array(columns.strata, dtype=np.int64)[kept],
        weight=np.asarray(weight[order], dtype=np.float64),
        confidence=np.array(columns.confidence, dtype=np.float64)[kept],
        grade=np.array(columns.grade, dtype=np.int64)[kept],
        asked=tuple(columns.asked),
        names=tuple(columns.names),
        unread=unread,
        shots=shots,
    )
