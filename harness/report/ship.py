"""The shipping check: one page for a terminal, and as Markdown."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.parts import VERDICT_STYLES
from harness.report.regression import MARKS, markdown_cell
from harness.scorecards.ship import Shipping

WORDS = {"pass": "may ship", "fail": "must not ship", "inconclusive": "cannot be shown to be fit to ship"}


def shipping_view(found: Shipping) -> Iterator[RenderableType]:
    """The verdict, and every step under it."""
    words = f": {found.policy} {WORDS[found.verdict]}."
    yield Text.assemble((found.verdict.upper(), VERDICT_STYLES[found.verdict]), words)
    yield Text("")
    for step in found.steps:
        yield Text.assemble((f"{MARKS[step.verdict]:<7} ", VERDICT_STYLES[step.verdict]), step.name)
        yield Text(f"        {step.reason}.")
    if found.override:
        yield Text(
            f"\nGate 1 is not people's yet; {found.override.by} answers for it: {found.override.because}."
        )
    if found.run:
        yield Text(f"\nRun: {found.run}" + (f"\nBase: {found.base}" if found.base else ""))


def shipping_markdown(found: Shipping) -> str:
    """The page for a pull request."""
    lines = [
        f"## {markdown_cell(found.policy)} {WORDS[found.verdict]}",
        "",
        "| step | | |",
        "|---|---|---|",
        *(
            f"| {markdown_cell(step.name)} | {MARKS[step.verdict]} | {markdown_cell(step.reason)} |"
            for step in found.steps
        ),
        "",
    ]
    if found.override:
        who = f"{found.override.by}: {found.override.because}"
        lines += [f"Gate 1 is not people's yet; answered for by {markdown_cell(who)}.", ""]
    return "\n".join(lines) + "\n"
