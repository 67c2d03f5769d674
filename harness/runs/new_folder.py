"""Creating a run folder: in one step, under a name that no other run has."""

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from harness.runs.manifest import Manifest, save_manifest
from harness.runs.record_log import RECORDS
from harness.storage.files import Content, write_atomic


def create_run(runs: Path, manifest: Manifest, contents: Mapping[str, Content]) -> Path:
    """Create a run folder in one step. A name that is taken gets a number."""
    runs.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=runs))
    try:
        draft.chmod(0o755)
        for name, content in contents.items():
            write_atomic(draft / name, content)
        (draft / RECORDS).touch()
        for number in count(1):
            name = manifest.name if number == 1 else f"{manifest.name}-{number}"
            save_manifest(draft, manifest.model_copy(update={"name": name}))
            with contextlib.suppress(FileExistsError):
                return _take_name(draft, runs / name)
        raise AssertionError("counting ends with a free name")
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _take_name(draft: Path, folder: Path) -> Path:
    """Rename the draft; FileExistsError if another run has taken the name, perhaps just now."""
    try:
        return draft.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise FileExistsError(folder) from error
        raise
