"""A new folder, whole or not at all: made beside its place, then moved there."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import BadInput
from harness.storage.plural import more_of

DRAFT = ".harness-init-"
"""The beginning of the name of an unfinished folder; a killed process leaves one behind."""
_SHOWN = 5


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which is moved to `folder` at the end, and deleted after an error.

    BadInput if `folder` is a link, a file, or not empty. An empty one is filled: it may be the folder that
    a shell is in, or the mount of a container.
    """
    _refuse_occupied(folder)
    filled = folder.exists()
    scratch = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder if filled else folder.parent))
    try:
        draft = scratch / folder.absolute().name
        draft.mkdir()
        yield draft
        if filled:
            _move_into(folder, draft, scratch)
        else:
            _take(folder, draft)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refuse_occupied(folder: Path) -> None:
    """BadInput for a place where no folder can be made."""
    if folder.is_symlink():
        raise BadInput.at(folder, "is a link; name the folder itself, or a new one")
    if not folder.absolute().parent.is_dir():
        raise BadInput.at(folder, f"there is no folder {folder.parent} to make it in")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BadInput.at(folder, "is a file; name a new folder")
    if there := sorted(one.name for one in folder.iterdir()):
        raise _occupied(folder, there)


def _occupied(folder: Path, there: list[str]) -> BadInput:
    some = ", ".join(there[:_SHOWN]) + more_of(len(there), _SHOWN)
    what = f"is not empty: {some}; name a new folder"
    if all(name.startswith(DRAFT) for name in there):
        what += ", or remove what an init that was stopped has left"
    return BadInput.at(folder, what)


def _take(folder: Path, draft: Path) -> None:
    try:
        draft.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise BadInput.at(folder, "was made by another process meanwhile; name a new folder") from None
        raise


def _move_into(folder: Path, draft: Path, scratch: Path) -> None:
    """Move everything, the policies last: without them it is not a project. Undo it after an error."""
    if there := sorted(one.name for one in folder.iterdir() if one != scratch):
        raise _occupied(folder, there)
    moved: list[Path] = []
    try:
        for entry in sorted(draft.iterdir(), key=lambda one: (one.name == "policies", one.name)):
            moved.append(folder / entry.name)
            entry.rename(moved[-1])
    except BaseException:
        for one in moved:
            shutil.rmtree(one) if one.is_dir() else one.unlink(missing_ok=True)
        raise
