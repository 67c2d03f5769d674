"""The versions of a policy or a prompt: released ones and drafts, and which one a name means."""

import re
from collections.abc import Mapping
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.storage.files import read_bytes, read_toml
from harness.storage.project import version_number
from harness.storage.regular import SETTINGS

_RELEASED = re.compile(rb"^\s*released\s*=\s*true\b", re.MULTILINE)
_VERSION = re.compile(rb"""^\s*version\s*=\s*["'](\w+)["']""", re.MULTILINE)


def in_order(files: Mapping[str, Path]) -> dict[str, Path]:
    """Each version with the TOML file that describes it, the oldest first."""
    return {version: files[version] for version in sorted(files, key=version_number)}


def released_versions(files: Mapping[str, Path]) -> list[str]:
    """The versions whose files say `released = true`."""
    return [version for version, path in files.items() if _says_released(path, version)]


def drafts_beside(files: Mapping[str, Path]) -> list[str]:
    """The versions that are used only when named: none as long as no version is released."""
    released = released_versions(files)
    return [version for version in files if released and version not in released]


def pick_version(kind: str, name: str, wanted: str | None, files: Mapping[str, Path]) -> str:
    """The wanted version; without one the latest released version, else the latest."""
    if not files:
        raise BadInput(f"the {kind} {name} has no version yet")
    if wanted is None:
        return max(released_versions(files) or files, key=version_number)
    if wanted not in files:
        raise BadInput(f"the {kind} {name} has no version {wanted}; there are: {', '.join(in_order(files))}")
    return wanted


def draft_notes(name: str, files: Mapping[str, Path]) -> list[str]:
    """A note for each draft after the latest released version: it is used only when named."""
    drafts = drafts_beside(files)
    used = max(released_versions(files), key=version_number, default="v0")
    return [
        f"{name}@{version} is a draft: without a version, {name} is {name}@{used}"
        for version in drafts
        if version_number(version) > version_number(used)
    ]


def misplaced(path: Path, said: tuple[str, str], name: str, version: str) -> list[Fault]:
    """Faults of a name or a version that differ from those of the path, as after copying."""
    faults = []
    if said[1] != version:
        what = f"version: says {said[1]!r}, but this is {version}"
        todo = f'in a copy, set version = "{version}", and released = false until it is to be the default'
        faults.append(Fault(str(path), f"{what}; {todo}"))
    if said[0] != name:
        faults.append(Fault(str(path), f"name: says {said[0]!r}, but lies in {name}; set name = {name!r}"))
    return faults


def _says_released(path: Path, version: str) -> bool:
    """Whether a file says `released = true` of this version, even if it is not valid TOML.

    An unfinished draft must not block the version before it, nor a copy that still says the version it was
    copied from. A broken released version counts as released: loading it reports the fault, while skipping it
    would silently select another one.
    """
    if not path.exists():
        return False
    try:
        said = read_toml(path)
        return said.get("released", False) is not False and said.get("version", version) == version
    except BadInput:
        content = read_bytes(path, SETTINGS)
    copied = _VERSION.search(content)
    return _RELEASED.search(content) is not None and (copied is None or copied[1].decode() == version)
