"""Label by a cascade: the student grades every pair first, and its answer counts where it is sure.

The other pairs stay open, and go to the teacher as every pair does without a cascade.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.comparison.cascade import asked_often, couple_of, joined, judge_cascade
from harness.comparison.sides import Side, side_of_run
from harness.errors import BadInput, Fault, Interrupted, refuse_faults
from harness.grading.answered import Answered, record_of
from harness.grading.job import Item, RunObserver
from harness.grading.plan import Plan
from harness.nouns.policy import Gates, Policy
from harness.nouns.records import Prompt, Record, Usage
from harness.production.proof import prove
from harness.production.store import PIECE, AnswerStore
from harness.prompting.answer import read_grade
from harness.providers import open_teacher, saved_digest, split_model
from harness.providers.base import Setup, Teacher
from harness.runs.cascade_file import CascadeFile, CascadeGrader, CascadeSettings, grader_of, load_cascade
from harness.runs.folder import run_names
from harness.runs.label_manifest import CascadeUsed, LabelDigests
from harness.runs.manifest import load_manifest
from harness.runs.record_log import stored_text
from harness.score.items import answer_of
from harness.score.reading import Reading, reading_of
from harness.score.threshold import WEIGHTINGS
from harness.storage.plural import plural
from harness.storage.project import Project

NOTHING = Usage(input_tokens=0, output_tokens=0)
"""What a student in this process uses instead of a server."""
CHOSEN = "choose the cascade by runs of both (`harness student cascade`)"


@dataclass(frozen=True, slots=True)
class Cascade:
    """A cascade that is ready to label."""

    used: CascadeUsed
    student: Teacher
    policy: Policy

    def answers(self, items: Sequence[Item]) -> list[Record | None]:
        """The student's answer to each pair; None if the teacher has to be asked."""
        return asyncio.run(self._all(items))

    async def _all(self, items: Sequence[Item]) -> list[Record | None]:
        return [await self._answer(item) for item in items]

    async def _answer(self, item: Item) -> Record | None:
        prompt = Prompt(item=item.id, repeat=0, messages=(), pair=item.pair)
        reply = (await self.student.ask(prompt)).model_copy(update={"usage": NOTHING})
        found = Answered(read_grade(reply, self.policy.scale), reply, cost=0.0)
        record = record_of(item.id, 0, item.pair.digest, found)
        how = answer_of(record).sure
        return record if how is not None and how >= self.used.threshold else None


def open_cascade(project: Project, path: Path, plan: Plan, digests: LabelDigests) -> Cascade:
    """The cascade of a file. BadInput where its student or its teacher is not the one that was measured."""
    file = load_cascade(path)
    refuse_faults(
        [
            *_student_faults(project, path, file.student),
            *_teacher_faults(path, file, plan, digests),
            *_repeat_faults(project, path, file),
        ]
    )
    assert file.student.model is not None and file.student.digests is not None, "refused before"
    provider, name = split_model(file.student.model)
    student = open_teacher(file.student.model, Setup(policy=plan.policy, shots=(), root=project.root))
    gates = plan.gates.model_copy(update={"margin": min(plan.gates.margin, file.margin)})
    unconfirmed = _unconfirmed(project, file, gates)
    used = CascadeUsed(
        digest=file.digest,
        student=f"{provider}/{name}",
        trained=file.student.digests.trained or "",
        threshold=file.threshold,
        gated=WEIGHTINGS[gates.weighting],
        margin=gates.margin,
        confirmed=not unconfirmed,
        unconfirmed=unconfirmed,
        teacher_proven=_is_proven(project, plan),
    )
    return Cascade(used, student, plan.policy)


def _student_faults(project: Project, path: Path, student: CascadeGrader) -> Iterator[Fault]:
    """Why the student is missing, or is not the one that was measured."""
    if student.model is None or student.digests is None:
        yield Fault(str(path), f"its student is a file of grades, which grades no other pair: {CHOSEN}")
        return
    try:
        now = saved_digest(student.model, project.root)
    except BadInput as error:
        yield from error.faults
        return
    if now is None:
        what = f"its student, {student.model}, is not a folder of `harness student train`"
        yield Fault(str(path), f"{what}: only such a one grades every pair without a request")
    elif now != student.digests.trained:
        yield Fault(str(path), f"{student.model} is another student than the one that was measured")


