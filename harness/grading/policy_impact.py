"""The same teacher under two policy versions on the same production pairs, through the run engine.

Each version has its own run folder, so that no later command asks an answered question again.
"""

from collections.abc import Sequence
from pathlib import Path

from harness.comparison.impact import measure_impact
from harness.errors import BadInput
from harness.golden.examples import stale
from harness.grading.job import Limits, RunObserver
from harness.grading.pair_grades import grade_pairs, is_finished
from harness.grading.plan import Plan, make_plan
from harness.providers import confirmed, is_prompted, reads_grades
from harness.providers.base import SENT_ALONG
from harness.runs.manifest import Asked
from harness.runs.pair_run import find_pair_run
from harness.runs.pairs import ShownPair
from harness.scorecards.impact import Impact
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.stream import Stream


def impact_of(
    project: Project,
    versions: tuple[str, str],
    pairs: Stream[ShownPair],
    teacher: Asked,
    watch: RunObserver,
    limits: Limits,
    *,
    twice: bool = False,
) -> Impact:
    """What the change does to what people see. Makes no calls until every input is checked.

    `teacher` says who grades; its policy and split are ignored. `twice`: grade every pair twice under the
    first version, to see what the teacher changes by itself.
    """
    if reads_grades(teacher.model):
        raise BadInput(f"{teacher.model}: a replay gives the same grades under both versions; name a model")
    plans = [
        make_plan(project, teacher.model_copy(update={"policy": label, "repeats": repeats}), pairs)
        for label, repeats in zip(versions, (2 if twice else 1, 1), strict=True)
    ]
    folders = [find_pair_run(project, plan.asked, plan.digests) for plan in plans]
    if not limits.cache and all(folder and is_finished(folder) for folder in folders):
        # Start over; an interrupted run is resumed all the same.
        folders = [None for _ in plans]
    before, after = (
        grade_pairs(project, plan, folder, watch, limits) for plan, folder in zip(plans, folders, strict=True)
    )
    warnings = tuple(_warnings(plans, pairs))
    return measure_impact(pairs, before, after, warnings, reads_policy=is_prompted(teacher.model))


def teacher_of(asked: Asked, pairs: str, base_url: str | None, run: Path) -> Asked:
    """A run's teacher, to grade the pairs of a file. BadInput for an address that the run alone names."""
    kept = ("model", "policy", "prompt", "shots", *SENT_ALONG)
    address = confirmed(asked.model, asked.base_url, base_url, run)
    values = {name: getattr(asked, name) for name in kept}
    return Asked(**values, base_url=address, splits=(), pairs=pairs)


def _warnings(plans: Sequence[Plan], pairs: Stream[ShownPair]) -> list[str]:
    """How the teacher differs from the one that grades the golden set."""
    new = plans[-1]
    given = {drop.graded for drop in new.dropped}
    given &= {one.id for one in pairs if one.id in given}
    kept = sum(drop.graded in given for drop in new.dropped)
    found = []
    if not is_prompted(new.asked.model):
        why = "it learned from grades, and a changed rule moves nothing in it"
        found.append(f"{new.asked.model} reads no policy: {why}; name a teacher with --model")
    if kept:
        of = plural(kept + len(new.learnable), "golden shot")
        count = f"{kept:,} of {of} {'is' if kept == 1 else 'are'}"
        found.append(f"{count} withheld from the teacher: a pair has the query, or nearly the text")
    if left := stale(new.learnable, new.policy):
        count = plural(len(left), "golden shot was", "golden shots were")
        found.append(f"{count} not yet judged under {new.policy.label}")
    return found
