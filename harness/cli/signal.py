"""`harness signal`: where does what users do contradict the policy?"""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

from harness.cli.groups import Html
from harness.cli.options import Columns, Encoding, Format, Json, Options, Root, argument, layout, option
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.rated import LevelOptions, refuse
from harness.errors import BadInput
from harness.storage.outputs import FILE

if TYPE_CHECKING:
    from harness.scorecards.signal import Signal
    from harness.signal.signal_files import LabelFile, LogFile


class LogOptions(Options):
    """The log of what users did."""

    columns: Columns = None
    format: Format = None
    encoding: Encoding = None
    queries: Annotated[
        Path | None, option("For UBI events: the file of queries, with what was shown.", metavar="FILE")
    ] = None
    actions: Annotated[
        str | None, option("For UBI events: what actions count as: tap=clicks,order_placed=purchases")
    ] = None
    outcome: Annotated[
        str | None, option("For UBI events: the action that makes a search a success, such as purchase.")
    ] = None

    def log(self, path: Path) -> "LogFile":
        """The log and how to read it."""
        from harness.signal.signal_files import LogFile
        from harness.signal.ubi import ACTIONS, parse_actions

        actions = ACTIONS if self.actions is None else parse_actions(self.actions)
        how = layout(self.columns, self.format, encoding=self.encoding)
        return LogFile(path, how, self.queries, actions, self.outcome)


class GradedOptions(Options):
    """The graded pairs."""

    labels: Annotated[
        Path | None,
        option("A label set, or a table: query, item, grade, and clauses, stratum, tags.", metavar="LABELS"),
    ] = None
    labels_columns: Annotated[str | None, option("Like --columns, for the labels.")] = None
    labels_format: Annotated[str | None, option("Like --format, for the labels.")] = None
    words: Annotated[str | None, option("Grades as words: Exact=2,Partial=1,Irrelevant=0.")] = None

    def labelled(self, levels: LevelOptions, root: Path | None) -> "LabelFile":
        """The graded pairs, with their scale."""
        from harness.runs.labels import is_label_set
        from harness.score.estimate_files import levels_of_labels
        from harness.signal.signal_files import LabelFile

        if self.labels is None:
            raise BadInput("name the graded pairs: --labels LABELS")
        if not is_label_set(self.labels):
            how = layout(
                self.labels_columns,
                self.labels_format,
                labels=self.words,
                mapped_by="--labels-columns",
                words_by="--words",
            )
            return LabelFile(self.labels, levels.levels(root), how)
        refuse(levels.given() | self.given("labels"), " goes with a table; a label set has its own")
        return LabelFile(self.labels, levels_of_labels(self.labels))


class SheetOptions(Options):
    """The plan of pairs to judge again."""

    output: Annotated[
        Path | None,
        option("A rating plan of what to judge again, for `rate plan`.", "--output", "-o", metavar="FILE"),
        FILE,
    ] = None
    n: Annotated[int, option("The most pairs in the plan.", "--n", "-n", min=1)] = 100

    def written(self, found: "Signal", labels: "LabelFile") -> "tuple[Signal, BadInput | None]":
        """Write the plan, if wanted. Returns the result with its path, or the reason why there is no plan."""
        from harness.signal.sheet import planned_pairs
        from harness.storage.files import write_lines

        if self.output is None:
            return found, None
        try:
            write_lines(self.output, planned_pairs(found, labels, self.n))
        except BadInput as error:
            return found, error
        return found.model_copy(update={"sheet": str(self.output)}), None


def signal_command(
    source: Annotated[
        Path,
        argument(
            "A file, a folder or a pattern. UBI events, or a table: query, item, position, and views, "
            "clicks, carts, purchases, returns; or one row a view, with session and outcome.",
            metavar="LOG",
        ),
    ],
    *,
    graded: GradedOptions,
    levels: LevelOptions,
    at_least: Annotated[
        int | None, option("The lowest grade that is shown. Default: by the policy's actions.")
    ] = None,
    measure: Annotated[
        Literal["clicks", "carts", "purchases"], option("The events that a pair is judged by.")
    ] = "clicks",
    propensities: Annotated[
        Path | None, option("A table of position and propensity, such as from an experiment.")
    ] = None,
    log: LogOptions,
    sheet: SheetOptions,
    html: Html = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Where does what users do contradict the policy? Corrected for positions, with false discovery control.

    It changes no grade: it names the pairs and clauses that people should judge again.
    """
    from harness.report.page.signal import write_signal
    from harness.report.signal import rate_words, signal_view
    from harness.signal.signal_files import SignalWanted, signal_files

    labels = graded.labelled(levels, root)
    found = signal_files(log.log(source), labels, SignalWanted(measure, at_least, propensities))
    found, refused = sheet.written(found, labels)
    print_json(found) if json else show(signal_view(found))
    if found.sheet is not None and not json:
        name = str(shown_path(Path(found.sheet)))
        say(f"written to {name}")
        say(f"next: {rate_words(found, name)}")
        say(f"then, once they have judged: harness judged {quote(name)}")
    if html is not None:
        write_signal(html, found)
        say(f"page: {shown_path(html.absolute())}")
    if refused is not None:
        # The result took time to compute: print it even if the plan cannot be made.
        raise refused
