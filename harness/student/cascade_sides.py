"""The student and the teacher of a cascade, from runs and files: sides, splits, costs, and who they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from harness import __version__
from harness.comparison.cascade import joined
from harness.comparison.sides import Side, side_of_run
from harness.errors import BadInput
from harness.golden.graded_files import Golden
from harness.golden.holdout_log import LOOKS, HoldoutLook, looks, note_look
from harness.pricing.prices import cost_of, price_of
from harness.providers import is_recorded, sold_as
from harness.runs.cascade_file import CascadeFile, CascadeGrader, grader_of
from harness.score.reading import Reading, reading_of
from harness.scorecards.cascade import CascadeCheck, CascadeCost
from harness.storage.plural import plural
from harness.storage.project import Project

THOUSAND = 1_000
FILE_COST = "a file of grades does not say what they cost"


@dataclass(frozen=True, slots=True)
class CascadeSide:
    """One of the two. `splits`: of each item by name. `cost`: USD for 1,000 pairs; None with the reason."""

    side: Side
    splits: Mapping[str, str]
    by: CascadeGrader
    cost: float | None = None
    reason: str | None = None


def graded_by_runs(project: Project, names: Sequence[str]) -> CascadeSide:
    """A run of dev and test, or one of each. BadInput where they are not of one grader."""
    if len(names) > 2:
        raise BadInput(f"{', '.join(names)}: name a run on dev and one on test, or one run on both")
    readings = [reading_of(project, name) for name in names]
    side = joined([side_of_run(reading) for reading in readings])
    cost, reason = _thousand(project, readings)
    return CascadeSide(
        side,
        {example.id: example.split for reading in readings for example in reading.each_example()},
        grader_of(tuple(reading.run.manifest for reading in readings), side.name),
        cost,
        reason,
    )


def graded_in_file(side: Side, splits: Mapping[str, str]) -> CascadeSide:
    """A file of grades: neither its grader nor the cost is known."""
    return CascadeSide(side, splits, CascadeGrader(name=side.name), None, f"{side.name}: {FILE_COST}")


def splits_of(golden: Golden) -> dict[str, str]:
    """The splits of a file of golden grades. BadInput without any."""
    found = {item: row.notes.split for item, row in golden.rows.items() if row.notes.split}
    if not {*found.values()} & {"dev", "test"}:
        what = "the threshold is chosen on dev, and confirmed on test"
        raise BadInput(f"{golden.name} does not say which items are dev and which are test: {what}; "
                       "add a column split")  # fmt: skip
    return found


def cost_of_both(student: CascadeSide, teacher: CascadeSide) -> CascadeCost:
    """What 1,000 pairs cost by each."""
    reasons = [one.reason for one in (student, teacher) if one.reason]
    return CascadeCost(student=student.cost, teacher=teacher.cost, reason="; ".join(reasons) or None)


def cascade_file(found: CascadeCheck, student: CascadeSide, teacher: CascadeSide) -> CascadeFile:
    """A chosen cascade as a file has it. BadInput where none was chosen."""
    if found.threshold is None or found.dev is None or found.test is None:
        raise BadInput("there is no cascade to write: no threshold was chosen")
    same = ("policy", "gated", "margin", "share", "rule", "threshold", "dev", "test", "cost", "verdict")
    return CascadeFile(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        harness=__version__,
        student=student.by,
        teacher=teacher.by,
        reason=found.reason,
        **{name: getattr(found, name) for name in same},
    )


def noted_look(
    project: Project, found: CascadeCheck, student: CascadeSide, teacher: CascadeSide
) -> int | None:
    """Add a cascade to the log of looks at test, once; how many it has then.

    Another threshold, margin or weighting, and other runs, are another look. None where test was not looked
    at, and where no golden set of the project is behind the grades.
    """
    golden = project.golden / (found.policy or "").partition("@")[0]
    if found.test is None or not teacher.by.runs or not golden.is_dir():
        return None
    who = f"{student.side.name} then {teacher.side.name}"
    look = HoldoutLook(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        run=f"cascade of {who} below {found.threshold!r} ({found.gated}, margin {found.margin:g})",
        model=f"{student.by.model or student.by.name} then {teacher.by.model}",
        prompt=teacher.by.prompt or "",
        policy=found.policy or "",
        examples=found.test.n,
    )
    note_look(golden / LOOKS, look)
    return len(looks(golden / LOOKS))


def _thousand(project: Project, readings: Sequence[Reading]) -> tuple[float | None, str | None]:
    """USD for 1,000 answers of runs, by their records: None where it is not known, with the reason.

    What came from the reply cache counts by its tokens at today's price, since this run did not pay for it.
    """
    whole, answers, unknown = 0.0, 0, 0
    for reading in readings:
        asked = reading.run.manifest.asked
        name = reading.run.folder.name
        if reading.run.manifest.digests.replayed or is_recorded(asked.model):
            return None, f"{name}: its answers were given elsewhere, and do not say what they cost"
        price = price_of(project, asked.model, asked.base_url, sold_as)
        for record in reading.run.each_record():
            if record.reply is None:
                continue
            both = (record.reply, record.unread)
            cost = cost_of(both, price, batch=asked.batch) if record.cached_reply else record.cost
            answers, unknown, whole = answers + 1, unknown + (cost is None), whole + (cost or 0.0)
    if unknown:
        what = plural(unknown, "answer is", "answers are")
        return None, f"the price or the tokens of {what} unknown"
    return (THOUSAND * whole / answers, None) if answers else (None, "nobody answered")