def _teacher_faults(path: Path, file: CascadeFile, plan: Plan, digests: LabelDigests) -> Iterator[Fault]:
    """Which settings of the teacher differ from those that were measured."""
    then = file.teacher
    if then.model is None or then.digests is None:
        yield Fault(str(path), f"its teacher is a file of grades: {CHOSEN}")
        return
    differ = then.digests.changed(digests)
    differ += ["the model"] if then.model != plan.asked.model else []
    if differ:
        yield Fault(str(path), f"its teacher was measured with another state of: {', '.join(differ)}")
    for name in CascadeSettings.model_fields:
        was, now = getattr(then.settings, name), getattr(plan.asked, name)
        if was != now:
            option = f"--{name.replace('_', '-')}"
            given, wanted = ("not given" if one is None else str(one) for one in (now, was))
            yield Fault(str(path), f"its teacher was measured with {option} {wanted}, and it is {given}")


def _repeat_faults(project: Project, path: Path, file: CascadeFile) -> Iterator[Fault]:
    """The runs that asked more than once about an item: their vote is not an answer that a label set has."""
    known = run_names(project)
    for name in dict.fromkeys([*file.student.runs, *file.teacher.runs]):
        with suppress(BadInput):  # the proof says why a run cannot be read
            repeats = load_manifest(project.runs / name).asked.repeats if name in known else 1
            if repeats > 1:
                yield Fault(str(path), f"{name} {asked_often(repeats)}")


def _is_proven(project: Project, plan: Plan) -> bool:
    """Whether the teacher alone is proven."""
    try:
        prove(project, plan)
    except BadInput:
        return False
    return True


def _other_gates(file: CascadeFile, gates: Gates) -> str:
    """How the gates of a file's choice differ from those that judge it, as the start of a sentence."""
    said = []
    if file.margin > gates.margin:
        said.append(f"its margin of {file.margin:g} is wider than that of gates.toml, {gates.margin:g}")
    if file.gated != WEIGHTINGS[gates.weighting]:
        said.append(f"it was chosen by {file.gated}, and gates.toml says {WEIGHTINGS[gates.weighting]}")
    return f"{' and '.join(said)}; by gates.toml, " if said else ""


def _unconfirmed(project: Project, file: CascadeFile, gates: Gates) -> str:
    """Why runs of this project do not confirm a cascade on test: what a file says is not proof of it."""
    if file.verdict != "pass":
        return f"its verdict on test is {file.verdict}: {file.reason}"
    try:
        sides, test = zip(*(_read(project, one) for one in (file.student, file.teacher)), strict=True)
        student, teacher = sides
        couple = couple_of(student, teacher).of(test[0] & test[1], file.test.part)
        found = judge_cascade(couple, file.threshold, gates.weighting, gates)
    except BadInput as error:
        return f"the runs that it names do not confirm it: {error.faults[0].what}"
    if found.verdict == "pass":
        return ""
    return f"{_other_gates(file, gates)}measured again on test, it is {found.verdict}: {found.reason}"


def _read(project: Project, grader: CascadeGrader) -> tuple[Side, set[str]]:
    """The runs of a grader as a side, and the items of test. BadInput where they are not of that grader.

    By their names in this project alone: a path could lead to a run that came with the file.
    """
    known = run_names(project)
    if lost := [name for name in grader.runs if name not in known]:
        raise BadInput(f"this project has no run {', '.join(lost)}")
    if not grader.runs:
        raise BadInput(f"it names no run of {grader.name}")
    readings: Sequence[Reading] = [reading_of(project, name) for name in grader.runs]
    side = joined([side_of_run(reading) for reading in readings])
    if grader_of(tuple(one.run.manifest for one in readings), side.name) != grader:
        raise BadInput(f"{side.name} is not of the grader that the file names")
    return side, {one.id for reading in readings for one in reading.each_example() if one.split == "test"}


def answer_first(cascade: Cascade, store: AnswerStore, watch: RunObserver, resumed_by: str) -> None:
    """Keep the student's answers to open pairs that it is sure of. A second call adds nothing.

    Interrupted, with how to go on, where the user stops it: what was kept stays.
    """
    kept = sent = 0
    items = store.unanswered()
    try:
        while piece := list(islice(items, PIECE)):
            sure = [record for record in cascade.answers(piece) if record is not None]
            store.take_over((record, stored_text(record).encode("utf-8")) for record in sure)
            kept, sent = kept + len(sure), sent + len(piece) - len(sure)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted while the student graded; {resumed_by}") from None
    if kept + sent:
        share, pairs = sent / (kept + sent), plural(kept + sent, "pair")
        others = f"{sent:,} ({share:.0%}) are left for the teacher"
        watch.said(f"{cascade.used.student} answers {kept:,} of {pairs}; {others}")
