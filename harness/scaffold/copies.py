"""The next version of a policy or a prompt, or a new one: a copy of another version, as a draft."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput
from harness.golden.scales import parse_scale
from harness.policy.drafts import LOCK
from harness.policy.load import load_policy, policy_path, policy_versions
from harness.prompting.prompt import PAIR, SPEC, SYSTEM, load_prompt, prompt_versions
from harness.scaffold.example import SCALE, write_policy
from harness.storage.files import read_text, write_atomic
from harness.storage.locks import alone
from harness.storage.project import Project, split_label, version_number
from harness.storage.versions import as_draft, with_list

DEFAULT_PROMPT = "teacher"
"""The prompt to copy for a prompt of a new name, if none is named."""


class Begun(NamedTuple):
    """A new draft: its label, its path, and the version that it is a copy of; None for an example."""

    label: str
    path: Path
    copied_from: str | None


def new_policy(project: Project, label: str, source: str | None, scale: str | None) -> Begun:
    """Begin a version of a policy: a copy of `source`, else of the latest version, else an example.

    BadInput for a version that is there, and for a scale beside a copy, which has one.
    """
    name, wanted = split_label(label)
    known = bool(policy_versions(project.policies / name))
    if scale is not None and (source or known):
        what = f"--from {source}" if source else f"{name}, of which this is the next version,"
        raise BadInput(f"--scale: {what} has a scale; change it in the copy")
    if source is None and not known:
        return _example_policy(project, name, wanted, scale)
    path = policy_path(project, source or _latest(name, policy_versions(project.policies / name)))
    original = load_policy(path)
    folder = project.policies / name
    version = _next(folder, wanted, list(policy_versions(folder)))
    text = as_draft(read_text(path), path, version=version, name=name)
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / LOCK):
        _refuse_taken(folder / f"{version}.toml")
        if new and (gates := path.with_name("gates.toml")).exists():
            write_atomic(folder / "gates.toml", read_text(gates))
        write_atomic(folder / f"{version}.toml", text)
    return Begun(f"{name}@{version}", folder / f"{version}.toml", original.label)


def _example_policy(project: Project, name: str, wanted: str | None, scale: str | None) -> Begun:
    if _next(project.policies / name, wanted, ()) != "v1":
        raise BadInput(f"{name} has no version yet: its first one is v1, not {wanted}")
    path = write_policy(project, name, parse_scale(scale) if scale is not None else SCALE)
    return Begun(f"{name}@v1", path, None)


def new_prompt(
    project: Project,
    label: str,
    source: str | None,
    *,
    system: str | None = None,
    chosen: Sequence[str] = (),
    beside: Mapping[str, str] | None = None,
) -> Begun:
    """Begin a version of a prompt: a copy of `source`, else of the latest version, else of `teacher`.

    `system`: another system template than that of the copy; `chosen`: the only shots to show; `beside`:
    further files by name. BadInput for a version that is there.
    """
    name, wanted = split_label(label)
    folder = project.prompts / name
    known = prompt_versions(folder)
    files = load_prompt(project, source or (_latest(name, known) if known else DEFAULT_PROMPT))
    version = _next(folder, wanted, list(known))
    spec = files.folder / SPEC
    described = as_draft(read_text(spec, links=False), spec, version=version, name=name)
    texts = {
        SPEC: with_list(described, spec, "chosen", chosen) if chosen else described,
        SYSTEM: files.system if system is None else system,
        PAIR: files.pair,
        **(beside or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        draft = scratch / version
        draft.mkdir()
        for file, text in texts.items():
            write_atomic(draft / file, text)
        _refuse_taken(folder / version)
        draft.rename(folder / version)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Begun(f"{name}@{version}", folder / version, files.label)


def _latest(name: str, known: Mapping[str, Path]) -> str:
    return f"{name}@{max(known, key=version_number)}"


def _next(folder: Path, wanted: str | None, known: Sequence[str]) -> str:
    """The version wanted, or the one after the latest. BadInput if it is there, or the folder is a link."""
    if folder.is_symlink():
        raise BadInput.at(folder, "is a link; expected a folder: copy its target here")
    if wanted is None:
        return f"v{max(map(version_number, known), default=0) + 1}"
    if wanted in known:
        raise BadInput.at(folder, f"{wanted} is there; without a version, the next one is begun")
    return wanted


def _refuse_taken(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise BadInput.at(path, "is there already; nothing was overwritten")
