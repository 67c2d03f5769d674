"""A comparison for a terminal: changes, tests, and flips."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.comparison.baseline import Baseline
from harness.report.figures import any_of, changes_of, contrary
from harness.report.formats import chance, interval, number, percent, signed
from harness.report.parts import columns, entry, grid, indented, table_of, warnings, whole
from harness.scorecards.comparison import Change, Comparison, Flip, Ranking, SliceChange
from harness.scorecards.money import usd
from harness.stats.paired import SAME
from harness.storage.plural import plural

SLICES_SHOWN = 5
NO_ACTIONS = "no policy says what a user would see"


def comparison_view(found: Comparison, flips: int = 0) -> Iterator[RenderableType]:
    """A comparison's summary and tables."""
    queries = "" if found.naming == "none" else f" in {plural(found.n_clusters, 'query')}"
    where = f"{plural(found.n_common, 'item')}{queries}"
    yield Text(f"What moved, on {where}", style="bold")
    yield Text(f"base:      {found.base}\ncandidate: {found.candidate}")
    yield Text(change_sentence(found))
    yield from _left_out(found)
    yield indented(_figures(found))
    yield indented(Text(_flip_counts(found) if found.flips else "no flips"))
    if found.never_grow:
        lines = [
            f"must not grow: golden {cell.golden} with action {cell.action}: "
            f"{cell.base:,} -> {cell.candidate:,}"
            for cell in found.never_grow
        ]
        yield indented(Text("\n".join(lines)))
    yield from _slices("clauses", found.per_clause)
    yield from _slices("tags", found.per_tag)
    yield from _changed(found)
    yield from _flips(found.flips[:flips])
    yield from warnings(found.warnings, above=True)


def change_sentence(found: Comparison) -> str:
    """The gated change in words."""
    change = found.gated_change
    if change.delta is None:
        return f"{found.gated} cannot be compared: {change.reason}."
    if change.reason == SAME:
        return f"No difference: {found.gated} did not move, as both graded every item alike."
    if change.ci is None:
        return f"{found.gated} moved by {change.delta:+.3f}; {change.reason}."
    low, high = change.ci
    if low <= 0 <= high:
        return f"No difference is shown: {found.gated} moved by {change.delta:+.3f} {interval(change.ci)}."
    better = low > 0
    said = f"The candidate is {'better' if better else 'worse'}: {found.gated} moved by {change.delta:+.3f}"
    return f"{said} {interval(change.ci)}.{_contrary(found, better=better)}"


def _contrary(found: Comparison, *, better: bool) -> str:
    others = [
        f"{figure.name} moved by {signed(change.delta)} {interval(change.ci)}"
        for figure, change in contrary(found, better=better)
    ]
    return (
        f" By other figures it is {'worse' if better else 'better'}: {', '.join(others)}." if others else ""
    )


def _left_out(found: Comparison) -> Iterator[RenderableType]:
    lost = (
        (found.only_base, "only the base was asked about"),
        (found.only_candidate, "only the candidate was asked about"),
        (found.unread_base, "the base has no readable answer for"),
        (found.unread_candidate, "the candidate has no readable answer for"),
    )
    for items, why in lost:
        if items:
            yield Text(f"Left out: {plural(len(items), 'item')} that {why}.")


def _figures(found: Comparison) -> Table:
    rows = (
        (figure.row or figure.name, *(amounts if figure.money else _row)(change))
        for figure, change in changes_of(found)
        if any_of(change) or not figure.if_any
    )
    return columns("", "base", "candidate", "difference", "interval", rows=rows)


def amounts(cost: Change) -> tuple[str, str, str, str]:
    """Amounts of money: three decimals would round them to 0."""
    base, candidate, delta = ("-" if x is None else usd(x) for x in (cost.base, cost.candidate, cost.delta))
    return base, candidate, delta, "-"


def _row(change: Change) -> tuple[str, str, str, str]:
    return number(change.base), number(change.candidate), signed(change.delta), interval(change.ci) or "-"


