"""The versions of a policy or a prompt: released ones and drafts, and which one a name means."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.storage.files import Stamp, read_bytes, read_toml, stamp_of
from harness.storage.project import version_number
from harness.storage.regular import SETTINGS

_RELEASED = re.compile(rb"^\s*released\s*=\s*true\b", re.MULTILINE)
_VERSION = re.compile(rb"""^\s*version\s*=\s*["'](\w+)["']""", re.MULTILINE)


def in_order(files: Mapping[str, Path]) -> dict[str, Path]:
    """Each version with the TOML file that describes it, the oldest first."""
    return {version: files[version] for version in sorted(files, key=version_number)}


def released_versions(files: Mapping[str, Path]) -> list[str]:
    """The versions whose files say `released = true`."""
    return [version for version, path in files.items() if _says_released(path, version, stamp_of(path))]


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


def as_draft(text: str, path: Path, *, version: str, name: str | None = None) -> str:
    """The TOML file of a version as the draft of another one: comments and all, with a few values changed.

    `name`: that of another policy or prompt. BadInput where the values cannot be found line by line.
    """
    changed = {"version": version, **({"name": name} if name else {})}
    was = tomllib.loads(text)
    head, table, rest = _parts(text)
    for key, value in changed.items():
        head = _with(head, key, value)
    head = re.sub(r"^(\s*released\s*=\s*)true\b", r"\g<1>false", head, flags=re.MULTILINE)
    made = head + table + rest
    if not says(made, {**was, **changed, **({"released": False} if "released" in was else {})}):
        given = ", ".join(f"{key} = {toml_string(value)}" for key, value in changed.items())
        raise BadInput.at(
            path, f"cannot be copied line by line: copy it yourself, with {given} and released = false"
        )
    return made


def _with(head: str, key: str, value: str) -> str:
    # A function, since backslashes in a replacement text have a meaning.
    line = rf"""^(\s*{key}\s*=\s*)(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
    return re.sub(line, lambda found: found[1] + toml_string(value), head, flags=re.MULTILINE)


def _parts(text: str) -> tuple[str, str, str]:
    """The keys above the first table, which may hold lines that look like them."""
    first = re.search(r"^\s*\[", text, flags=re.MULTILINE)
    at = first.start() if first else len(text)
    return text[:at], text[at : at + 1], text[at + 1 :]


def with_list(text: str, path: Path, key: str, values: Sequence[str]) -> str:
    """A TOML file with a list of texts above its first table, in the place of one of that key.

    BadInput where that cannot be done line by line.
    """
    was = tomllib.loads(text)
    head, table, rest = _parts(text)
    head = re.sub(rf"^[ \t]*{key}[ \t]*=[ \t]*\[[^\]]*\][ \t]*\n", "", head, flags=re.MULTILINE)
    line = f"{key} = [{', '.join(map(toml_string, values))}]\n"
    made = f"{head.rstrip()}\n{line}" + (f"\n{table}{rest}" if table else "")
    if not says(made, {**was, key: list(values)}):
        raise BadInput.at(path, f"cannot be changed line by line: give it {line.strip()}")
    return made


def says(text: str, wanted: dict[str, object]) -> bool:
    """Whether a TOML text holds these values and no others."""
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def toml_string(text: str) -> str:
    """A TOML string: JSON's, whose escapes TOML has too, but for one letter that only TOML escapes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@lru_cache(maxsize=1000)  # a command asks several times, and parsing a policy takes milliseconds
def _says_released(path: Path, version: str, stamp: Stamp) -> bool:
    """Whether a file says `released = true` of this version, even if it is not valid TOML.

    An unfinished draft must not block the version before it, nor a copy that still says the version it was
    copied from. A broken released version counts as released: loading it reports the fault, while skipping it
    would silently select another one.
    """
    if stamp is None:
        return False
    try:
        said = read_toml(path)
        return said.get("released", False) is not False and said.get("version", version) == version
    except BadInput:
        content = read_bytes(path, SETTINGS)
    copied = _VERSION.search(content)
    return _RELEASED.search(content) is not None and (copied is None or copied[1].decode() == version)
