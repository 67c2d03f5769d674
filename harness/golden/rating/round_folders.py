"""The folders of a policy's rounds. Most projects have none, and do not import the code that reads one."""

from pathlib import Path

from harness.golden.examples import golden_path
from harness.storage.project import Project, folder_names

ROUNDS, ROUND = "rounds", "round.json"


def rounds_folder(project: Project, policy: str) -> Path:
    """The folder of a policy's rounds; there may be none."""
    return golden_path(project, policy.partition("@")[0]).with_name(ROUNDS)


def round_names(project: Project, policy: str) -> list[str]:
    """The names of a policy's rounds."""
    folder = rounds_folder(project, policy)
    return [name for name in folder_names(folder) if (folder / name / ROUND).exists()]
