"""`--policy`: one way to name a policy. Positions that named one before are aliases."""

from typing import Annotated, Any

import typer

from harness.cli import completion
from harness.cli.options import (
    DEFAULT_POLICY,
    Options,
    argument,
    option,
    policy_label,
    policy_or_only,
    with_note,
)
from harness.errors import BadInput
from harness.storage.project import Project, split_label


def named(help: str, former_variable: str | None = None) -> Any:
    """An option for a policy's name, which the shell completes."""
    return option(help, envvar=former_variable, autocompletion=completion.policies)


PolicyName = Annotated[str | None, named(f"name or name@v1. Default: the only one, else {DEFAULT_POLICY}.")]


class PolicyOptions(Options):
    """A policy."""

    name: Annotated[
        str | None, typer.Argument(metavar="POLICY", hidden=True, autocompletion=completion.policies)
    ] = None
    policy: PolicyName = None

    @property
    def label(self) -> str | None:
        """The policy named; None if none was. BadInput if two were."""
        if self.name and self.policy and self.name != self.policy:
            raise BadInput(f"two policies are named: {self.name} and --policy {self.policy}; keep --policy")
        return self.name if self.policy is None else self.policy

    def label_in(self, project: Project) -> str:
        """The policy named, with a version if one was given, or the project's own."""
        return policy_label(self.label, project)


class EveryPolicy(PolicyOptions):
    """A policy, or all of them."""

    policy: Annotated[str | None, named("name or name@v1. Default: every one.")] = None


class NewPolicy(PolicyOptions):
    """A version of a policy, which has to be named."""

    policy: Annotated[str | None, named("The version to ship: name@v2.")] = None

    def label_in(self, project: Project) -> str:
        """The version. BadInput, with the existing versions, if none was named."""
        from harness.policy.load import policy_path, policy_versions

        label = policy_or_only(self.label, project)
        if split_label(label)[1] is None:
            known = policy_versions(policy_path(project, label).parent)
            there = " or ".join(f"--policy {label}@{version}" for version in known)
            raise BadInput(f"name the version to ship: {there}")
        return label


class Versions(PolicyOptions):
    """Two versions of a policy."""

    name: Annotated[str | None, argument("name@v1; or a name: its two latest versions.", metavar="V1")] = None
    new: Annotated[str | None, argument("name@v2. Default: the version after V1.", metavar="V2")] = None
    policy: Annotated[str | None, option("The same as V1.")] = None

    def both(self, project: Project) -> tuple[str, str]:
        """Both as name@version; the missing one is the neighbour."""
        from harness.policy.load import policy_path, policy_versions

        old, new = self.label, self.new
        if old is None:
            raise BadInput("name a policy, whose two latest versions are compared, or two versions: V1 V2")
        name, version = split_label(old)
        folder = policy_path(project, old).parent
        if new is not None:
            if split_label(new)[0] != name:
                raise BadInput(f"{old} and {new} are two policies; name two versions of one")
            paths = (policy_path(project, with_note(label, project)) for label in (old, new))
            first, second = (f"{name}@{path.stem}" for path in paths)
            return first, second
        known = list(policy_versions(folder))
        at = known.index(version) if version else len(known) - 2
        if not 0 <= at < len(known) - 1:
            raise BadInput(f"{old}: no version after it to compare with; there are: {', '.join(known)}")
        return f"{name}@{known[at]}", f"{name}@{known[at + 1]}"
