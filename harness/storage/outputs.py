"""Which file a command may write where its user says so: none that is read, and none that holds work.

A page, a picture, a JUnit file: the harness makes them again from what is stored, so that its own may be
replaced. Anything else that is there may have been filled in by people since.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import Fault
from harness.storage.project import Project
from harness.storage.regular import open_regular

HEAD = 4096
"""The bytes of a file in which its mark is."""


class Written(NamedTuple):
    """What an option names to be written. `mark`: what a file that can be made again has in its first bytes.

    `appended`: the file is added to, as a summary is. `folder`: pictures of fixed names go into it, or
    (without a mark) it is a new folder, which its command makes whole or not at all.
    """

    mark: bytes = b""
    appended: bool = False
    folder: bool = False


FILE = Written()
PAGE = Written(b'<meta name="generator" content="teacher-harness">')
JUNIT = Written(b'<testsuite name="harness ')
SUMMARY = Written(appended=True)
NEW_FOLDER = Written(folder=True)
PNG = Written(b"tEXtSoftware\0harness", folder=True)
SVG = Written(b"<dc:title>harness</dc:title>", folder=True)
PICTURES = ("confusion", "intervals", "trend")
"""The names of the pictures in their folder, without the ending."""


class Around(NamedTuple):
    """What is not to be written over. `inputs`: files and folders that the command reads."""

    inputs: Sequence[Path] = ()
    project: Project | None = None
    overwrite: bool = False


def output_faults(path: Path, kind: Written, around: Around) -> Iterator[Fault]:
    """Why a file may not be written: at most one fault. A folder of pictures has one for each of them."""
    if kind.folder:
        if kind.mark and path.exists() and not path.is_dir():
            yield Fault(str(path), "is a file; name a folder for the pictures")
        elif kind.mark:
            found = (path / f"{name}.{'png' if kind == PNG else 'svg'}" for name in PICTURES)
            each, there = kind._replace(folder=False), filter(os.path.lexists, found)
            yield from (fault for one in there for fault in output_faults(one, each, around))
        return
    if what := _unfit(path) or _kept(path, kind, around):
        yield Fault(str(path), what)


def _unfit(path: Path) -> str:
    """What is wrong with a place whatever is read; empty where nothing is."""
    if not path.parent.is_dir():
        return f"no folder {path.parent}; make it first"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"cannot be written: no permission in {path.parent}"
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""  # nothing is there, or a link that leads nowhere
    if stat.S_ISDIR(mode):
        return "is a folder; name a file in it"
    return "" if stat.S_ISREG(mode) else "is a pipe or a device; name a file to write"


def _kept(path: Path, kind: Written, around: Around) -> str:
    """Why a file that is there stays; empty where it may be written over, or nothing is there."""
    if not os.path.lexists(path):
        return ""
    for one in around.inputs:
        if path.exists() and one.exists() and path.samefile(one):
            return f"is read by this command{_as_other(path, one)}; name another file"
    if path.is_symlink():
        return "is a link; name the file that it leads to, or a new one"
    found = path.lstat()
    if found.st_nlink > 1 and not kind.appended:
        return "has a second name (a hard link), which may be an input; name another file, or delete it first"
    if not kind.appended and kind.mark and kind.mark in _head(path):
        return ""
    if inside := next((one for one in around.inputs if one.is_dir() and _within(path, one)), None):
        return f"lies in {inside}, which this command reads; name a file elsewhere"
    if around.project and any(_within(path, one) for one in _stored(around.project)):
        return "belongs to the project, and is never written over; name a file elsewhere"
    if kind.appended or around.overwrite or not found.st_size:
        return ""
    return "is there already; name another file, or add --overwrite"


def _as_other(path: Path, read: Path) -> str:
    return "" if path == read else f" as {read}"


def _head(path: Path) -> bytes:
    try:
        with open_regular(path, links=False) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _within(path: Path, folder: Path) -> bool:
    return path.parent.resolve().is_relative_to(folder.resolve())


def _stored(project: Project) -> Iterator[Path]:
    """The folders that the project keeps its work in: of each policy, prompt, golden set, run.

    What lies directly beside them, such as runs/plan.jsonl, is the user's.
    """
    for above in (project.policies, project.prompts, project.golden, project.runs, project.labels):
        if above.is_dir():
            yield from (one for one in above.iterdir() if one.is_dir())
