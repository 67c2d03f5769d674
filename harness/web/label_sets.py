"""The pages of label sets: the list of them, and the page of each."""

from dataclasses import replace
from pathlib import Path

from harness.report.page.environment import render_page
from harness.report.page.labels import SCRIPTS, Labelling, labels_data
from harness.runs.label_listing import ListedLabels
from harness.runs.labels import load_labels
from harness.score.labels import summarise
from harness.storage.project import Project
from harness.web.pages import templates


def labels_page_of(project: Project, one: ListedLabels) -> bytes:
    """The page of a label set that is not damaged. BadInput if more of it than its first lines is.

    Its summary is the one of the folder: shards may have a billion rows. Without one they are read.
    """
    labels = load_labels(project.labels / one.name)
    summary = one.summary
    if summary is None and one.state == "finished":
        summary = summarise(labels)
    # Commands on the page are for this project, and a received summary has the path of another machine.
    here = Path(project.labels.name) / one.name
    if summary is not None:
        summary = summary.model_copy(update={"labels": str(here)})
    values = labels_data(Labelling(replace(labels, folder=here), summary))
    text = render_page("shown-labels.html.j2", values, SCRIPTS, within=templates())
    # A broken source can hold half a surrogate pair, which UTF-8 cannot encode.
    return text.encode("utf-8", "replace")
