"""`harness prompt`: list, render, diff, new."""

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Json, Root, argument, option, policy_label, project_at
from harness.cli.output import print_json, say, say_begun, show
from harness.cli.policy_options import PolicyName, named
from harness.errors import BadInput
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.visible import visible

if TYPE_CHECKING:
    from harness.grading.plan import Plan
    from harness.nouns.records import Prompt
    from harness.scorecards.prompt_change import PrefixChange, PromptDiff


def list_prompts(root: Root = None, json: Json = False) -> None:
    """The prompts, their versions and their descriptions.

    A draft beside released versions is marked; name its version to use it.
    """
    from rich.text import Text

    from harness.prompting.prompt import prompt_names, prompt_versions
    from harness.storage.versions import draft_notes, drafts_beside

    project = project_at(root)
    files = {name: prompt_versions(project.prompts / name) for name in prompt_names(project)}
    found, notes = _described(project, [f"{name}@{v}" for name, known in files.items() for v in known])
    notes += [note for name, known in files.items() for note in draft_notes(name, known)]
    if json:
        print_json({"prompts": found, "warnings": notes})
        return
    drafts = [f"{name}@{version}" for name, known in files.items() for version in drafts_beside(known)]
    shown = {f"{label} (draft)" if label in drafts else label: text for label, text in found.items()}
    show([Text(f"{label}  {text}") for label, text in shown.items()] or ["no prompt yet"])
    for note in notes:
        say(f"warning: {note}")


def _described(project: Project, labels: list[str]) -> tuple[dict[str, str], list[str]]:
    """The description of each prompt that loads, and what is wrong with any: one must not hide the others."""
    from harness.prompting.prompt import load_prompt

    found: dict[str, str] = {}
    wrong: list[str] = []
    released: dict[str, str] = {}
    for label in labels:
        try:
            files = load_prompt(project, label)
        except BadInput as error:
            wrong += [str(fault) for fault in error.faults]
            continue
        found[label] = files.spec.description
        if files.spec.released and (first := released.setdefault(files.digest, label)) != label:
            todo = "set released = false in a copy until it is to be the default"
            wrong.append(f"{label} is released and sends what {first} sends; {todo}")
    return found, wrong


def render_prompt(
    name: Annotated[str, argument("name, or name@v2", metavar="[PROMPT]")] = "teacher",
    policy: PolicyName = None,
    item: Annotated[str | None, option("An example's id. Default: the first of dev or test.")] = None,
    shots: Annotated[int | None, option("Golden examples in it.", min=0)] = None,
    stats: Annotated[bool, option("Its size instead of its text.", "--stats")] = False,
    root: Root = None,
    json: Json = False,
) -> None:
    """The prompt for one example, exactly as a teacher gets it."""
    project = project_at(root)
    plan = _plan(project, policy_label(policy, project), name, shots)
    example = next((one for one in plan.examples if item in (None, one.id)), None)
    if example is None:
        raise BadInput(f"no example {item!r} in dev or test of {plan.asked.policy} (shots are never graded)")
    prompt = plan.writer.prompt(example.id, example.pair)
    if stats:
        _show_size(prompt, len(plan.writer.system) + len(plan.writer.lead), as_json=json)
        return
    if json:
        print_json({"item": prompt.item, "messages": [m.model_dump() for m in prompt.messages]})
        return
    for message in prompt.messages:
        typer.echo(visible(f"=== {message.role} ===\n{message.content}\n"))


def diff_prompt(
    old: Annotated[str, argument("name@v1", metavar="PROMPT_A")],
    new: Annotated[str, argument("name@v2, or name: its latest version.", metavar="PROMPT_B")],
    policy: Annotated[
        str | None, named("Whose prefix is compared: name or name@v1. Default: the only policy.")
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """What differs between two prompts, and whether their constant prefixes differ under a policy."""
    from harness.policy.load import load_named
    from harness.prompting.diff import changes_of
    from harness.prompting.prompt import load_prompt
    from harness.report.prompt_diff import prompt_diff_view
    from harness.scorecards.prompt_change import PromptDiff

    project = project_at(root)
    label = load_named(project, policy_label(policy, project)).label
    before, after = load_prompt(project, old), load_prompt(project, new)
    diff = PromptDiff(old=before.label, new=after.label, policy=label, changes=changes_of(before, after))
    try:
        diff = diff.model_copy(update={"prefix": _prefix_change(project, diff)})
    except BadInput as error:
        diff = diff.model_copy(update={"reason": str(error.faults[0])})
    print_json(diff) if json else show(prompt_diff_view(diff))


def new_prompt_version(
    name: Annotated[str, argument("name or name@v3. Default: the version after the latest.", metavar="NAME")],
    source: Annotated[
        str | None,
        option(
            "What to copy: name or name@v1. Default: the latest version, else teacher.",
            "--from",
            envvar="HARNESS_PROMPT_NEW_FROM",
        ),
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Begin the next version of a prompt, or a new prompt, as a draft: a copy of another version."""
    from harness.scaffold.copies import new_prompt

    project = project_at(root)
    done = new_prompt(project, name, source)
    steps = [
        f"harness prompt diff {done.copied_from} {done.label}",
        project.how_to("eval", prompt=done.label),
    ]
    say_begun(done, steps, as_json=json)


def _plan(project: Project, policy: str, prompt: str, shots: int | None = None) -> "Plan":
    from harness.grading.plan import make_plan
    from harness.runs.manifest import Asked

    asked = Asked(model="builtin/majority", policy=policy, prompt=prompt, splits=("dev", "test"), shots=shots)
    return make_plan(project, asked)


def _prefix_change(project: Project, diff: "PromptDiff") -> "PrefixChange":
    """Compare the constant prefixes. BadInput if a prompt cannot be rendered."""
    from harness.scorecards.prompt_change import PrefixChange

    before, after = (_plan(project, diff.policy, label).writer for label in (diff.old, diff.new))
    sizes = [len(writer.system) + len(writer.lead) for writer in (before, after)]
    return PrefixChange(same=before.prefix_digest == after.prefix_digest, old=sizes[0], new=sizes[1])


def _show_size(prompt: "Prompt", prefix: int, *, as_json: bool) -> None:
    """Print characters, tokens at about four characters each, and the share of the constant prefix."""
    characters = sum(len(message.content) for message in prompt.messages)
    size = {"characters": characters, "estimated_tokens": characters // 4, "constant_prefix": prefix}
    if as_json:
        print_json(size)
        return
    show([f"{plural(characters, 'character')}, about {plural(characters // 4, 'token')}"])
    show([f"{prefix:,} of them, {prefix / characters:.1%}, are the constant prefix"])
