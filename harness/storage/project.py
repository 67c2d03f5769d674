"""The project folder and the versioned names in it."""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput


@dataclass(frozen=True, slots=True)
class Project:
    """A folder that holds policies/, prompts/, golden/ and runs/."""

    root: Path

    @property
    def policies(self) -> Path:
        """One folder per policy, one TOML file per version."""
        return self.root / "policies"

    @property
    def prompts(self) -> Path:
        """One folder per prompt, one folder in it per version."""
        return self.root / "prompts"

    @property
    def golden(self) -> Path:
        """One folder per policy."""
        return self.root / "golden"

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.root / "runs"


def find_project(root: Path | None = None) -> Project:
    """The project at `root`, else the nearest folder with `policies/` upwards from here."""
    if root is not None:
        if not (root / "policies").is_dir():
            raise BadInput(f"{root} is not a project: it has no policies/ folder")
        return Project(root.resolve())
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "policies").is_dir():
            return Project(folder)
    raise BadInput(f"no policies/ folder in {here} or above it; change to the project, or give --root DIR")


def split_label(label: str) -> tuple[str, str | None]:
    """`name@version` or `name` as its two parts."""
    name, at, version = label.partition("@")
    if not is_name(name) or (at and not is_version(version)):
        raise BadInput(f"invalid name {label!r}; expected name or name@v1")
    return name, version or None


def is_name(text: str) -> bool:
    """Whether a text is a valid name of a policy or prompt."""
    return re.fullmatch(r"[\w-][\w.-]*", text) is not None


def is_version(text: str) -> bool:
    """Whether a text is a version: v1, v2, ..."""
    return re.fullmatch(r"v[0-9]+", text) is not None


def version_number(version: str) -> int:
    """The number in a version, so that v10 comes after v9."""
    return int(version[1:])


def pick_name(kind: str, name: str, folder: Path) -> Path:
    """The folder of a name. BadInput lists the names there are."""
    if not (folder / name).is_dir():
        names = ", ".join(folder_names(folder)) or "none"
        how = "; name one with --policy" if kind == "policy" and names != "none" else ""
        raise BadInput(f"no {kind} {name!r} in {folder}; there are: {names}{how}")
    return folder / name


def folder_names(folder: Path) -> list[str]:
    """The names of the visible folders in a folder, in order."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
