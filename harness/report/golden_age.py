"""How a golden set has aged, for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import percent
from harness.report.parts import below, headed, id_lines, table_of, warnings
from harness.scorecards.golden_age import GoldenAge
from harness.storage.plural import more_of, plural

SHOWN = 10


def golden_age_view(found: GoldenAge) -> Iterator[RenderableType]:
    """What is old or moved, what the traffic no longer has, and what the set lacks."""
    versions = ", ".join(f"{count:,} under {version}" for version, count in found.versions.items())
    yield Text(
        f"Golden set of {found.policy}: {plural(found.examples, 'example')} ({versions})", style="bold"
    )
    yield from _aged(found)
    if found.traffic is None:
        yield Text(
            "Add --traffic with LABELS or a table to compare the set with what is asked today.", style="dim"
        )
    else:
        yield from _traffic(found)
    yield from warnings(found.warnings, above=True)


def _aged(found: GoldenAge) -> Iterator[RenderableType]:
    if found.unnoted:
        note = plural(found.unnoted, "example of this version notes", "examples of this version note")
        yield Text(
            f"{note} no rules: it is unknown whether the policy was edited since they were judged. "
            "`harness golden confirm --file IDS --why TEXT` notes them, once the policy is finished."
        )
    if found.aged:
        yield from _judged_before(found)
    elif found.unnoted < found.examples:
        other = "other " if found.unnoted else ""
        yield Text(f"Every {other}example is judged under the policy as it reads now.")


def _judged_before(found: GoldenAge) -> Iterator[RenderableType]:
    resting = [one.item for one in found.aged if one.because]
    unknown = [one.item for one in found.aged if one.cannot_tell]
    apart = len(found.aged) - len(resting) - len(unknown)
    were = plural(len(found.aged), "example was", "examples were")
    yield Text(
        f"{were} judged under another version, or by rules edited since: {len(resting):,} rest on what "
        f"moved, for {len(unknown):,} it is unknown, {apart:,} rest on nothing that moved."
    )
    for one in found.moved[:SHOWN]:
        yield _some(f"{one.name} moved:", [aged.item for aged in found.aged if one.name in aged.because])
    if unknown:
        yield _some("cannot tell:", unknown)
    if found.without_version:
        yield Text(f"  Not there any more: {', '.join(found.without_version)}.", style="yellow")
    yield Text("Judge them again: `harness golden confirm`, `harness golden regrade`.", style="dim")


def _some(head: str, names: Sequence[str]) -> RenderableType:
    """The first of some ids, and how many more there are."""
    more = more_of(len(names), SHOWN)
    return below(id_lines(head, names[:SHOWN], more, width=78))


def _traffic(found: GoldenAge) -> Iterator[RenderableType]:
    yield from headed(f"Against {found.traffic}, {plural(found.rows, 'row')}:")
    yield Text(f"{percent(found.known_queries)} of it, by weight, has a query of the set.")
    yield Text(f"{percent(found.covered)} of it has an example near it (similarity {found.near:g} or more).")
    yield from _gone(found)
    yield from _strata(found)
    if found.to_add:
        yield from _to_add(found)


def _gone(found: GoldenAge) -> Iterator[RenderableType]:
    if not found.gone:
        yield Text("Every query of the set occurs in it.")
        return
    do = "does" if len(found.gone) == 1 else "do"
    examples = plural(sum(one.examples for one in found.gone), "example")
    gone = f"{plural(len(found.gone), 'query')} of the set, with {examples},"
    yield Text(f"{gone} {do} not occur in it, those with most examples first.")
    shown = ", ".join(one.query for one in found.gone[:SHOWN])
    yield below(f"gone: {shown}{more_of(len(found.gone), SHOWN)}")


def _strata(found: GoldenAge) -> Iterator[RenderableType]:
    rows = ((part.stratum, percent(part.share), percent(part.covered)) for part in found.strata[:SHOWN])
    yield from table_of("stratum, the least covered first", "share", "covered", rows=rows)
    if len(found.strata) > SHOWN:
        yield Text(f"  {len(found.strata) - SHOWN:,} more; --json has all.", style="dim")


def _to_add(found: GoldenAge) -> Iterator[RenderableType]:
    rows = (
        (f"{one.query} | {one.title}", f"{one.weight:g}", one.nearest or "-", f"{one.similarity:.2f}")
        for one in found.to_add[:SHOWN]
    )
    yield from table_of("to add", "weight", "nearest", "similarity", rows=rows)
    if len(found.to_add) > SHOWN:
        yield Text(f"  {len(found.to_add) - SHOWN:,} more; -o FILE has all.", style="dim")
    order = "the heaviest of each stratum, then the heaviest of all" if found.strata else "most weight first"
    yield Text(f"  In this order: {order}; each of another query while there are any.", style="dim")
