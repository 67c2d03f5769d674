"""A cascade that was chosen, for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import interval, number, percent, signed, with_interval
from harness.report.parts import columns, indented, verdict_line, warnings, whole
from harness.scorecards.cascade import CascadeCheck, CascadePart, CascadePoint
from harness.scorecards.money import usd
from harness.storage.plural import plural

SHOWN = 10
"""Points of the curve: those nearest to every tenth that is sent."""


def cascade_view(found: CascadeCheck) -> Iterator[RenderableType]:
    """The verdict, the curve on dev, and the chosen threshold on test."""
    by = f" under {found.policy}" if found.policy else ""
    yield Text(f"May a cascade stand in for its teacher alone{by}?", "bold")
    yield Text(f"Student: {_named(found.student)}")
    yield Text(f"Teacher, where the student is not sure: {_named(found.teacher)}")
    yield verdict_line(found.verdict, found.reason)
    yield Text(_chosen(found))
    yield indented(_curve(found))
    if found.test:
        yield from _confirmed(found, found.test)
    if found.cost.reason:
        yield Text(f"Cost unknown: {found.cost.reason}.")
    yield from map(Text, found.notes)
    if found.looks is not None:
        yield Text(f"Looks at the test split so far: {found.looks:,}. Decide on --share and --margin before.")
    yield from warnings(found.warnings, above=True)


def _named(name: str) -> str:
    """A run, or the two runs that make one side."""
    return ", ".join(map(whole, name.split(" + ")))


def _chosen(found: CascadeCheck) -> str:
    if found.threshold is None or found.dev is None:
        return f"No threshold on dev meets the rule, {found.rule}. Test was not looked at."
    on = f"{plural(found.dev.n, 'item')} of {plural(found.dev.n_clusters, 'query')}"
    return f"Threshold {found.threshold:.4g}, chosen on dev ({on}): {found.rule}."


def _curve(found: CascadeCheck) -> RenderableType:
    table = columns("confidence", "sent", found.gated, "minus teacher", "95 % limit", "per 1,000")
    for one in _some(found.curve, found.threshold):
        mark = " *" if one.threshold == found.threshold else ""
        figures = number(one.kappa), signed(one.delta), signed(one.low), _usd(one.cost)
        table.add_row(f"{one.threshold:.4g}{mark}", percent(one.sent), *figures)
    return table


def _some(curve: Sequence[CascadePoint], chosen: float | None) -> list[CascadePoint]:
    """The points nearest to every tenth, and the chosen one."""
    near = {
        min(range(len(curve)), key=lambda at: abs(curve[at].sent - step / SHOWN)) for step in range(SHOWN)
    } if curve else set[int]()  # fmt: skip
    near |= {at for at, one in enumerate(curve) if one.threshold == chosen}
    return [curve[at] for at in sorted(near)]


def _confirmed(found: CascadeCheck, on: CascadePart) -> Iterator[RenderableType]:
    items = f"{plural(on.n, 'item')} of {plural(on.n_clusters, 'query')}"
    yield Text(f"Confirmed on test, which did not choose it ({items}):"
               if found.verdict == "pass" else f"On test, which did not choose it ({items}):")  # fmt: skip
    table = columns("test", "sent", found.gated, "95 % interval", "quadratic", "coverage", "per 1,000")
    for name, one, share, cost in (
        ("student alone", on.student, 0.0, found.cost.student),
        ("cascade", on.cascade, on.sent, on.cost),
        ("teacher alone", on.teacher, 1.0, found.cost.teacher),
    ):
        kappa = getattr(one, found.gated)
        quadratic = number(one.kappa_quadratic.value)
        shown = (number(kappa.value), interval(kappa.ci) or "-", quadratic, number(one.coverage))
        table.add_row(name, percent(share), *shown, _usd(cost))
    yield indented(table)
    delta = on.delta
    why = f" ({delta.reason})" if delta.reason else ""
    yield Text(f"Cascade minus teacher, {found.gated}: {with_interval(signed(delta.value), delta.ci)}{why}.")
    on_dev = f"; on dev {percent(found.dev.sent)}" if found.dev else ""
    yield Text(f"Sent to the teacher: {percent(on.sent)} {interval(on.sent_ci)} of test{on_dev}.")


def _usd(cost: float | None) -> str:
    return "-" if cost is None else usd(cost)
