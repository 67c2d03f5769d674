"""Label production pairs: files of pairs x a proven teacher -> a label set."""

import platform
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from harness import __version__
from harness.errors import BadInput, Fault, Interrupted, Unfinished
from harness.grading.answering import money_of, names_of, resumable
from harness.grading.executors import executor_of
from harness.grading.job import NO_LIMITS, Job, Limits, RunObserver
from harness.grading.new_run import package_versions, teacher_contents
from harness.grading.plan import Plan, make_plan, setup_of
from harness.nouns.pair import query_key
from harness.production.cascade import Cascade, answer_first, open_cascade
from harness.production.engine import Engine
from harness.production.engines import DEFAULT, engine_of
from harness.production.intake import Checks, take_in
from harness.production.pairs import Input, files_of
from harness.production.parts import join_parts
from harness.production.proof import prove
from harness.production.set_folder import begun_before, opened_set
from harness.production.store import AnswerStore
from harness.providers import is_prompted, open_teacher
from harness.providers.base import Teacher
from harness.runs.label_manifest import (
    LabelDigests,
    LabelManifest,
    Proof,
    RowOutcomes,
    save_label_manifest,
)
from harness.runs.labels import SUMMARY, load_labels
from harness.runs.manifest import Asked
from harness.runs.pairs import ShownPair
from harness.score.labels import summarise
from harness.scorecards.labels import LabelSummary
from harness.storage.files import write_atomic
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.stream import Stream

HOW_TO_RESUME = "repeat the command to go on; it asks no answered pair again"


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """What to label: `pairs` are files, folders or patterns; `folder` is the label set, new or begun.

    Only a dry run needs no folder.
    """

    pairs: Sequence[str]
    folder: Path | None
    asked: Asked
    input: Input = field(default_factory=Input)
    unproven: bool = False
    engine: str = DEFAULT
    actors: int | None = None
    """Processes that the engine may have."""
    cascade: Path | None = None
    """The file of a cascade, whose student answers first."""


def label(
    project: Project, request: LabelRequest, watch: RunObserver, limits: Limits = NO_LIMITS
) -> LabelSummary:
    """Label the pairs that the set lacks, and write its shards. Every row is checked before any call."""
    folder = request.folder
    if folder is None:
        raise BadInput("name the folder of the labels: -o LABELS")
    files = [file for text in request.pairs for file in files_of(text)]
    # As in `harness eval`: production pairs exclude no shot.
    plan = make_plan(project, request.asked)
    cascade = cascade_of(project, request, plan)
    before = begun_before(folder, plan, cascade)
    proof = proof_of(project, plan, cascade, unproven=request.unproven)
    engine = engine_of(request.engine, request.actors)
    engine.check(plan.asked)
    teacher = open_teacher(plan.asked.model, setup_of(project, plan))
    executor_of(plan.asked).check(plan.asked.model, teacher)
    money_of(project, plan, limits)
    with closing(engine), opened_set(folder, new=before is None) as store:
        added = take_in(store, files, request.input, checks_of(plan), engine.reading)
        manifest = _begun(request, plan, before, proof, store, cascade)
        save_label_manifest(folder, manifest)
        if before and added:
            watch.said(f"{plural(added, 'row')} more than before")
        for name, content in teacher_contents(plan).items():
            # A kill can come between the manifest and these.
            if before is None or not (folder / name).exists():
                write_atomic(folder / name, content)
        join_parts(folder, store)
        with resumable(folder, HOW_TO_RESUME):
            if cascade:
                answer_first(cascade, store, watch, HOW_TO_RESUME)
            job = _job(project, folder, plan, teacher, watch, limits, store)
            engine.answer(job, store, HOW_TO_RESUME)
            try:
                return _finish(job, store, manifest, engine)
            except KeyboardInterrupt:
                what = "interrupted while the shards were written"
                raise Interrupted(f"{what}; {HOW_TO_RESUME}") from None


