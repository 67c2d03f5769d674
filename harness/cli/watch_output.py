"""What `harness watch` prints and writes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.groups import Html, Markdown, append
from harness.cli.options import Options, option
from harness.cli.output import print_json, say, show, shown_path
from harness.errors import BadInput
from harness.storage.outputs import JUNIT

if TYPE_CHECKING:
    from harness.scorecards.watch import Watch


class WatchOutput(Options):
    """The other forms of the result."""

    junit: Annotated[Path | None, option("Write both processes as JUnit XML."), JUNIT] = None
    markdown: Markdown = None
    html: Html = None
    line: Annotated[
        bool, option("Print one line of JSON with a `text`, to hand on to a webhook.", "--line")
    ] = False

    def refuse_both(self, *, as_json: bool) -> None:
        """BadInput for two things on standard output."""
        if as_json and self.line:
            raise BadInput("--json and --line both print on standard output; give one of them")


def code_of(found: "Watch") -> int:
    """The exit code: 0 without drift, 1 at an alarm, 3 if it is undecided."""
    return {"none": 0, None: 3}.get(found.verdict, 1)


def write_found(found: "Watch", out: WatchOutput, *, as_json: bool) -> None:
    """Write the files asked for, and print the annotations and the verdict."""
    from harness.report.regression import annotations
    from harness.report.watch import conditions_of, junit_text, markdown_text, watch_view, webhook_line
    from harness.storage.files import write_atomic

    if out.junit is not None:
        write_atomic(out.junit, junit_text(found))
    append(out.markdown, markdown_text(found))
    if out.html is not None:
        from harness.report.page.watch import write_watch

        write_watch(out.html, found)
        say(f"page: {shown_path(out.html.absolute())}")
    for line in annotations(conditions_of(found)):
        say(line)
    if out.line:
        typer.echo(webhook_line(found))
    elif as_json:
        print_json(found)
    else:
        show(watch_view(found))
