"""Policies and prompts: their versions, and two versions side by side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput
from harness.policy.diff import diff_policies
from harness.policy.load import load_policy, policy_names, policy_path, policy_versions
from harness.prompting.prompt import PAIR, SPEC, SYSTEM, load_prompt, prompt_names, prompt_versions
from harness.report.policy_diff import change_heading
from harness.report.text_diff import DiffRow, side_by_side, word_changes
from harness.scorecards.policy_change import PolicyDiff, Wording
from harness.storage.files import read_text
from harness.storage.plural import plural
from harness.storage.project import Project, is_name


class VersionList(NamedTuple):
    """A policy or prompt with its versions, oldest first; `faults` where a version cannot be read."""

    name: str
    versions: tuple[str, ...]
    about: tuple[str, ...]
    """A description of each version."""


class ChangedPart(NamedTuple):
    """A changed part: its heading, and each of its texts in stretches of words with their signs."""

    heading: str
    wordings: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file in both versions. `rows` is empty if it does not differ."""

    name: str
    rows: Sequence[DiffRow]
    same: bool


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """Two versions of a policy or prompt. `said`: the policy change in words, if both can be read."""

    name: str
    old: str
    new: str
    versions: tuple[str, ...]
    files: tuple[FileDiff, ...]
    said: tuple[ChangedPart, ...] = ()
    faults: tuple[str, ...] = ()


def policies_of(project: Project) -> list[VersionList]:
    """Every policy."""
    known = {name: policy_versions(project.policies / name) for name in policy_names(project)}
    return [_listed(project, name, versions, _about_policy) for name, versions in known.items()]


def prompts_of(project: Project) -> list[VersionList]:
    """Every prompt."""
    known = {name: prompt_versions(project.prompts / name) for name in prompt_names(project)}
    return [_listed(project, name, versions, _about_prompt) for name, versions in known.items()]


def _listed(
    project: Project, name: str, versions: Iterable[str], about: Callable[[Project, str], str]
) -> VersionList:
    said = {}
    for version in versions:
        try:
            said[version] = about(project, f"{name}@{version}")
        except BadInput as error:
            said[version] = f"cannot be read: {error.faults[0]}"
    return VersionList(name, tuple(said), tuple(said.values()))


def _about_policy(project: Project, label: str) -> str:
    policy = load_policy(policy_path(project, label))
    parts = (policy.grades, "grade"), (policy.clauses, "clause"), (policy.boundaries, "gray area")
    counts = ", ".join(plural(len(part), one) for part, one in parts)
    return f"{policy.title or policy.name} ({'released' if policy.released else 'a draft'}; {counts})"


def _about_prompt(project: Project, label: str) -> str:
    spec = load_prompt(project, label).spec
    return f"{spec.description} ({'released' if spec.released else 'a draft'})"


def policies_beside(
    project: Project, name: str, old: str, new: str, *, everything: bool
) -> VersionDiff | None:
    """Two versions of a policy; None if the policy or a version does not exist."""
    found = _chosen(project.policies, policy_names(project), policy_versions, name, old, new)
    if found is None:
        return None
    versions, pair = found
    paths = [project.policies / name / f"{version}.toml" for version in pair]
    texts = [read_text(path) for path in paths]
    said: tuple[ChangedPart, ...] = ()
    faults: tuple[str, ...] = ()
    try:
        said = tuple(_in_words(diff_policies(*(load_policy(path) for path in paths))))
    except BadInput as error:
        faults = tuple(map(str, error.faults))
    file = _file("The file", *texts, everything=everything)
    return VersionDiff(name, *pair, versions, (file,), said, faults)


def _in_words(diff: PolicyDiff) -> Iterator[ChangedPart]:
    for change in diff.changes:
        yield ChangedPart(
            change_heading(change), tuple((w.key, tuple(_stretches(w))) for w in change.wordings)
        )
    for move in diff.action_moves:
        moved = (move.old or "no such grade", "-"), (move.new or "no such grade", "+")
        yield ChangedPart(f"Grade {move.grade}: another action", (("action", moved),))


def _stretches(wording: Wording) -> list[tuple[str, str]]:
    if wording.old is None or wording.new is None:
        return [(text, sign) for text, sign in ((wording.old, "-"), (wording.new, "+")) if text]
    return word_changes(wording.old, wording.new)


def prompts_beside(
    project: Project, name: str, old: str, new: str, *, everything: bool
) -> VersionDiff | None:
    """Two versions of a prompt; None if the prompt or a version does not exist."""
    found = _chosen(project.prompts, prompt_names(project), prompt_versions, name, old, new)
    if found is None:
        return None
    versions, pair = found
    folders = [project.prompts / name / version for version in pair]
    files = tuple(
        _file(file, *(read_text(folder / file) for folder in folders), everything=everything)
        for file in (SYSTEM, PAIR, SPEC)
    )
    return VersionDiff(name, *pair, versions, files)


def _chosen(
    folder: Path, names: Sequence[str], of: Callable[[Path], Iterable[str]], name: str, old: str, new: str
) -> tuple[tuple[str, ...], tuple[str, str]] | None:
    """All versions and the requested two: by default the last two, or the only one twice."""
    versions = tuple(of(folder / name)) if is_name(name) and name in names else ()
    before, after = old or "".join(versions[-2:][:1]), new or "".join(versions[-1:])
    return (versions, (before, after)) if {before, after} <= set(versions) else None


def _file(name: str, old: str, new: str, *, everything: bool) -> FileDiff:
    same = old == new
    rows = [] if same and not everything else side_by_side(old, new, everything=everything)
    return FileDiff(name, rows, same)
