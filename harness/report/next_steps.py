"""What to do next with a label set, and with an estimate of one: each step with its command."""

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from harness.golden.rating.raters import how_to_plan
from harness.golden.rating.rounds import PRODUCTION
from harness.report.estimate import is_sure
from harness.runs.label_manifest import LabelManifest
from harness.scorecards.estimate import Estimates, Labels
from harness.scorecards.labels import LabelSummary
from harness.storage.plural import plural

PLAN = "plan.jsonl"
FIRST = 300
"""Pairs of a first sample, as `harness sample` draws by itself."""


class NextStep(NamedTuple):
    """A step in words, and its command if it has one."""

    words: str
    command: str = ""


def estimate_steps(found: Estimates, labels: LabelSummary | None) -> Iterator[NextStep]:
    """What would make an estimate better, or explain it. Only a label set can be sampled by a command."""
    main, worst = found.estimates[0], found.worst
    if main.to_halve and main.to_halve.items:
        yield _halving(main.to_halve, labels, main.clusters_unlabelled)
    if worst and is_sure(worst):
        words = (
            f"Look at {worst.stratum} first: {main.name} is lower there than elsewhere, by more than chance "
            "explains. Have more of it graded, at least five queries in each stratum."
        )
        yield NextStep(words, _sample(labels, FIRST, found.by) if labels else "")
    if found.ratings and found.ratings.differ:
        several = plural(found.ratings.several, "rated item")
        words = (
            f"Raters differ on {found.ratings.differ:,} of {several}: settle these, or "
            "see whether the policy is clear."
        )
        yield NextStep(
            words, f"harness gate1 {shlex.quote(found.ratings.file)} {_policy(found.policy)}".rstrip()
        )


def _halving(more: Labels, labels: LabelSummary | None, left: int) -> NextStep:
    """How many more human grades halve the interval, and where they come from; `left`: unrated queries."""
    queries = plural(more.queries, "more query")
    words = (
        f"To about halve the interval, have people grade about {queries} "
        f"({plural(more.items, 'row')}), drawn at random."
    )
    if labels is None:
        return NextStep(words)
    if more.queries > left or more.items > _drawable(labels):
        return NextStep(f"{words} The label set has fewer pairs to draw: label more of production first.")
    return NextStep(words, _sample(labels, more.items))


def label_steps(found: LabelSummary) -> Iterator[NextStep]:
    """The steps from an unrated label set to an estimate."""
    if found.outcomes.failed:
        rows = plural(found.outcomes.failed, "row has", "rows have")
        yield NextStep(f"{rows} no answer: repeat the harness label command of the set with --retry-failed.")
    strata = "stratum" if found.by_stratum else None
    yield NextStep("Draw a sample at random.", _sample(found, FIRST, strata))
    yield NextStep("Have people rate it.", how_to_plan(found.policy, PLAN))
    yield NextStep("When the raters have finished, seal their ratings.", "harness rate seal --all")
    ratings = shlex.quote(f"golden/{found.policy.partition('@')[0]}/{PRODUCTION}")
    yield NextStep(
        "Then estimate how good it is.",
        f"harness estimate {shlex.quote(found.labels)} --ratings {ratings} --html estimate.html",
    )


def proof_steps(manifest: LabelManifest) -> Iterator[NextStep]:
    """The steps that prove a teacher or a cascade."""
    if manifest.cascade and not manifest.cascade.confirmed:
        yield NextStep(
            "Confirm the cascade: see whether it may stand in for its teacher on test.",
            f"harness student cascade --student {shlex.quote(manifest.cascade.student)} -o cascade.json",
        )
    if manifest.lacks_proof:
        asked = manifest.asked
        given = {"model": asked.model, "policy": asked.policy, "prompt": asked.prompt, "split": "test"}
        words = " ".join(f"--{name} {shlex.quote(value)}" for name, value in given.items())
        yield NextStep("Prove the teacher: see whether it passes Gate 2 on test.", f"harness eval {words}")


def _sample(labels: LabelSummary, pairs: int, by: str | None = None) -> str:
    strata = f" --by {by}" if by else ""
    count = min(pairs, _drawable(labels))
    return f"harness sample {shlex.quote(labels.labels)} --n {count}{strata} -o {PLAN}"


def _drawable(labels: LabelSummary) -> int:
    """Pairs that a sample can draw, at least: those with a grade whose query no shot has."""
    without = labels.outcomes.ungraded + labels.outcomes.failed + labels.shot_query
    return max(labels.distinct - without, 1)


def _policy(label: str | None) -> str:
    return f"--policy {shlex.quote(label)}" if label else ""
