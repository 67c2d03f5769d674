"""`harness policy`: list, show, lint."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Json, Root, complain, guarded, print_json, project_at, show
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.project import Project

app = typer.Typer(help="Policies: the product team's judgement, written down.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="POLICY", help="name, or name@v1")]


@app.command("list")
@guarded
def list_policies(root: Root = None, json: Json = False) -> None:
    """The policies and their versions."""
    from harness.policies import policy_names, policy_versions
    from harness.project import version_number

    project = project_at(root)
    found = {
        name: sorted(policy_versions(project.policies / name), key=version_number)
        for name in policy_names(project)
    }
    if json:
        print_json({"policies": found})
        return
    show([f"{name}  {' '.join(versions)}" for name, versions in found.items()] or ["no policy yet"])


@app.command("show")
@guarded
def show_policy(name: Name, root: Root = None, json: Json = False) -> None:
    """A policy as a document, in Markdown."""
    from harness.policies import load_policy, policy_path
    from harness.report.document import policy_document

    policy = load_policy(policy_path(project_at(root), name))
    if json:
        print_json(policy)
    else:
        typer.echo(policy_document(policy), nl=False)


@app.command("lint")
@guarded
def lint_policies(
    name: Annotated[
        str | None, typer.Argument(metavar="POLICY", help="Default: every version of all.")
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """What is wrong with a policy or its gates. Ends with 2 where anything is."""
    project = project_at(root)
    paths = _paths(project, name)
    faults = {str(_short(path, project)): _faults(path) for path in paths}
    if name is None:
        faults |= _folders_without_versions(project)
    if json:
        print_json({"faults": [fault for found in faults.values() for fault in found]})
    else:
        for path, found in faults.items():
            show([f"{path}: {'clean' if not found else f'{len(found)} to mend'}"])
    wrong = [fault for found in faults.values() for fault in found]
    if wrong:
        if not json:
            complain("\n".join(wrong))
        raise typer.Exit(2)


def _paths(project: "Project", name: str | None) -> list[Path]:
    from harness.policies import policy_names, policy_path, policy_versions

    if name is not None:
        return [policy_path(project, name)]
    folders = [project.policies / known for known in policy_names(project)]
    return [folder / f"{version}.toml" for folder in folders for version in sorted(policy_versions(folder))]


def _folders_without_versions(project: "Project") -> dict[str, list[str]]:
    from harness.policies import policy_names, policy_versions

    folders = [project.policies / name for name in policy_names(project)]
    empty = [folder for folder in folders if not policy_versions(folder)]
    return {str(_short(folder, project)): [f"{folder}: holds no version (v1.toml)"] for folder in empty}


def _faults(path: Path) -> list[str]:
    """What stops a policy from loading, or else what it lacks."""
    from harness.policies import load_gates, load_policy, unfinished

    try:
        policy = load_policy(path)
        load_gates(path.with_name("gates.toml"), policy)
    except BadInput as error:
        return [str(fault) for fault in error.faults]
    return [f"{path}: {text}" for text in unfinished(policy)]


def _short(path: Path, project: "Project") -> Path:
    return path.relative_to(project.root)
