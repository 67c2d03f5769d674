"""The folder of a search: runs/improve/NAME, with a folder for each version of the prompt that was tried.

A folder that somebody sends can hold links, pipes and devices. A search would write through a link, so the
whole folder is checked before anything is read or written.
"""

from collections.abc import Iterable
from pathlib import Path

from harness.errors import Fault, refuse_faults
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.regular import odd_files

FOLDER, CANDIDATES = "improve", "candidates"
MOST = 1_000
"""Versions in a folder: a search tries 200 at most, and the first one."""


def search_folder(project: Project, name: str) -> Path:
    """The folder of a search, made if it is missing. BadInput names all that is not a regular file."""
    above = project.runs / FOLDER
    folder = above / name
    faults = [_link(above)] if above.is_symlink() else _files((project.runs, above, folder))
    refuse_faults(faults or _faults(folder))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def candidate_folders(folder: Path) -> list[Path]:
    """The folder of each version that was tried, in order."""
    above = folder / CANDIDATES
    return sorted(path for path in above.iterdir() if path.is_dir()) if above.is_dir() else []


def _faults(folder: Path) -> list[Fault]:
    """Everything in a search's folder that is neither a regular file nor a folder."""
    if folder.is_symlink():
        return [_link(folder)]
    if not folder.exists():
        return []
    faults = odd_files(folder)
    above = folder / CANDIDATES
    if above.is_symlink() or not above.is_dir():
        return [*faults, *_files((above,))]
    faults += odd_files(above)
    versions = [path for path in candidate_folders(folder) if not path.is_symlink()]
    if len(versions) > MOST:
        return [*faults, Fault(str(above), f"holds {plural(len(versions), 'folder')}, which no search makes")]
    return [*faults, *(fault for version in versions for fault in odd_files(version))]


def _files(folders: Iterable[Path]) -> list[Fault]:
    """The first path that is a file where a folder is expected: paths below it cannot exist."""
    what = "is a file; expected a folder: move it, or delete it, and the search makes its folder"
    return [Fault(str(one), what) for one in folders if one.is_file() and not one.is_symlink()][:1]


def _link(folder: Path) -> Fault:
    return Fault(str(folder), "is a link; expected a folder: copy its target here")
