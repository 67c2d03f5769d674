"""`harness report`: one or two runs as one HTML file, also at the end of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli import completion
from harness.cli.options import Json, Root, argument, option, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.errors import BadInput
from harness.storage.outputs import PAGE, PNG, SVG
from harness.storage.plural import plural
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.score.reading import Reading
    from harness.verdicts.assessment import Assessment

MADE_BY_ITSELF = 2_000
"""A run of more pairs writes no report at its end: that would take too long."""


def report_command(
    run: Annotated[
        str,
        argument(
            "Its folder, its name or the beginning of it, latest, or baseline; or the folder of a label set.",
            autocompletion=completion.runs,
        ),
    ] = "latest",
    base: Annotated[
        str | None,
        argument(
            "A run to compare it with, or baseline: what moved, and what was changed.",
            autocompletion=completion.runs,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        option("The file to write. Default: report.html in the run's folder.", "--output", "-o"),
        PAGE,
    ] = None,
    png: Annotated[
        Path | None, option("Pictures for documents into this folder, instead of the HTML file."), PNG
    ] = None,
    svg: Annotated[Path | None, option("The same as SVG."), SVG] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Write the report of a run, or of a label set: one HTML file that can be mailed and opened offline.

    With --png or --svg: the heat map, the intervals and kappa over time as pictures; with -o the file too.
    """
    from harness.runs.labels import is_label_set

    if is_label_set(Path(run)):
        if base is not None or png or svg:
            raise BadInput(f"{run} is a label set: its page has no base, and no --png or --svg")
        written, drawn = _labels_html(Path(run), output), list[Path]()
    else:
        written, drawn = _of_run(project_at(root), run, base, output, png, svg)
    if json:
        print_json({**written, "pictures": [str(path) for path in drawn]})
        return
    show([f"Picture: {shown_path(path.absolute())}" for path in drawn])
    if "report" in written:
        show([f"Report: {shown_path(Path(str(written['report'])).absolute())}"])


def _of_run(
    project: Project, run: str, base: str | None, output: Path | None, png: Path | None, svg: Path | None
) -> "tuple[dict[str, str | int], list[Path]]":
    """Write the page or the pictures of a run; returns the page's path and sizes, and the pictures' paths."""
    from harness.runs.folder import find_run
    from harness.score.reading import reading_of
    from harness.verdicts.assessment import assess_folder

    found = assess_folder(find_run(project, run))
    other = reading_of(project, base, found.run.folder) if base is not None else None
    if (png or svg) and (found.canaries or (other and output is None)):
        what = "only the HTML file shows the base; add -o FILE" if other else "a run over canaries has none"
        raise BadInput(f"pictures: {what}")
    drawn = _pictures(project, found, png, svg)
    written = {} if drawn and output is None else _html(found, other, output)
    return {**written, "pairs": len(found.reading.items)}, drawn


def _labels_html(folder: Path, output: Path | None) -> dict[str, str | int]:
    """Write the page of a finished label set; its path and size in bytes, and the number of rows."""
    from harness.report.page.labels import PAGE, Labelling, write_labels
    from harness.runs.labels import load_labels
    from harness.score.labels import summarise

    labels = load_labels(folder)
    path = output or folder / PAGE
    size = write_labels(path, Labelling(labels, summarise(labels)))
    return {"report": str(path), "bytes": size, "pairs": labels.manifest.rows}


def _html(found: "Assessment", base: "Reading | None", output: Path | None) -> dict[str, str | int]:
    """Write the page; its path and size in bytes."""
    from harness.report.page.write import REPORT, write_report

    name = REPORT if base is None else f"report-against-{base.run.folder.name}.html"
    path = output or found.run.folder / name
    return {"report": str(path), "bytes": write_report(path, found, base)}


def _pictures(project: Project, found: "Assessment", png: Path | None, svg: Path | None) -> list[Path]:
    """Write the pictures asked for."""
    if png is None and svg is None:
        return []
    from harness.report.pictures import like, write_pictures
    from harness.runs.listing import Listing

    runs = like(found.run, Listing(project).runs())
    drawn = write_pictures(png, "png", found, runs) if png else []
    return [*drawn, *(write_pictures(svg, "svg", found, runs) if svg else [])]


def report_beside(found: "Assessment") -> None:
    """Write the report of a run that has just ended into its folder, unless the run is long."""
    folder, pairs = found.run.folder, len(found.reading.items)
    if pairs > MADE_BY_ITSELF:
        say(f"no report yet of {plural(pairs, 'pair')}; write it with: harness report {folder.name}")
        return
    from harness.report.page.write import REPORT, write_report

    write_report(folder / REPORT, found)
    say(f"report: {shown_path(folder / REPORT)}")
