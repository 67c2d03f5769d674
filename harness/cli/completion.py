"""What the shell proposes for the names of policies and runs; outside a project, nothing."""

from harness.errors import BadInput
from harness.storage.project import find_project


def policies(incomplete: str) -> list[str]:
    """The policies, by name and by version."""
    from harness.policy.load import policy_names, policy_versions

    try:
        project = find_project()
        labels = [
            label
            for name in policy_names(project)
            for label in (name, *(f"{name}@{v}" for v in sorted(policy_versions(project.policies / name))))
        ]
    except BadInput:
        return []
    return [label for label in labels if label.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """`latest`, `baseline`, and the runs, the latest first."""
    from harness.runs.folder import run_names

    try:
        names = ["latest", "baseline", *reversed(run_names(find_project()))]
    except BadInput:
        return []
    return [name for name in names if name.startswith(incomplete)]
