"""The project folder and the versioned names in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
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

    @property
    def labels(self) -> Path:
        """One folder per label set, where `harness label -o labels/NAME` puts it."""
        return self.root / "labels"

    def how_to(self, command: str, flags: str = "", **given: str | None) -> str:
        """A command with its options, as typed in this project: by make if the Makefile has the target."""
        options = {name: value for name, value in given.items() if value is not None}
        if self._makes(command):
            variables = [f"{name.upper()}={value}" for name, value in options.items()]
            return " ".join(["make", command, *variables, *([f"FLAGS='{flags}'"] if flags else [])])
        named = [f"--{name} {value}" for name, value in options.items()]
        return " ".join(["harness", command, *named, *([flags] if flags else [])])

    def _makes(self, target: str) -> bool:
        """Whether the Makefile has this target from the harness."""
        try:
            text = (self.root / "Makefile").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False
        return re.search(rf"^{target}:", text, re.MULTILINE) is not None and "harness" in text


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
    todo = "change to the project, give --root DIR, or make one: harness init DIR"
    raise BadInput(f"no policies/ folder in {here} or above it; {todo}")


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
        names = folder_names(folder)
        near = likeliest(name, names)
        ask = "; name one with --policy" if kind == "policy" and names else ""
        meant = f"; did you mean {near}?" if near else ask
        raise BadInput(f"no {kind} {name!r} in {folder}{meant} (there are: {', '.join(names) or 'none'})")
    return folder / name


def likeliest(name: str, names: Iterable[str]) -> str | None:
    """The name that a mistyped one probably means, if one is near."""
    return next(iter(get_close_matches(name, list(names), 1)), None)


def folder_names(folder: Path) -> list[str]:
    """The names of the visible folders in a folder, in order."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