def _flip_counts(found: Comparison) -> str:
    kinds = Counter(flip.kind for flip in found.flips)
    test, p = found.mcnemar, found.mcnemar.obuchowski.p
    return (
        f"{plural(len(found.flips), 'flip')}: {kinds['fixed']} fixed, {kinds['broken']} broken, "
        f"{kinds['moved']} moved (as right or wrong as before);\n"
        f"{seen_words(found)}\n"
        f"as many fixed as broken? p {chance(p)} clustered (Obuchowski), {test.exact:.2g} if independent\n"
        f"are the grades used as often? p {chance(found.stuart_maxwell.p)} clustered (Stuart, Maxwell)"
    )


def seen_words(found: Comparison) -> str:
    """How many flips change what a user sees, if a policy says what that is."""
    seen = sum(flip.base_action != flip.candidate_action for flip in found.flips)
    known = found.actions is not None or any(flip.base_action for flip in found.flips)
    return f"{seen} would show the user something else" if known else NO_ACTIONS


def _slices(name: str, slices: Sequence[SliceChange]) -> Iterator[RenderableType]:
    """The tags or clauses that moved most; empty if none did."""
    moved = sorted((one for one in slices if one.delta), key=lambda one: (-abs(one.delta), one.name))
    rows = (
        (one.name, f"{one.n:,}", percent(one.base), percent(one.candidate), chance(one.p_holm))
        for one in moved[:SLICES_SHOWN]
    )
    yield from table_of(f"{name} that moved most", "items", "accuracy", "now", "p (Holm)", rows=rows)


def _changed(found: Comparison) -> Iterator[RenderableType]:
    if found.changed:
        yield indented(Text("What differs between the two:"))
        rows = ((one.name, f"{one.base} -> {one.candidate}") for one in found.changed)
        yield indented(grid(rows), above=0, by=4)


def _flips(flips: Sequence[Flip]) -> Iterator[RenderableType]:
    if flips:
        known = any(flip.base_action for flip in flips)
        first = "those first whose user would see something else" if known else "broken ones first"
        yield Text(f"\nThe flips, {first} (--flips N shows more):")
    for flip in flips:
        item = whole(flip.item)
        title = f"{item}: {flip.query} -> {flip.title}" if flip.query else item
        sides = "golden", "base", "candidate"
        reasonings = flip.golden_reasoning, flip.base_reasoning, flip.candidate_reasoning
        said = (f"{who}: {why}" for who, why in zip(sides, reasonings, strict=True) if why)
        yield from entry(title, _moved(flip), *said)


def _moved(flip: Flip) -> str:
    golden = f"golden {flip.golden}"
    if flip.golden_candidate is not None:
        golden += f" (now {flip.golden_candidate})"
    seen = ""
    if flip.base_action != flip.candidate_action:
        seen = f", {flip.base_action} -> {flip.candidate_action}"
    return f"{flip.kind}: {flip.base} -> {flip.candidate}{seen}; {golden}"


def ranking_view(found: Ranking) -> Iterator[RenderableType]:
    """Several runs against the first."""
    first = found.comparisons[0]
    yield Text(f"{len(found.comparisons):,} runs against {found.base}", style="bold")
    table = columns("run", first.gated, "difference", "interval", "p (Holm)", "items")
    table.add_row(found.base, number(first.gated_change.base), "", "", "", "")
    for one, p in zip(found.comparisons, found.p_holm, strict=True):
        change = one.gated_change
        figures = number(change.candidate), signed(change.delta), interval(change.ci) or "-", chance(p)
        table.add_row(one.candidate, *figures, f"{one.n_common:,}")
    yield indented(table)
    yield from warnings(ranking_warnings(found))
    if found.flattery is not None:
        yield Text(
            f"\nThe best of {len(found.comparisons) + 1} looks better than it is by about "
            f"{found.flattery:.3f}, if all are equal: choose on dev, gate on test."
        )


def ranking_warnings(found: Ranking) -> list[str]:
    """Warnings common to every comparison once, the others with their run."""
    every = set.intersection(*(set(one.warnings) for one in found.comparisons))
    return [text for text in found.comparisons[0].warnings if text in every] + [
        f"{one.candidate}: {text}" for one in found.comparisons for text in one.warnings if text not in every
    ]


def baselines_view(found: Sequence[tuple[Path, Baseline]]) -> Iterator[RenderableType]:
    """A line per baseline."""
    for path, one in found:
        yield Text(str(path), style="bold")
        yield f"  {one.run}"
        yield f"  kappa {number(one.kappa)} on {plural(len(one.cases), 'case')} of {one.policy}"
        yield from warnings(one.warnings)
