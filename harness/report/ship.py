"""The shipping check for a terminal, and as Markdown."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.impact import impact_markdown, impact_view
from harness.report.parts import VERDICT_STYLES, below, verdict_line, warnings
from harness.report.regression import MARKS, markdown_cell, markdown_table
from harness.scorecards.comparison import Condition
from harness.scorecards.ship import CANARIES, GATE1, IMPACT, Shipping

WORDS = {"pass": "may ship", "fail": "must not ship", "inconclusive": "is not shown to be fit to ship"}


def shipping_view(found: Shipping) -> Iterator[RenderableType]:
    """The verdict, every step, and the runs that it was read from."""
    words = f"{found.policy} {WORDS[found.verdict]}"
    yield verdict_line(found.verdict, words, provisional=found.override is not None)
    yield Text("")
    for name, mark, reason, style in _results(found):
        yield Text.assemble((f"{mark:<8}", style), name)
        yield below(f"{reason}.", by=8)
    yield Text("")
    if found.override:
        yield Text(f"{_answered(found)}.", style="yellow")
    yield from warnings(found.warnings)
    yield from (f"{name}: {run}" for name, run in _read_from(found))
    if found.impact:
        yield Text("")
        yield from impact_view(found.impact, 0)


def shipping_markdown(found: Shipping) -> str:
    """The check as Markdown, for a pull request."""
    provisional = ", provisional" if found.override else ""
    steps = ((markdown_cell(name), mark, markdown_cell(reason)) for name, mark, reason, _ in _results(found))
    lines = [
        f"## {found.verdict.capitalize()}{provisional}: {markdown_cell(found.policy)} {WORDS[found.verdict]}",
        "",
        *markdown_table(("step", "", ""), steps),
    ]
    if found.override:
        lines += [f"**{markdown_cell(_answered(found))}.**", ""]
    lines += [f"- {markdown_cell(warning)}" for warning in found.warnings]
    lines += [f"- {name}: {markdown_cell(run)}" for name, run in _read_from(found)]
    text = "\n".join(lines) + "\n"
    return f"{text}\n{impact_markdown(found.impact)}" if found.impact else text


def _results(found: Shipping) -> Iterator[tuple[str, str, str, str]]:
    """Every step, and every check that had nothing to check, in one order: name, result, reason, style."""
    made = [(one.name, _mark(one, found), one.reason, VERDICT_STYLES[one.verdict]) for one in found.steps]
    rest = [(name, "not run", reason, "") for name, reason in found.not_run.items()]
    yield from sorted(
        [*made, *rest],
        key=lambda row: [CANARIES, IMPACT].index(row[0]) if row[0] in (CANARIES, IMPACT) else -1,
    )


def _mark(step: Condition, found: Shipping) -> str:
    """A step's result. A step that was overridden, or that has no limit, does not count as passed."""
    if found.override and step.name == GATE1 and step.verdict == "pass":
        return "allowed"
    if step.name == IMPACT and step.verdict == "pass" and found.impact_limit is None:
        return "shown"
    return MARKS[step.verdict]


def _answered(found: Shipping) -> str:
    """The overrides of unproven steps."""
    one = found.override
    assert one is not None, "called only with an override"
    return f"Gate 1 not passed by people ({one.gate1}): {one.by} takes responsibility, because {one.because}"


def _read_from(found: Shipping) -> Iterator[tuple[str, str]]:
    runs = {"Run": found.run, "Base": found.base, "Canaries": found.canaries}
    yield from ((name, run) for name, run in runs.items() if run)
