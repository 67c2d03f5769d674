"""A regression verdict: for a terminal, as Markdown, as JUnit XML, and as annotations for GitHub."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree

from rich.console import RenderableType
from rich.text import Text

from harness.report.comparison import comparison_view
from harness.report.figures import changes_of
from harness.report.formats import interval, number, signed
from harness.report.parts import grid, indented, verdict_line
from harness.scorecards.comparison import Comparison, Condition, Regression
from harness.storage.plural import plural

MARKS = {"pass": "passed", "fail": "FAILED", "inconclusive": "open"}
LEVELS = {"pass": "notice", "fail": "error", "inconclusive": "warning"}


def regression_view(found: Regression, flips: int) -> Iterator[RenderableType]:
    """The verdict, its conditions, and the comparison under it."""
    yield verdict_line(found.verdict, found.reason)
    rows = ((MARKS[one.verdict], f"{one.name}: {one.reason}") for one in found.conditions)
    yield indented(grid(rows), above=0)
    yield Text("")
    yield from comparison_view(found.comparison, flips)


def junit_xml(found: Regression) -> str:
    """One test case for each condition, and the flips."""
    flips = "\n".join(
        f"{flip.kind} {flip.item}: {flip.base} -> {flip.candidate}" for flip in found.comparison.flips
    )
    return junit_suite("regress", found.conditions, flips)


def junit_suite(command: str, conditions: Sequence[Condition], said: str) -> str:
    """One test case for each condition: a failure where it fails, an error where it is open."""
    bad = [one for one in conditions if one.verdict != "pass"]
    failures = sum(one.verdict == "fail" for one in bad)
    suite = ElementTree.Element(
        "testsuite",
        name=f"harness {command}",
        tests=str(len(conditions)),
        failures=str(failures),
        errors=str(len(bad) - failures),
    )
    for one in conditions:
        case = ElementTree.SubElement(suite, "testcase", classname=command, name=_printable(one.name))
        if one.verdict != "pass":
            tag = "failure" if one.verdict == "fail" else "error"
            ElementTree.SubElement(case, tag, message=_printable(one.reason))
    ElementTree.SubElement(suite, "system-out").text = _printable(said)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """The text without characters that XML 1.0 forbids."""
    return re.sub("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def markdown_text(found: Regression, flips: int) -> str:
    """The result for a pull request or a job summary."""
    c = found.comparison
    where = f"{plural(c.n_common, 'item')}, {plural(c.n_clusters, 'query')}"
    conditions = (
        (markdown_cell(one.name), MARKS[one.verdict], markdown_cell(one.reason)) for one in found.conditions
    )
    lines = [
        f"## Regression check: {found.verdict}",
        "",
        f"{markdown_cell(found.reason)}.",
        "",
        f"Base: {markdown_cell(c.base)}. Candidate: {markdown_cell(c.candidate)}.",
        "",
        *markdown_table(("condition", "", ""), conditions),
        *markdown_table((where, "base", "candidate", "difference", "95 % interval"), _rows(c)),
    ]
    if c.flips[:flips]:
        rows = (
            (o.kind, markdown_cell(o.item), markdown_cell(o.query or ""), o.golden, o.base, o.candidate)
            for o in c.flips[:flips]
        )
        lines += markdown_table(("flip", "item", "query", "golden", "base", "candidate"), rows)
        lines += [f"{plural(len(c.flips), 'flip')} in all.", ""]
    lines += [f"- {markdown_cell(warning)}" for warning in c.warnings]
    return "\n".join(lines) + "\n"


def _rows(found: Comparison) -> Iterator[Sequence[str]]:
    """The figures for a summary; the actions' figure, which not every policy has, is last."""
    shown = [(figure, change) for figure, change in changes_of(found) if figure.markdown]
    for figure, change in sorted(shown, key=lambda one: one[0].field == "actions"):
        sides = number(change.base), number(change.candidate), signed(change.delta)
        yield figure.markdown, *sides, interval(change.ci) or "-"


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a table, and an empty one after it. The cells are escaped already."""
    yield "|" + "".join(f" {header} |" if header else " |" for header in headers)
    yield "|---" * len(headers) + "|"
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)
    yield ""


def markdown_cell(text: str) -> str:
    """Text escaped for a table's cell: it cannot end the cell or add markup."""
    for letter in "\\|`*_~<>[]&$":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())


def annotations(conditions: Sequence[Condition]) -> Iterator[str]:
    """A line for each condition in GitHub's format, if run in a GitHub workflow."""
    if not os.environ.get("GITHUB_ACTIONS"):
        return
    for one in conditions:
        title = _escaped(one.name).replace(",", "%2C").replace(":", "%3A")
        yield f"::{LEVELS[one.verdict]} title={title}::{_escaped(one.reason)}"


def _escaped(text: str) -> str:
    """Text escaped for GitHub's workflow commands."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
