"""`harness policy`: list, show, lint, diff, new."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Json, Root, argument, option, project_at, with_note
from harness.cli.output import complain, print_json, say, say_begun, show
from harness.cli.policy_options import EveryPolicy, PolicyOptions, Versions
from harness.errors import BadInput
from harness.storage.project import Project, split_label
from harness.storage.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.nouns.policy import Policy
    from harness.policy.judged import JudgedPair


def list_policies(root: Root = None, json: Json = False) -> None:
    """The policies and their versions.

    A draft beside released versions is marked; name its version to use it.
    """
    from harness.policy.load import policy_names, policy_versions
    from harness.storage.versions import drafts_beside

    project = project_at(root)
    found = {name: policy_versions(project.policies / name) for name in policy_names(project)}
    if json:
        print_json({"policies": {name: list(files) for name, files in found.items()}})
        return
    lines = []
    for name, files in found.items():
        drafts = drafts_beside(files)
        lines.append(" ".join([f"{name} ", *(f"{v} (draft)" if v in drafts else v for v in files)]))
    show(lines or ["no policy yet"])


def show_policy(which: PolicyOptions, *, root: Root = None, json: Json = False) -> None:
    """A policy as a document, in Markdown."""
    from harness.policy.load import load_named
    from harness.report.policy import policy_document

    project = project_at(root)
    policy = load_named(project, which.label_in(project))
    if json:
        print_json(policy)
    else:
        typer.echo(visible(policy_document(policy)), nl=False)


def lint_policies(which: EveryPolicy, *, root: Root = None, json: Json = False) -> None:
    """What is wrong with a policy or its gates.

    Ends with 2 if anything is; warnings only inform.
    """
    project, name = project_at(root), which.label
    faults = {str(path.relative_to(project.root)): found for path, found in _checked(project, name)}
    warnings = _warnings(project, name)
    if json:
        every = [fault for found in faults.values() for fault in found]
        print_json({"faults": every, "warnings": warnings})
    else:
        for path, found in faults.items():
            show([f"{path}: {'clean' if not found else f'{len(found):,} to mend'}"])
        for warning in warnings:
            say(f"warning: {warning}")
    wrong = [fault for found in faults.values() for fault in found]
    if wrong:
        if not json:
            complain("\n".join(wrong))
        raise typer.Exit(2)


def diff_policy(
    versions: Versions,
    *,
    suggest: Annotated[
        str | None, option("A run whose cited clauses suggest examples to judge again.")
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """What changed between two versions of a policy, and which golden examples that affects."""
    from harness.policy.diff import diff_policies
    from harness.policy.effect import golden_effect
    from harness.policy.load import load_named
    from harness.report.policy_diff import diff_view, effect_view

    project = project_at(root)
    before, after = (load_named(project, label) for label in versions.both(project))
    diff = diff_policies(before, after)
    examples = _golden(project, after)
    cited = _cited(project, suggest) if suggest is not None else None
    if cited is not None and not diff.rules:
        raise BadInput(
            f"--suggest: {diff.new} changed no clause and no boundary, so no cited clause suggests one"
        )
    if cited is not None and not any(cited.values()):
        raise BadInput(f"--suggest: the grader of {suggest} cites no clauses, so it cannot suggest anything")
    effect = golden_effect(before, after, examples, cited) if examples else None
    if json:
        golden = effect.model_dump(mode="json") if effect else None
        print_json({**diff.model_dump(mode="json"), "golden": golden})
        return
    show(diff_view(diff))
    show(effect_view(diff, effect) if effect else ["", "No golden set yet."])


def new_policy_version(
    name: Annotated[str, argument("name or name@v3. Default: the version after the latest.", metavar="NAME")],
    source: Annotated[
        str | None,
        option(
            "What to copy: name or name@v1. Default: the latest version.",
            "--from",
            envvar="HARNESS_POLICY_NEW_FROM",
        ),
    ] = None,
    scale: Annotated[str | None, option("The grades of a new policy that copies none. Default: 0-4.")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Begin the next version of a policy, or a new policy, as a draft.

    It is a copy with its comments; a new name without --from gets a small example policy.
    """
    from harness.scaffold.copies import new_policy

    project = project_at(root)
    done = new_policy(project, name, source, scale)
    own = split_label(name)[0]
    steps = [f"harness policy lint --policy {done.label}"]
    if done.copied_from is not None and split_label(done.copied_from)[0] == own:
        steps.append(f"harness policy diff {done.copied_from} {done.label}")
    say_begun(done, steps, as_json=json)
    with_note(own, project)


def _cited(project: Project, run: str) -> "dict[str, tuple[str, ...]]":
    """The clauses that a run's teacher cited, by example."""
    from harness.nouns.records import Grade
    from harness.runs.folder import find_run, load_run

    records = load_run(find_run(project, run)).each_record()
    return {one.example: one.outcome.clauses for one in records if isinstance(one.outcome, Grade)}


def _golden(project: Project, policy: "Policy") -> "list[JudgedPair]":
    """The examples and canaries of a policy; empty without a golden set."""
    from harness.golden.examples import FILE
    from harness.golden.rejudging import golden_lines

    path = project.golden / policy.name / FILE
    return list(golden_lines(path).values()) if path.exists() else []


def _warnings(project: Project, name: str | None) -> list[str]:
    """Drafts, and surfaces with several policies."""
    from harness.policy.lint import shared_surfaces
    from harness.policy.load import load_named, policy_names, policy_versions
    from harness.storage.versions import draft_notes

    asked = split_label(name)[0] if name else None
    policies = []
    drafts = []
    for known in policy_names(project):
        if asked in (None, known):
            drafts += draft_notes(known, policy_versions(project.policies / known))
        # A policy that does not load is among the faults already.
        with contextlib.suppress(BadInput):
            policies.append(load_named(project, known))
    return drafts + shared_surfaces(policies, asked)


def _checked(project: Project, name: str | None) -> "Iterator[tuple[Path, list[str]]]":
    """The faults of a policy, or of all versions of every one; then the folders without a version."""
    from harness.policy.load import policy_names, policy_path, policy_versions

    if name is not None:
        path = policy_path(project, with_note(name, project))
        yield path, _faults(path)
        return
    folders = {
        folder: policy_versions(folder) for folder in map(project.policies.joinpath, policy_names(project))
    }
    yield from ((path, _faults(path)) for found in folders.values() for path in found.values())
    yield from ((one, [f"{one}: holds no version (v1.toml)"]) for one, found in folders.items() if not found)


def _faults(path: Path) -> list[str]:
    """Why a policy does not load, or else what it lacks."""
    from harness.policy.lint import unfinished
    from harness.policy.load import load_with_gates

    try:
        policy, _ = load_with_gates(path)
    except BadInput as error:
        return [str(fault) for fault in error.faults]
    return [f"{path}: {text}" for text in unfinished(policy)]
