"""`harness signal`: where does what users do contradict the policy?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from harness.cli.options import Columns, Encoding, Format, Json, Options, Root, argument, layout, option
from harness.cli.output import print_json, show
from harness.cli.rated import LevelOptions, given_in
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.signal.signal_files import LabelFile, LogFile


class LogOptions(Options):
    """The log."""

    columns: Columns = None
    format: Format = None
    encoding: Encoding = None
    queries: Annotated[
        Path | None, option("Of UBI events: the queries, which say what was shown.", metavar="FILE")
    ] = None
    actions: Annotated[
        str | None, option("Of UBI events: what actions count as: tap=clicks,order_placed=purchases")
    ] = None
    outcome: Annotated[
        str | None, option("Of UBI events: the action that makes a search a success, such as purchase.")
    ] = None

    def log(self, path: Path) -> "LogFile":
        """The log and how to read it."""
        from harness.signal.signal_files import LogFile
        from harness.signal.ubi import ACTIONS

        actions = ACTIONS if self.actions is None else parse_actions(self.actions)
        how = layout(self.columns, None, self.format, None, self.encoding)
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
        """The graded pairs, and which grades there are."""
        from harness.runs.labels import is_label_set
        from harness.score.estimate_files import levels_of_labels
        from harness.signal.signal_files import LabelFile

        if self.labels is None:
            raise BadInput("name the graded pairs: --labels LABELS")
        if not is_label_set(self.labels):
            how = layout(self.labels_columns, None, self.labels_format, self.words)
            return LabelFile(self.labels, levels.levels(root), how)
        own = {name: value for name, value in vars(self).items() if name != "labels"}
        if given := given_in({**vars(levels), **own}):
            raise BadInput(f"{given} goes with a table; a label set brings its own")
        return LabelFile(self.labels, levels_of_labels(self.labels))


def signal_command(
    source: Annotated[
        Path,
        argument(
            "UBI events, or a table: query, item, position, and views, clicks, carts, purchases, returns; or "
            "one row a view, with session and outcome.",
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
        Literal["clicks", "carts", "purchases"], option("By which events a pair is judged.")
    ] = "clicks",
    propensities: Annotated[
        Path | None, option("A table of position and propensity, where an experiment knows them.")
    ] = None,
    log: LogOptions,
    root: Root = None,
    json: Json = False,
) -> None:
    """Where does what users do contradict the policy? Corrected for positions, with false discovery control.

    No grade changes by it: it says which pairs and clauses people should judge again.
    """
    from harness.report.signal import signal_view
    from harness.signal.signal_files import SignalWanted, signal_files

    labels = graded.labelled(levels, root)
    found = signal_files(log.log(source), labels, SignalWanted(measure, at_least, propensities))
    print_json(found) if json else show(signal_view(found))


def parse_actions(text: str) -> dict[str, str]:
    """`tap=clicks,order=purchases` as what each action counts as. BadInput for anything else."""
    known = ("clicks", "carts", "purchases", "returns")
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        name, _, kind = (piece.strip() for piece in part.partition("="))
        if not name or kind not in known:
            raise BadInput(
                f"--actions: {part.strip()!r} is not action=kind, with a kind of {', '.join(known)}"
            )
        found[name] = kind
    if not found:
        raise BadInput("--actions names no action")
    return found
