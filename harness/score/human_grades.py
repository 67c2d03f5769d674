"""What people say of production rows: one grade an item, out of a file of ratings.

Of each rater the first reading counts, as in Gate 1; of several raters the lower median, as in the human
ceiling; and where the author has decided, the decision. Only items that were drawn at random are a sample:
hunted ones are left out, and ratings that do not say how their items were drawn are refused.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.grade_tables import RatingRow, rating_rows
from harness.golden.rating.raters import RATERS, rater_kinds
from harness.nouns.policy import Policy
from harness.storage.cells import number_of
from harness.storage.formats import read_table
from harness.storage.plural import plural
from harness.storage.tables import Layout, joined

NO_PI = (
    "the ratings do not say with which probability their items were drawn (pi), and of a sample that was "
    "drawn for a reason nothing can be estimated: draw one with `harness sample LABELS -o PLAN`, have it "
    "rated with `harness rate plan --from PLAN --raters ann,bob --kind human`; or, if every row had the "
    "same chance, say so with --uniform"
)
HUNTED = (
    "all {items} were hunted: they find errors, and estimate nothing; draw a sample with `harness sample "
    "LABELS`"
)


RAREST = 1e-12
"""The least probability of a row: with a smaller one its weight would outweigh all others, or be infinite."""


class HumanGrade(NamedTuple):
    """One item's human grade, the lowest and the highest that a rater gave, and how it was drawn."""

    grade: int
    lowest: int
    highest: int
    pi: float | None
    raters: int
    decided: bool = False


@dataclass(frozen=True, slots=True)
class HumanGrades:
    """The human grades of a file of ratings, by item. `queries`: those that the file names.

    `machines`: the raters who are language models, by the raters.toml beside the file.
    """

    file: str
    grades: Mapping[str, HumanGrade]
    raters: tuple[str, ...]
    queries: Mapping[str, str] = field(default_factory=dict)
    hunted: int = 0
    could_not_rate: int = 0
    machines: tuple[str, ...] = ()


class _Drawn(NamedTuple):
    """How an item came into the file: hunted alone, or with a probability; None if the file does not say."""

    hunted: bool
    pi: float | None


def human_grades(
    path: Path,
    layout: Layout,
    scale: tuple[int, ...],
    policy: Policy | None,
    decided: Mapping[str, int] | None = None,
    *,
    uniform: bool = False,
) -> HumanGrades:
    """The grades of a file of ratings, of a policy's version where there is one.

    `decided`: the author's decisions by item. `uniform`: every row had the same chance to be drawn. BadInput
    for ratings that are not a sample.
    """
    version = policy.version if policy else ""
    rows = rating_rows(path, layout, scale, version)
    rows = [row for row in rows if policy is None or row.policy_version in ("", version)]
    if not rows:
        under = f" under {policy.label}" if policy else ""
        raise BadInput([Fault(str(path), f"no ratings{under}")])
    drawn = _drawings(path, layout, rows)
    first = first_rows(rows)
    hunted = {item for item, one in drawn.items() if one.hunted}
    graded: dict[str, list[RatingRow]] = defaultdict(list)
    for row in first:
        if row.grade is not None and row.item not in hunted:
            graded[row.item].append(row)
    if hunted and not graded:
        raise BadInput([Fault(str(path), HUNTED.format(items=plural(len(hunted), "item")))])
    decisions = decided or {}
    found = {item: _grade_of(said, drawn[item].pi, decisions.get(item)) for item, said in graded.items()}
    if not uniform:
        _refuse_unknown(path, found)
    asked = {row.item for row in first} - hunted
    return HumanGrades(
        file=str(path),
        grades={item: one._replace(pi=None) for item, one in found.items()} if uniform else found,
        raters=tuple(sorted({row.rater for said in graded.values() for row in said})),
        queries={row.item: row.about.query for row in first if row.about.query},
        hunted=len(hunted),
        could_not_rate=len(asked - set(found)),
        machines=_machines(path, graded),
    )


def first_rows(rows: Sequence[RatingRow]) -> list[RatingRow]:
    """Each rater's first reading of each item."""
    first: dict[tuple[str, str], RatingRow] = {}
    for row in rows:
        if row.grade is None and not row.cannot:
            continue  # an empty cell: no value
        known = first.get((row.item, row.rater))
        if known is None or row.repeat < known.repeat:
            first[row.item, row.rater] = row
    return list(first.values())


def _grade_of(said: Sequence[RatingRow], pi: float | None, decided: int | None) -> HumanGrade:
    grades = sorted(row.grade for row in said if row.grade is not None)
    grade = grades[(len(grades) - 1) // 2] if decided is None else decided
    edges = (grades[0], grades[-1]) if decided is None else (decided, decided)
    return HumanGrade(grade, *edges, pi, len(grades), decided is not None)


def _refuse_unknown(path: Path, found: Mapping[str, HumanGrade]) -> None:
    unknown = [item for item, one in found.items() if one.pi is None]
    if len(unknown) == len(found):
        raise BadInput([Fault(str(path), NO_PI)])
    if unknown:
        first = ", ".join(map(repr, unknown[:3]))
        what = f"{plural(len(unknown), 'item has', 'items have')} no inclusion probability ({first})"
        raise BadInput([Fault(str(path), f"{what}: take the ratings of a sample alone")])


def _machines(path: Path, graded: Mapping[str, Sequence[RatingRow]]) -> tuple[str, ...]:
    kinds = rater_kinds(path.with_name(RATERS))
    raters = {row.rater for said in graded.values() for row in said}
    return tuple(sorted(rater for rater in raters if kinds.get(rater) == "llm"))


def _drawings(path: Path, layout: Layout, rows: Sequence[RatingRow]) -> dict[str, _Drawn]:
    """How each item of the rows was drawn.

    Of an item that several samples drew the weights 1 / pi add up, as in both samples together. One that was
    hunted too stays in the sample that drew it.
    """
    table = read_table(path, layout)
    how, chance = table.find("drawn", layout), table.find("pi", layout)
    faults: list[Fault] = []
    item_at = {row.where: row.item for row in rows}
    chances: dict[str, set[float]] = defaultdict(set)
    hunted = set[str]()
    for row in table.rows:
        text, way, where = joined(row, chance), joined(row, how), table.where(row)
        pi = chance_of(text)
        if text and pi is None:
            faults.append(Fault(where, chance_fault(text)))
        if way not in ("", "random", "hunted"):
            faults.append(Fault(where, f"drawn: {way!r} is neither random nor hunted"))
        if (item := item_at.get(where)) is not None:
            chances[item] |= {pi} if pi is not None and way != "hunted" else set()
            hunted |= {item} if way == "hunted" else set()
    refuse_faults(faults)
    return {
        item: _Drawn(item in hunted and not chances[item], _together(chances[item]))
        for item in item_at.values()
    }


def _together(chances: set[float]) -> float | None:
    return 1 / sum(1 / pi for pi in chances) if chances else None


def chance_fault(text: str) -> str:
    """What is wrong with a cell that `chance_of` does not take."""
    return f"pi: {text!r} is not a probability from {RAREST:.0e} to 1"


def chance_of(text: str) -> float | None:
    """A cell as a probability from RAREST to 1; None if it is invalid."""
    try:
        value = float(text)
    except ValueError:
        value = number_of(text) or 0.0
    return value if RAREST <= value <= 1 else None
