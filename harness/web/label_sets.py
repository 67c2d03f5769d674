"""The page of a label set: its summary and, where people have rated a sample of it, the estimate."""

from dataclasses import replace
from pathlib import Path

from harness.errors import BadInput
from harness.golden.graded_files import Levels
from harness.golden.rating.adjudications import decided_grades
from harness.golden.rating.rounds import PRODUCTION
from harness.report.page.environment import render_page
from harness.report.page.labels import SCRIPTS, Labelling, labels_data
from harness.runs.label_listing import ListedLabels
from harness.runs.labels import LabelSet, load_labels
from harness.score.estimate import EstimateRequest
from harness.score.estimate_files import GivenRatings, Labelled, estimate_files
from harness.score.labels import summarise
from harness.scorecards.estimate import Estimates
from harness.storage.project import Project
from harness.storage.tables import Layout
from harness.web.pages import templates

ESTIMATED = 200_000
"""Rows up to which a page has the estimate: it takes about a second and a half of a processor."""


def labels_page_of(project: Project, one: ListedLabels) -> bytes:
    """The page of a label set. BadInput if the set is damaged beyond its first lines.

    The summary comes from the folder, since shards may have a billion rows; without one, the shards are read.
    """
    labels = load_labels(project.labels / one.name)
    summary = one.summary
    if summary is None and one.state == "finished":
        summary = summarise(labels)
    found, note = _estimate(project, labels) if summary is not None else (None, "")
    # Commands on the page are for this project, and a received summary has the path of another machine.
    here = Path(project.labels.name) / one.name
    if summary is not None:
        summary = summary.model_copy(update={"labels": str(here)})
    if found is not None:
        found = found.model_copy(update={"labels": str(here)})
    values = labels_data(Labelling(replace(labels, folder=here), summary, found))
    text = render_page("shown-labels.html.j2", values | {"note": note}, SCRIPTS, within=templates())
    # A broken source can hold half a surrogate pair, which UTF-8 cannot encode.
    return text.encode("utf-8", "replace")


def _estimate(project: Project, labels: LabelSet) -> tuple[Estimates | None, str]:
    """The estimate from the project's sealed ratings; or None, with a reason if there are ratings."""
    policy, rows = labels.policy, labels.manifest.rows
    golden = project.golden / policy.name
    path = golden / PRODUCTION
    if not path.is_file():
        return None, ""
    file = path.relative_to(project.root)
    if rows > ESTIMATED:
        return None, f"A page estimates up to {ESTIMATED:,} rows: use harness estimate with {file}."
    try:
        rated = GivenRatings(path, Layout(), decided=decided_grades(golden, policy.version))
        levels = Levels(policy.scale, policy)
        found = estimate_files(Labelled(labels.folder, Layout(), levels), rated, EstimateRequest())
    except BadInput as error:
        return None, f"No estimate by {file}: {error}"
    used = found.ratings and found.ratings.model_copy(update={"file": str(file)})
    return found.model_copy(update={"ratings": used}), ""
