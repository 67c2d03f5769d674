"""The ratings that lie beside a golden set."""

from collections.abc import Sequence
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.files import read_nouns
from harness.golden.graded import refuse_doubles, scale_text
from harness.records import Example, Rating
from harness.rubric import Policy


def load_ratings(path: Path, policy: Policy, examples: Sequence[Example]) -> list[Rating]:
    """The ratings given under this policy version, each with the query of its example.

    A rating that names no version counts under every one.
    """
    numbered, faults = read_nouns(path, Rating)
    here = [(line, rating) for line, rating in numbered if rating.policy_version in ("", policy.version)]
    for line, rating in here:
        if rating.grade not in policy.scale:
            what = f"grade {rating.grade} is not on the scale {scale_text(policy.scale)} of {policy.label}"
            faults.append(Fault(f"{path}, line {line}", what))
    if not here and not faults:
        faults.append(Fault(str(path), f"holds no rating under {policy.label}"))
    if faults:
        raise BadInput(faults)
    keys = [(f"{path}, line {line}", (rating.item, rating.rater)) for line, rating in here]
    refuse_doubles(keys, "item {0!r} by rater {1!r}")
    queries = {example.id: example.query for example in examples}
    return [rating.model_copy(update={"query": queries.get(rating.item)}) for _, rating in here]