def cascade_of(project: Project, request: LabelRequest, plan: Plan) -> Cascade | None:
    """The requested cascade; None for the teacher alone. BadInput if it has another student or teacher."""
    if request.cascade is None:
        return None
    return open_cascade(project, request.cascade, plan, LabelDigests.of(plan.digests))


def checks_of(plan: Plan) -> Checks:
    """What each row is checked against."""
    shots = plan.writer.shown if is_prompted(plan.asked.model) else plan.learnable
    render = None if plan.writer.is_fixed else plan.writer.prompt
    return Checks(frozenset(query_key(shot.query) for shot in shots), render)


def proof_of(project: Project, plan: Plan, cascade: Cascade | None, *, unproven: bool) -> Proof | None:
    """The proof of the teacher; None if the user accepts it without one. Else BadInput if there is no proof.

    What a manifest says is not proof: somebody may have sent the folder. A cascade takes its own beside it.
    """
    faults = []
    if cascade and cascade.used.unconfirmed:
        what = f"the cascade is not proven: {cascade.used.unconfirmed}"
        faults.append(Fault("", f"{what}\nor label with --unproven, and every shard will say so", kind=what))
    try:
        proof = prove(project, plan)
        if not faults:
            return proof
    except BadInput as error:
        faults += error.faults
    if unproven:
        return None
    raise BadInput(faults)


def _begun(
    request: LabelRequest,
    plan: Plan,
    before: LabelManifest | None,
    proof: Proof | None,
    store: AnswerStore,
    cascade: Cascade | None,
) -> LabelManifest:
    """The manifest of a set that is being labelled."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return LabelManifest(
        created_at=before.created_at if before else now,
        asked=plan.asked,
        unprompted=not is_prompted(plan.asked.model),
        digests=LabelDigests.of(plan.digests),
        shots=tuple(shot.id for shot in plan.writer.shown),
        columns=dict(request.input.layout.columns),
        attributes=request.input.attributes,
        proven=proof,
        unproven=proof is None,
        cascade=cascade.used if cascade else None,
        sources=store.sources(),
        rows=store.rows,
        distinct=store.pairs,
        model_answered=before.model_answered if before else (),
        notes=before.notes if before else (),
        harness=__version__,
        python=platform.python_version(),
        packages=package_versions(),
    )


def _job(
    project: Project,
    folder: Path,
    plan: Plan,
    teacher: Teacher,
    watch: RunObserver,
    limits: Limits,
    store: AnswerStore,
) -> Job:
    records = store.records() if store.count or store.failures else ()
    price, budget = money_of(project, plan, limits, folder, records)
    # Only how many there are: the pairs themselves are read from the store.
    pairs = Stream[ShownPair](count=store.pairs)
    return Job(
        project, folder, replace(plan, pairs=pairs), teacher, price, budget, watch, limits, items=store
    )


def _finish(job: Job, store: AnswerStore, manifest: LabelManifest, engine: Engine) -> LabelSummary:
    """The shards, the finished manifest, the summary."""
    folder = job.folder
    if left := store.pairs - store.count - store.failures:
        raise Unfinished(f"{plural(left, 'pair was', 'pairs were')} never asked; {HOW_TO_RESUME}")
    manifest = manifest.model_copy(
        update={
            "model_answered": names_of({*manifest.model_answered, *store.models}),
            "notes": tuple(dict.fromkeys((*manifest.notes, *job.teacher.notes, *store.notes))),
        }
    )
    engine.write(folder, store, manifest, job.plan.policy)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    save_label_manifest(folder, manifest.model_copy(update={"finished_at": now}))
    summary = summarise(load_labels(folder))
    counts = RowOutcomes(**summary.outcomes.model_dump())
    save_label_manifest(folder, manifest.model_copy(update={"finished_at": now, "outcomes": counts}))
    write_atomic(folder / SUMMARY, summary.model_dump_json(indent=2) + "\n")
    return summary
