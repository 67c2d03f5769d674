"""The pairs that a student must never learn from: those that the golden set of its policy grades."""

from dataclasses import dataclass
from pathlib import Path

from harness.golden.canaries import FILE as CANARIES
from harness.golden.canaries import canary_examples, load_canaries
from harness.golden.examples import golden_digest, golden_path, load_examples
from harness.golden.leakage import Graded
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.storage.project import Project


@dataclass(frozen=True, slots=True)
class GradedSet:
    """Dev, test and the canaries of a golden set. `digest`: of what they say.

    `guard`: of dev and test; `canaries`: of the canaries alone.
    """

    path: Path
    examples: tuple[Example, ...]
    digest: str
    guard: Graded
    canaries: Graded


def graded_set(project: Project, policy: Policy) -> GradedSet:
    """The graded part of a policy's golden set. BadInput without one: then leaks could not be found."""
    path = golden_path(project, policy.name)
    canaries = canary_examples(load_canaries(path.with_name(CANARIES), policy))
    examples = [one for one in load_examples(path, policy) if one.split != "shots"]
    graded = (*examples, *canaries)
    return GradedSet(path, graded, golden_digest(graded), Graded(examples), Graded(canaries))
