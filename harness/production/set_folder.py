"""The folder of a label set: new, or begun by the same teacher; one process writes at a time."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.grading.plan import Plan
from harness.production.cascade import Cascade
from harness.production.store import STORE, AnswerStore
from harness.runs.label_manifest import MANIFEST, LabelDigests, LabelManifest, load_label_manifest
from harness.runs.record_log import LOCK, writing
from harness.storage.partial import clear_partial, is_partial

SETTINGS = (
    "model", "policy", "prompt", "shots", "temperature", "seed", "max_tokens", "no_schema", "fold_system",
    "base_url", "rater",
)  # fmt: skip
"""The settings that a second command has to repeat, since other settings give other answers."""
_FIRST = {LOCK, f".{STORE}.lock", *(STORE + ending for ending in ("", "-wal", "-shm"))}
"""What is in the folder of a set before its manifest is."""


def begun_before(folder: Path, plan: Plan, cascade: Cascade | None) -> LabelManifest | None:
    """The manifest of a set that was begun by the same teacher, or cascade; None for a new set."""
    if folder.is_symlink():
        raise BadInput([Fault(str(folder), "is a link: name the folder that it leads to")])
    if folder.exists() and not folder.is_dir():
        raise BadInput([Fault(str(folder), "is a file; name a folder for the labels")])
    if not (folder / MANIFEST).exists():
        # After a kill before the manifest was written, only files of ours are there.
        there = {one.name for one in folder.iterdir()} if folder.exists() else set[str]()
        others = {name for name in there if not is_partial(name)} - _FIRST
        if others:
            what = f"is not a label set, and holds other files ({min(others)}); name another folder"
            raise BadInput([Fault(str(folder), what)])
        return None
    manifest = load_label_manifest(folder)
    changed = manifest.digests.changed(LabelDigests.of(plan.digests))
    then, now = manifest.asked, plan.asked
    if (manifest.cascade and manifest.cascade.digest) != (cascade and cascade.used.digest):
        changed.append(f"the cascade (was {'another' if manifest.cascade else 'not given'})")
    changed += [
        f"{name.replace('_', '-')} (was {_given(getattr(then, name))})"
        for name in SETTINGS
        if getattr(then, name) != getattr(now, name)
    ]
    if changed:
        what = f"was made with another state of: {', '.join(changed)}; label into another folder"
        raise BadInput([Fault(str(folder), what)])
    return manifest


def _given(value: object) -> str:
    return "not given" if value is None else str(value)


@contextmanager
def opened_set(folder: Path, *, new: bool) -> Iterator[AnswerStore]:
    """The store of a set, locked for this process. A new folder is deleted again if no row was accepted."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = writing(folder, "label set")
    try:
        clear_partial(folder)
        with AnswerStore(folder / STORE) as store:
            yield store
    except BadInput:
        if new and not (folder / MANIFEST).exists():
            for name in _FIRST - {LOCK}:
                (folder / name).unlink(missing_ok=True)
            if made:
                shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        lock.release()
