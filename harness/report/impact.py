"""The impact of a policy change, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import interval, number
from harness.report.parts import entry, indented, matrix_table, table_of, warnings
from harness.report.regression import markdown_cell, markdown_table
from harness.scorecards.impact import Impact, MovedShare
from harness.storage.plural import plural

QUERIES_SHOWN = 5


def impact_view(found: Impact, examples: int) -> Iterator[RenderableType]:
    """The share of grades and actions that change."""
    where = f"{plural(found.n, 'pair')} in {plural(found.n_queries, 'query')}"
    yield Text(f"From {found.before} to {found.after}, {_grader(found)}, {where}", style="bold")
    weight = " of the traffic" if found.weighted else ""
    yield Text(_sentence(found))
    rows = (
        (name, f"{moved.pairs:,}", number(moved.share), interval(moved.ci) or "-")
        for name, moved in _rows(found).items()
    )
    yield from table_of("", "pairs", f"share{weight}", "interval", rows=rows)
    if found.grades and found.grade_moved.pairs:
        labels, matrix = found.grades.labels, found.grades.matrix
        yield indented(matrix_table("before \\ after", labels, matrix))
    yield from _queries(found)
    for one in found.moved[:examples]:
        seen = "" if found.undecided else f", {one.action_before} -> {one.action_after}"
        change = f"{one.before} -> {one.after}{seen}"
        reasonings = {"before": one.reasoning_before, "after": one.reasoning_after}
        said = (f"{name}: {why}" for name, why in reasonings.items() if why)
        yield from entry(f"{one.id}: {one.query} -> {one.title}", change, *said)
    yield from warnings(found.warnings, above=True)


def impact_markdown(found: Impact) -> str:
    """The same as Markdown, for a pull request."""
    weight = " of the traffic" if found.weighted else ""
    where = f"{plural(found.n, 'pair')} in {plural(found.n_queries, 'query')}"
    title = f"From {found.before} to {found.after}, on {where}"
    rows = (
        (
            markdown_cell(name.strip()),
            f"{moved.pairs:,}",
            number(moved.share),
            markdown_cell(interval(moved.ci) or "-"),
        )
        for name, moved in _rows(found).items()
    )
    lines = [
        f"### {markdown_cell(title)}",
        "",
        f"{markdown_cell(_grader(found))}. {markdown_cell(_sentence(found))}",
        "",
        *markdown_table(("", "pairs", f"share{weight}", "95 % interval"), rows),
        *(f"- {markdown_cell(warning)}" for warning in found.warnings),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _grader(found: Impact) -> str:
    """Who graded; a grader that reads no policy is sent no prompt either."""
    return f"{found.model} with {found.prompt}" if found.reads_policy else found.model


def _sentence(found: Impact) -> str:
    """What changes, in words. They do not mention people if the policy does not say what people see."""
    weight = " of the traffic" if found.weighted else ""
    shown = (
        f"another grade for {_share(found.grade_moved)}{weight}; {found.undecided}"
        if found.undecided
        else f"another action for {_share(found.action_moved)}{weight}"
    )
    if not found.reads_policy:
        blind = f"{found.model} reads no policy, so this shows nothing of what the change does"
        return f"{blind}: by what it learned, {shown}."
    if found.undecided:
        return f"{shown[:1].upper()}{shown[1:]}."
    return f"What people see changes for {_share(found.action_moved)}{weight}."


def _rows(found: Impact) -> dict[str, MovedShare]:
    """What moved, by name: grades, actions, and each way that an action moved."""
    rows = {"another grade": found.grade_moved, "another action": found.action_moved}
    if found.undecided:
        return {"another grade": found.grade_moved}
    rows |= {f"  {one.before} -> {one.after}": one.moved for one in found.action_moves}
    if found.noise:
        rows[f"another action, asked twice under {found.before}"] = found.noise
    return rows


def _share(moved: MovedShare) -> str:
    span = f" {interval(moved.ci)}" if moved.ci else ""
    if moved.reason and moved.share is not None:
        span = f" (no interval: {moved.reason.after_no_interval})"
    return "-" if moved.share is None else f"{moved.share:.1%}{span}"


def _queries(found: Impact) -> Iterator[RenderableType]:
    touched = [one for one in found.per_query if one.actions or one.grades][:QUERIES_SHOWN]
    rows = ((one.query, f"{one.pairs:,}", f"{one.grades:,}", f"{one.actions:,}") for one in touched)
    yield from table_of("queries that change most", "pairs", "grades", "actions", rows=rows)
