"""Which files a command may write for its user: none that it reads, and none that holds work.

The harness can make a page, a picture or a JUnit file again from stored data, so its own files may be
replaced. People may have worked on any other existing file.
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
"""How many bytes of a file are searched for its mark."""


class Written(NamedTuple):
    """What an option names to be written. `mark`: what a file that can be made again has in its first bytes.

    `begins`: how such a file begins; `ahead_of`: the mark counts only before this text. `appended`: the file
    is added to, as a summary is. `folder`: pictures of fixed names go into it, or (without a mark) it is a
    new folder, which its command makes whole or not at all.
    """

    mark: bytes = b""
    begins: bytes = b""
    ahead_of: bytes = b"\n"
    appended: bool = False
    folder: bool = False


FILE = Written()
PAGE = Written(b'<meta name="generator" content="teacher-harness">', b"<!doctype html>", b"<title")
JUNIT = Written(b'<testsuite name="harness ', b"<?xml ", b"<testcase")
SUMMARY = Written(appended=True)
NEW_FOLDER = Written(folder=True)
PNG = Written(b"tEXtSoftware\0harness", b"\x89PNG", b"IDAT", folder=True)
SVG = Written(b"<dc:title>harness</dc:title>", b"<?xml ", b"</metadata>", folder=True)
PICTURES = ("confusion", "intervals", "trend")
"""The names of the pictures in their folder, without the ending."""


LONGEST_NAME = 240
"""The most bytes of a name: file systems allow 255, and the temporary file's name is up to 13 longer."""
READ = (".env", "prices.toml", "Makefile")
"""Files that a project reads in its own folder: keys, prices, and the targets of `make`."""


class Around(NamedTuple):
    """What must not be overwritten. `inputs`: files and folders that the command reads."""

    inputs: Sequence[Path] = ()
    project: Project | None = None
    overwrite: bool = False


def output_faults(path: Path, kind: Written, around: Around) -> Iterator[Fault]:
    """Why a file may not be written: at most one fault. A folder of pictures has one for each of them."""
    if not kind.folder:
        if what := _unfit(path) or _kept(path, kind, around):
            yield Fault(str(path), what)
    elif kind.mark and path.exists() and not path.is_dir():
        yield Fault(str(path), "is a file; name a folder for the pictures")
    else:
        each = kind._replace(folder=False)
        for one in places(path, kind) if kind.mark else ():
            # The folder need not be there yet: its command makes it.
            if what := (os.path.lexists(one) and _unfit(one)) or _kept(one, each, around):
                yield Fault(str(one), what)


def places(path: Path, kind: Written) -> list[Path]:
    """The files that are written under a name: itself, or the pictures in a folder; none of a new folder."""
    if not kind.folder:
        return [path]
    ending = "png" if kind == PNG else "svg"
    return [path / f"{name}.{ending}" for name in PICTURES] if kind.mark else []


def place_of(path: Path) -> Path:
    """Where a file is, however its folder is spelled; a link in its own place is not followed."""
    return path.parent.resolve() / path.name


def _unfit(path: Path) -> str:
    """What is wrong with a place, whatever the command reads; empty if nothing is."""
    if not path.parent.is_dir():
        return f"no folder {path.parent}; make it first"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"cannot be written: no permission in {path.parent}"
    if (length := len(os.fsencode(path.name))) > LONGEST_NAME:
        return f"has a name of {length:,} bytes; at most {LONGEST_NAME} can be written"
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""  # nothing is there, or a broken link
    if stat.S_ISDIR(mode):
        return "is a folder; name a file in it"
    return "" if stat.S_ISREG(mode) else "is a pipe or a device; name a file to write"


def _kept(path: Path, kind: Written, around: Around) -> str:
    """Why a place may not be written to; empty if it may."""
    there = os.path.lexists(path)
    for one in around.inputs if there else ():
        if path.exists() and one.exists() and path.samefile(one):
            spelled = "" if path == one else f" as {one}"
            return f"is read by this command{spelled}; name another file"
    if there and path.is_symlink():
        return "is a link; name the file that it leads to, or a new one"
    found = path.lstat() if there else None
    if found and found.st_nlink > 1 and not kind.appended:
        return "has a second name (a hard link), which may be an input; name another file, or delete it first"
    if what := _foreign(path, around, again=there and _is_ours(path, kind)):
        return what
    if not found or kind.appended or around.overwrite or not found.st_size or _is_ours(path, kind):
        return ""
    return "is there already; name another file, or add --overwrite"


def _foreign(path: Path, around: Around, *, again: bool) -> str:
    """Whose the place is, a file there or none yet; `again`: a page or picture that is made once more.

    Those lie in the folders of runs and label sets, too.
    """
    project = around.project
    if project and any(_is_same(path, project.root / name) for name in READ):
        return "is read by the project, and is never written; name another file"
    if project and any(_within(path, one) for one in _stored(project, made=again)):
        return "belongs to the project, and is never written; name a file elsewhere"
    folders = () if again else around.inputs
    if inside := next((one for one in folders if one.is_dir() and _within(path, one)), None):
        return f"lies in {inside}, which this command reads; name a file elsewhere"
    return ""


def _is_same(path: Path, other: Path) -> bool:
    if place_of(path) == place_of(other):
        return True
    return path.exists() and other.exists() and path.samefile(other)


def _is_ours(path: Path, kind: Written) -> bool:
    """Whether the harness made a file and can make it again: its mark is where the harness puts it."""
    if kind.appended or not kind.mark:
        return False
    try:
        with open_regular(path, links=False) as file:
            head = file.read(HEAD)
    except OSError:
        return False
    return head.startswith(kind.begins) and kind.mark in head.partition(kind.ahead_of)[0]


def _within(path: Path, folder: Path) -> bool:
    return path.parent.resolve().is_relative_to(folder.resolve())


def _stored(project: Project, *, made: bool) -> Iterator[Path]:
    """The folders that the project keeps its work in: of each policy, prompt, golden set, run.

    What lies directly beside them, such as runs/plan.jsonl, is the user's. `made`: only those that hold
    nothing that the harness makes again.
    """
    work = (project.policies, project.prompts, project.golden)
    for above in work if made else (*work, project.runs, project.labels):
        if above.is_dir():
            yield from (one for one in above.iterdir() if one.is_dir())
