"""A new round's content and its folder."""

import json
import random
import shutil
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import BadInput
from harness.golden.rating.assignment import assign
from harness.golden.rating.drawing import Drawing
from harness.golden.rating.pair_plan import PlannedPair
from harness.golden.rating.raters import Kind
from harness.golden.rating.rounds import (
    ASSIGNMENTS,
    PAIRS,
    POLICY,
    ROUND,
    Assignment,
    Design,
    Round,
    RoundPair,
    Show,
)
from harness.golden.rating.sheet import check_rater
from harness.nouns.base import Split
from harness.nouns.pair import one_form
from harness.nouns.policy import Policy
from harness.policy.load import policy_digest
from harness.storage.files import read_bytes, write_atomic, write_lines
from harness.storage.project import is_name

IGNORED = """\
# Raters could read each other's answers there.
answers.sqlite3*
.*.lock
.*.tmp/
"""
LETTERS = "".join(sorted({*string.ascii_lowercase, *string.digits} - set("0o1il")))
CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """The plan of a round. `name`: None takes the next free one. `seed`: None takes a random one.

    `hunted`: reasons to look at examples, each `{id: how much}`, such as how far a teacher was off.
    """

    raters: tuple[str, ...]
    drawing: Drawing
    splits: tuple[Split, ...] = ("dev", "test")
    name: str | None = None
    design: Design = field(default_factory=Design)
    reasons: float = 0.1
    show: Show = field(default_factory=Show)
    kind: Kind | None = None
    seed: int | None = None
    hunted: tuple[Mapping[str, float], ...] = ()


def round_content(
    policy: Policy, wanted: RoundPlan, drawn: Sequence[PlannedPair], name: str, seed: int
) -> tuple[Round, list[RoundPair], tuple[Assignment, ...]]:
    """A round of these pairs under random codes, and the assignment of raters."""
    raters = _raters(wanted.raters)
    codes = _codes(len(drawn), seed)
    # Nothing else of a plan goes into a round: raters are blind.
    kept = [name for name in RoundPair.model_fields if name != "code"]
    pairs = [
        RoundPair(code=code, **{name: getattr(one, name) for name in kept})
        for code, one in zip(codes, drawn, strict=True)
    ]
    assigned = assign({pair.code: pair.query for pair in pairs}, raters, wanted.design, seed)
    planned = Round(
        name=name,
        policy=policy.label,
        policy_digest=policy_digest(policy),
        seed=seed,
        # It tells rounds apart: two may be planned in one second.
        created_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        raters=raters,
        design=wanted.design,
        reasons=wanted.reasons,
        planned=len(assigned),
        show=wanted.show,
    )
    return planned, pairs, assigned


def _raters(names: Sequence[str]) -> tuple[str, ...]:
    raters = tuple(one_form(check_rater(name)) for name in names)
    twice = sorted({rater for rater in raters if raters.count(rater) > 1})
    if twice or not raters:
        raise BadInput(f"--raters names {', '.join(twice)} twice" if twice else "--raters names no rater")
    return raters


def _codes(count: int, seed: int) -> list[str]:
    """Different random names, independent of the pairs' texts."""
    by_chance = random.Random(f"codes {seed}")
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(by_chance.choices(LETTERS, k=CODE_LENGTH))] = None
    return list(found)


def free_name(folder: Path, wanted: str | None) -> str:
    """The wanted name, or the next free one. BadInput for a name that is taken."""
    if wanted is None:
        return next(name for at in range(1, 1_000_000) if not (folder / (name := f"r{at}")).exists())
    if not is_name(wanted):
        raise BadInput(f"--name: {wanted!r} is not a name; use letters, digits, - and _")
    if (folder / wanted).exists():
        raise BadInput(f"--name: there is a round {wanted!r} already in {folder}; choose another name")
    return wanted


def write_round(
    folder: Path, planned: Round, policy: Path, pairs: Sequence[RoundPair], assigned: Sequence[Assignment]
) -> None:
    """Write the folder, whole or not at all."""
    beside = folder.with_name(f".{folder.name}.tmp")
    if beside.exists():
        shutil.rmtree(beside)
    beside.mkdir(parents=True)
    text = json.dumps(planned.model_dump(mode="json"), ensure_ascii=False, indent=2)
    write_atomic(beside / ROUND, f"{text}\n")
    write_atomic(beside / POLICY, read_bytes(policy))
    write_lines(beside / PAIRS, pairs)
    write_lines(beside / ASSIGNMENTS, assigned)
    beside.rename(folder)
