"""Shared parts of the gates' tables, for a terminal of 80 columns."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report.console import GLUE
from harness.report.formats import ended
from harness.scorecards.shared import Gate, Verdict

Rows = Iterable[Sequence[RenderableType]]
"""The cells of a table, row by row."""
WIDTH = 78
"""The width in characters of text that is indented by two, in a terminal of 80."""
VERDICT_STYLES = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}


def verdict_line(verdict: Verdict, why: str | None, *, provisional: bool = False) -> Text:
    """The verdict in capitals, and its reason."""
    label = verdict.upper() + (", provisional" if provisional else "")
    return Text.assemble((label, VERDICT_STYLES[verdict]), f": {why}.")


def verdict_lines(score: Gate) -> Iterator[RenderableType]:
    """The verdict, its reason, and why it is provisional, if it is."""
    assert score.verdict is not None, "a scorecard that was never judged"
    yield verdict_line(score.verdict, score.reason, provisional=bool(score.provisional))
    if score.items_needed is not None:
        yield Text(f"About {score.needed_words} would decide it, at this kappa and design effect.")
    if score.guard:
        yield Text(f"{score.guard[:1].upper()}{score.guard[1:]}.")
    if score.provisional:
        yield Text(f"Provisional: {score.provisional}.")
    if score.bar_moved:
        yield Text(f"The gate was changed: {score.bar_moved}.", style="yellow")


def whole(name: str) -> str:
    """A name to copy, such as an item's id: lines are not folded at its spaces."""
    return name.replace(" ", GLUE)


def whole_in(text: str, names: Iterable[str]) -> str:
    """A sentence in which these names are not folded at their spaces."""
    for name in names:
        text = text.replace(name, whole(name))
    return text


def id_lines(head: str, ids: Iterable[str], end: str = "", width: int = 80) -> str:
    """A sentence with ids, folded between ids into lines of at most `width` columns."""
    text = f"{head} {', '.join(map(whole, ids))}{end}"
    lines = wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(GLUE, " ")


def indented(part: RenderableType, above: int = 1, by: int = 2) -> Padding:
    """A section of a report, indented under its title."""
    return Padding(part, (above, 0, 0, by))


def below(text: str, by: int = 2) -> Padding:
    """A line under its title, indented."""
    return indented(Text(text), above=0, by=by)


def and_more(left: int) -> Iterator[RenderableType]:
    """A line that counts the rows that are not shown; none if all are."""
    if left > 0:
        yield Text(f"  ... and {left:,} more; --json has all", style="dim")


def entry(title: str, *lines: str) -> Iterator[RenderableType]:
    """A title in bold and lines under it, as of a disagreement; empty lines are omitted."""
    yield indented(Text(title, style="bold"))
    yield from (below(line, by=4) for line in lines if line)


def headed(title: str) -> Iterator[RenderableType]:
    """The title of a part, after an empty line."""
    yield Text("")
    yield Text(title, style="bold")


def columns(first: str, *others: str, rows: Rows = ()) -> Table:
    """A table without lines: names on the left, figures on the right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def table_of(*names: str, rows: Rows) -> Iterator[RenderableType]:
    """A table like `columns`, indented; nothing without a row."""
    table = columns(*names, rows=rows)
    if table.row_count:
        yield indented(table)


def grid(rows: Rows, between: int = 2) -> Table:
    """Names and what belongs to each, without headers; `between`: the spaces between two columns."""
    table = Table.grid(padding=(0, between))
    for row in rows:
        table.add_row(*row)
    return table


def matrix_table(corner: str, labels: Sequence[int | str], matrix: Sequence[Sequence[int]]) -> RenderableType:
    """Counts with their labels, split into several tables if the columns do not fit side by side."""
    widths = [
        max(len(str(labels[at])), *(len(f"{line[at]:,}") for line in matrix)) for at in range(len(labels))
    ]
    room = WIDTH - max(len(corner), *(len(str(label)) for label in labels))
    parts: list[RenderableType] = []
    for part in _fitting(widths, room):
        table = columns(corner, *(str(labels[at]) for at in part))
        for at, line in enumerate(matrix):
            shown = cells(line, at)
            table.add_row(str(labels[at]), *(shown[beside] for beside in part))
        parts += [*([""] if parts else []), table]
    return parts[0] if len(parts) == 1 else Group(*parts)


def _fitting(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """Columns in groups that fit; one that is too wide by itself is alone."""
    part: list[int] = []
    taken = 0
    for at, width in enumerate(widths):
        if part and taken + width + 2 > room:
            yield part
            part, taken = [], 0
        part.append(at)
        taken += width + 2
    yield part


def cells(line: Sequence[int], diagonal: int) -> list[Text]:
    """Counts: agreements in bold, zeros as dots, so that the pattern is visible."""
    return [
        Text(f"{count:,}" if count else "·", style="bold" if at == diagonal else "")
        for at, count in enumerate(line)
    ]


def warnings(texts: Sequence[str], *, above: bool = False) -> Iterator[RenderableType]:
    """Warnings, each on a line; with `above`, after an empty line."""
    if above and texts:
        yield Text("")
    yield from (Text(f"Warning: {ended(text)}", style="yellow") for text in texts)
