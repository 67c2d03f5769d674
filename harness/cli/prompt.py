"""`harness prompt`: list, render."""

from typing import Annotated

import typer

from harness.cli.options import Json, Root, guarded, print_json, project_at, show
from harness.errors import BadInput

app = typer.Typer(
    help="Teacher prompts: templates that carry the policy and some shots.", no_args_is_help=True
)


@app.command("list")
@guarded
def list_prompts(root: Root = None, json: Json = False) -> None:
    """The prompts, their versions and what each is for."""
    from harness.project import version_number
    from harness.prompts import load_prompt, prompt_names, prompt_versions

    project = project_at(root)
    labels = [
        f"{name}@{version}"
        for name in prompt_names(project)
        for version in sorted(prompt_versions(project.prompts / name), key=version_number)
    ]
    found = {label: load_prompt(project, label).spec.description for label in labels}
    if json:
        print_json({"prompts": found})
        return
    show([f"{label}  {description}" for label, description in found.items()] or ["no prompt yet"])


@app.command("render")
@guarded
def render_prompt(
    name: Annotated[str, typer.Argument(metavar="[PROMPT]", help="name, or name@v2")] = "teacher",
    policy: Annotated[str, typer.Option(help="name, or name@v1")] = "product-search",
    item: Annotated[
        str | None, typer.Option(help="An example's id. Default: the first of dev or test.")
    ] = None,
    shots: Annotated[int | None, typer.Option(min=0, help="Golden examples in it.")] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """The prompt for one example, just as a teacher is sent it."""
    from harness.plan import make_plan
    from harness.runs import Asked

    asked = Asked(model="builtin/majority", policy=policy, prompt=name, splits=("dev", "test"), shots=shots)
    plan = make_plan(project_at(root), asked)
    ids = {example.id: example for example in plan.examples}
    if item is not None and item not in ids:
        raise BadInput(f"no example {item!r} in dev or test of {plan.asked.policy} (shots are never graded)")
    example = ids[item] if item else plan.examples[0]
    prompt = plan.writer.prompt(example.id, example.pair)
    if json:
        print_json({"item": prompt.item, "messages": [m.model_dump() for m in prompt.messages]})
        return
    for message in prompt.messages:
        typer.echo(f"=== {message.role} ===\n{message.content}\n")
