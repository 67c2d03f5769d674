"""How a golden set has aged, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.parts import columns, id_lines, indented, percent, warnings
from harness.scorecards.golden_age import GoldenAge
from harness.storage.plural import plural

SHOWN = 10


def golden_age_view(found: GoldenAge) -> Iterator[RenderableType]:
    """What is old, what moved, what is gone from the traffic, what it has that the set lacks."""
    versions = ", ".join(f"{count:,} under {version}" for version, count in found.versions.items())
    yield Text(
        f"Golden set of {found.policy}: {plural(found.examples, 'example')} ({versions})", style="bold"
    )
    yield from _aged(found)
    if found.traffic is None:
        yield Text(
            "Add --traffic LABELS or a table, to hold the set against what is asked today.", style="dim"
        )
    else:
        yield from _traffic(found)
    yield from warnings(found.warnings, above=True)


def _aged(found: GoldenAge) -> Iterator[RenderableType]:
    if not found.aged:
        yield Text("Every example is judged under the policy as it reads now.")
        return
    resting = sum(bool(one.because) for one in found.aged)
    unknown = sum(one.cannot_tell for one in found.aged)
    were = plural(len(found.aged), "example was", "examples were")
    yield Text(
        f"{were} judged under another version, or by rules edited since: {resting:,} rest on what moved, "
        f"for {unknown:,} nobody can tell."
    )
    for one in found.moved[:SHOWN]:
        names = (aged.item for aged in found.aged if one.name in aged.because)
        ids = [name for _, name in zip(range(SHOWN), names, strict=False)]
        more = f" and {one.examples - len(ids):,} more" if one.examples > len(ids) else ""
        yield indented(Text(id_lines(f"{one.name} moved:", ids, more)), above=0)
    if found.without_version:
        yield Text(f"  Not there any more: {', '.join(found.without_version)}.", style="yellow")
    yield Text("Judge them again: `harness golden confirm`, `harness golden regrade`.", style="dim")


def _traffic(found: GoldenAge) -> Iterator[RenderableType]:
    queries = sum(one.examples for one in found.gone)
    yield Text("")
    yield Text(f"Against {found.traffic}, {plural(found.rows, 'row')}:", style="bold")
    yield Text(f"{percent(found.known_queries)} of it, by weight, has a query of the set.")
    yield Text(f"{percent(found.covered)} of it has an example near it (similarity {found.near:g} or more).")
    do = "does" if len(found.gone) == 1 else "do"
    gone = f"{plural(len(found.gone), 'query', 'queries')} of the set, with {plural(queries, 'example')},"
    yield Text(f"{gone} {do} not occur in it.")
    if found.gone:
        shown = ", ".join(one.query for one in found.gone[:SHOWN])
        more = f" and {len(found.gone) - SHOWN:,} more" if len(found.gone) > SHOWN else ""
        yield indented(Text(f"gone: {shown}{more}"), above=0)
    if found.strata:
        table = columns("stratum", "share", "covered")
        for part in found.strata:
            table.add_row(part.stratum, percent(part.share), percent(part.covered))
        yield indented(table)
    if found.to_add:
        table = columns("to add", "weight", "nearest", "similarity")
        for one in found.to_add[:SHOWN]:
            name = f"{one.query} | {one.title}"
            table.add_row(name, f"{one.weight:g}", one.nearest or "-", f"{one.similarity:.2f}")
        yield indented(table)
        if len(found.to_add) > SHOWN:
            yield Text(f"  {len(found.to_add) - SHOWN:,} more; -o plan.jsonl has all.", style="dim")
