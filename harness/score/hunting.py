"""Which examples of a run are worth a look by people: `{id: how much}`, for a round of rating."""

from collections.abc import Mapping, Sequence
from statistics import mean

from harness.errors import BadInput
from harness.nouns.policy import Policy
from harness.score.items import GradedItem


def disagreeing(items: Sequence[GradedItem], policy: Policy) -> Mapping[str, float]:
    """Where the teacher and the golden grade differ: by how much, and another action before any distance."""
    action_of = policy.decided_actions or {}
    span = policy.scale[-1] - policy.scale[0] + 1
    found: dict[str, float] = {}
    for item in items:
        given = [answer.grade for answer in item.answers if answer.grade is not None]
        if given and any(grade != item.golden for grade in given):
            acts = [action_of.get(grade) != action_of.get(item.golden) for grade in given]
            found[item.item] = mean(abs(grade - item.golden) for grade in given) + span * mean(acts)
    return found


def unsure(items: Sequence[GradedItem], run: str) -> Mapping[str, float]:
    """How unsure the teacher was of its grade: 1 minus the grade's probability. BadInput without any."""
    found: dict[str, float] = {}
    for item in items:
        doubts = [1 - answer.sure for answer in item.answers if answer.sure is not None]
        if doubts:
            found[item.item] = mean(doubts)
    if not found:
        raise BadInput(f"--low-confidence: the answers of {run} have no probabilities; name another run")
    return found
