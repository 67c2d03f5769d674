"""`harness doctor`: what is installed, which keys are set, what the project holds; prints no key.

With a model, it asks the model for one grade and prints what the model accepts and what a grade costs.
"""

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness import __version__
from harness.cli.options import Json, Root, argument, load_keys, option, policy_label, project_at
from harness.cli.output import fold, print_json, say, show
from harness.cli.policy_options import named
from harness.errors import BadInput
from harness.storage.plural import plural
from harness.storage.project import Project, folder_names

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

LACKING = {
    "policies": "no policy: harness golden import FILE --policy NAME begins one",
    "golden sets": "no golden set: harness golden import FILE --policy NAME makes one",
    "prompts": "no prompt, and harness eval needs one: harness init DIR makes a project with some",
}
"""What every project needs, and where it comes from."""


def doctor_command(
    model: Annotated[
        str | None, argument("provider/model to ask for one grade, to see what it accepts.")
    ] = None,
    base_url: Annotated[str | None, option("A server of your own that speaks the provider's API.")] = None,
    policy: Annotated[
        str | None, named("Whose first dev example is graded. Default: the only policy.")
    ] = None,
    prompt: Annotated[str, option("The prompt: name or name@v2.")] = "teacher",
    root: Root = None,
    json: Json = False,
) -> None:
    """What is installed, which keys are set, what the project holds. Ends with 2 if something is broken.

    With a model: what it accepts and what a grade costs; this makes a few API calls.
    """
    if model is None:
        _installation(root, as_json=json)
    else:
        project = project_at(root)
        _model(project, model, base_url, policy_label(policy, project), prompt, as_json=json)


def _model(
    project: Project, model: str, base_url: str | None, policy: str, prompt: str, *, as_json: bool
) -> None:
    """Ask a model for one grade. Ends with 4 if the answer has none."""
    from harness.grading.checkup import check_model
    from harness.providers import base_url_of, is_home, split_model
    from harness.report.checkup import checkup_view
    from harness.runs.manifest import Asked

    load_keys(project)
    asked = Asked(model=model, policy=policy, prompt=prompt, splits=("dev",), base_url=base_url)
    address = base_url or base_url_of(split_model(model)[0])
    if not is_home(model, address):
        say(f"asking {model} at {address}")
    found = check_model(project, asked)
    print_json(found) if as_json else show(checkup_view(found))
    if found.grade is None:
        raise typer.Exit(4)


def _installation(root: "Path | None", *, as_json: bool) -> None:
    from harness.grading.new_run import package_versions
    from harness.providers import PROVIDERS, variables

    facts: dict[str, Any] = {"harness": __version__, "python": platform.python_version()}
    facts["packages"] = package_versions()
    facts["providers"] = list(PROVIDERS)
    absent = [name for name, version in facts["packages"].items() if version == "not installed"]
    problems = [
        f"{name} is not installed: pip install it, or run make eval where the harness is" for name in absent
    ]
    try:
        project = project_at(root)
    except BadInput as error:
        problems += _texts(error)
    else:
        load_keys(project)
        facts["project"] = str(project.root)
        problems += _contents(project, facts)
    facts["keys"] = {key: "set" if os.environ.get(key) else "not set" for key in variables()}
    facts["problems"] = problems
    print_json(facts) if as_json else show(_lines(facts))
    if problems:
        raise typer.Exit(2)


def _contents(project: Project, facts: dict[str, Any]) -> list[str]:
    """Read every policy, golden set and prompt; return the faults."""
    from harness.runs.folder import run_names

    unready: list[str] = []
    problems: list[str] = []
    for kind, names, read in _readers(project, unready):
        found = []
        for name in names:
            try:
                found.append(read(name))
            except BadInput as error:
                # A prompt version that is being edited stops no command; versions of a policy are records.
                edited = kind == "prompts" and not _is_default(name, read)
                (unready if edited else problems).extend(_texts(error))
        facts[kind] = found
        if not names:
            problems.append(LACKING[kind])
    facts["runs"] = len(run_names(project))
    facts["unfinished"] = unready
    return problems


Reader = Callable[[str], str]
"""Reads a policy, a golden set or a prompt by name, and returns its line. BadInput if it cannot."""


def _readers(project: Project, unready: list[str]) -> Iterator[tuple[str, list[str], Reader]]:
    """Each kind with its names and how to read one, which appends what is unfinished to `unready`."""
    from harness.policy.load import policy_names, policy_versions
    from harness.prompting.prompt import load_prompt, prompt_names, prompt_versions

    policies = _every(project.policies, policy_names(project), policy_versions)
    yield "policies", policies, partial(_policy, project, unready)
    yield "golden sets", folder_names(project.golden), partial(_golden_set, project)
    prompts = _every(project.prompts, prompt_names(project), prompt_versions)
    yield "prompts", prompts, lambda label: load_prompt(project, label).label


def _policy(project: Project, unready: list[str], name: str) -> str:
    from harness.policy.lint import unfinished
    from harness.policy.load import load_policy, policy_path

    path = policy_path(project, name)
    policy = load_policy(path)
    if lacking := unfinished(policy):
        what = f"{policy.label} is not finished ({plural(len(lacking), 'empty text')})"
        unready.append(f"{what}: `harness policy lint --policy {policy.label}` lists what {path} lacks")
    return policy.label


def _golden_set(project: Project, name: str) -> str:
    from harness.golden.examples import golden_path, load_examples
    from harness.policy.load import load_named

    policy = load_named(project, name)
    return f"{name} ({plural(len(load_examples(golden_path(project, name), policy)), 'example')})"


def _every(folder: "Path", names: list[str], versions: "Callable[[Path], Mapping[str, Path]]") -> list[str]:
    """Every version of these policies or prompts; the bare name if there is none, to report it."""
    return [
        label for name in names for label in [f"{name}@{one}" for one in versions(folder / name)] or [name]
    ]


def _is_default(label: str, read: Reader) -> bool:
    """Whether the unreadable version is the one that the bare name means."""
    try:
        read(label.partition("@")[0])
    except BadInput:
        return True
    return False


def _texts(error: BadInput) -> list[str]:
    return [str(fault) for fault in error.faults]


def _lines(facts: dict[str, Any]) -> "list[RenderableType]":
    """One line per fact. A list may be folded; a path stays whole."""
    from rich.text import Text

    lines: list[RenderableType] = []
    for name, value in facts.items():
        if name in ("problems", "unfinished"):
            continue
        if isinstance(value, dict):
            value = [f"{key} {text}" for key, text in value.items()]
        if isinstance(value, list):
            lines.append(Text(f"{name}: {', '.join(value) or 'none'}"))
        else:
            lines.append(f"{name}: {value}")
    told = [f"problem: {problem}" for problem in facts["problems"]]
    told += [f"unfinished: {what}" for what in facts.get("unfinished", ())]
    return lines + ([fold(one) for one in told] or ["no problem found"])
