"""Removing run folders: only those directly in runs/ or runs/pairs/, whole, without following links."""

import os
import shutil
from pathlib import Path

from harness.errors import BadInput
from harness.runs.folder import find_run
from harness.runs.manifest import MANIFEST
from harness.runs.pair_run import pairs_folder
from harness.runs.record_log import RECORDS, writing
from harness.storage.project import Project

REMOVED = ".removed-"
"""Prefix of a folder that is being deleted; lists of runs skip hidden names."""


def find_removable(project: Project, text: str) -> Path:
    """A run or pair run by its name or path, a damaged one too, or as `find_run` finds it.

    BadInput for what is not a run, lies elsewhere, is a link, or is being written by another process.
    """
    places = project.runs, pairs_folder(project)
    named = [Path(os.path.abspath(place / text)) for place in (*places, Path())]  # noqa: PTH100 - resolve() follows links
    folder = next((path for path in named if text and os.path.lexists(path)), None) or find_run(project, text)
    if folder.parent.resolve() not in [place.resolve() for place in places]:
        raise BadInput(f"{text}: not a run in {places[0]} or {places[1]}; only those can be removed")
    if folder.is_symlink():
        raise BadInput(f"{text}: a link; delete the link itself, or name the folder that it leads to")
    if folder.name.startswith(".") or not any((folder / name).exists() for name in (MANIFEST, RECORDS)):
        raise BadInput(f"{text}: not a run; it is hidden, or has neither {MANIFEST} nor {RECORDS}")
    writing(folder).release()
    return folder


def remove_run(folder: Path) -> None:
    """Delete a run folder. A kill in the middle leaves a hidden folder, which the next call deletes."""
    hidden = folder.with_name(f"{REMOVED}{folder.name}")
    lock = writing(folder)
    try:
        if os.name == "nt":
            lock.release()  # Windows renames no folder with an open file in it
        shutil.rmtree(hidden, ignore_errors=True)
        folder.rename(hidden)
    finally:
        lock.release()
    shutil.rmtree(hidden)
    for left in folder.parent.glob(f"{REMOVED}*"):
        shutil.rmtree(left, ignore_errors=True)  # another process may be deleting it
