"""An example to begin with: a policy over a scale, and graded pairs that are marked as made up."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.golden.skeleton import GATES_SKELETON
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.policy.load import load_policy
from harness.scaffold.levels import (
    EXACT,
    GOOD,
    IRRELEVANT,
    POOR,
    RELATED,
    drafted_actions,
    drafted_grades,
    grades_of_levels,
)
from harness.storage.files import to_lines, write_atomic
from harness.storage.project import Project

FILES = Path(__file__).parent / "files"
"""What is copied or rendered into a new project."""
SCALE = (0, 1, 2, 3, 4)
"""The default scale of an example policy."""
_SOURCE = "made up by harness init as example data"


def rendered(template: str, /, **values: Any) -> str:
    """A template of this room with its values."""
    from jinja2 import Environment, StrictUndefined

    text = (FILES / template).read_text(encoding="utf-8")
    made = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    return made.from_string(text).render(values)


def example_policy(name: str, scale: Sequence[int]) -> str:
    """The file of a small, finished policy over a scale, with comments; a draft."""
    levels = grades_of_levels(scale)
    return rendered(
        "policy.toml.j2",
        name=name,
        grades=drafted_grades(scale),
        actions=drafted_actions(scale),
        top=levels[EXACT],
        good=levels[GOOD],
        related=levels[RELATED],
        poor=levels[POOR],
        worst=levels[IRRELEVANT],
        below_good=scale[list(scale).index(levels[GOOD]) - 1],
    )


def write_policy(project: Project, name: str, scale: Sequence[int]) -> Path:
    """Write an example policy as its first version, with its gates."""
    folder = project.policies / name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "gates.toml").exists():
        write_atomic(folder / "gates.toml", GATES_SKELETON)
    write_atomic(folder / "v1.toml", example_policy(name, scale))
    return folder / "v1.toml"


def write_example(project: Project, name: str, scale: Sequence[int]) -> int:
    """Write an example policy, its pairs, and a README about them. Returns the number of pairs."""
    policy = load_policy(write_policy(project, name, scale))
    lines = (FILES / "example-pairs.jsonl").read_text(encoding="utf-8").splitlines()
    examples = [_example(json.loads(line), policy) for line in lines]
    folder = project.golden / policy.name
    folder.mkdir(parents=True)
    write_atomic(folder / "examples.jsonl", to_lines(examples))
    queries = len({one.cluster for one in examples})
    readme = rendered("golden-readme.md.j2", name=policy.name, count=len(examples), queries=queries)
    write_atomic(folder / "README.md", readme)
    return len(examples)


def _example(data: dict[str, Any], policy: Policy) -> Example:
    grade = grades_of_levels(policy.scale)[data.pop("level")]
    under = {"grade": grade, "policy_version": policy.version, "rules": policy.rules}
    return Example.model_validate(
        {**data, **under, "tags": ["example-data"], "provenance": {"source": _SOURCE}}
    )
