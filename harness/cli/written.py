"""Check the files that a command is to write at paths of the user's, before the command begins."""

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

from harness.cli.options import option
from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.outputs import FILE, Around, Written, output_faults, place_of, places
from harness.storage.project import Project, find_project

OVERWRITE = "overwrite"
Overwrite = Annotated[bool, option("Write over a file that exists and is not an input.", "--overwrite")]
"""The option of every command that writes a file; see docs/files.md."""


def written_of(parameters: Sequence[Parameter]) -> dict[str, Written]:
    """The parameters that name outputs, each with its kind."""
    return {
        one.name: mark
        for one in parameters
        for mark in getattr(one.annotation, "__metadata__", ())
        if isinstance(mark, Written)
    }


def with_overwrite(parameters: list[Parameter], written: Mapping[str, Written]) -> list[Parameter]:
    """The parameters with --overwrite after the last that names a file which could be written over."""
    names = [one.name for one in parameters]
    places = [names.index(name) for name, kind in written.items() if kind.mark or kind == FILE]
    if not places or OVERWRITE in names:
        return parameters
    at = max(places) + 1
    flag = Parameter(OVERWRITE, Parameter.KEYWORD_ONLY, annotation=Overwrite, default=False)
    return [*parameters[:at], flag, *parameters[at:]]


def refuse_outputs(given: Mapping[str, Any], written: Mapping[str, Written]) -> None:
    """BadInput for every file that may not be written, before anything is done."""
    named = {name: given[name] for name in written if given.get(name) is not None}
    if not named:
        return
    rest = {name: value for name, value in given.items() if name not in written and name != "root"}
    around = Around(list(_inputs(rest.values())), _project(given.get("root")), bool(given.get(OVERWRITE)))
    faults = [fault for name, path in named.items() for fault in output_faults(path, written[name], around)]
    every = [one for name, path in named.items() for one in places(path, written[name])]
    refuse_faults([*faults, *_twice(every)])


def _twice(paths: Sequence[Path]) -> Iterator[Fault]:
    """A fault for each file that two options name, even with different spellings."""
    found: dict[Path, list[Path]] = {}
    for path in paths:
        found.setdefault(place_of(path), []).append(path)
    for place, named in found.items():
        if len(named) > 1:
            yield Fault(str(place), "is named by two options; name a file for each")


def _inputs(values: Iterable[Any]) -> Iterator[Path]:
    """The existing files and folders that values name: paths, matches of a pattern, FILE of replay/FILE."""
    for value in values:
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, Path) and glob.has_magic(str(one)):
                yield from map(Path, glob.iglob(str(one), recursive=True))  # noqa: PTH207 - it may be absolute
            if isinstance(one, Path):
                yield from [one] if _is_there(one) else []
            elif isinstance(one, str):
                names = (one, one.partition("/")[2], one.partition(":")[2])
                yield from (Path(name) for name in names if name and _is_read(Path(name)))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False  # too long for a path, or not a valid one


def _is_read(path: Path) -> bool:
    """Whether a text names a file, a run or a label set; another folder may just share a policy's name."""
    return _is_there(path) and (path.is_file() or (path / "manifest.json").exists())


def _project(root: Path | None) -> Project | None:
    try:
        return find_project(root)
    except BadInput:
        return None
