"""Files of grades: the scale, the file with the golden grades, and a grader's file."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from harness.golden.examples import FILE, load_examples
from harness.golden.grade_rows import GradedRow
from harness.golden.grade_tables import read_golden_grades
from harness.nouns.pair import Example, one_form
from harness.nouns.policy import Gates, Policy
from harness.policy.load import load_with_gates, policy_path
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.tables import Layout
from harness.storage.visible import shown_name


class Levels(NamedTuple):
    """The scale and the bars; with the policy that defines them, if there is one."""

    scale: tuple[int, ...]
    policy: Policy | None = None
    gates: Gates = Gates()


class GradesFile(NamedTuple):
    """One file of grades, and how it is read. `rater`: whose grades, where it holds several raters'."""

    path: Path
    table: Layout = Layout()
    rater: str | None = None

    @property
    def name(self) -> str:
        """A label with the file and the rater."""
        return f"{self.rater} ({shown_name(self.path)})" if self.rater else shown_name(self.path)


class Golden(NamedTuple):
    """A file of golden grades, read; `stale` counts those of another version than the policy's."""

    name: str
    rows: Mapping[str, GradedRow]
    stale: int = 0

    def stale_under(self, policy: Policy | None) -> str | None:
        """A sentence that some grades are of another version than the policy's; None if none are."""
        if policy is None or not self.stale:
            return None
        of = f"{self.stale:,} of {plural(len(self.rows), 'golden grade')} in {self.name}"
        return f"{of} are of another version, and {policy.label} has none of those"


def policy_levels(project: Project, label: str) -> Levels:
    """A policy's scale, and the bars beside it."""
    policy, gates = load_with_gates(policy_path(project, label))
    return Levels(policy.scale, policy, gates)


def read_golden(path: Path, table: Layout, levels: Levels) -> Golden:
    """The golden grades, as judged under the policy's version where the file says which is which."""
    policy = levels.policy
    version = policy.version if policy else None
    rows = read_golden_grades(path, table, levels.scale, version)
    stale = sum(row.notes.policy_version not in (None, version) for row in rows.values()) if policy else 0
    return Golden(shown_name(path), rows, stale)


def examples_of(project: Project, policy: Policy) -> dict[str, Example]:
    """A policy's golden examples by id; none where it has no golden set."""
    path = project.golden / policy.name / FILE
    return {one_form(example.id): example for example in load_examples(path, policy)} if path.exists() else {}
