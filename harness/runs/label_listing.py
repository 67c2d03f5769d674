"""Every label set of a project in a line, from its manifest and its summary alone; reads no shard."""

import os
from dataclasses import dataclass
from typing import Literal

from harness.errors import BadInput
from harness.runs.label_manifest import MANIFEST, LabelManifest, load_label_manifest
from harness.runs.labels import read_summary
from harness.scorecards.labels import LabelSummary
from harness.storage.project import Project, folder_names

State = Literal["finished", "unfinished", "damaged"]


@dataclass(frozen=True, slots=True)
class ListedLabels:
    """One label set. A damaged one has `faults`, and may have no manifest.

    A finished one whose summary.json was deleted has no `summary`.
    """

    name: str
    state: State
    manifest: LabelManifest | None = None
    summary: LabelSummary | None = None
    faults: tuple[str, ...] = ()


def listed_labels(project: Project) -> list[ListedLabels]:
    """The label sets in the project's folder `labels/`, in order of their names."""
    return [_line(project, name) for name in folder_names(project.labels) if _is_set(project, name)]


def find_labels(project: Project, name: str) -> ListedLabels | None:
    """The label set of exactly this name, if there is one."""
    known = name in folder_names(project.labels) and _is_set(project, name)
    return _line(project, name) if known else None


def _is_set(project: Project, name: str) -> bool:
    return os.path.lexists(project.labels / name / MANIFEST)


def _line(project: Project, name: str) -> ListedLabels:
    """A label set in a line; never raises for a damaged one."""
    folder = project.labels / name
    manifest = None
    try:
        manifest = load_label_manifest(folder)
        if manifest.finished_at is None:
            return ListedLabels(name, "unfinished", manifest)
        return ListedLabels(name, "finished", manifest, read_summary(folder, manifest))
    except BadInput as error:
        return ListedLabels(name, "damaged", manifest, faults=tuple(map(str, error.faults)))
