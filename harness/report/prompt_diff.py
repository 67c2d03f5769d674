"""The differences between two prompts, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.parts import headed, indented
from harness.report.policy_diff import word_diff
from harness.report.text_diff import diff_lines
from harness.scorecards.policy_change import Wording
from harness.scorecards.prompt_change import PromptDiff
from harness.storage.plural import plural

SIGNS = {"gone": "-", "new": "+", "same": "", "place": "@"}
STYLES = {"gone": "red", "new": "green", "same": "", "place": "dim"}


def prompt_diff_view(diff: PromptDiff) -> Iterator[RenderableType]:
    """Templates by line, settings by word, and whether the constant prefix is the same."""
    yield Text(f"{diff.old} -> {diff.new}", style="bold")
    if not diff.changes:
        yield Text("Both say the same.")
    for change in diff.changes:
        yield from _lines(change) if change.key.endswith(".j2") else [_setting(change)]
    yield Text("")
    yield Text(_prefix(diff))


def _lines(change: Wording) -> Iterator[RenderableType]:
    yield from headed(change.key)
    table = Table.grid(padding=(0, 1))
    for line in diff_lines(change.old or "", change.new or ""):
        table.add_row(SIGNS[line.kind], Text(line.text, style=STYLES[line.kind], overflow="fold"))
    yield indented(table if table.row_count else Text("Only its line ends differ."), above=0)


def _setting(change: Wording) -> RenderableType:
    old, new = change.old, change.new
    if change.key == "description" and old and new:
        return indented(Text(f"{change.key}: {word_diff(old, new)}"), by=0)
    return indented(Text(f"{change.key}: {old or 'not set'} -> {new or 'not set'}"), by=0)


def _prefix(diff: PromptDiff) -> str:
    """The change of the constant prefix, on which caching and price depend."""
    what = f"The constant prefix under {diff.policy}"
    if diff.prefix is None:
        return f"{what} is unknown: {diff.reason}"
    if diff.prefix.same:
        return f"{what} is the same, {plural(diff.prefix.new, 'character')}."
    return f"{what} differs: {diff.prefix.old:,} -> {plural(diff.prefix.new, 'character')}."
