"""A watch from a table: a row for each sentinel and day, and one for each production row."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.graded_files import Levels
from harness.golden.table_faults import without_doubles
from harness.nouns.pair import one_form, query_key
from harness.score.production_table import ProductionCells
from harness.score.watch import (
    LEAST_REPEATS,
    LEAST_SENTINELS,
    WHY_FIVE,
    Settings,
    WatchHead,
    refuse_few,
    watched,
)
from harness.score.watched import GradeLoss, SentinelLoss, TrafficDay, baseline_of, day_order, sentinel_day
from harness.scorecards.watch import Watch
from harness.storage.plural import plural
from harness.storage.tables import Layout, Table

NEEDED, OPTIONAL = ("day", "item", "query", "teacher"), ("golden", "stratum", "weight")
NOT_THE_SAME = "{days} no golden pair of the baseline and are left out: other pairs have another loss"
MISSING = (
    "{days} not all golden pairs of the baseline (fewest on {day}: {n} of {all}): a pair that is missing is "
    "no evidence of a drift; it counts as right for a worse teacher, and as wrong for a better one"
)
UNEVEN = (
    "{pairs} not in every look of the baseline and left out, on later days too: a mean over other pairs is "
    "another figure, also of a teacher that never changes"
)
ADDED = "{pairs} not in the baseline and left out: their loss there is unknown"


class _Row(NamedTuple):
    day: str
    item: str
    query: str
    golden: int | None
    teacher: int | None
    weight: float
    stratum: str


@dataclass(slots=True)
class _Days:
    """Sentinels and traffic by day."""

    sentinels: dict[str, list[SentinelLoss]] = field(default_factory=lambda: defaultdict(list))
    golden: dict[str, tuple[int, str]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    traffic: dict[str, TrafficDay] = field(default_factory=dict)

    def add(self, row: _Row, loss: GradeLoss) -> None:
        if row.golden is None:
            day = self.traffic.setdefault(row.day, TrafficDay(row.day))
            day.add(row.stratum, row.teacher, row.weight)
            return
        then, first = self.golden.setdefault(row.item, (row.golden, row.day))
        if then != row.golden:
            self.moved.setdefault(
                row.item,
                f"the golden grade of {row.item!r} is {then} on {first} and {row.golden} on {row.day}: a "
                "loss would move with it; give every day the same one, or leave the sentinel out",
            )
        query = query_key(row.query) if row.query else row.item
        seen = SentinelLoss(row.item, query, loss.of(row.golden, row.teacher), row.teacher is None)
        self.sentinels[row.day].append(seen)


def watch_table(table: Table, layout: Layout, levels: Levels, settings: Settings) -> Watch:
    """The verdict over a table of history. BadInput names every faulty row."""
    refuse_few(settings.baseline, f"--baseline {settings.baseline}")
    days = _read(table, layout, levels, GradeLoss(levels.scale, settings.weighting))
    traffic = [days.traffic[day] for day in sorted(days.traffic, key=day_order)]
    order = sorted(days.sentinels, key=day_order)
    if order and len(order) < settings.baseline:
        there = plural(len(order), "day has sentinels", "days have sentinels")
        why = (
            WHY_FIVE
            if settings.baseline == LEAST_REPEATS
            else f"the baseline is the first {settings.baseline}"
        )
        raise BadInput([Fault(str(table.path), f"{there}: {why}")])
    policy = levels.policy.label if levels.policy else None
    about = WatchHead(str(table.path), policy=policy)
    if not order:
        return watched(about, levels.scale, settings, None, (), traffic)
    pairs = {day: {one.item for one in days.sentinels[day]} for day in order}
    first, later = order[: settings.baseline], order[settings.baseline :]
    kept = _in_every_look(table, [(day, pairs[day]) for day in first])
    cut = {day: [one for one in days.sentinels[day] if one.item in kept] for day in order}
    looks, by_item = baseline_of([cut[day] for day in first])
    partly = set[str]().union(*(pairs[day] for day in first)) - kept
    about = about._replace(warnings=tuple(_other_pairs({day: pairs[day] for day in later}, kept, partly)))
    found = [sentinel_day(day, cut[day], looks, by_item) for day in later if cut[day]]
    return watched(about, levels.scale, settings, looks, found, traffic)


def _in_every_look(table: Table, looks: Sequence[tuple[str, set[str]]]) -> set[str]:
    """The pairs that each look of the baseline has. BadInput where they are too few to watch."""
    kept = set[str].intersection(*(pairs for _, pairs in looks))
    if len(kept) < LEAST_SENTINELS:
        (first, _), (last, _) = looks[0], looks[-1]
        short = min(looks, key=lambda one: len(one[1]))
        there = plural(len(kept), "golden pair is", "golden pairs are")
        what = (
            f"{there} in each of the {len(looks)} looks of the baseline ({first} to {last}), and a watch "
            f"takes {LEAST_SENTINELS} or more: every day of the baseline needs the same golden pairs (fewest "
            f"on {short[0]}: {len(short[1])})"
        )
        raise BadInput([Fault(str(table.path), what)])
    return kept


def _other_pairs(days: Mapping[str, set[str]], baseline: set[str], partly: set[str]) -> Iterator[str]:
    """Warnings about looks and days with other pairs than the baseline. `partly`: pairs in some looks."""
    if partly:
        yield UNEVEN.format(pairs=plural(len(partly), "golden pair is", "golden pairs are"))
    others = [day for day, pairs in days.items() if not pairs & baseline]
    if others:
        yield NOT_THE_SAME.format(days=plural(len(others), "day has", "days have"))
    there = {day: len(pairs & baseline) for day, pairs in days.items() if pairs & baseline}
    short = [day for day, n in there.items() if n < len(baseline)]
    if short:
        day = min(short, key=lambda one: there[one])
        has = plural(len(short), "day has", "days have")
        yield MISSING.format(days=has, day=day, n=there[day], all=len(baseline))
    if added := set[str]().union(*days.values()) - baseline - partly:
        yield ADDED.format(pairs=plural(len(added), "golden pair is", "golden pairs are"))


def _read(table: Table, layout: Layout, levels: Levels, loss: GradeLoss) -> _Days:
    cells = ProductionCells.of(table, layout, levels.scale, NEEDED, OPTIONAL)
    faults, found = cells.faults, _Days()
    sentinels, kinds = [], set[bool]()
    for row in table.rows:
        text, item = cells.text(row, "day"), one_form(cells.text(row, "item"))
        day = day_of(text)
        faults.note_gaps(row, ("item",), {"item": item or None})
        if day is None:
            faults.note(row, f"day: {text!r} is neither a date, such as 2026-11-30, nor a number")
            continue
        kinds.add(day.isdecimal())
        weight, query, stratum = cells.weight_of(row), cells.text(row, "query"), cells.text(row, "stratum")
        golden, teacher = cells.grade_of(row, "golden"), cells.grade_of(row, "teacher")
        one = _Row(day, item, query, golden, teacher, weight, stratum)
        if not faults:
            found.add(one, loss)
        if one.golden is not None:
            sentinels.append((row.line, (day, item), None))
    faults.refuse()
    _refuse_together(table, found, kinds)
    without_doubles(sentinels, lambda key: f"item {key[1]!r} on {key[0]}", table.place)
    return found


def _refuse_together(table: Table, found: _Days, kinds: set[bool]) -> None:
    """BadInput for faults that only all rows together show; `kinds`: whether days are numbers."""
    refuse_faults(Fault(str(table.path), what) for what in found.moved.values())
    many = [(day.day, day.fault) for day in found.traffic.values() if day.fault]
    refuse_faults(Fault(str(table.path), f"{day}: {fault}") for day, fault in many)
    if len(kinds) > 1:
        raise BadInput([Fault(str(table.path), "day: dates and numbers are mixed; use one of them")])


def day_of(text: str) -> str | None:
    """A date as 2026-11-30, or the number of a day; None for anything else."""
    if text.isdecimal() and len(text) < 8:
        return str(int(text))
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return f"{read(text):%Y-%m-%d}"
        except ValueError:
            continue
    return None
