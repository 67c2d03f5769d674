"""What the shell proposes for the names of policies and runs."""


def policies(incomplete: str) -> list[str]:
    """The policies, by name and by version."""
    from harness.errors import BadInput
    from harness.policy.load import policy_names, policy_versions
    from harness.storage.project import find_project

    try:
        project = find_project()
        labels = [
            label
            for name in policy_names(project)
            for label in (name, *(f"{name}@{v}" for v in sorted(policy_versions(project.policies / name))))
        ]
    except BadInput:
        return []  # outside a project there is nothing to propose
    return [label for label in labels if label.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """`latest`, `baseline`, and the runs, the latest first."""
    from harness.errors import BadInput
    from harness.runs.folder import run_names
    from harness.storage.project import find_project

    try:
        names = ["latest", "baseline", *reversed(run_names(find_project()))]
    except BadInput:
        return []
    return [name for name in names if name.startswith(incomplete)]
